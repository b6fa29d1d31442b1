"""Validation of the tables that are passed; rows that cannot be read are set aside."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    TableError,
    check_choice,
    format_values,
)
from smartrisk.features import DeclarationFeatures
from smartrisk.items import (
    ANY_HIT,
    UInt,
    are_among,
    check_numbered,
    item_ids,
    label_outcomes,
    require_target,
)
from smartrisk.schema import (
    DECLARATIONS,
    OUTCOMES,
    OWN_FIELDS,
    Field,
    TableInput,
)
from smartrisk.validation import (
    UNDECIDED,
    OnError,
    canonical_value,
    read_declarations,
    validate,
)

#: What is known only after a control.
_RESULTS = frozenset(f.name for f in OUTCOMES if f.known == "inspection")


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemsRead:
    """Items that could be read, and their rows in the table that was passed."""

    items: pd.DataFrame
    rows: NDArray[np.intp]
    n_passed: int

    def keep(self, name: str, values: ArrayLike | None) -> NDArray[Any] | None:
        """Return the entries of an argument that belong to the items read."""
        if values is None:
            return None
        entries = np.asarray(values)
        if entries.shape != (self.n_passed,):
            raise ArgumentError(
                "engine.not_one_entry_per_item",
                "RiskEngine.select: {name!r} must have one entry for each of the "
                "{n_items} items; got shape {shape}.",
                name=name,
                n_items=self.n_passed,
                shape=list(entries.shape),
            )
        return entries[self.rows]


def check_on_error(method: str, on_error: OnError) -> None:
    """Raise unless `on_error` is allowed, and name the method that was called."""
    check_choice(f"RiskEngine.{method}", "on_error", on_error, ("raise", "set_aside"))


def check_folder(method: str, folder: object) -> None:
    """Raise unless `folder` is a path, and name the method that was called."""
    if not isinstance(folder, (str, os.PathLike)):
        raise ArgumentError(
            "engine.folder_not_a_path",
            "RiskEngine.{method}: 'folder' must be a path; got {type_name}.",
            method=method,
            type_name=type(folder).__name__,
        )


def own_fields_of(
    declarations: TableInput, declared: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the own fields of a table: those of its map, and those declared here.

    A canonical frame names those of its map in an attribute, which is lost where frames
    that differ in it are put together.
    """
    found = getattr(declarations, "attrs", {}).get(OWN_FIELDS, {})
    return {**found, **(declared or {})}


def read_with_rows(
    declarations: TableInput, own_fields: Mapping[str, str], on_error: OnError
) -> ItemsRead:
    """Validate items and remember which rows they were."""
    if not isinstance(declarations, pd.DataFrame):  # has no index of its own
        items = read_declarations(declarations, own_fields, on_error=on_error)
        rows = items.index.to_numpy(np.intp)
        return ItemsRead(items=items, rows=rows, n_passed=count_rows(declarations))
    numbered = declarations.reset_index(drop=True)
    items = read_declarations(numbered, own_fields, on_error=on_error)
    rows = items.index.to_numpy(np.intp)
    items.index = declarations.index[rows]
    return ItemsRead(items=items, rows=rows, n_passed=len(declarations))


def count_rows(table: TableInput) -> int:
    """Return the number of rows of a table of any library."""
    if isinstance(table, Mapping):
        return max((len(column) for column in table.values()), default=0)
    return len(cast(Sized, table))


def read_outcomes(
    method: str,
    outcomes: TableInput,
    knows: Callable[[UInt], NDArray[np.bool_]],
    on_error: OnError,
    items: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Validate results; set aside those of items that nobody knows, if asked to.

    Results without item numbers are refused where their documents have several: no one
    knows of which item such a result is.
    """
    results: pd.DataFrame = validate(outcomes, OUTCOMES, on_error=on_error)
    check_numbered(f"RiskEngine.{method}", results, items, knows)
    if on_error == "raise":
        return results
    known = knows(item_ids(results))
    if not known.all():
        examples = results["declaration_id"].to_numpy(dtype=object)[~known]
        warnings.warn(
            DataQualityWarning(
                "engine.results_set_aside",
                "RiskEngine.{method}: {n_results} results were set aside: their items "
                "are not among the readable DECLARATIONS, such as {examples}.",
                method=method,
                n_results=int((~known).sum()),
                examples=format_values(examples.tolist()),
            ),
            stacklevel=3,
        )
    kept: pd.DataFrame = results[known]
    return kept


def label_results(
    method: str, results: pd.DataFrame, target: str, *, needed: bool = False
) -> pd.DataFrame:
    """Return canonical results as labels of a target; warn of what is left out.

    Parameters
    ----------
    method : str
        The method that was called.
    results : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES.
    target : str
        One of `smartrisk.items.TARGETS`.
    needed : bool, default=False
        Whether a target without any hit is refused.
    """
    if target == ANY_HIT:
        return results
    if needed:
        require_target(f"RiskEngine.{method}", results, target)
    labelled = label_outcomes(results, target)
    left_out = ~are_among(item_ids(results), item_ids(labelled))
    if left_out.any():
        examples = results["declaration_id"].to_numpy(dtype=object)[left_out]
        warnings.warn(
            DataQualityWarning(
                "engine.offence_not_stated",
                "RiskEngine.{method}: {n_hits} hits without an 'offence', such as "
                "declaration_id {examples}, were left out: they may be hits of the "
                "target {target!r} or not. State the offence of each hit.",
                method=method,
                n_hits=int(left_out.sum()),
                examples=format_values(examples.tolist()),
                target=target,
            ),
            stacklevel=4,
        )
    return labelled


def read_item(
    item: Mapping[str, Any],
    features: DeclarationFeatures,
    own_fields: Mapping[str, str],
) -> dict[str, Any]:
    """Return canonical fields of one item; all are validated where one may not be."""
    if not isinstance(item, Mapping):
        raise ArgumentError(
            "engine.item_not_a_mapping",
            "RiskEngine: one item must be a mapping of fields to values; got "
            "{kind}. Pass dict(frame.iloc[0]), or use score and explain "
            "for a frame.",
            kind=type(item).__name__,
        )
    values: dict[str, Any] = {}
    flow = canonical_value(DECLARATIONS["flow"], item.get("flow"))
    if isinstance(flow, str) and flow != "import":
        _refuse_flow(flow)
    if flow is UNDECIDED or not _RESULTS.isdisjoint(item):  # refused, as `score` does
        return _read_cells(item, own_fields)
    for name in features.feature_names_in_:
        if name.startswith("dq_"):
            continue
        kind = own_fields.get(name)
        field = Field(name, kind, "own", "") if kind else DECLARATIONS[name]
        value = canonical_value(field, item.get(name))
        if value is UNDECIDED:
            return _read_cells(item, own_fields)
        values[name] = value
    return values


def _read_cells(
    item: Mapping[str, Any], own_fields: Mapping[str, str]
) -> dict[str, Any]:
    """Return fields of one item after every check of a table."""
    # As objects: a text that is none breaks pandas before it can be reported.
    row = read_declarations(pd.DataFrame([dict(item)], dtype=object), own_fields)
    if row.empty:  # an export in other words
        _refuse_flow(item["flow"])
    return {str(n): row[n].iloc[0] for n in row.columns}


def _refuse_flow(flow: object) -> NoReturn:
    """Raise for an export, which `score` sets aside."""
    raise TableError(
        "engine.item_not_an_import",
        "RiskEngine: the item is no import ('flow' is {flow}), and scores are for "
        "imports. Leave exports and transit out.",
        flow=format_values([flow]),
    )
