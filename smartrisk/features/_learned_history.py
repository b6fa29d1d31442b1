"""A history that knows its items: what it takes, counts, replaces and takes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, format_values
from smartrisk.features._changes import Change, ResultEntries, revenue_parts
from smartrisk.features._columns import Columns, Int
from smartrisk.features._declaration_features import DeclarationFeatures
from smartrisk.features._digests import digest_text
from smartrisk.features._document_hits import entries_of_documents, read_findings
from smartrisk.features._item_blocks import UNKNOWN, Block
from smartrisk.features._item_results import ItemResults, stated_days
from smartrisk.features._packed_days import EPOCH, LAST_DAY, days
from smartrisk.features._register import (
    NO_VERSIONS,
    ItemRegister,
    ResultRegister,
    Versions,
    item_contents,
    trader_ids,
)
from smartrisk.features._shared_entries import share_tables
from smartrisk.features._sorting import order_of_ids
from smartrisk.items import (
    UInt,
    are_among,
    item_ids,
    moments_known,
)

#: What to do with an item or result that is known with other content.
OnKnown: TypeAlias = Literal["raise", "replace", "keep"]
#: What happened to how many items, results and entries: table -> what -> number.
Counts: TypeAlias = dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True, eq=False)
class LearnedHistory:
    """Features with a history, and the registers of what it holds.

    It never changes: every method returns another one, which shares what is equal.

    Parameters
    ----------
    features : DeclarationFeatures
        The fitted transformer.
    items : ItemRegister
        The items of the history.
    results : ResultRegister
        The results of the history.
    label_delay : int
        Days from lodgement to the result where `known_at` is missing.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DeclarationFeatures, LearnedHistory, join_results
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> results = join_results(world.declarations, world.outcomes)
    >>> history = LearnedHistory.learn(
    ...     DeclarationFeatures(), world.declarations, results, label_delay=30
    ... )
    >>> _, counts = history.add(world.declarations, world.outcomes)
    >>> counts["items"]["known"], counts["items"]["taken"]
    (300, 0)
    """

    features: DeclarationFeatures
    items: ItemRegister
    results: ResultRegister
    label_delay: int

    @classmethod
    def learn(
        cls,
        features: DeclarationFeatures,
        items: pd.DataFrame,
        results: ItemResults,
        *,
        label_delay: int,
        ids: UInt | None = None,
    ) -> LearnedHistory:
        """Fit a transformer, and note what it learned from.

        Parameters
        ----------
        features : DeclarationFeatures
            Unfitted; it is fitted here.
        items : DataFrame of shape (n_items, n_fields)
            Canonical DECLARATIONS.
        results : ItemResults
            Results of some of them.
        label_delay : int
            Days from lodgement to the result where `known_at` is missing.
        ids : ndarray of uint64, shape (n_items,), default=None
            `smartrisk.items.item_ids` of the items, where they are already computed.

        Returns
        -------
        history : LearnedHistory
            With all of them.
        """
        columns = features.learn_columns(items, results)
        share_tables(list(features.blocks().values()))
        ids = item_ids(items) if ids is None else ids
        block = _block_of(features, columns, ids)
        versions = Versions.from_arrays(
            ids[results.rows],
            results.day if results.stated is None else results.stated,
            results.day,
            results.hits,
            revenue_parts(results.revenue),
        )
        return cls(
            features=features,
            items=ItemRegister((block,)),
            results=ResultRegister.from_versions(versions),
            label_delay=label_delay,
        )

    def digests(self) -> dict[str, str]:
        """Return the digest of every table of the history by name.

        Returns
        -------
        digests : dict of str to str
            32 hexadecimal digits each: equal for equal sums, however they came.
        """
        blocks = self.features.blocks()
        return {name: digest_text(blocks[name].digest) for name in sorted(blocks)}

    def knows(self, ids: UInt) -> NDArray[np.bool_]:
        """Return which items the history holds.

        Parameters
        ----------
        ids : ndarray of uint64, shape (n_items,)
            `smartrisk.items.item_ids`.

        Returns
        -------
        known : ndarray of bool, shape (n_items,)
            True where the history holds the item.
        """
        return self.items.find(ids) >= 0

    def last_day(self, ids: UInt) -> np.datetime64 | None:
        """Return the last day on which one of some items was lodged.

        Parameters
        ----------
        ids : ndarray of uint64, shape (n_items,)
            `smartrisk.items.item_ids`; those that the history does not hold are left
            out.

        Returns
        -------
        day : numpy.datetime64 or None
            None where the history holds none of them.
        """
        rows = self.items.find(ids)
        days = self.items.days(rows[rows >= 0])
        return EPOCH + int(days.max()) if len(days) else None

    def names(self, field: str, traders: list[str]) -> NDArray[np.bool_]:
        """Return which traders some item of the history names.

        Parameters
        ----------
        field : str
            Field that names them, such as "importer_id".
        traders : list of str
            Canonical values of the field.

        Returns
        -------
        named : ndarray of bool, shape (n_traders,)
            False where there is nothing to erase, also where no key uses the field.
        """
        return self.items.holds(field, trader_ids(traders))

    def add(
        self,
        items: pd.DataFrame | None,
        outcomes: pd.DataFrame | None = None,
        *,
        on_known: OnKnown = "raise",
        owner: str = "LearnedHistory.add",
    ) -> tuple[LearnedHistory, Counts]:
        """Add items and results.

        Parameters
        ----------
        items : DataFrame or None
            Canonical DECLARATIONS, new or known.
        outcomes : DataFrame, default=None
            Canonical OUTCOMES of these items or of items of the history.
        on_known : {"raise", "replace", "keep"}, default="raise"
            What to do with an item, or a result of the same day, that is known with
            other content.
        owner : str, default="LearnedHistory.add"
            Name of the calling method, for error messages.

        Returns
        -------
        history : LearnedHistory
            The longer history.
        counts : dict of str to dict of str to int
            "items" and "results": how many were taken, corrected, replaced, kept,
            known and erased.

        Raises
        ------
        TableError
            If something is known with other content, or a result has no item.
        """
        batch = _Batch.from_items(self, items)
        _check_known(owner, "items", batch.names(batch.other), on_known)
        replacing = on_known == "replace"
        added = batch.block.take(np.flatnonzero(batch.new | (batch.other & replacing)))
        leaving = batch.rows[batch.other] if replacing else batch.rows[:0]
        register = self.items.without(leaving) if len(leaving) else self.items
        register = register.plus(added)
        news = _Results.from_outcomes(self, register, outcomes, owner)
        replaced = (
            self.items.items(leaving).ids if len(leaving) else np.zeros(0, np.uint64)
        )
        old = self.results.versions(np.append(news.versions.ids, replaced))
        new, counts = news.merge(
            _date(old, replaced, register, self.label_delay),
            owner=owner,
            on_known=on_known,
        )
        change = Change(
            added=added.columns() if len(added) else None,
            results=_entries_of(new, old, replaced, register),
            withdrawn=_entries_of(old, new, replaced, self.items),
        )
        if len(leaving):
            removed = self.items.items(leaving)
            same_days = register.on_days(np.unique(removed.day))
            change = replace(change, removed=removed.columns(), same_days=same_days)
        history = replace(
            self,
            features=self.features.apply(change),
            items=register,
            results=self.results.replace_versions(old, new),
        )
        return history, {"items": batch.counts(on_known), "results": counts}

    def without_traders(
        self, field: str, names: list[str]
    ) -> tuple[LearnedHistory, Counts]:
        """Take traders out of every sum whose key names them.

        Parameters
        ----------
        field : str
            Field that names them, such as "importer_id".
        names : list of str
            Canonical values of the field.

        Returns
        -------
        history : LearnedHistory
            Without them; sums that name nobody stay.
        counts : dict of str to dict of str to int
            How many items named them, and how many entries left.
        """
        rows = self.items.rows_of(field, trader_ids(names))
        counts = {"items": {"erased": len(rows)}, "entries": {"erased": 0}}
        if not len(rows):
            return self, counts
        block = self.items.items(rows)
        versions = self.results.versions(block.ids)
        change = Change(
            removed=block.columns(),
            withdrawn=_entries(versions, block),
            trader=field,
        )
        features = self.features.apply(change)
        counts["entries"]["erased"] = _count_lost(self.features, features)
        items = self.items.erase(field, rows)
        return replace(self, features=features, items=items), counts


@dataclass(frozen=True, kw_only=True, eq=False)
class _Batch:
    """Items that are passed, in the order of their ids, next to those that are known.

    Parameters
    ----------
    block : Block
        The items.
    rows : ndarray of int64
        Row of each in the register, -1 where it is new.
    new, same, other, erased : ndarray of bool
        What the history knows of each: nothing, the same, something else, or an item
        of which a value was erased.
    declarations : ndarray of object
        `declaration_id` of each.
    """

    block: Block
    rows: Int
    new: NDArray[np.bool_]
    same: NDArray[np.bool_]
    other: NDArray[np.bool_]
    erased: NDArray[np.bool_]
    declarations: NDArray[Any]

    @classmethod
    def from_items(cls, history: LearnedHistory, items: pd.DataFrame | None) -> _Batch:
        """Compare items with those of a history."""
        if items is None or not len(items):
            empty = history.items.items(np.zeros(0, np.int64))
            none = np.zeros(0, bool)
            return cls(
                block=empty,
                rows=np.zeros(0, np.int64),
                new=none,
                same=none,
                other=none,
                erased=none,
                declarations=np.zeros(0, object),
            )
        ids = item_ids(items)
        block = _block_of(history.features, history.features.read_columns(items), ids)
        rows = history.items.find(block.ids)
        new = rows < 0
        content = np.full(len(rows), UNKNOWN)
        content[~new] = history.items.contents(rows[~new])
        erased = ~new & (content == UNKNOWN)
        same = ~new & (content == block.content)
        names = items["declaration_id"].to_numpy(dtype=object)
        return cls(
            block=block,
            rows=rows,
            new=new,
            same=same,
            other=~(new | erased | same),
            erased=erased,
            declarations=names[order_of_ids(ids)],
        )

    def names(self, which: NDArray[np.bool_]) -> list[Any]:
        """Return the `declaration_id` of some items."""
        found: list[Any] = self.declarations[which].tolist()
        return found

    def counts(self, on_known: OnKnown) -> dict[str, int]:
        """Return how many items were taken, replaced, kept, known and erased."""
        other = int(self.other.sum())
        return {
            "taken": int(self.new.sum()),
            "replaced": other if on_known == "replace" else 0,
            "kept": other if on_known == "keep" else 0,
            "known": int(self.same.sum()),
            "erased": int(self.erased.sum()),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Results:
    """Results that are passed, as versions, with the `declaration_id` of each."""

    versions: Versions
    declarations: NDArray[Any]

    @classmethod
    def from_outcomes(
        cls,
        history: LearnedHistory,
        register: ItemRegister,
        outcomes: pd.DataFrame | None,
        owner: str,
    ) -> _Results:
        """Join results to the items of a register, and date them."""
        if outcomes is None or not len(outcomes):
            return cls(versions=NO_VERSIONS, declarations=np.zeros(0, object))
        ids = item_ids(outcomes)
        names = outcomes["declaration_id"].to_numpy(dtype=object)
        rows = register.find(ids)
        lost = rows < 0
        if lost.any():
            raise TableError(
                "features.results_of_unknown_items",
                "{owner}: {n_results} results have no item in DECLARATIONS or in the "
                "history, such as declaration_id {examples}. Pass the declarations of "
                "these items with the results, or drop the results.",
                owner=owner,
                n_results=int(lost.sum()),
                examples=format_values(names[lost].tolist()),
            )
        given = outcomes.get("known_at")
        known = moments_known(
            EPOCH + register.days(rows).astype("timedelta64[D]"),
            None if given is None else given.to_numpy(),
            history.label_delay,
        )
        hits, amounts, differs = read_findings(outcomes, register, ids, rows)
        versions = Versions.from_arrays(
            ids,
            stated_days(given, len(ids)),
            days(known),
            hits,
            revenue_parts(amounts),
            differs,
        )
        return cls(versions=versions, declarations=names[np.argsort(ids)])

    def merge(
        self, old: Versions, *, owner: str, on_known: OnKnown
    ) -> tuple[Versions, dict[str, int]]:
        """Return all versions of the same items, and what became of these."""
        versions = self.versions
        at = old.index_of_days().get_indexer(versions.index_of_days())
        same_day = at >= 0
        equal = same_day & versions.equals(old, at)
        other = same_day & ~equal
        _check_known(owner, "results", self.declarations[other].tolist(), on_known)
        last = np.searchsorted(old.ids, versions.ids, "right") - 1
        first = ~are_among(versions.ids, old.ids)
        confirmed = ~same_day & ~first & versions.equals(old, last)
        confirmed[confirmed] = versions.day[confirmed] >= old.day[last[confirmed]]
        replacing = on_known == "replace"
        kept = np.ones(len(old), bool)
        kept[at[other & replacing]] = False
        taken = versions.take(np.flatnonzero(~same_day | (other & replacing)))
        joined = Versions.join([old.take(np.flatnonzero(kept)), taken])
        merged = joined.with_undated_first()
        n_other = int(other.sum())
        return merged, {
            "taken": int(first.sum()),
            "corrected": int((~same_day & ~first & ~confirmed).sum()),
            "replaced": n_other if replacing else 0,
            "kept": n_other if on_known == "keep" else 0,
            "known": int((equal | confirmed).sum()),
        }


def _block_of(features: DeclarationFeatures, columns: Columns, ids: UInt) -> Block:
    """Return encoded items as a register keeps them."""
    contents = item_contents(columns, features.deciding_fields())
    return Block.from_columns(columns, ids, contents, features.stored_fields())


def _check_known(owner: str, what: str, names: list[Any], on_known: OnKnown) -> None:
    """Raise where something is known with other content, unless it may be."""
    if names and on_known == "raise":
        raise TableError(
            "features.known_with_other_content",
            "{owner}: {n_rows} {what} are in the history with other content, such as "
            "declaration_id {examples}. Pass on_known='replace' to use what is passed "
            "now, on_known='keep' to keep what is known, or leave them out.",
            owner=owner,
            n_rows=len(names),
            what=what,
            examples=format_values(names),
        )


def _date(
    versions: Versions, replaced: UInt, register: ItemRegister, label_delay: int
) -> Versions:
    """Return versions, those of replaced items dated by the new lodgement."""
    if not len(replaced) or not len(versions):
        return versions
    own = are_among(versions.ids, replaced)
    lodged = register.days(register.find(versions.ids[own]))
    stated, day = versions.stated[own], versions.day.copy()
    usual = np.minimum(lodged + label_delay, LAST_DAY)
    day[own] = np.where(stated < 0, usual, np.maximum(stated, lodged))
    return versions.on_days(day)


def _entries(versions: Versions, block: Block) -> ResultEntries | None:
    """Return versions of results as sums of the items of a block."""
    if not len(versions):
        return None
    if versions.differs.any():
        return entries_of_documents(versions, block)
    return ResultEntries(
        columns=block.columns(),
        rows=np.searchsorted(block.ids, versions.ids),
        day=versions.day.astype(np.int64),
        sums=versions.sums(),
    )


def _entries_of(
    own: Versions, other: Versions, replaced: UInt, register: ItemRegister
) -> ResultEntries | None:
    """Return the sums of items whose versions differ, or whose keys do."""
    changed = np.concatenate([own.beyond(other), other.beyond(own), replaced])
    versions = own.take(np.flatnonzero(are_among(own.ids, changed)))
    if not len(versions):
        return None
    block = register.items(register.find(np.unique(versions.ids)))
    return _entries(versions, block)


def _count_lost(before: DeclarationFeatures, after: DeclarationFeatures) -> int:
    """Return how many entries tables have less than before."""
    old, new = before.blocks(), after.blocks()
    changed = [(old[name], new[name]) for name in old if new[name] is not old[name]]
    return sum(len(left.packed) - len(right.packed) for left, right in changed)
