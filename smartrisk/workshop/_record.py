"""A ledger for practice: the decisions of a month, and a trader who asks why."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path

import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.languages import catalogue
from smartrisk.ledger import Anchor, Ledger
from smartrisk.pages import ModelCard
from smartrisk.schema import KEY

#: A row of the card's table of obligations: a source and a point, what it asks, what
#: can be shown.
_ROW = re.compile(
    r"<tr><td>((?:EU AI Act|TFA|RKC) [\d.]+)</td>"
    r"<td[^>]*>([^<]*)</td><td[^>]*>([^<]*)</td>"
)
#: Days of the decisions that are recorded.
_DAYS = 28


@dataclass(frozen=True, eq=False, kw_only=True)
class Record:
    """A recorded month, and the item whose importer asks why it was controlled.

    The ledger is kept in a temporary folder for as long as the process runs.

    Parameters
    ----------
    engine : RiskEngine
        The engine that decided.
    items, decisions : DataFrame
        DECLARATIONS of the month, and what was decided on them.
    ledger : Ledger
        The ledger that holds them.
    head : Anchor
        Its head after the month, kept elsewhere.

    Attributes
    ----------
    contested : DataFrame
        The item, one row of DECLARATIONS.
    engine_today : RiskEngine
        The same engine, with a month more in its history.
    card : ModelCard
        The model card of the engine, with what the record can show.

    Examples
    --------
    >>> import smartrisk as sr
    >>> record = sr.workshop.Lab(10, sr.workshop.Seat(seed=7)).record
    >>> record.ledger.verify(anchor=record.head).ok, len(record.contested)
    (True, 1)
    """

    engine: RiskEngine
    items: pd.DataFrame
    decisions: pd.DataFrame
    ledger: Ledger
    head: Anchor

    @cached_property
    def contested(self) -> pd.DataFrame:
        """The selected item with the highest item number."""
        chosen = self.items[(self.decisions["channel"] != "green").to_numpy()]
        return chosen.sort_values(list(KEY)[::-1], ascending=False).head(1)

    @cached_property
    def engine_today(self) -> RiskEngine:
        """The engine with the items of the month in its history."""
        return deepcopy(self.engine).update(self.items)

    @cached_property
    def card(self) -> ModelCard:
        """The model card, with the decisions and the state of the ledger."""
        return ModelCard.from_engine(
            self.engine,
            decisions=self.decisions,
            ledger=self.ledger.verify(anchor=self.head),
        )

    def read_points(self, lang: str = "en") -> pd.DataFrame:
        """Return what agreements and law ask, and what the card shows for it.

        Parameters
        ----------
        lang : str, default="en"
            One of `smartrisk.languages.LOCALES`.

        Returns
        -------
        points : DataFrame
            ``point``, ``asks`` and ``shown``, which is missing where nothing is.
        """
        words = catalogue("pages", lang)
        absent = words.pgettext("cell: what can be shown", "not provided")
        cells = [
            [unescape(text) for text in row]
            for row in _ROW.findall(self.card.to_html(lang=lang))
        ]
        points = pd.DataFrame(cells, columns=["point", "asks", "shown"])
        return points.assign(shown=points["shown"].where(points["shown"] != absent))


def make_record(engine: RiskEngine, new: pd.DataFrame, capacity: int) -> Record:
    """Return a ledger with the decisions of the first weeks of new items."""
    end = new["lodged_at"].min().normalize() + pd.Timedelta(days=_DAYS)
    items = new[new["lodged_at"] < end]
    decisions = engine.select(items, capacity=capacity)
    chosen = items[(decisions["channel"] != "green").to_numpy()]
    folder = Path(tempfile.mkdtemp(prefix="smartrisk-"))
    ledger = Ledger(folder / "decisions.sqlite")
    head = ledger.record(
        decisions,
        declarations=items,
        scores=engine.score(items),
        reasons=engine.explain(chosen),
    )
    record = Record(
        engine=engine, items=items, decisions=decisions, ledger=ledger, head=head
    )
    weakref.finalize(record, _remove, ledger, folder)
    return record


def _remove(ledger: Ledger, folder: Path) -> None:
    """Close a ledger and remove its folder."""
    ledger.close()
    shutil.rmtree(folder, ignore_errors=True)
