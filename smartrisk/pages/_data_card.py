"""The data card: what the data hold, how good they are, and whom they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from smartrisk.displays import MonthsDisplay, Texts
from smartrisk.errors import TableError
from smartrisk.evaluation import wilson_interval
from smartrisk.pages._page import Page, Section, Table, picture
from smartrisk.schema import DECLARATIONS, KEY, OUTCOMES
from smartrisk.validation import validate

_NUMBERS = ("customs_value", "net_mass_kg", "duty_rate", "quantity")
_CODES = ("office", "procedure", "transport_mode", "origin", "preference")
#: Least figure of a dimension for each grade.
_GRADES = {
    "completeness": (0.98, 0.90),
    "consistency": (0.995, 0.98),
    "coverage": (0.05, 0.01),
    "timeliness": (0.90, 0.60),
    "representativeness": (0.80, 0.50),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DataCard(Page):
    """Items and results: completeness, doubts, delay, and selection bias.

    Use `from_tables`.

    Parameters
    ----------
    facts : mapping of str to float
        Counts and shares.
    fields : DataFrame
        One row per field.
    selection : DataFrame
        How inspected items differ from the others.
    channels : DataFrame
        Results by channel.
    months : DataFrame
        Items and results by month.
    name : str
        What the data are called.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> card = sr.pages.DataCard.from_tables(world.declarations, world.outcomes)
    >>> int(card.facts["n_items"])
    2000
    """

    facts: Mapping[str, Any]
    fields: pd.DataFrame
    selection: pd.DataFrame
    channels: pd.DataFrame
    months: pd.DataFrame
    name: str

    def __repr__(self) -> str:
        """Say how many items and results."""
        return (
            f"DataCard({self.facts['n_items']} items, {self.facts['n_results']} "
            "results)"
        )

    @classmethod
    def from_tables(
        cls, declarations: Any, outcomes: Any = None, *, name: str = ""
    ) -> Self:
        """Return the card of items and their results.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            DECLARATIONS, inspected or not.
        outcomes : DataFrame, default=None
            OUTCOMES of the inspected ones.
        name : str, default=""
            What the data are called.

        Returns
        -------
        card : DataCard
            Write it with `save`.

        Raises
        ------
        TableError
            If a table is not in order.

        Examples
        --------
        >>> import smartrisk as sr
        >>> world = sr.datasets.make_declarations(2_000, random_state=0)
        >>> card = sr.pages.DataCard.from_tables(world.declarations)
        >>> int(card.facts["n_results"])
        0
        """
        items = validate(declarations, DECLARATIONS)
        if not len(items):
            raise TableError(
                "pages.declarations_item_items_card",
                "DataCard.from_tables: 'declarations' holds no item. Pass the "
                "items that the card shall describe.",
            )
        own = [name for name in KEY if name in items]
        results = items.iloc[:0][own].assign(illicit=0, dq=False)
        if outcomes is not None:
            results = validate(outcomes, OUTCOMES)
        keys = [k for k in KEY if k in items and k in results]
        joined = items.merge(
            results.drop_duplicates(keys)[
                [*keys, *(n for n in results if n in _RESULT_FIELDS)]
            ],
            on=keys,
            how="left",
        )
        inspected = joined["illicit"].notna().to_numpy()
        joined["result"] = inspected
        fields = _fields(items)
        selection = _selection(joined, inspected)
        return cls(
            facts={
                **_facts(joined, inspected, fields, selection),
                "n_strangers": max(len(results) - int(inspected.sum()), 0),
            },
            fields=fields,
            selection=selection,
            channels=_channels(joined[inspected]),
            months=_months(joined, inspected),
            name=name,
        )

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        _ = texts.gettext
        facts = self.facts
        return {
            "kind": _("Data card"),
            "title": self.name or _("Declarations and results of controls"),
            "meta": _("Lodged %(first)s to %(last)s")
            % {
                "first": texts.moment(facts["first"]),
                "last": texts.moment(facts["last"]),
            },
            "sections": [
                self._overview(texts),
                self._scorecard(texts),
                self._bias(texts),
                self._by_field(texts),
            ],
            "notes": [
                _(
                    "Only inspected items have a result. An item without a result is "
                    "not known to be in order."
                )
            ],
        }

    def _overview(self, texts: Texts) -> Section:
        """Return counts, months and results by channel."""
        _ = texts.gettext
        facts = self.facts
        gone = facts["months_without"]
        table = Table(
            caption=_("Results by channel"),
            heads=(
                _("Channel"),
                _("Results"),
                _("Irregular"),
                _("Hit rate"),
                _("Interval"),
            ),
            rows=[
                (
                    texts.channel(str(line["channel"])),
                    texts.number(line["n"]),
                    texts.number(line["hits"]),
                    texts.rate(line["rate"]),
                    texts.between(line["low"], line["high"]),
                )
                for line in self.channels.to_dict("records")
            ],
            numeric=frozenset((1, 2, 3, 4)),
        )
        return Section(
            title=_("What the data hold"),
            facts=(
                (_("items"), texts.number(facts["n_items"])),
                (_("results"), texts.number(facts["n_results"])),
                (_("items with a result"), texts.rate(facts["inspected_share"])),
                (_("hit rate of the inspected"), texts.rate(facts["hit_rate"])),
                (_("days to the result, median"), texts.number(facts["delay"])),
                (
                    _("nine in ten results within, days"),
                    texts.number(facts["delay_90"]),
                ),
                (_("importers"), texts.number(facts["n_importers"])),
                (_("months without any result"), _months_said(gone)),
                (
                    _("results of other items, left out"),
                    texts.number(facts.get("n_strangers", 0)),
                ),
            ),
            pictures=(
                picture(
                    MonthsDisplay(self.months),
                    _("Items by month of lodgement, and the share with a result"),
                    1,
                    texts,
                ),
            ),
            tables=(table,) if len(self.channels) else (),
        )

    def _scorecard(self, texts: Texts) -> Section:
        """Return the grade of each dimension."""
        _ = texts.gettext
        names = {
            "completeness": _("completeness: declared values that are there"),
            "consistency": _("consistency: items without a doubtful value"),
            "coverage": _("coverage: items with a result"),
            "timeliness": _("timeliness: results within 60 days"),
            "representativeness": _(
                "representativeness: how alike the inspected are to the others"
            ),
        }
        grades = {"good": _("good"), "fair": _("fair"), "poor": _("poor")}
        rows = []
        for key, name in names.items():
            value = self.facts[key]
            good, fair = _GRADES[key]
            known = value is not None and value == value
            grade = "good" if known and value >= good else "poor"
            grade = "fair" if known and fair <= value < good else grade
            rows.append(
                (
                    name,
                    texts.fine(value),
                    grades[grade] if known else "–",
                    texts.fine(good),
                    texts.fine(fair),
                )
            )
        table = Table(
            caption=_("Data-quality scorecard"),
            heads=(
                _("Dimension"),
                _("Figure"),
                _("Grade"),
                _("Good from"),
                _("Fair from"),
            ),
            rows=rows,
            numeric=frozenset((1, 3, 4)),
            texts=frozenset((0,)),
        )
        return Section(
            title=_("Data-quality scorecard"),
            texts=(
                _(
                    "The bounds of the grades are conventions of this library, not a "
                    "standard. Representativeness is 1 less the largest standardised "
                    "difference or difference of shares below."
                ),
            ),
            tables=(table,),
        )

    def _bias(self, texts: Texts) -> Section:
        """Return how the inspected differ from the others."""
        _ = texts.gettext
        rows = [
            (
                texts.words.field(line["field"]),
                str(line["value"]) if line["value"] else _("mean of log(1 + value)"),
                texts.rate(line["inspected"])
                if line["value"]
                else texts.decimal(line["inspected"]),
                texts.rate(line["others"])
                if line["value"]
                else texts.decimal(line["others"]),
                texts.decimal(line["difference"]),
            )
            for line in self.selection.to_dict("records")
        ]
        table = Table(
            caption=_("Inspected items beside those that were not"),
            heads=(
                _("Field"),
                _("Value"),
                _("Inspected"),
                _("Others"),
                _("Difference"),
            ),
            rows=rows,
            numeric=frozenset((2, 3, 4)),
        )
        return Section(
            title=_("Selection bias"),
            texts=(
                _(
                    "Who is inspected is not drawn by chance. Hit rates here are those "
                    "of the inspected, and a model learns from them. For numbers the "
                    "difference is in standard deviations, for codes in shares; the "
                    "code with the largest gap is shown."
                ),
            ),
            tables=(table,) if rows else (),
        )

    def _by_field(self, texts: Texts) -> Section:
        """Return completeness and doubts of each field."""
        _ = texts.gettext
        table = Table(
            caption=_("Fields"),
            heads=(_("Field"), _("Declared"), _("Distinct values"), _("Doubtful")),
            rows=[
                (
                    texts.words.field(line["field"]),
                    texts.rate(line["present"]),
                    texts.number(line["distinct"]),
                    texts.rate(line["doubtful"]),
                )
                for line in self.fields.to_dict("records")
            ],
            numeric=frozenset((1, 2, 3)),
        )
        return Section(title=_("Field by field"), tables=(table,))


def _months_said(months: list[str]) -> str:
    """Return months as a list that is no longer than a year."""
    if len(months) <= _MOST_MONTHS:
        return ", ".join(months) or "–"
    return f"{', '.join(months[:_MOST_MONTHS])}, … ({len(months)})"


_MOST_MONTHS = 12
_RESULT_FIELDS = ("illicit", "known_at", "channel", "revenue_adjustment")


def _fields(items: pd.DataFrame) -> pd.DataFrame:
    """Return completeness, distinct values and doubts by field."""
    flags = [str(name) for name in items if str(name).startswith("dq_")]
    rows = []
    for name in (n for n in DECLARATIONS.names if n in items):
        about = [f for f in flags if f.endswith(name)]
        if name in ("net_mass_kg", "gross_mass_kg"):
            about += [f for f in flags if f == "dq_net_exceeds_gross"]
        odd = items[about].any(axis=1).mean() if about else 0.0
        rows.append((name, items[name].notna().mean(), items[name].nunique(), odd))
    columns = ["field", "present", "distinct", "doubtful"]
    return pd.DataFrame(rows, columns=columns)


def _selection(joined: pd.DataFrame, inspected: np.ndarray) -> pd.DataFrame:
    """Return how the inspected differ from the others, field by field."""
    rows = []
    if inspected.any() and not inspected.all():
        for name in (n for n in _NUMBERS if n in joined):
            values = np.log1p(joined[name].to_numpy(np.float64, na_value=np.nan))
            ours, others = values[inspected], values[~inspected]
            if np.isnan(ours).all() or np.isnan(others).all():
                continue  # nothing to compare
            spread = np.nanstd(values) or 1.0
            means = float(np.nanmean(ours)), float(np.nanmean(others))
            rows.append((name, "", *means, (means[0] - means[1]) / spread))
        for name in (n for n in _CODES if n in joined):
            codes = joined[name].astype(object).where(joined[name].notna(), "–")
            ours = codes[inspected].value_counts(normalize=True)
            others = codes[~inspected].value_counts(normalize=True)
            gap = ours.sub(others, fill_value=0.0)
            most: Any = gap.abs().idxmax()
            shares = float(ours.get(most, 0.0)), float(others.get(most, 0.0))
            rows.append((name, str(most), *shares, shares[0] - shares[1]))
    columns = ["field", "value", "inspected", "others", "difference"]
    return pd.DataFrame(rows, columns=columns)


def _facts(
    joined: pd.DataFrame,
    inspected: np.ndarray,
    fields: pd.DataFrame,
    selection: pd.DataFrame,
) -> dict[str, Any]:
    """Return counts, shares and the figure of each dimension."""
    n = len(joined)
    known = joined[inspected]
    delay = pd.Series(dtype=float)
    if "known_at" in known:
        delay = (known["known_at"] - known["lodged_at"]).dt.total_seconds() / 86_400
        delay = delay.dropna()
    flags = [name for name in joined if str(name).startswith("dq_")]
    doubtful = joined[flags].any(axis=1).mean() if flags else 0.0
    gaps = selection["difference"].abs()
    months = _months(joined, inspected)
    return {
        "n_items": n,
        "n_results": int(inspected.sum()),
        "n_importers": joined["importer_id"].nunique()
        if "importer_id" in joined
        else 0,
        "first": joined["lodged_at"].min().normalize(),
        "last": joined["lodged_at"].max().normalize(),
        "inspected_share": float(inspected.mean()),
        "hit_rate": float((known["illicit"] > 0).mean()) if len(known) else None,
        "delay": round(float(delay.median())) if len(delay) else None,
        "delay_90": round(float(delay.quantile(0.9))) if len(delay) else None,
        "months_without": list(months.loc[months["share"] == 0.0, "month"]),
        "completeness": float(fields["present"].mean()),
        "consistency": 1.0 - float(doubtful),
        "coverage": float(inspected.mean()),
        "timeliness": float((delay <= 60).mean()) if len(delay) else None,
        "representativeness": max(1.0 - float(gaps.max()), 0.0) if len(gaps) else None,
    }


def _channels(known: pd.DataFrame) -> pd.DataFrame:
    """Return results by channel, with Wilson intervals."""
    if "channel" not in known or known.empty:
        return pd.DataFrame(columns=["channel", "n", "hits", "rate", "low", "high"])
    hits = (known["illicit"] > 0).groupby(known["channel"].astype(str))
    table = pd.DataFrame({"n": hits.size(), "hits": hits.sum()})
    table["rate"] = table["hits"] / table["n"]
    low, high = wilson_interval(table["rate"].to_numpy(), table["n"].to_numpy())
    return table.assign(low=low, high=high).reset_index(names="channel")


def _months(joined: pd.DataFrame, inspected: np.ndarray) -> pd.DataFrame:
    """Return items and the share with a result by month."""
    month = joined["lodged_at"].dt.strftime("%Y-%m")
    grouped = pd.Series(inspected).groupby(month.to_numpy())
    return pd.DataFrame(
        {
            "month": list(grouped.groups),
            "n_items": grouped.size().to_numpy(),
            "share": grouped.mean().to_numpy(),
        }
    )
