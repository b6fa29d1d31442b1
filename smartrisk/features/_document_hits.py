"""Hits of documents with several items: in a history they count once, and nowhere else.

A control found something in a document, but not in which of its items. What is known is
that of its items, all of which were controlled, at least one was a hit. That counts for
every key that all items of the document share, such as the importer or the office; for
a key in which they differ, such as the heading, nothing is known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError
from smartrisk.features._changes import ResultEntries
from smartrisk.features._columns import Float, Int
from smartrisk.features._item_blocks import Block
from smartrisk.features._register import ItemRegister, Versions
from smartrisk.items import UInt, are_document_hits, clean_amounts, document_hashes

#: Bits of a number that says in which columns the items of a document differ.
_MOST_COLUMNS = 64


def read_findings(
    outcomes: pd.DataFrame, register: ItemRegister, ids: UInt, rows: Int
) -> tuple[Int, Float, UInt | None]:
    """Return what each result found: hits, amounts, and in what its document differs.

    Of a hit of a document, the first item has the hit and the amount, the others are
    inspections without one: together they are what is known of the document.

    Parameters
    ----------
    outcomes : DataFrame of shape (n_results, n_fields)
        Canonical OUTCOMES.
    register : ItemRegister
        The items.
    ids : ndarray of uint64, shape (n_results,)
        `item_ids` of the results.
    rows : ndarray of int64, shape (n_results,)
        Rows of their items in the register.

    Returns
    -------
    hits : ndarray of int64
        1 where an irregularity counts.
    amounts : ndarray of float64
        What it recovered.
    differs : ndarray of uint64, or None
        As in `Versions`; None where no result is of a document.
    """
    revenue = outcomes.get("revenue_adjustment")
    amounts = np.zeros(len(ids)) if revenue is None else clean_amounts(revenue)
    of_document = are_document_hits(outcomes)
    hits = outcomes["illicit"].fillna(0).to_numpy(np.int64)
    if not of_document.any():
        return hits, amounts, None
    at = np.flatnonzero(of_document)
    documents = document_hashes(outcomes.iloc[at])
    order = np.lexsort((ids[at], documents))
    at, documents = at[order], documents[order]
    first = np.append(True, documents[1:] != documents[:-1])
    total = outcomes.get("document_revenue")
    recovered = np.zeros(len(ids)) if total is None else clean_amounts(total)
    hits[at] = first
    amounts[at] = np.where(first, recovered[at], 0.0)
    differs = np.zeros(len(ids), np.uint64)
    differs[at] = _differing_columns(register, ids[at], rows[at], first)
    return hits, amounts, differs


def _differing_columns(
    register: ItemRegister, ids: UInt, rows: Int, first: NDArray[np.bool_]
) -> UInt:
    """Return in which columns the items of each document differ, as bits."""
    block = register.items(rows)
    place = np.searchsorted(block.ids, ids)
    starts = np.flatnonzero(first)
    sizes = np.diff([*starts, len(ids)])
    found = np.zeros(len(starts), np.uint64)
    for bit, name in enumerate(_columns(block)):
        codes = block.codes[name][place].astype(np.int64)
        lowest = np.minimum.reduceat(codes, starts)
        highest = np.maximum.reduceat(codes, starts)
        found |= (lowest != highest).astype(np.uint64) << np.uint64(bit)
    return np.repeat(found, sizes)


def entries_of_documents(versions: Versions, block: Block) -> ResultEntries:
    """Return versions as sums, those of documents in the keys that their items share.

    A version that replaces another takes it out of the keys in which it counted, and
    counts in its own.

    Parameters
    ----------
    versions : Versions
        Of results of the items of the block, some of documents.
    block : Block
        The items.
    """
    later = np.flatnonzero(~versions.first)
    every = np.concatenate([np.arange(len(versions)), later])
    before = np.concatenate([np.arange(len(versions)), later - 1])
    sign = np.repeat(np.array([1, -1]), [len(versions), len(later)])
    rows = np.searchsorted(block.ids, versions.ids)[every]
    part = block.take(rows)
    differs = versions.differs[before]
    for bit, name in enumerate(_columns(block)):
        own = np.flatnonzero((differs >> np.uint64(bit)) & np.uint64(1))
        if len(own):
            part = part.erase(name, own)
    sums = {
        "n": sign,
        "hits": sign * versions.hits[before].astype(np.int64),
        "revenue": sign * versions.revenue[before].astype(np.int64),
    }
    return ResultEntries(
        columns=part.columns(),
        rows=np.arange(len(every)),
        day=versions.day[every].astype(np.int64),
        sums=sums,
    )


def _columns(block: Block) -> list[str]:
    """Return the stored columns in the order of their bits."""
    names = sorted(block.codes)
    if len(names) > _MOST_COLUMNS:
        raise ArgumentError(
            "features.too_many_key_columns",
            "the keys have {n_columns} columns; with hits of documents at most {most} "
            "are possible. Leave out keys.",
            n_columns=len(names),
            most=_MOST_COLUMNS,
        )
    return names
