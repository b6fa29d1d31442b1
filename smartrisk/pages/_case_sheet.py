"""The case sheet: all that an officer needs of one item, on a page that prints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays import Texts
from smartrisk.errors import TableError
from smartrisk.explanations import Counterfactuals, Reasons, counterfactuals, removal
from smartrisk.pages._page import Page, Table, known_until
from smartrisk.schema import DECLARATIONS, KEY, OUTCOMES
from smartrisk.validation import validate

if TYPE_CHECKING:
    from smartrisk.engine import RiskEngine

_WHO = ("importer_id", "declarant_id", "consignor_id")
_RECENT = 8
_POINTS = 150
_BACKGROUND = 60


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CaseSheet(Page):
    """One item: score, reasons, history, what to check, place for the finding.

    Use `from_engine`.

    Parameters
    ----------
    item : DataFrame of one row
        Canonical DECLARATIONS.
    score : Series
        Its SCORES.
    reasons : Reasons
        Its reasons.
    past : DataFrame
        Earlier items of the same parties or goods, with their results as they were
        known when the item was lodged: ``illicit``, missing where not known.
    instead : Counterfactuals or None
        What would have lowered the score.
    moved : float or None
        Fall of the log-odds without the first reason.
    until : Timestamp or None
        Day of the last item that the engine's history knew.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> sheet = sr.pages.CaseSheet.from_engine(engine, world.declarations.tail(1))
    >>> "Reasons to look" in sheet.to_html()
    True
    """

    item: pd.DataFrame
    score: pd.Series
    reasons: Reasons
    past: pd.DataFrame
    instead: Counterfactuals | None = None
    moved: float | None = None
    until: pd.Timestamp | None = None

    identities = True
    _template = "case.html"

    def __repr__(self) -> str:
        """Name the item."""
        row = self.item.iloc[0]
        return f"CaseSheet({row['declaration_id']!r}, {row.get('item_number', 1)})"

    @classmethod
    def from_engine(
        cls,
        engine: RiskEngine,
        item: Any,
        *,
        past: Any = None,
        outcomes: Any = None,
        top: int = 3,
    ) -> Self:
        """Return the case sheet of one item.

        Parameters
        ----------
        engine : RiskEngine
            Fitted.
        item : DataFrame of one row
            DECLARATIONS.
        past : DataFrame, default=None
            DECLARATIONS of earlier items, for history and what would have lowered the
            score. Items lodged on the day of the item or later are left out.
        outcomes : DataFrame, default=None
            OUTCOMES. Results that were not known before the day are left out.
        top : int, default=3
            Reasons.

        Returns
        -------
        sheet : CaseSheet
            Write it with `save`.

        Raises
        ------
        TableError
            If it is not one item, or a table is not in order.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(3_000, random_state=0)
        >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
        >>> items = world.declarations
        >>> sheet = sr.pages.CaseSheet.from_engine(
        ...     engine, items.tail(1), past=items, outcomes=world.outcomes)
        >>> "History" in sheet.to_html()
        True
        """
        here = validate(item, DECLARATIONS)
        if len(here) != 1:
            raise TableError(
                "pages.item_row_got_items",
                "CaseSheet.from_engine: 'item' must be one row; got {n_here}. Pass "
                "items.loc[[label]], or make a sheet for each.",
                n_here=len(here),
            )
        known = _known(here, past, outcomes, engine.label_delay)
        reasons = engine.explain(here, top=top)
        instead, moved = None, None
        if past is not None and len(known):
            alike = known[_heading(known) == _heading(here).iloc[0]]
            if len(alike):
                instead = counterfactuals(here, engine.score, alike)
            moved = _moved(engine, reasons, known)
        return cls(
            item=here,
            score=engine.score(here).iloc[0],
            reasons=reasons,
            past=known,
            instead=instead,
            moved=moved,
            until=_earlier(engine.history_until, here["lodged_at"].iloc[0]),
        )

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        _ = texts.gettext
        row = self.item.iloc[0]
        return {
            "kind": _("Case sheet"),
            "title": _("Declaration %(declaration)s, item %(item)s")
            % {
                "declaration": str(row["declaration_id"]),
                "item": row.get("item_number", 1),
            },
            "meta": _("Lodged %(moment)s · model version %(version)s")
            % {
                "moment": texts.moment(row.get("lodged_at")),
                "version": self.score["model_version"],
            },
            "risk": texts.rate(self.score["risk_score"]),
            "revenue": texts.number(round(float(self.score["expected_revenue"]))),
            "statement": texts.words.begun(self.reasons.statements(texts.lang)[0]),
            "reasons": _told(self.reasons, texts),
            "release": _told(self.reasons.release, texts),
            "removed": self._removed(texts),
            "until": self._until(texts),
            "asked_instead": self.instead is not None,
            "instead": []
            if self.instead is None
            else [
                texts.words.begun(t) for t in self.instead.frame(texts.lang)["sentence"]
            ],
            "declared": [
                (texts.words.field(name), texts.value(name, row[name]))
                for name in map(str, self.item.columns)
                if name in DECLARATIONS and name not in KEY
            ],
            "history": self._history(texts),
            "plot": self._plot(texts),
            "recent": self._recent(texts),
            "controls": [_("documents"), _("physical"), _("scan"), _("audit"), "…"],
            "results": [
                _("as declared"),
                _("irregularity, more is due"),
                _("irregularity, nothing is due"),
            ],
            "notes": [
                _(
                    "A reason says what raised or lowered the score, compared with "
                    "what was known at lodgement. It is no finding and no proof. The "
                    "decision is the officer's."
                ),
                _("For officers only: reasons teach how to avoid them."),
            ],
        }

    def _until(self, texts: Texts) -> str:
        """Say how far the history of the engine goes, and that it could go further."""
        _ = texts.gettext
        notes = known_until(self.until, texts)
        if notes and len(self.past):
            later = self.past["lodged_at"].dt.normalize() > self.until
            if later.any():
                n = int(later.sum())
                notes.append(
                    texts.ngettext(
                        "The tables below know %(n)s later item: let the engine's "
                        "history move on with `update` before the next sheet.",
                        "The tables below know %(n)s later items: let the engine's "
                        "history move on with `update` before the next sheet.",
                        n,
                    )
                    % {"n": texts.number(n)}
                )
        return " ".join(notes)

    def _removed(self, texts: Texts) -> str:
        """Say whether the score falls without the first reason, or why not."""
        _ = texts.gettext
        if self.moved is None:
            return ""
        if self.moved > 0:
            return _(
                "Tested: with what other items declare in place of the first reason's "
                "data, the log-odds fall by %(size)s on average."
            ) % {"size": texts.words.localised(f"{self.moved:.2f}")}
        return _(
            "Tested: without the first reason alone the score does not fall, because "
            "other declared data say the same or it counts only together with them. "
            "Take the reasons together."
        )

    def _history(self, texts: Texts) -> Table | None:
        """Return what was known of the parties and of the goods."""
        _ = texts.gettext
        if self.past.empty:
            return None
        row, past, price = self.item.iloc[0], self.past, _per_kg(self.past)
        goods = _subheading(past) == _subheading(self.item).iloc[0]
        masks, of_goods = {}, set()
        for name in _WHO:
            if name in past and not pd.isna(row.get(name)):
                masks[texts.words.field(name)] = past[name] == row[name]
        if "importer_id" in past and not pd.isna(row.get("importer_id")):
            mine = goods & (past["importer_id"] == row["importer_id"])
            masks[_("importer with these goods")] = mine
            of_goods.add(_("importer with these goods"))
        masks[_("these goods, all importers")] = goods
        of_goods.add(_("these goods, all importers"))
        if "origin" in past and not pd.isna(row.get("origin")):
            same = goods & (past["origin"] == row["origin"])
            masks[_("these goods from the same origin")] = same
            of_goods.add(_("these goods from the same origin"))
        rows = []
        for name, mask in masks.items():
            taken = mask.fillna(False).to_numpy(bool)
            part = past[taken]
            median = price[taken].median() if name in of_goods else None
            results = part["illicit"].dropna()
            last = part["lodged_at"].max() if len(part) else None
            hits = int((results > 0).sum())
            rate = hits / len(results) if len(results) else None
            rows.append(
                (
                    texts.words.begun(name),
                    texts.number(len(part)),
                    texts.unit_value(median),
                    texts.moment(None if last is None else last.normalize()),
                    texts.number(len(results)),
                    texts.number(hits),
                    texts.rate(rate),
                )
            )
        return Table(
            caption=_("Earlier items, and results known before the day of lodgement"),
            heads=(
                _("Of"),
                _("Items"),
                _("Median value per kg"),
                _("Last"),
                _("Results known"),
                _("Irregular"),
                _("Hit rate"),
            ),
            rows=rows,
            numeric=frozenset(range(1, 7)),
        )

    def _recent(self, texts: Texts) -> Table | None:
        """Return the last items of the same importer, these goods first."""
        _ = texts.gettext
        row, past = self.item.iloc[0], self.past
        if past.empty or "importer_id" not in past or pd.isna(row.get("importer_id")):
            return None
        mine = past[(past["importer_id"] == row["importer_id"]).fillna(False)]
        if mine.empty:
            return None
        goods = _subheading(mine) == _subheading(self.item).iloc[0]
        order = np.lexsort((-mine["lodged_at"].to_numpy().astype(np.int64), ~goods))
        mine = mine.iloc[order[:_RECENT]]
        said: dict[Any, str] = {0: _("as declared"), 1: _("irregular")}
        rows = [
            (
                texts.moment(line["lodged_at"]),
                texts.value("tariff_code", line["tariff_code"]),
                texts.value("origin", line.get("origin")),
                texts.number(line.get("customs_value")),
                texts.number(line.get("net_mass_kg")),
                said.get(
                    None if pd.isna(line["illicit"]) else int(line["illicit"]),
                    _("not inspected, or not known yet"),
                ),
            )
            for line in mine.to_dict("records")
        ]
        heads = ("tariff_code", "origin", "customs_value", "net_mass_kg")
        return Table(
            caption=_("Latest items of this importer, these goods first"),
            heads=(
                _("Lodged"),
                *(texts.words.begun(texts.words.field(name)) for name in heads),
                _("Result"),
            ),
            rows=rows,
            numeric=frozenset((3, 4)),
        )

    def _plot(self, texts: Texts) -> dict[str, Any] | None:
        """Return the unit values of these goods over time, with this item's."""
        _ = texts.gettext
        row, past = self.item.iloc[0], self.past
        if past.empty or not {"customs_value", "net_mass_kg"} <= set(past.columns):
            return None
        part = past[(_subheading(past) == _subheading(self.item).iloc[0]).to_numpy()]
        part = part[(part["net_mass_kg"] > 0) & (part["customs_value"] > 0)]
        value, mass = row.get("customs_value"), row.get("net_mass_kg")
        if pd.isna(value) or pd.isna(mass):
            return None
        if len(part) < 5 or not (value > 0 and mass > 0):
            return None
        part = part.tail(_POINTS)
        price = np.log10((part["customs_value"] / part["net_mass_kg"]).to_numpy(float))
        when = part["lodged_at"].astype("int64").to_numpy(float)
        here = (float(row["lodged_at"].value), float(np.log10(value / mass)))
        when = np.r_[
            when,
            pd.Series([row["lodged_at"]])
            .astype(part["lodged_at"].dtype)
            .astype("int64")
            .iloc[0],
        ]
        price = np.r_[price, here[1]]
        low, high = price.min() - 0.05, price.max() + 0.05
        x = 70 + 550 * (when - when.min()) / max(when.max() - when.min(), 1.0)
        y = 185 - 170 * (price - low) / (high - low)
        points = [(f"{a:.1f}", f"{b:.1f}") for a, b in zip(x, y, strict=True)]
        ticks = [
            (
                round(185 - 170 * (np.log10(level) - low) / (high - low), 1),
                texts.words.ratio(level),
            )
            for level in _levels(10.0**low, 10.0**high)
        ]
        return {
            "points": points[:-1],
            "here": points[-1],
            "ticks": ticks,
            "first": texts.moment(part["lodged_at"].iloc[0].normalize()),
            "last": texts.moment(row["lodged_at"].normalize()),
            "caption": _(
                "Declared value per kg of the last %(n)s items of subheading %(code)s, "
                "logarithmic; the ring is this item."
            )
            % {
                "n": texts.number(len(part)),
                "code": texts.words.code(_subheading(self.item).iloc[0]),
            },
        }


def _earlier(until: pd.Timestamp | None, lodged: pd.Timestamp) -> pd.Timestamp | None:
    """Return the last day that an item can know of a history."""
    before = lodged.normalize() - pd.Timedelta(days=1)
    return None if until is None else min(until, before)


def _moved(engine: RiskEngine, reasons: Reasons, known: pd.DataFrame) -> float | None:
    """Return by how much the score falls without the first reason, None if unknown.

    The test needs earlier items with every field that the engine reads.
    """
    read = [n for n in engine.features_.feature_names_in_ if n in DECLARATIONS]
    if not set(read) <= set(known):
        return None
    background = known.sample(min(len(known), _BACKGROUND), random_state=0)
    fields = [name for name in background if name in DECLARATIONS]
    others = engine.features_.transform(background[fields])
    table = removal(reasons, engine.classifier_.raw_score, others).frame()
    return float(table["moved"].iloc[0]) if len(table) else None


def _told(reasons: Reasons, texts: Texts) -> list[dict[str, Any]]:
    """Return the reasons of an item as a template shows them."""
    words, firm = texts.words, reasons.at_least("slight")
    return [
        {
            "rank": line["rank"],
            "sentence": texts.words.begun(line["sentence"]),
            "concept": words.concept(line["concept"]),
            "strength": words.text(f"strength.{line['strength']}"),
            "size": f"{min(abs(line['contribution']) / 3.0, 1.0) * 100:.0f}",
            "contribution": words.signed(line["contribution"]),
            "check": texts.words.begun(line["check"]),
        }
        for line in firm.frame(texts.lang).to_dict("records")
    ]


def _levels(low: float, high: float) -> list[float]:
    """Return round values between two, as a logarithmic axis has them."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)):
        found = [step * 10.0**k for k in decades for step in steps]
        found = [level for level in found if low <= level <= high]
        if len(found) >= 3:
            break
    return found or [low, high]


def _known(
    item: pd.DataFrame, past: Any, outcomes: Any, label_delay: int
) -> pd.DataFrame:
    """Return earlier items with the results that were known before the day."""
    none: pd.DataFrame = item.iloc[:0].assign(illicit=np.nan)
    if past is None:
        return none
    day = item["lodged_at"].iloc[0].normalize()
    items: pd.DataFrame = validate(past, DECLARATIONS)
    items = items[items["lodged_at"] < day].sort_values("lodged_at", kind="stable")
    if outcomes is None:
        return items.assign(illicit=np.nan)
    results = validate(outcomes, OUTCOMES)
    keys = [name for name in KEY if name in items and name in results]
    kept = [*keys, "illicit", *(["known_at"] if "known_at" in results else [])]
    if "known_at" in results:
        results = results[~(results["known_at"] >= day)].sort_values("known_at")
    last = results[kept].drop_duplicates(keys, keep="last")
    found: pd.DataFrame = items.merge(last, on=keys, how="left")
    delay = pd.Timedelta(days=label_delay)
    when = found["lodged_at"] + delay
    if "known_at" in found:
        when = found["known_at"].fillna(when)
    found["illicit"] = found["illicit"].astype("float64").where(when < day)
    return found


def _per_kg(frame: pd.DataFrame) -> pd.Series:
    """Return the declared values per kg; missing where a part is missing or zero."""
    if not {"customs_value", "net_mass_kg"} <= set(frame.columns):
        return pd.Series(np.nan, index=frame.index)
    parts = frame[["customs_value", "net_mass_kg"]].astype("float64")
    parts = parts.where(parts > 0)
    found: pd.Series = parts["customs_value"] / parts["net_mass_kg"]
    return found


def _heading(frame: pd.DataFrame) -> pd.Series:
    """Return the headings of items."""
    return frame["tariff_code"].astype(str).str[:4]


def _subheading(frame: pd.DataFrame) -> pd.Series:
    """Return the subheadings of items."""
    return frame["tariff_code"].astype(str).str[:6]
