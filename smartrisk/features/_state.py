"""A fitted `DeclarationFeatures` as plain tables and JSON, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import DAY_BITS
from smartrisk.features._declaration_features import DeclarationFeatures
from smartrisk.features._history import SumTable
from smartrisk.features._incentive import LowestTable
from smartrisk.features._keys import Key

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
    learned: dict[str, Any] = {
        "params": _plain_params(features),
        "columns": [str(name) for name in features.feature_names_in_],
    }
    tables: Tables = {}
    for name, (take, _) in _PARTS.items():
        if name in parts:
            learned[name], found = take(parts[name])
            tables |= {f"{name}.{label}": table for label, table in found.items()}
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
    params["parts"] = tuple(params["parts"])
    features = DeclarationFeatures(**params)
    features.feature_names_in_ = np.asarray(learned["columns"], dtype=object)
    features.n_features_in_ = len(learned["columns"])
    features.declared_ = True
    features.parts_ = features._parts()
    for name, part in features.parts_.items():
        if name == "item":
            part.names_ = tuple(learned["columns"])
        else:
            start = f"{name}."
            found = {
                k[len(start) :]: t for k, t in tables.items() if k.startswith(start)
            }
            _PARTS[name][1](part, learned[name], found)
        part.declared_ = True
        part.feature_info_ = part._describe()
    features.feature_info_ = features._describe()
    return features


def _take_history(history: Any) -> tuple[Any, Tables]:
    tables = {"overall": _entries(history.overall_)}
    for number, key in enumerate(history.keys_):
        tables[f"items.{key.label}"] = _entries(history.items_[number])
        tables[f"results.{key.label}"] = _entries(history.results_[number])
    return {"keys": [_plain_key(key) for key in history.keys_]}, tables


def _give_history(history: Any, learned: Any, tables: Tables) -> None:
    history.keys_ = tuple(_key(spec) for spec in learned["keys"])
    labels = [key.label for key in history.keys_]
    history.items_ = [_table(tables[f"items.{label}"]) for label in labels]
    history.results_ = [_table(tables[f"results.{label}"]) for label in labels]
    history.overall_ = _table(tables["overall"])
    history._prepare()


def _take_prices(prices: Any) -> tuple[Any, Tables]:
    tables = {"overall": _entries(prices.overall_)}
    for key, table in zip(prices.keys_, prices.tables_, strict=True):
        tables[f"peers.{key.label}"] = _entries(table)
    keys = [_plain_key(key) for key in prices.keys_]
    return {"keys": keys, "measures": list(prices.measures_)}, tables


def _give_prices(prices: Any, learned: Any, tables: Tables) -> None:
    prices.measures_ = tuple(learned["measures"])
    prices.keys_ = tuple(_key(spec) for spec in learned["keys"])
    prices.tables_ = [_table(tables[f"peers.{key.label}"]) for key in prices.keys_]
    prices.overall_ = _table(tables["overall"])


def _take_incentive(incentive: Any) -> tuple[Any, Tables]:
    means = {f"means.{n}": _entries(table) for n, table in incentive.means_.items()}
    lowest = {f"lowest.{n}": _lowest(table) for n, table in incentive.lowest_.items()}
    return {"levels": list(incentive.means_)}, means | lowest


def _give_incentive(incentive: Any, learned: Any, tables: Tables) -> None:
    levels = learned["levels"]
    incentive.means_ = {n: _table(tables[f"means.{n}"]) for n in levels}
    incentive.lowest_ = {n: _lowest_table(tables[f"lowest.{n}"]) for n in levels}


def _take_structuring(structuring: Any) -> tuple[Any, Tables]:
    items = {f"items.{n}": _entries(table) for n, table in structuring.items_.items()}
    near = {f"near.{n}": _entries(table) for n, table in structuring.near_.items()}
    traders = list(structuring.items_)
    return {"traders": traders, "valued": bool(structuring.valued_)}, items | near


def _give_structuring(structuring: Any, learned: Any, tables: Tables) -> None:
    traders = learned["traders"]
    structuring.valued_ = learned["valued"]
    structuring.items_ = {n: _table(tables[f"items.{n}"]) for n in traders}
    structuring.near_ = {n: _table(tables[f"near.{n}"]) for n in traders}


def _take_codes(codes: Any) -> tuple[Any, Tables]:
    return list(codes.codes_), {name: {"id": ids} for name, ids in codes.codes_.items()}


def _give_codes(codes: Any, learned: Any, tables: Tables) -> None:
    codes.codes_ = {name: tables[name]["id"] for name in learned}


#: Part of the transformer -> how to take it apart and to put it together.
_PARTS: dict[str, tuple[Callable[..., Any], Callable[..., None]]] = {
    "codes": (_take_codes, _give_codes),
    "incentive": (_take_incentive, _give_incentive),
    "structuring": (_take_structuring, _give_structuring),
    "history": (_take_history, _give_history),
    "prices": (_take_prices, _give_prices),
}


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
    return {
        "columns": list(key.columns),
        "parent": key.parent,
        "name": key.name,
        "statistics": None if key.statistics is None else list(key.statistics),
    }


def _key(spec: dict[str, Any]) -> Key:
    named = spec["statistics"]
    return Key(
        tuple(spec["columns"]),
        parent=spec["parent"],
        name=spec["name"],
        statistics=None if named is None else tuple(named),
    )


def _plain_params(features: DeclarationFeatures) -> dict[str, Any]:
    params: dict[str, Any] = features.get_params(deep=False)
    params["keys"] = [_plain_key(key) for key in params["keys"]]
    params["price_keys"] = [_plain_key(key) for key in params["price_keys"]]
    params["thresholds"] = list(params["thresholds"])
    params["parts"] = list(params["parts"])
    return params
