"""Long tables in chunks: memory stays bounded, and a bar can show the progress."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from smartrisk.engine import Guard, RiskEngine
from smartrisk.items import item_ids, mark_learned
from smartrisk.progress import track_items

#: Items in a chunk: its features take some 100 MB.
CHUNK_ITEMS = 50_000


def split_chunks(items: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the items in chunks of their order; one empty chunk for no items."""
    for start in range(0, max(len(items), 1), CHUNK_ITEMS):
        yield items.iloc[start : start + CHUNK_ITEMS]


def score_in_chunks(
    engine: RiskEngine, items: pd.DataFrame, guard: Guard = "warn"
) -> pd.DataFrame:
    """Return SCORES; items do not count for each other, so chunks change no score."""
    engine.check_batch(items, guard=guard)  # once, of all together
    n_chunks = max(math.ceil(len(items) / CHUNK_ITEMS), 1)
    chunks = track_items(split_chunks(items), n_chunks, "scoring")
    scores = pd.concat([engine.score(chunk, guard="off") for chunk in chunks])
    # Parts with different marks lose them when they are put together.
    mark_learned(scores, item_ids(items)[engine.has_learned(items)])
    return scores
