"""A fitted `DeclarationFeatures` as plain tables and JSON, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.artefact import table_file
from smartrisk.errors import ArtefactError
from smartrisk.features._declaration_features import DeclarationFeatures
from smartrisk.features._duty_incentive import DutyIncentive, LowestTable
from smartrisk.features._entity_history import EntityHistory
from smartrisk.features._item_measures import CodeColumns
from smartrisk.features._keys import Key
from smartrisk.features._market_prices import MarketPrices
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._peer_prices import PeerPrices
from smartrisk.features._sibling_codes import SiblingCodes
from smartrisk.features._stored_tables import Later
from smartrisk.features._structuring import Structuring
from smartrisk.features._sum_tables import SumTable
from smartrisk.items import UInt

Tables = dict[str, dict[str, NDArray[Any]]]
#: What parts of a transformer look up, by name.
Parts = dict[str, SumTable | LowestTable | UInt]
#: Key of the plain values for the last day of the history.
_LAST_DAY = "last_day"


class IndexedEntries(dict[str, NDArray[Any]]):
    """Columns of a table of sums, and the table itself, whose arrays lie elsewhere.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Identity, day and sums.
    table : SumTable
        The same entries.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]], table: SumTable) -> None:
        super().__init__(columns)
        self.table = table


class StoredEntries(IndexedEntries):
    """A table as a folder holds it, one of lowest rates too.

    Parameters
    ----------
    table : SumTable
        The table.
    unread : bool
        Whether it is read at its first use.
    """

    def __init__(self, table: SumTable, unread: bool) -> None:
        super().__init__({}, table)
        self.unread = unread


def to_tables(features: DeclarationFeatures) -> tuple[dict[str, Any], Tables]:
    """Return a fitted transformer as plain values and tables.

    Parameters
    ----------
    features : DeclarationFeatures
        Fitted on declarations.

    Returns
    -------
    learned : dict
        What is needed besides the tables, as plain values for JSON.
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
    learned, parts = take_apart(features)
    tables = {}
    for name, part in parts.items():
        if isinstance(part, LowestTable):
            tables[name] = _lowest(part)
        elif isinstance(part, SumTable):
            tables[name] = _entries(part)
        else:
            tables[name] = {"id": part}
    return learned, tables


def take_apart(features: DeclarationFeatures) -> tuple[dict[str, Any], Parts]:
    """Return a fitted transformer as plain values and what it looks up.

    Parameters
    ----------
    features : DeclarationFeatures
        Fitted on declarations.

    Returns
    -------
    learned : dict
        As from `to_tables`.
    parts : dict of str to SumTable, LowestTable or ndarray
        By the names that `to_tables` gives to their tables; an array is a list of
        codes.
    """
    parts = features.parts_
    learned: dict[str, Any] = {
        "params": to_settings(features),
        "columns": [str(name) for name in features.feature_names_in_],
    }
    if features.last_day_ is not None:
        learned[_LAST_DAY] = str(features.last_day_)
    every: Parts = {}
    for name, (take, _) in _PARTS.items():
        if name in parts:
            learned[name], found = take(parts[name])
            every |= {f"{name}.{label}": part for label, part in found.items()}
    return learned, every


def from_tables(learned: dict[str, Any], tables: Tables) -> DeclarationFeatures:
    """Return the transformer that `to_tables` packed.

    Parameters
    ----------
    learned : dict
        As from `to_tables`.
    tables : dict of str to dict of str to ndarray
        As from `to_tables`.

    Returns
    -------
    features : DeclarationFeatures
        Fitted; its features are bit-identical.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures, from_tables, to_tables
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> features = DeclarationFeatures().fit(world.declarations)
    >>> from_tables(*to_tables(features)).n_features_in_ == features.n_features_in_
    True
    """
    features = from_settings(learned["params"])
    features._check_params()
    features.feature_names_in_ = np.asarray(learned["columns"], dtype=object)
    features.n_features_in_ = len(learned["columns"])
    features.declared_ = True
    features.parts_ = features.make_parts()
    for name, part in features.parts_.items():
        if name in _STATELESS:
            part.names_ = tuple(learned["columns"])
        else:
            start = f"{name}."
            found = _Found(name)
            for key, table in tables.items():
                if key.startswith(start):
                    found[key[len(start) :]] = table
            _PARTS[name][1](part, learned[name], found)
        part.declared_ = True
        part.feature_info_ = part._describe()
    features.feature_info_ = features._describe()
    last = learned.get(_LAST_DAY)
    if isinstance(last, str) and any(map(_is_unread, tables.values())):
        features.last_day_ = np.datetime64(last, "D")
    else:
        features.note_last_day()
    return features


def _is_unread(table: dict[str, NDArray[Any]]) -> bool:
    """Return whether a table is read at its first use."""
    return isinstance(table, Later) or (
        isinstance(table, StoredEntries) and table.unread
    )


class _Found(Tables):
    """The tables of a part, by their names within it.

    Parameters
    ----------
    part : str
        Name of the part.
    """

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def __missing__(self, label: str) -> dict[str, NDArray[Any]]:
        """Refuse a folder that lacks a table."""
        name = f"{self._part}.{label}"
        raise ArtefactError(
            "features.saved_table_missing",
            "RiskEngine.load: table {name!r} of {file!r} is missing. Restore a copy.",
            name=name,
            file=table_file(name),
        )


def to_settings(features: DeclarationFeatures) -> dict[str, Any]:
    """Return the parameters of a transformer as plain values for JSON.

    Parameters
    ----------
    features : DeclarationFeatures
        Fitted or not.

    Returns
    -------
    settings : dict
        Name of a parameter to text, numbers, lists and mappings of these.

    Examples
    --------
    >>> from smartrisk.features import DeclarationFeatures, to_settings
    >>> to_settings(DeclarationFeatures(parts=("item",)))["parts"]
    ['item']
    """
    settings: dict[str, Any] = features.get_params(deep=False)
    for name in ("keys", "price_keys"):
        settings[name] = [plain_key(key) for key in settings[name]]
    for name in ("thresholds", "parts"):
        settings[name] = list(settings[name])
    own = settings.pop("own_fields")
    return settings | ({"own_fields": dict(own)} if own else {})


def from_settings(settings: dict[str, Any]) -> DeclarationFeatures:
    """Return the unfitted transformer that `to_settings` described.

    Parameters
    ----------
    settings : dict
        As from `to_settings`.

    Returns
    -------
    features : DeclarationFeatures
        With these parameters, not fitted.

    Examples
    --------
    >>> from smartrisk.features import DeclarationFeatures, from_settings, to_settings
    >>> from_settings(to_settings(DeclarationFeatures(parts=("item",)))).parts
    ('item',)
    """
    params = dict(settings)
    for name in ("keys", "price_keys"):
        params[name] = tuple(_key(spec) for spec in params[name])
    for name in ("thresholds", "parts"):
        params[name] = tuple(params[name])
    return DeclarationFeatures(**params)


def _pack_history(history: EntityHistory) -> tuple[dict[str, Any], Parts]:
    """Return the keys and sums of an entity history."""
    tables: Parts = {"overall": history.overall_}
    for number, key in enumerate(history.keys_):
        tables[f"items.{key.label}"] = history.items_[number]
        tables[f"results.{key.label}"] = history.results_[number]
    return {"keys": [plain_key(key) for key in history.keys_]}, tables


def _unpack_history(
    history: EntityHistory, learned: dict[str, Any], tables: Tables
) -> None:
    """Restore an entity history from its keys and sums."""
    history.keys_ = tuple(_key(spec) for spec in learned["keys"])
    labels = [key.label for key in history.keys_]
    history.items_ = [_table(tables[f"items.{label}"]) for label in labels]
    history.results_ = [_table(tables[f"results.{label}"]) for label in labels]
    history.overall_ = _table(tables["overall"])
    history._prepare()


def _pack_prices(prices: PeerPrices) -> tuple[dict[str, Any], Parts]:
    """Return the keys, measures and sums of peer prices."""
    tables: Parts = {"overall": prices.overall_}
    for key, table in zip(prices.keys_, prices.tables_, strict=True):
        tables[f"peers.{key.label}"] = table
    keys = [plain_key(key) for key in prices.keys_]
    return {"keys": keys, "measures": list(prices.measures_)}, tables


def _unpack_prices(prices: PeerPrices, learned: dict[str, Any], tables: Tables) -> None:
    """Restore peer prices from keys, measures and sums."""
    prices.measures_ = tuple(learned["measures"])
    prices.keys_ = tuple(_key(spec) for spec in learned["keys"])
    prices.tables_ = [_table(tables[f"peers.{key.label}"]) for key in prices.keys_]
    prices.overall_ = _table(tables["overall"])


def _pack_incentive(incentive: DutyIncentive) -> tuple[dict[str, Any], Parts]:
    """Return the levels, mean rates and lowest rates of a duty incentive."""
    means: Parts = {f"means.{n}": table for n, table in incentive.means_.items()}
    lowest: Parts = {f"lowest.{n}": table for n, table in incentive.lowest_.items()}
    return {"levels": list(incentive.means_)}, means | lowest


def _unpack_incentive(
    incentive: DutyIncentive, learned: dict[str, Any], tables: Tables
) -> None:
    """Restore a duty incentive from its levels and rates."""
    levels = learned["levels"]
    incentive.means_ = {n: _table(tables[f"means.{n}"]) for n in levels}
    incentive.lowest_ = {n: _lowest_table(tables[f"lowest.{n}"]) for n in levels}


def _pack_structuring(structuring: Structuring) -> tuple[dict[str, Any], Parts]:
    """Return the traders and counts of a structuring transformer."""
    items: Parts = {f"items.{n}": table for n, table in structuring.items_.items()}
    near: Parts = {f"near.{n}": table for n, table in structuring.near_.items()}
    traders = list(structuring.items_)
    return {"traders": traders, "valued": bool(structuring.valued_)}, items | near


def _unpack_structuring(
    structuring: Structuring, learned: dict[str, Any], tables: Tables
) -> None:
    """Restore a structuring transformer from its traders and counts."""
    traders = learned["traders"]
    structuring.valued_ = learned["valued"]
    structuring.items_ = {n: _table(tables[f"items.{n}"]) for n in traders}
    structuring.near_ = {n: _table(tables[f"near.{n}"]) for n in traders}


def _pack_codes(codes: CodeColumns) -> tuple[dict[str, Any], Parts]:
    """Return the ids of the codes by field."""
    tables: Parts = dict(codes.codes_)
    return {"columns": list(codes.codes_)}, tables


def _unpack_codes(codes: CodeColumns, learned: dict[str, Any], tables: Tables) -> None:
    """Restore the ids of the codes by field."""
    codes.codes_ = {name: tables[name]["id"] for name in learned["columns"]}


def _pack_market(market: MarketPrices) -> tuple[dict[str, Any], Parts]:
    """Return the keys, the measure and the sums of market prices."""
    tables: Parts = {f"market.{name}": t for name, t in market.tables_.items()}
    keys = [plain_key(key) for key in market.keys_]
    return {"keys": keys, "measure": market.measure_}, tables


def _unpack_market(
    market: MarketPrices, learned: dict[str, Any], tables: Tables
) -> None:
    """Restore market prices from keys, measure and sums."""
    market.measure_ = learned["measure"]
    market.keys_ = tuple(_key(spec) for spec in learned["keys"])
    labels = [key.label for key in market.keys_]
    market.set_tables({name: _table(tables[f"market.{name}"]) for name in labels})


def _pack_siblings(siblings: SiblingCodes) -> tuple[dict[str, Any], Parts]:
    """Return the levels and sums of sibling codes."""
    tables: Parts = dict(siblings.blocks())
    levels = list(siblings.tables_)
    return {"levels": levels, "rated": bool(siblings.rated_)}, tables


def _unpack_siblings(
    siblings: SiblingCodes, learned: dict[str, Any], tables: Tables
) -> None:
    """Restore sibling codes from their levels and sums."""
    siblings.rated_ = learned["rated"]
    siblings.tables_ = {n: _table(tables[f"codes.{n}"]) for n in learned["levels"]}


def code_tables(features: DeclarationFeatures) -> list[str]:
    """Return the names of the tables of codes."""
    codes = features.parts_.get("codes")
    return [] if codes is None else [f"codes.{name}" for name in codes.codes_]


#: Parts that learn nothing but the names of the declared fields.
_STATELESS = ("item", "digits")
#: Part of the transformer -> how it is packed and unpacked.
_PARTS: dict[str, tuple[Callable[..., Any], Callable[..., None]]] = {
    "codes": (_pack_codes, _unpack_codes),
    "incentive": (_pack_incentive, _unpack_incentive),
    "structuring": (_pack_structuring, _unpack_structuring),
    "history": (_pack_history, _unpack_history),
    "prices": (_pack_prices, _unpack_prices),
    "market": (_pack_market, _unpack_market),
    "siblings": (_pack_siblings, _unpack_siblings),
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
    if isinstance(columns, IndexedEntries):
        return columns.table
    if isinstance(columns, Later):
        return columns.table(_table)
    ids, packed = _pack_entries(columns)
    sums = {k: v for k, v in columns.items() if k not in ("id", "day")}
    return SumTable(ids, packed, sums)


def _pack_entries(columns: dict[str, NDArray[Any]]) -> tuple[Any, Any]:
    """Return the ids, and entry number and day of each row in one integer."""
    entry = columns["id"]
    new = np.append(True, entry[1:] != entry[:-1])[: len(entry)]
    code = np.cumsum(new) - 1
    packed = (code.astype(np.int64) << DAY_BITS) | columns["day"].astype(np.int64)
    return entry[new], packed


def _lowest(table: LowestTable) -> dict[str, NDArray[Any]]:
    """Return a table of lowest rates as plain columns."""
    return {
        "id": table.entries.entry_ids,
        "day": table.entries.day.astype(np.int32),
        "lowest": table.entries.sums["lowest"],
    }


def _lowest_table(columns: dict[str, NDArray[Any]]) -> LowestTable:
    """Return a table of lowest rates from plain columns."""
    return LowestTable(_lowest_entries(columns))


def _lowest_entries(columns: dict[str, NDArray[Any]]) -> SumTable:
    """Return the entries of a table of lowest rates from plain columns."""
    if isinstance(columns, StoredEntries):
        return columns.table
    if isinstance(columns, Later):
        return columns.table(_lowest_entries)
    ids, packed = _pack_entries(columns)
    daily = {"n": np.ones(len(packed), np.int64), "lowest": columns["lowest"]}
    return SumTable(ids, packed, daily)


def plain_key(key: Key) -> dict[str, Any]:
    """Return a key as plain values."""
    return {
        "columns": list(key.columns),
        "parent": key.parent,
        "name": key.name,
        "statistics": None if key.statistics is None else list(key.statistics),
    }


def _key(spec: dict[str, Any]) -> Key:
    """Return a key from plain values."""
    named = spec["statistics"]
    return Key(
        tuple(spec["columns"]),
        parent=spec["parent"],
        name=spec["name"],
        statistics=None if named is None else tuple(named),
    )
