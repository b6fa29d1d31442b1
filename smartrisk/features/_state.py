"""A fitted `DeclarationFeatures` as plain tables and JSON, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import DAY_BITS
from smartrisk.features._declaration import DeclarationFeatures
from smartrisk.features._entity import Key
from smartrisk.features._history import SumTable
from smartrisk.features._incentive import LowestTable

Tables = dict[str, dict[str, NDArray[Any]]]

_DAY_MASK = (1 << DAY_BITS) - 1


def to_tables(features: DeclarationFeatures) -> tuple[dict[str, Any], Tables]:
    """Take a fitted transformer apart.

    Parameters
    ----------
    features : DeclarationFeatures
        Fitted on declarations.

    Returns
    -------
    learned : dict
        What is needed besides the tables, fit for JSON.
    tables : dict of str to dict of str to ndarray
        Name of a table to its columns; entries are sums by identity and day.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures, from_tables, to_tables
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> features = DeclarationFeatures().fit(world.declarations)
    >>> learned, tables = to_tables(features)
    >>> again = from_tables(learned, tables)
    >>> bool((again.get_feature_names_out() == features.get_feature_names_out()).all())
    True
    """
    parts = features.parts_
    history, prices = parts["history"], parts["prices"]
    tables: Tables = {}
    for key, items, results in zip(
        history.keys_, history.items_, history.results_, strict=True
    ):
        tables[f"history.items.{key.label}"] = _entries(items)
        tables[f"history.results.{key.label}"] = _entries(results)
    tables["history.overall"] = _entries(history.overall_)
    for key, table in zip(prices.keys_, prices.tables_, strict=True):
        tables[f"prices.{key.label}"] = _entries(table)
    tables["prices.overall"] = _entries(prices.overall_)
    for level, table in parts["incentive"].means_.items():
        tables[f"incentive.means.{level}"] = _entries(table)
        tables[f"incentive.lowest.{level}"] = _lowest(parts["incentive"].lowest_[level])
    for name, table in parts["structuring"].items_.items():
        tables[f"structuring.items.{name}"] = _entries(table)
        tables[f"structuring.near.{name}"] = _entries(parts["structuring"].near_[name])
    for name, ids in parts["codes"].codes_.items():
        tables[f"codes.{name}"] = {"id": ids}
    learned = {
        "params": _plain_params(features),
        "columns": [str(name) for name in features.feature_names_in_],
        "history_keys": [_plain_key(key) for key in history.keys_],
        "price_keys": [_plain_key(key) for key in prices.keys_],
        "measures": list(prices.measures_),
        "codes": list(parts["codes"].codes_),
        "incentive": list(parts["incentive"].means_),
        "structuring": list(parts["structuring"].items_),
        "valued": bool(parts["structuring"].valued_),
    }
    return learned, tables


def from_tables(learned: dict[str, Any], tables: Tables) -> DeclarationFeatures:
    """Put a transformer together again.

    Parameters
    ----------
    learned : dict
        As `to_tables` gave it.
    tables : dict of str to dict of str to ndarray
        As `to_tables` gave them.

    Returns
    -------
    features : DeclarationFeatures
        Fitted; transforms alike, bit by bit.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures, from_tables, to_tables
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> features = DeclarationFeatures().fit(world.declarations)
    >>> from_tables(*to_tables(features)).n_features_in_ == features.n_features_in_
    True
    """
    params = dict(learned["params"])
    params["keys"] = tuple(_key(spec) for spec in params["keys"])
    params["price_keys"] = tuple(_key(spec) for spec in params["price_keys"])
    params["thresholds"] = tuple(params["thresholds"])
    features = DeclarationFeatures(**params)
    features.feature_names_in_ = np.asarray(learned["columns"], dtype=object)
    features.n_features_in_ = len(learned["columns"])
    features.declared_ = True
    features.parts_ = parts = features._parts()
    parts["item"].names_ = tuple(learned["columns"])
    parts["codes"].codes_ = {n: tables[f"codes.{n}"]["id"] for n in learned["codes"]}
    _restore_history(parts["history"], learned, tables)
    prices = parts["prices"]
    prices.measures_ = tuple(learned["measures"])
    prices.keys_ = tuple(_key(spec) for spec in learned["price_keys"])
    prices.tables_ = [_table(tables[f"prices.{key.label}"]) for key in prices.keys_]
    prices.overall_ = _table(tables["prices.overall"])
    levels, traders = learned["incentive"], learned["structuring"]
    parts["incentive"].means_ = {
        n: _table(tables[f"incentive.means.{n}"]) for n in levels
    }
    parts["incentive"].lowest_ = {
        n: _lowest_table(tables[f"incentive.lowest.{n}"]) for n in levels
    }
    structuring = parts["structuring"]
    structuring.valued_ = learned["valued"]
    structuring.items_ = {n: _table(tables[f"structuring.items.{n}"]) for n in traders}
    structuring.near_ = {n: _table(tables[f"structuring.near.{n}"]) for n in traders}
    for part in parts.values():
        part.declared_ = True
        part.feature_info_ = part._describe()
    features.feature_info_ = features._describe()
    return features


def _restore_history(history: Any, learned: dict[str, Any], tables: Tables) -> None:
    history.keys_ = tuple(_key(spec) for spec in learned["history_keys"])
    history.items_ = [
        _table(tables[f"history.items.{key.label}"]) for key in history.keys_
    ]
    history.results_ = [
        _table(tables[f"history.results.{key.label}"]) for key in history.keys_
    ]
    history.overall_ = _table(tables["history.overall"])
    history._prepare()


def _entries(table: SumTable) -> dict[str, NDArray[Any]]:
    """Return a table as columns: identity, day, sums."""
    columns: dict[str, NDArray[Any]] = {
        "id": table.entry_ids,
        "day": table.day.astype(np.int32),
    }
    return columns | dict(table.sums)


def _table(columns: dict[str, NDArray[Any]]) -> SumTable:
    """Return columns as a table; they are sorted as they were written."""
    ids, packed = _packed(columns)
    sums = {k: v for k, v in columns.items() if k not in ("id", "day")}
    return SumTable(ids, packed, sums)


def _packed(columns: dict[str, NDArray[Any]]) -> tuple[Any, Any]:
    entry = columns["id"]
    new = np.append(True, entry[1:] != entry[:-1])[: len(entry)]
    code = np.cumsum(new) - 1
    packed = (code.astype(np.int64) << DAY_BITS) | columns["day"].astype(np.int64)
    return entry[new], packed


def _lowest(table: LowestTable) -> dict[str, NDArray[Any]]:
    return {
        "id": table.ids[table.packed >> DAY_BITS],
        "day": (table.packed & _DAY_MASK).astype(np.int32),
        "lowest": table.daily,
    }


def _lowest_table(columns: dict[str, NDArray[Any]]) -> LowestTable:
    ids, packed = _packed(columns)
    return LowestTable(ids, packed, columns["lowest"])


def _plain_key(key: Key) -> dict[str, Any]:
    return {"columns": list(key.columns), "parent": key.parent, "name": key.name}


def _key(spec: dict[str, Any]) -> Key:
    return Key(tuple(spec["columns"]), parent=spec["parent"], name=spec["name"])


def _plain_params(features: DeclarationFeatures) -> dict[str, Any]:
    params: dict[str, Any] = features.get_params(deep=False)
    params["keys"] = [_plain_key(key) for key in params["keys"]]
    params["price_keys"] = [_plain_key(key) for key in params["price_keys"]]
    params["thresholds"] = list(params["thresholds"])
    return params
