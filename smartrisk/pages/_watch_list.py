"""The watch list: the items to control on a day, most urgent first, with reasons."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.errors import TableError, check_number, format_values
from smartrisk.items import ANY_HIT, positions_of, stage_of
from smartrisk.languages import has_decimal_point
from smartrisk.page_style import CONTENT_POLICY
from smartrisk.pages._exported_table import table_in_words
from smartrisk.pages._page import (
    Page,
    currency_notes,
    history_notes,
    read_template,
)
from smartrisk.pages._stages import (
    revenue_label,
    scored_text,
    stage_notes,
    target_notes,
    undecided_note,
    undecided_text,
)
from smartrisk.results import clean_text
from smartrisk.schema import (
    CURRENCY,
    DECISIONS,
    INTERVAL,
    KEY,
    SELECTED_BY,
    TableInput,
)
from smartrisk.selectivity import mark_undecided, select
from smartrisk.spreadsheets import write_table
from smartrisk.validation import OnError, read_declarations, validate

if TYPE_CHECKING:
    from smartrisk.engine import Guard, RiskEngine, StageReport
    from smartrisk.explanations import Reasons

_FIELDS = ("lodged_at", "office", "importer_id", "tariff_code", "origin")
_DECIDED = ("channel", "selected_by", "rank")
_NUMBERS = ("rank", "customs_value", "risk_score", "expected_revenue")
_SCORES = ("risk_score", "score_lower", "score_upper", "expected_revenue")
_ORDER = (
    "rank",
    "declaration_id",
    "risk_score",
    "interval",
    "expected_revenue",
    "channel",
    "office",
    "lodged_at",
    "importer_id",
    "tariff_code",
    "origin",
    "customs_value",
)
#: Items on the page; with more, a page of long texts exceeds half a megabyte. The
#: exported table has all of them.
_MOST_ITEMS = 300
#: Characters of a cell: longer texts hide the columns next to them.
_MOST_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WatchList(Page):
    """The items selected for control, most urgent first.

    Use `from_engine`.

    Parameters
    ----------
    _table : DataFrame
        One row per selected item: key, decision, declared fields and scores.
    _reasons : sequence of Reasons
        Those of each selected item.
    n_items : int
        Number of items that were decided on.
    model_version : str
        Version of the model.
    history_until : Timestamp or None, default=None
        Day of the last item in the history of the engine.
    currency : str or None, default=None
        Currency of the amounts, where the column map of the items states it.
    stage : str, default="model"
        What the scores rest on: one of `smartrisk.schema.STAGES`.
    stage_report : StageReport or None, default=None
        The counts behind it.
    n_undecided : int, default=0
        Number of items that were not selected and whose interval includes the level
        from which the model selected.
    target : str, default="hit"
        What the scores are about: one of `smartrisk.items.TARGETS`.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> day = world.declarations.tail(200)
    >>> sr.pages.WatchList.from_engine(engine, day, 0.05)
    WatchList(10 of 200 items)
    """

    _table: pd.DataFrame
    _reasons: Sequence[Reasons]
    n_items: int
    model_version: str
    history_until: pd.Timestamp | None = None
    currency: str | None = None
    stage: str = "model"
    stage_report: StageReport | None = None
    n_undecided: int = 0
    target: str = ANY_HIT

    identities = True
    _template = "watch.html"

    def __repr__(self) -> str:
        """Return the number of selected items, and of all items."""
        return f"WatchList({len(self._table)} of {self.n_items} items)"

    @classmethod
    def from_engine(
        cls,
        engine: RiskEngine,
        declarations: TableInput,
        capacity: float = 0.05,
        *,
        decisions: TableInput | None = None,
        top: int = 2,
        on_error: OnError = "raise",
    ) -> Self:
        """Return the watch list of items that are decided on together.

        Parameters
        ----------
        engine : RiskEngine
            Fitted; it is not changed.
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.
        capacity : float or int, default=0.05
            Share or number of items that can be controlled; not used when `decisions`
            are given.
        decisions : DataFrame, default=None
            DECISIONS on all of the `declarations`, in any order; those on other items
            are ignored. None to decide by score and `capacity`.
        top : int, default=2
            Maximum number of reasons per item.
        on_error : str, default="raise"
            "raise", or "set_aside" to continue without invalid rows and warn.

        Returns
        -------
        watch_list : WatchList
            Write it with `save` or `export`.

        Raises
        ------
        TableError
            If a table is invalid, or an item has no decision.
        ArgumentError
            If `top` is not a positive integer.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(3_000, random_state=0)
        >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
        >>> watch_list = sr.pages.WatchList.from_engine(
        ...     engine, world.declarations.tail(200), 7)
        >>> len(watch_list.frame())
        7
        """
        check_number("WatchList", "top", top, low=1, integer=True)
        items = read_declarations(declarations, engine.own_fields_, on_error=on_error)
        items = items.reset_index(drop=True)
        # Items with decisions were checked when they were decided on.
        guard: Guard = "warn" if decisions is None else "off"
        scores = engine.score(items, guard=guard)
        if decisions is None:
            decisions = select(scores, items, capacity=capacity)
        decided = validate(decisions, DECISIONS, on_error=on_error)
        table, n_undecided = _list_selected(items, scores, decided)
        reasons = engine.explain(items.loc[table.index], top=top).at_least("slight")
        return cls(
            _table=table.reset_index(drop=True),
            _reasons=tuple(reasons),
            n_items=len(items),
            model_version=str(engine.version_),
            history_until=engine.history_until,
            currency=items.attrs.get(CURRENCY),
            stage=stage_of(scores),
            stage_report=engine.stage_report_,
            n_undecided=n_undecided,
            target=engine.target_,
        )

    def frame(self, *, lang: str = "en") -> pd.DataFrame:
        """Return one row per selected item, with its reasons and checks.

        Parameters
        ----------
        lang : str, default="en"
            Language of reasons and checks: "en", "fr" or "es".

        Returns
        -------
        frame : DataFrame
            Key, ``channel``, ``selected_by``, ``rank``, declared fields,
            ``risk_score``, ``score_lower``, ``score_upper``, ``expected_revenue``,
            ``stage`` (what the scores rest on: without results they are no
            probabilities), ``undecided``, ``scored_at`` and ``decided_at`` where they
            are known, ``reasons`` and ``checks``.
        """
        return self._with_sentences(len(self._table), lang)

    def undecided_keys(self) -> frozenset[tuple[str, int]]:
        """Return the keys of the selected items that are undecided.

        Returns
        -------
        keys : frozenset of (str, int)
            Declaration and item number, where the interval of the score includes the
            level from which the model selected.
        """
        return frozenset(keys_of(self._table[self._table["undecided"]]))

    def export(self, path: str | Path, *, lang: str = "en") -> Path:
        """Write the list for a spreadsheet; no text can act as a formula.

        In French and Spanish the heads and codes are words, and a CSV file has
        semicolons and decimal commas, as spreadsheets in these languages expect.

        Parameters
        ----------
        path : str or Path
            File that ends in ``.csv`` or ``.xlsx`` (needs the extra "xlsx").
        lang : str, default="en"
            Language of reasons and checks: "en", "fr" or "es".

        Returns
        -------
        path : Path
            The file.

        Raises
        ------
        ArgumentError
            If the path has another ending, or `lang` is unknown.
        """
        texts = self._texts(lang)
        table = table_in_words(self.frame(lang=lang), texts)
        return write_table(table, path, "WatchList.export", lang=lang)

    def _with_sentences(self, n_rows: int, lang: str) -> pd.DataFrame:
        """Return the first rows with their reasons and checks in words."""
        table, reasons = self._table.head(n_rows).copy(), self._reasons[:n_rows]
        table["reasons"] = [" · ".join(r.sentences(lang=lang)[0]) for r in reasons]
        table["checks"] = [
            " · ".join(r.checks(lang=lang, short=True)[0]) for r in reasons
        ]
        return table

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        script = read_template("watch.js")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        part = self._with_sentences(_MOST_ITEMS, texts.lang)
        order = [name for name in _ORDER if name in part or name == "interval"]
        if not self._has_intervals():
            order.remove("interval")
        n_left = len(self._table) - len(part)
        first, last = self._days(texts)
        from markupsafe import Markup

        return {
            "kind": _("Watch list"),
            "title": _("Items to control: %(n)s of %(all)s")
            % {"n": texts.number(len(self._table)), "all": texts.number(self.n_items)},
            "meta": _("Lodged %(first)s to %(last)s · model version %(version)s")
            % {"first": first, "last": last, "version": self.model_version}
            + scored_text(self._last_scoring(), texts),
            "separator": "," if has_decimal_point(texts.lang) else ";",
            "policy": f"{CONTENT_POLICY}; script-src 'sha256-{digest}'",
            "script": Markup(script),
            "summary": self._summary(texts),
            "heads": [self._head(name, texts) for name in order],
            "more_heads": [_("Reasons"), _("Suggested checks")],
            "numeric": {k for k, name in enumerate(order) if name in _NUMBERS},
            "rows": [
                {
                    "cells": [_make_cell(name, line, texts) for name in order],
                    "reasons": texts.words.capitalise(line["reasons"]),
                    "checks": line["checks"],
                    "tag": _selection_tag(line, texts),
                    "undecided": texts.pgettext("item", "undecided")
                    if line["undecided"]
                    else "",
                }
                for line in part.to_dict("records")
            ],
            "left": texts.ngettext(
                "%(n)s more item is in the table that can be exported.",
                "%(n)s more items are in the table that can be exported.",
                n_left,
            )
            % {"n": texts.number(n_left)}
            if n_left
            else "",
            "notes": [
                *stage_notes(self.stage, self.stage_report, texts),
                *target_notes(self.target, texts),
                *self._undecided_notes(texts),
                *history_notes(self.history_until, texts),
                *currency_notes(self.currency, texts),
                _(
                    "A selection is not a finding. Items taken at random are "
                    "controlled like the others: they show what the model does not "
                    "know."
                ),
                _("For officers only: reasons show how to avoid selection."),
            ],
        }

    def _has_intervals(self) -> bool:
        """Return whether the bounds of any score are known."""
        known = "score_lower" in self._table
        return known and bool(self._table["score_lower"].notna().any())

    def _days(self, texts: Texts) -> tuple[str, str]:
        """Return the first and the last day of lodgement."""
        days = self._table["lodged_at"]
        if days.empty:
            return "–", "–"
        return texts.day_in_words(days.min()), texts.day_in_words(days.max())

    def _summary(self, texts: Texts) -> list[tuple[str, str]]:
        """Return the numbers of items by channel and by what selected them."""
        _ = texts.gettext
        channels = self._table["channel"].value_counts()
        names = {
            str(name): _("channel: %(name)s") % {"name": texts.channel(str(name))}
            for name in channels.index
        }
        sets = [(channels, names)]
        if "selected_by" in self._table:
            by = self._table["selected_by"].value_counts()
            words = {name: texts.selected_by(name, self.stage) for name in SELECTED_BY}
            sets.append((by, words))
        summary = [
            (words.get(str(name), str(name)), texts.number(int(n)))
            for counts, words in sets
            for name, n in counts.items()
        ]
        n_undecided = int(self._table["undecided"].sum())
        if n_undecided:
            summary.append(
                (texts.pgettext("item", "undecided"), texts.number(n_undecided))
            )
        expected = texts.amount(round(float(self._table["expected_revenue"].sum())))
        return [*summary, (revenue_label(self.stage, texts), expected)]

    def _undecided_notes(self, texts: Texts) -> list[str]:
        """Return what undecided means, and how many items that are not listed are."""
        notes = [undecided_text(texts)] if self._table["undecided"].any() else []
        if self.n_undecided:
            notes.append(undecided_note(self.n_undecided, texts))
        return notes

    def _last_scoring(self) -> pd.Timestamp | None:
        """Return when the items were scored, None where that is not known."""
        known = "scored_at" in self._table and self._table["scored_at"].notna().any()
        return self._table["scored_at"].max() if known else None

    def _head(self, name: str, texts: Texts) -> str:
        """Return the head of a column."""
        _ = texts.gettext
        heads = {
            "rank": texts.pgettext("head: of an item", "Rank"),
            "declaration_id": _("Declaration"),
            "channel": _("Channel"),
            "risk_score": _("Risk"),
            "interval": _("%(level)s interval") % {"level": texts.rate(INTERVAL)},
            "expected_revenue": texts.words.capitalise(
                revenue_label(self.stage, texts)
            ),
            "lodged_at": texts.pgettext("head: day", "Lodged"),
        }
        if name == "risk_score" and self.stage == "no results":
            return _("Score, no results yet")
        return heads.get(name) or texts.words.capitalise(texts.words.field(name))


def _list_selected(
    items: pd.DataFrame, scores: pd.DataFrame, decisions: pd.DataFrame
) -> tuple[pd.DataFrame, int]:
    """Return the selected items by rank, else by risk, with decision and scores.

    The number is that of the items that were not selected and are undecided.
    """
    decided = _match_decisions(items, decisions)
    selected = decided["channel"].notna() & (decided["channel"] != "green")
    fields = [name for name in (*_FIELDS, "customs_value") if name in items]
    table = pd.concat(
        [
            decided.loc[selected],
            items.loc[selected, fields],
            scores.loc[selected, [name for name in _SCORES if name in scores]],
        ],
        axis=1,
    )
    table["stage"] = stage_of(scores)
    band = _find_undecided(scores, decided)
    table["undecided"] = band[selected]
    if "scored_at" in scores:
        table["scored_at"] = scores.loc[selected, "scored_at"]
    order = [name for name in ("rank", "risk_score") if name in table]
    table = table.sort_values(order, ascending=[name == "rank" for name in order])
    if "rank" not in decided:
        table.insert(len(decided.columns), "rank", range(1, len(table) + 1))
    return table, int((band & ~selected).sum())


def keys_of(items: pd.DataFrame) -> list[tuple[str, int]]:
    """Return declaration and item number of items; 1 where there is no number."""
    ids = [str(value) for value in items["declaration_id"]]
    known = "item_number" in items
    numbers = items["item_number"].tolist() if known else [1] * len(items)
    return list(zip(ids, map(int, numbers), strict=True))


def _find_undecided(scores: pd.DataFrame, decided: pd.DataFrame) -> pd.Series:
    """Return which items the model neither clearly selects nor clearly releases.

    What a rule, chance or an officer selected is controlled whatever its score.
    """
    by_other = pd.Series(False, decided.index)
    if "selected_by" in decided:
        by = decided["selected_by"]
        by_other = by.notna() & (by != "model")
    band = pd.Series(mark_undecided(scores, decided), decided.index, dtype=bool)
    return band & ~by_other


def _match_decisions(items: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Return channel, selector and rank of each item, in the order of the items."""
    place = positions_of(items, decisions, owner="WatchList", name="'decisions'")
    missing = place < 0
    if missing.any():
        examples = items.loc[missing, "declaration_id"].tolist()
        raise TableError(
            "pages.items_without_decision",
            "WatchList: {n_missing} of {n_items} items have no decision, such as "
            "{examples}. Pass the decisions on all items.",
            n_missing=int(missing.sum()),
            n_items=len(items),
            examples=format_values(examples),
        )
    fields = [name for name in _DECIDED if name in decisions]
    decided = decisions[fields].take(place).set_index(items.index)
    keys = [name for name in KEY if name in items]
    return pd.concat([items[keys], decided], axis=1)


def _selection_tag(line: Mapping[Any, Any], texts: Texts) -> str:
    """Return what selected an item, unless it was the model."""
    by = line.get("selected_by")
    by_other = by is not None and not pd.isna(by) and by != "model"
    return texts.selected_by(str(by)) if by_other else ""


def _make_cell(name: str, line: Mapping[Any, Any], texts: Texts) -> dict[str, Any]:
    """Return a cell: its text, and the value by which the script sorts it."""
    if name == "interval":
        text = texts.between(line["score_lower"], line["score_upper"])
        return {"text": text, "value": text}
    value = line[name]
    if name == "declaration_id":
        text = clean_text(str(value), _MOST_CHARACTERS)
        if "item_number" in line:
            text = f"{text}\u00a0/\u00a0{line['item_number']}"
        return {"text": text}
    if name in _NUMBERS:
        if pd.isna(value):
            return {"text": texts.number(value), "value": ""}
        text = texts.number(round(float(value)))
        if name == "risk_score":
            text = texts.score(value, str(line.get("stage", "model")))
        return {"text": text, "value": f"{float(value):.10g}"}
    if name == "channel":
        return {"text": texts.channel(str(value))}
    if name == "lodged_at":
        moment = texts.moment(value)
        return {"text": moment.replace("-", "\u2011"), "value": moment}
    return {"text": clean_text(texts.value(name, value), _MOST_CHARACTERS)}
