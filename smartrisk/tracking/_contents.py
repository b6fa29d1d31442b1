"""What goes into a run besides figures: digests of data, pictures and pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, format_values
from smartrisk.lineage import read_sources
from smartrisk.schema import DECLARATIONS, OWN_FIELDS
from smartrisk.tables import to_pandas
from smartrisk.tracking._names import safe_name

#: Hexadecimal digits of a digest: MLflow keeps at most 36 characters.
_DIGEST_LENGTH = 32


@dataclass(frozen=True)
class DataSet:
    """What is logged about a table, without its rows."""

    context: str
    name: str
    digest: str
    n_rows: int
    columns: list[dict[str, Any]]
    sources: list[dict[str, Any]] = field(default_factory=list)


def describe_data(
    declarations: pd.DataFrame | Mapping[str, pd.DataFrame] | None,
) -> dict[str, DataSet]:
    """Return name, digest, size and columns of each data set, by context."""
    if declarations is None:
        return {}
    is_mapping = isinstance(declarations, Mapping)
    given = declarations if is_mapping else {"training": declarations}
    data = {}
    for context, table in given.items():
        frame = to_pandas(table)
        if not isinstance(frame, pd.DataFrame):
            raise ArgumentError(
                "tracking.declarations_not_a_frame",
                "log_run: 'declarations' must be a DataFrame or a mapping of "
                "contexts to DataFrames; got {type_name}.",
                type_name=type(frame).__name__,
            )
        own = frame.attrs.get(OWN_FIELDS, {})
        known = [name for name in (*DECLARATIONS.names, *own) if name in frame]
        name = safe_name(context)
        data[name] = DataSet(
            context=name,
            name=f"declarations-{name}",
            digest=digest_frame(frame[known]),
            n_rows=len(frame),
            columns=[
                {"name": n, "type": _column_type(n, own), "required": False}
                for n in known
            ],
            sources=_describe_sources(frame),
        )
    return data


def digest_frame(frame: pd.DataFrame) -> str:
    """Return a digest of the columns and values of a frame, whatever its index."""
    sha = hashlib.sha256(json.dumps([str(c) for c in frame.columns]).encode())
    sha.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return sha.hexdigest()[:_DIGEST_LENGTH]


def prepare_figures(figures: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return pictures and pages by safe names; refuse pages that name parties."""
    named = {safe_name(name): figure for name, figure in (figures or {}).items()}
    private = [name for name, figure in named.items() if _names_parties(figure)]
    if private:
        raise ArgumentError(
            "tracking.figures_name_parties",
            "log_run: 'figures' holds {pages}, pages that name parties or "
            "items. Keep them out of a tracking server; save them where only "
            "officers can read them.",
            pages=format_values(private),
        )
    return {name: _draw(figure) for name, figure in named.items()}


def _names_parties(figure: Any) -> bool:
    """Return whether a page names parties or items."""
    return bool(getattr(figure, "identities", False))


def _draw(figure: Any) -> Any:
    """Return a display after drawing it, anything else unchanged."""
    is_display = hasattr(figure, "plot") and hasattr(figure, "svg")
    return figure.plot() if is_display and not hasattr(figure, "figure_") else figure


def _describe_sources(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return from which files a table came: digests and counts, never names."""
    traced = (replace(source, name=None) for source in read_sources(frame))
    return [source.to_dict() for source in traced]


def _column_type(name: str, own: Mapping[str, str]) -> str:
    """Return the type of a field in the words of MLflow."""
    kinds = {"number": "double", "integer": "long", "boolean": "boolean"}
    kind = own[name] if name in own else DECLARATIONS[name].kind
    return "datetime" if kind == "datetime" else kinds.get(kind, "string")


def to_jsonable(value: Any) -> Any:
    """Return a value in plain types for JSON; other objects become text."""
    if isinstance(value, Mapping):
        return {str(k): to_jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_jsonable(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
