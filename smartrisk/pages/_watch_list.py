"""The watch list: what to control on a day, in order, with the reasons."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.errors import TableError, check_number, format_values
from smartrisk.page_style import CONTENT_POLICY
from smartrisk.pages._page import Page, known_until, source
from smartrisk.pages._spreadsheet import write_table
from smartrisk.results import clean_text
from smartrisk.schema import DECISIONS, DECLARATIONS, KEY, SELECTED_BY
from smartrisk.selectivity import select
from smartrisk.validation import validate

if TYPE_CHECKING:
    from smartrisk.engine import RiskEngine

_FIELDS = ("lodged_at", "office", "importer_id", "tariff_code", "origin")
_NUMBERS = ("rank", "customs_value", "risk_score", "expected_revenue")
_ORDER = (
    "rank",
    "declaration_id",
    "risk_score",
    "expected_revenue",
    "channel",
    "office",
    "lodged_at",
    "importer_id",
    "tariff_code",
    "origin",
    "customs_value",
)
_MOST = 300
_LONGEST = 60  # characters of a cell


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WatchList(Page):
    """The items selected for control, the most urgent first.

    Use `from_engine`.

    Parameters
    ----------
    table : DataFrame
        One row per selected item.
    n_items : int
        Items that were decided on.
    model_version : str
        Version of the model.
    until : Timestamp or None
        Day of the last item that its history knew.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> day = world.declarations.tail(200)
    >>> sr.pages.WatchList.from_engine(engine, day, 0.05)
    WatchList(10 of 200 items)
    """

    table: pd.DataFrame
    n_items: int
    model_version: str
    until: pd.Timestamp | None = None

    identities = True
    _template = "watch.html"

    def __repr__(self) -> str:
        """Say how many were selected."""
        return f"WatchList({len(self.table)} of {self.n_items} items)"

    @classmethod
    def from_engine(
        cls,
        engine: RiskEngine,
        items: Any,
        capacity: float = 0.05,
        *,
        decisions: pd.DataFrame | None = None,
        top: int = 2,
    ) -> Self:
        """Return the watch list of items that are decided on together.

        Parameters
        ----------
        engine : RiskEngine
            Fitted.
        items : DataFrame of shape (n_items, n_fields)
            DECLARATIONS.
        capacity : float or int, default=0.05
            Share or number of items that can be controlled.
        decisions : DataFrame, default=None
            DECISIONS already taken for all `items`, in any order; those on other items
            are not looked at. None to take them.
        top : int, default=2
            Reasons per item.

        Returns
        -------
        watch_list : WatchList
            Write it with `save` or `export`.

        Raises
        ------
        TableError
            If a table is not in order, or an item has no decision.
        ArgumentError
            If `top` is not a positive integer.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(3_000, random_state=0)
        >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
        >>> listed = sr.pages.WatchList.from_engine(
        ...     engine, world.declarations.tail(200), 7)
        >>> len(listed.frame())
        7
        """
        check_number("WatchList", "top", top, low=1, integer=True)
        here = validate(items, DECLARATIONS).reset_index(drop=True)
        scores = engine.score(here)
        if decisions is None:
            decisions = select(scores, capacity, declarations=here)
        told = _decided(here, decisions)
        taken = told["channel"].notna() & (told["channel"] != "green")
        fields = [n for n in (*_FIELDS, "customs_value") if n in here]
        table = pd.concat(
            [
                told.loc[taken],
                here.loc[taken, fields],
                scores.loc[taken, ["risk_score", "expected_revenue"]],
            ],
            axis=1,
        )
        order = [n for n in ("rank", "risk_score") if n in table]
        table = table.sort_values(order, ascending=[n == "rank" for n in order])
        if "rank" not in told:
            table.insert(len(told.columns), "rank", range(1, len(table) + 1))
        reasons = engine.explain(here.loc[table.index], top=top).at_least("slight")
        table["lines"] = pd.Series(list(reasons), index=table.index, dtype=object)
        return cls(
            table=table.reset_index(drop=True),
            n_items=len(here),
            model_version=str(engine.version_),
            until=engine.history_until,
        )

    def frame(self, lang: str = "en") -> pd.DataFrame:
        """Return one row per selected item, with its reasons and checks.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        frame : DataFrame
            Key, ``channel``, ``selected_by``, ``rank``, declared fields,
            ``risk_score``, ``expected_revenue``, ``reasons`` and ``checks``.
        """
        return _said(self.table, lang)

    def export(self, path: str | Path, lang: str = "en") -> Path:
        """Write the list for a spreadsheet; no text can act as a formula.

        Parameters
        ----------
        path : str or Path
            File that ends in ``.csv`` or ``.xlsx`` (needs the extra "xlsx").
        lang : str, default="en"
            Language of the reasons.

        Returns
        -------
        path : Path
            The file.
        """
        return write_table(self.frame(lang), path, "WatchList.export")

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        _ = texts.gettext
        script = source("watch.js")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        part = _said(self.table.head(_MOST), texts.lang)
        order = [name for name in _ORDER if name in part]
        left = len(self.table) - len(part)
        first, last = self._days()
        from markupsafe import Markup

        return {
            "kind": _("Watch list"),
            "title": _("Items to control: %(n)s of %(all)s")
            % {"n": texts.number(len(self.table)), "all": texts.number(self.n_items)},
            "meta": _("Lodged %(first)s to %(last)s · model version %(version)s")
            % {"first": first, "last": last, "version": self.model_version},
            "policy": f"{CONTENT_POLICY}; script-src 'sha256-{digest}'",
            "script": Markup(script),
            "summary": self._summary(texts),
            "heads": [self._head(name, texts) for name in order],
            "more_heads": [_("Reasons"), _("Suggested checks")],
            "numeric": {k for k, name in enumerate(order) if name in _NUMBERS},
            "rows": [
                {
                    "cells": [_cell(name, line, texts) for name in order],
                    "reasons": texts.words.begun(line["reasons"]),
                    "checks": line["checks"],
                    "tag": _tag(line, texts),
                }
                for line in part.to_dict("records")
            ],
            "left": texts.ngettext(
                "%(n)s more item is in the table that can be exported.",
                "%(n)s more items are in the table that can be exported.",
                left,
            )
            % {"n": texts.number(left)}
            if left
            else "",
            "notes": [
                *known_until(self.until, texts),
                _(
                    "A selection is no finding. Items taken at random are controlled "
                    "like the others: they show what the model does not know."
                ),
                _("For officers only: reasons teach how to avoid them."),
            ],
        }

    def _days(self) -> tuple[str, str]:
        """Return the first and the last day of lodgement."""
        if self.table.empty or "lodged_at" not in self.table:
            return "–", "–"
        days = self.table["lodged_at"]
        return f"{days.min():%Y-%m-%d}", f"{days.max():%Y-%m-%d}"

    def _summary(self, texts: Texts) -> list[tuple[str, str]]:
        """Return the counts by channel and by what selected."""
        _ = texts.gettext
        channels = self.table["channel"].value_counts()
        names = {
            "red": _("red channel"),
            "yellow": _("yellow channel"),
            "blue": _("blue channel"),
        }
        sets = [(channels, names)]
        if "selected_by" in self.table:
            by = self.table["selected_by"].value_counts()
            sets.append((by, {name: texts.selected_by(name) for name in SELECTED_BY}))
        found = [
            (words.get(str(name), str(name)), texts.number(int(n)))
            for counts, words in sets
            for name, n in counts.items()
        ]
        expected = texts.number(round(float(self.table["expected_revenue"].sum())))
        return [*found, (_("expected revenue"), expected)]

    def _head(self, name: str, texts: Texts) -> str:
        """Return the head of a column."""
        _ = texts.gettext
        heads = {
            "rank": _("Rank"),
            "declaration_id": _("Declaration"),
            "channel": _("Channel"),
            "risk_score": _("Risk"),
            "expected_revenue": _("Expected revenue"),
            "lodged_at": _("Lodged"),
        }
        return heads.get(name) or texts.words.begun(texts.words.field(name))


def _decided(items: pd.DataFrame, decisions: Any) -> pd.DataFrame:
    """Return channel, selector and rank of each item, in the order of the items."""
    given = validate(decisions, DECISIONS)
    keys = [name for name in KEY if name in items and name in given]
    kept = [n for n in ("channel", "selected_by", "rank") if n in given]
    told = items[keys].merge(
        given[[*keys, *kept]], on=keys, how="left", validate="one_to_one"
    )
    missing = told["channel"].isna()
    if missing.any():
        raise TableError(
            "pages.items_decision_decisions_all",
            "WatchList: {missing} of {n_items} items have no decision, as "
            "{loc}. Pass the decisions of all items that were decided on "
            "together.",
            missing=int(missing.sum()),
            n_items=len(items),
            loc=format_values(told.loc[missing, keys[0]].tolist()),
        )
    own = [name for name in KEY if name in items]
    return pd.concat([items[own], told[kept]], axis=1)


def _said(table: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Return a table with its reasons and checks in words."""
    lines = table["lines"]
    out = table.drop(columns="lines")
    out["reasons"] = [" · ".join(found.sentences(lang)[0]) for found in lines]
    out["checks"] = [" · ".join(found.checks(lang, short=True)[0]) for found in lines]
    return out


def _tag(line: Mapping[Any, Any], texts: Texts) -> str:
    """Return why an item was taken, where that is not the model's choice."""
    by = line.get("selected_by")
    known = by is not None and not pd.isna(by) and by != "model"
    return texts.selected_by(str(by)) if known else ""


def _cell(name: str, line: Mapping[Any, Any], texts: Texts) -> dict[str, Any]:
    """Return a cell: what is shown, and what it is sorted by."""
    value = line[name]
    if name == "declaration_id":
        text = clean_text(str(value), _LONGEST)
        if "item_number" in line:
            text = f"{text}\u00a0/\u00a0{line['item_number']}"
        return {"text": text}
    if name in _NUMBERS:
        gone = pd.isna(value)
        text = (
            texts.rate(value)
            if name == "risk_score"
            else texts.number(value if gone else round(float(value)))
        )
        return {"text": text, "value": "" if gone else f"{float(value):.10g}"}
    if name == "channel":
        return {"text": texts.channel(str(value))}
    if name == "lodged_at":
        moment = texts.moment(value)
        return {"text": moment.replace("-", "\u2011"), "value": moment}
    return {"text": clean_text(texts.value(name, value), _LONGEST)}
