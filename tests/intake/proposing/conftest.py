"""Layouts of published import data, written with the values of a made-up world."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smartrisk.schema import ColumnMap
from smartrisk.validation import check


def _load(name: str) -> Any:
    """Return a module of this folder."""
    path = Path(__file__).parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"smartrisk_tests_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


LAYOUTS = _load("flat_layouts").LAYOUTS


@pytest.fixture(scope="session")
def small_world(world):
    """Return the items of 220 documents, and their outcomes."""
    items = world.declarations
    keep = items["declaration_id"].isin(items["declaration_id"].unique()[:220])
    items = items[keep].reset_index(drop=True)
    known = world.outcomes["declaration_id"].isin(items["declaration_id"])
    return items, world.outcomes[known].reset_index(drop=True)


@pytest.fixture(scope="session")
def goods(small_world):
    """Return the world's items, with documents, values and parts of the value."""
    return _with_parts(small_world[0])


@pytest.fixture(scope="session")
def many_goods(world):
    """Return items enough for an engine, as `goods`, and their results by row."""
    items = world.declarations.head(2_500).reset_index(drop=True)
    keys = ["declaration_id", "item_number"]
    results = items[keys].merge(world.outcomes, on=keys, how="left")
    return _with_parts(items), results


def _with_parts(items: pd.DataFrame) -> pd.DataFrame:
    """Return items with numbers of documents, days and parts of the value."""
    items = items.copy()
    for name in ("customs_value", "net_mass_kg", "gross_mass_kg", "duties_taxes"):
        items[name] = items[name].round(2)
    number = pd.factorize(items["declaration_id"])[0]
    items["number"] = number + 1001
    items["day"] = items["lodged_at"].dt.normalize()
    items["freight"] = (items["customs_value"] * 0.07).round(2)
    items["insurance"] = (items["customs_value"] * 0.01).round(2)
    parts = items["freight"] + items["insurance"]
    items["fob"] = (items["customs_value"] - parts).round(2)
    items["vat"] = (items["duties_taxes"] * 0.6).round(2)
    items["duty"] = (items["duties_taxes"] - items["vat"]).round(2)
    items["description"] = "GOODS OF HEADING " + items["tariff_code"].str[:4]
    return items


def _keys(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a map: the source of each field, and each option."""
    keys: dict[str, Any] = {}
    for option, value in settings.items():
        if option in ("mapping", "join", "sums", "dates"):
            keys.update({f"source {field}": (option, v) for field, v in value.items()})
        elif option == "split":
            for part in value:
                keys.update({f"source {f}": (option, part) for f in part["fields"]})
        elif option in ("widths", "factors", "units", "values", "convert", "shared"):
            keys.update({f"{option} {field}": v for field, v in value.items()})
        else:
            keys[option] = value
    return keys


def _settings(keys: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a map from its keys."""
    settings: dict[str, Any] = {}
    for key, value in keys.items():
        kind, _, field = key.partition(" ")
        if kind == "source":
            option, source = value
            if option == "split":
                parts = settings.setdefault("split", [])
                if source not in parts:
                    parts.append(source)
            else:
                settings.setdefault(option, {})[field] = source
        elif field:
            settings.setdefault(kind, {})[field] = value
        else:
            settings[kind] = value
    return settings


def _outcome(keys: dict[str, Any], layout: Any) -> Any:
    """Return the canonical table under a map, or the name of an error."""
    try:
        report = check(layout.frame, layout.table, columns=ColumnMap(**_settings(keys)))
    except Exception as error:
        return type(error).__name__ + str(error)[:40]
    table = report.table.drop(columns=[c for c in report.table if c.startswith("dq_")])
    return table if len(table) else "empty"


def _equal(left: Any, right: Any) -> bool:
    """Return whether two canonical tables hold the same, or two errors are equal."""
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str)
    if list(left.columns) != list(right.columns) or len(left) != len(right):
        return False
    return all(
        np.allclose(left[c], right[c], equal_nan=True)
        if left[c].dtype.kind == "f"
        else left[c].astype(str).tolist() == right[c].astype(str).tolist()
        for c in left
    )


def corrections_of(proposal: Any, layout: Any) -> list[tuple[str, int, Any, Any]]:
    """Return the keys of a proposed map that must change, and what each costs.

    A key must change when the true map with this one key from the proposal reads
    another table than the true map. A wrong key that was not marked unsure costs two.
    """
    proposed = _keys(proposal.columns.settings())
    true = _keys(layout.truth.settings())
    reference = _outcome(true, layout)
    unsure = {part.field for part in proposal.questions}
    wrong = []
    for key in dict.fromkeys((*true, *proposed)):
        if proposed.get(key) == true.get(key):
            continue
        mixed = dict(true)
        mixed.pop(key, None)
        if key in proposed:
            mixed[key] = proposed[key]
        if not _equal(_outcome(mixed, layout), reference):
            name = key.partition(" ")[2] or key
            is_marked = name in unsure or key in unsure or key not in proposed
            is_marked |= key == "date_format" and "lodged_at" in unsure
            wrong.append((key, 1 if is_marked else 2, proposed.get(key), true.get(key)))
    return wrong


@pytest.fixture(scope="session")
def count_corrections() -> Callable[..., list[tuple[str, int, Any, Any]]]:
    """Return `corrections_of`."""
    return corrections_of


@pytest.fixture(scope="session")
def layouts(goods):
    """Return a function that writes the goods in a layout."""
    return lambda name, items=goods: LAYOUTS[name](items)
