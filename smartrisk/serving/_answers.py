"""Answers: tables and single results as JSON or Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import SmartRiskWarning
from smartrisk.languages import render
from smartrisk.serving._arrow import write_arrow
from smartrisk.serving._bodies import ARROW, JSON


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The body of an answer, its media type, and how many items it is about."""

    body: bytes
    media_type: str = JSON
    n_items: int = 0
    headers: dict[str, str] = field(default_factory=dict)


def plain_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table in types of JSON, by column; missing values are None.

    Floats keep every bit: JSON writes the shortest text that reads back as the same.
    """
    columns = [_plain_column(frame[name]) for name in frame]
    names = [str(name) for name in frame]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain_column(values: pd.Series) -> list[Any]:
    """Return a column as a list of values of JSON."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iub":
        return list(values.tolist())
    if values.dtype.kind == "M":
        values = values.map(pd.Timestamp.isoformat, na_action="ignore")
    return [None if pd.isna(v) else v for v in values.tolist()]


def to_json(value: Any) -> bytes:
    """Return a value as JSON; never with NaN, which is no JSON."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def plain_warnings(
    caught: Iterable[SmartRiskWarning], lang: str
) -> list[dict[str, str]]:
    """Return warnings by their codes, each once, in a language."""
    found = {w.message_id: render(w, lang) for w in caught}
    return [{"code": code, "detail": text} for code, text in found.items()]


def answer_table(
    frame: pd.DataFrame,
    *,
    name: str,
    about: Mapping[str, Any],
    accept: str,
) -> Answer:
    """Return a table, with what else is to be known, as the client accepts it.

    Parameters
    ----------
    frame : DataFrame
        One row per item, with its position among those that were sent.
    name : str
        Name of the list of rows in JSON.
    about : mapping of str to object
        What else the answer states; empty values are left out.
    accept : str
        Media type of the answer.
    """
    rest = {key: value for key, value in about.items() if value}
    if accept == ARROW:
        texts = {f"smartrisk.{k}": json.dumps(v) for k, v in rest.items()}
        body = write_arrow(frame, texts)
        return Answer(body=body, media_type=ARROW, n_items=len(frame))
    content = {name: plain_records(frame), **rest}
    return Answer(body=to_json(content), n_items=len(frame))
