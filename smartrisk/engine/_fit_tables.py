"""The tables of a fit: read, joined, and checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.engine._reading import (
    label_results,
    own_fields_of,
    read_outcomes,
)
from smartrisk.engine._state import EngineSettings
from smartrisk.errors import TableError
from smartrisk.features import ItemResults, LearnedHistory, join_results
from smartrisk.items import UInt, are_among, are_document_hits, item_ids
from smartrisk.lineage import Source, read_sources
from smartrisk.schema import TableInput
from smartrisk.validation import OnError, read_declarations


@dataclass(frozen=True, kw_only=True, eq=False)
class FitTables:
    """Items, their results, and what came with them.

    Parameters
    ----------
    items : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS.
    ids : ndarray of uint64, shape (n_items,)
        `item_ids` of the items.
    found : ItemResults
        Results of items: the labels.
    labels : DataFrame
        OUTCOMES of the results of items, in the same order, as labels of the target.
    documents : DataFrame
        Hits of documents with several items, which are no labels.
    own_fields : dict of str to str
        Fields that the administration adds, and the kind of each.
    sources : tuple of Source
        From which files the tables came.
    """

    items: pd.DataFrame
    ids: UInt
    found: ItemResults
    labels: pd.DataFrame
    documents: pd.DataFrame
    own_fields: dict[str, str]
    sources: tuple[Source, ...]

    @classmethod
    def read(
        cls,
        settings: EngineSettings,
        declarations: TableInput,
        outcomes: TableInput | None,
        on_error: OnError,
    ) -> FitTables:
        """Read both tables, or raise where they cannot be read."""
        own_fields = own_fields_of(declarations, settings.own_fields)
        items = read_declarations(declarations, own_fields, on_error=on_error)
        own_fields = {n: kind for n, kind in own_fields.items() if n in items}
        if not len(items):
            raise TableError(
                "engine.no_items",
                "RiskEngine.fit: 'declarations' holds no item that can be read, so "
                "that there is nothing to learn from.",
            )
        ids = item_ids(items)

        def knows(some: UInt) -> NDArray[np.bool_]:
            return are_among(some, ids)

        if outcomes is None:
            outcomes = pd.DataFrame({"declaration_id": [], "illicit": []})
        results = read_outcomes("fit", outcomes, knows, on_error, items)
        sources = read_sources(items, results)
        results = label_results("fit", results, settings.target, needed=True)
        found = join_results(items, results, label_delay=settings.label_delay, ids=ids)
        of_document = are_document_hits(results)
        return cls(
            items=items,
            ids=ids,
            found=found,
            labels=results[~of_document],
            documents=results[of_document],
            own_fields=own_fields,
            sources=sources,
        )

    def learn(self, settings: EngineSettings) -> LearnedHistory:
        """Return the history of the items, with all that is known of them."""
        history = LearnedHistory.learn(
            settings.new_features(self.own_fields),
            self.items,
            self.found,
            label_delay=settings.label_delay,
            ids=self.ids,
        )
        if not len(self.documents):
            return history
        longer, _ = history.add(None, self.documents, owner="RiskEngine.fit")
        return longer
