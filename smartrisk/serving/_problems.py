"""Errors as the problem details of RFC 9457, in the language that was asked for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import (
    ArgumentError,
    ArtefactError,
    LeakageError,
    Message,
    SmartRiskError,
    TableError,
)
from smartrisk.languages import LANGUAGES, render

#: Media type of a problem.
PROBLEM = "application/problem+json"
#: Failures in one answer: each takes some 150 bytes, so they are 1.5 MB at most.
_MOST_FAILURES = 10_000
#: A quoted path, and the name at its end: where the files lie is no client's business.
_FOLDERS = re.compile(r"'[^'\n]*[\\/]([^'\n\\/]*)'")
#: Longest value that an answer repeats, as in the messages of `errors`.
_LONGEST = 40


class RequestError(SmartRiskError):
    """A request that the service refuses before the engine sees it.

    Parameters
    ----------
    status : int
        Status of HTTP.
    message_id, template : str
        As for `SmartRiskError`.
    failures : list of dict, default=None
        Each thing that was found, with its position.
    headers : dict of str to str, default=None
        Headers of the answer.
    **values : object
        As for `SmartRiskError`.
    """

    def __init__(
        self,
        status: int,
        message_id: str,
        template: str,
        /,
        *,
        failures: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(message_id, template, **values)
        self.status = status
        self.failures = failures or []
        self.headers = headers or {}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An answer that states why there is no other."""

    status: int
    code: str
    body: bytes
    headers: dict[str, str]


def make_problem(error: BaseException, lang: str, request_id: str) -> Problem:
    """Return the answer to a request that failed."""
    status = _status_of(error)
    if not isinstance(error, SmartRiskError):
        error = Message(  # type: ignore[assignment]
            "serving.internal",
            "the service could not answer. Its log has the error under {request}.",
            request=request_id,
        )
    content: dict[str, Any] = {
        "type": f"urn:smartrisk:error:{error.message_id}",  # type: ignore[attr-defined]
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": error.message_id,  # type: ignore[attr-defined]
        "detail": describe(error, lang),  # type: ignore[arg-type]
        "request": request_id,
    }
    failures, n_failures = failures_of(error)
    if n_failures:
        content |= {"failures": failures, "n_failures": n_failures}
    headers = {
        "content-language": lang,
        **(error.headers if isinstance(error, RequestError) else {}),
    }
    body = json.dumps(content).encode()
    return Problem(status=status, code=content["code"], body=body, headers=headers)


def describe(error: SmartRiskError | Message, lang: str) -> str:
    """Return the text of an error; of the machine's files it shows the names only."""
    text = render(error, lang)
    return _FOLDERS.sub(r"'\1'", text) if isinstance(error, ArtefactError) else text


def _status_of(error: BaseException) -> int:
    """Return the status of HTTP that fits an error."""
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, (TableError, ArgumentError, LeakageError)):
        return 422
    return 503 if isinstance(error, ArtefactError) else 500


def failures_of(error: BaseException) -> tuple[list[dict[str, Any]], int]:
    """Return what was refused, each with its position, and the number of all."""
    if isinstance(error, RequestError):
        return error.failures[:_MOST_FAILURES], len(error.failures)
    frame = getattr(error, "failures", None)
    if not isinstance(frame, pd.DataFrame):
        return [], 0
    return list_failures(frame)


def list_failures(frame: pd.DataFrame) -> tuple[list[dict[str, Any]], int]:
    """Return the errors among the failures of a table, by the position of the item."""
    errors = frame[frame["severity"].isin(("error", "set aside"))]
    first = errors.head(_MOST_FAILURES)
    columns = zip(
        first["row"].tolist(),
        first["field"].tolist(),
        first["reason"].tolist(),
        first["value"].tolist(),
        strict=True,
    )
    found = [
        {
            "position": int(row),
            "field": _plain(field),
            "reason": str(reason),
            "value": _shorten(value),
        }
        for row, field, reason, value in columns
    ]
    return found, len(errors)


def _plain(value: Any) -> Any:
    """Return a value of a table as JSON has it."""
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _shorten(value: Any) -> Any:
    """Return a value, long texts cut short."""
    found = _plain(value)
    if isinstance(found, str) and len(found) > _LONGEST:
        return found[: _LONGEST - 3] + "..."
    if isinstance(found, int) and abs(found) > 1 << 63:
        return repr(float(min(found, 1 << 1000)))
    return found


def find_language(header: str | None) -> str:
    """Return the language of the library that a header Accept-Language likes best."""
    best, most = "en", 0.0
    for part in (header or "").split(",")[:20]:
        name, _, weight = part.partition(";")
        try:
            liking = float(weight.partition("=")[2]) if weight else 1.0
        except ValueError:
            continue
        lang = name.strip()[:2].lower()
        if lang in LANGUAGES and most < liking <= 1.0:
            best, most = lang, liking
    return best
