"""The scorecard: five graded dimensions, and the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError
from smartrisk.intervals import wilson_interval
from smartrisk.items import join_by_key
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, OUTCOMES, TableInput
from smartrisk.validation import OnError, validate

#: Lowest figure of each dimension for "good" and for "fair"; below it is "poor". These
#: are conventions, not a standard. Those of representativeness are 1 minus Cohen's
#: small (0.2) and medium (0.5) standardised differences; of coverage, 5 % and 1 % of
#: items inspected, the range within which customs administrations usually work; of the
#: rest, what leaves one item in 50 and one in ten (completeness), one in 200 and one
#: in 50 (consistency), one result in ten and two in five (timeliness) behind.
BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "completeness": (0.98, 0.90),
        "consistency": (0.995, 0.98),
        "coverage": (0.05, 0.01),
        "timeliness": (0.90, 0.60),
        "representativeness": (0.80, 0.50),
    }
)
#: A result counts as timely within two months: an engine that is fitted again each
#: month then lacks the results of its last two months at most.
_TIMELY_DAYS = 60
_SECONDS_PER_DAY = 86_400
#: Fields by which the inspected are compared with the others: amounts that decide
#: what is owed, and codes with few values. Parties have too many values to compare.
_NUMBERS = ("customs_value", "net_mass_kg", "duty_rate", "quantity")
_CODES = ("office", "procedure", "transport_mode", "origin", "preference")
_RESULT_FIELDS = ("illicit", "known_at", "channel")
_CHANNEL_COLUMNS = ["channel", "n_results", "n_hits", "hit_rate", "low", "high"]
_BIAS_COLUMNS = ["field", "value", "inspected", "others", "difference"]


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """Counts, shares and days of a set of declarations and results.

    Parameters
    ----------
    n_items : int
        Number of items.
    n_results : int
        Number of items with a result.
    n_other_results : int
        Number of results of items that are not in the table; they are left out.
    n_importers : int
        Number of different importers; 0 where importers are not declared.
    first_day, last_day : Timestamp
        First and last day of lodgement.
    hit_rate : float or None
        Share of hits among the items with a result; None without any.
    delay_median, delay_90 : int or None
        Days from lodgement to the result: median, and what nine in ten results do not
        exceed. None where no result has a day.
    months_without_result : tuple of str
        Months, such as ``2024-05``, in which items were lodged but none has a result.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> facts = sr.quality.scorecard(world.declarations).facts()
    >>> facts.n_items, facts.n_results, facts.hit_rate
    (2000, 0, None)
    """

    n_items: int
    n_results: int
    n_other_results: int
    n_importers: int
    first_day: pd.Timestamp
    last_day: pd.Timestamp
    hit_rate: float | None
    delay_median: int | None
    delay_90: int | None
    months_without_result: tuple[str, ...]

    @property
    def inspected_share(self) -> float:
        """Share of the items that have a result."""
        return self.n_results / self.n_items


class Scorecard(Result):
    """Five graded dimensions of data quality, and the tables behind them.

    Made by `scorecard`.

    Parameters
    ----------
    facts : DataFacts
        Counts, shares and days.
    dimensions : DataFrame
        What `frame` returns.
    fields, selection_bias, channels, months : DataFrame
        What the methods of these names return.

    See Also
    --------
    smartrisk.pages.DataCard : The same as a page.
    smartrisk.displays.MonthsDisplay : Its months as a figure.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> sr.quality.scorecard(world.declarations, world.outcomes)
    Scorecard(2000 items, 174 results: 3 good, 2 fair)
    """

    def __init__(
        self,
        *,
        facts: DataFacts,
        dimensions: pd.DataFrame,
        fields: pd.DataFrame,
        selection_bias: pd.DataFrame,
        channels: pd.DataFrame,
        months: pd.DataFrame,
    ) -> None:
        self._facts = facts
        self._dimensions = dimensions.copy()
        self._fields = fields.copy()
        self._selection_bias = selection_bias.copy()
        self._channels = channels.copy()
        self._months = months.copy()

    def __repr__(self) -> str:
        """Return the number of items and results, and of dimensions by grade."""
        counts = self._dimensions["grade"].value_counts()
        grades = ", ".join(
            f"{counts[word]} {word}"
            for word in ("good", "fair", "poor")
            if word in counts
        )
        return (
            f"Scorecard({self._facts.n_items} items, {self._facts.n_results} results: "
            f"{grades})"
        )

    def frame(self) -> pd.DataFrame:
        """Return one row per dimension.

        Returns
        -------
        frame : DataFrame
            ``dimension``, ``figure`` (in [0, 1], NaN where it does not apply),
            ``grade`` ("good", "fair", "poor", or "not applicable"), ``good_from`` and
            ``fair_from`` (lowest figures of the grades), and ``note``: why a dimension
            does not apply.
        """
        return self._dimensions.copy()

    def facts(self) -> DataFacts:
        """Return counts, shares and days.

        Returns
        -------
        facts : DataFacts
            Read-only.
        """
        return self._facts

    def fields(self) -> pd.DataFrame:
        """Return completeness and doubtful values, field by field.

        Returns
        -------
        fields : DataFrame
            ``field``, ``present`` (share of items that declare it), ``distinct``
            (different values) and ``doubtful`` (share of items with a value that
            validation flagged).
        """
        return self._fields.copy()

    def selection_bias(self) -> pd.DataFrame:
        """Return how inspected items differ from the others.

        Returns
        -------
        selection_bias : DataFrame
            ``field``, ``value``, ``inspected``, ``others`` and ``difference``. For a
            number, ``value`` is empty, the figures are means of log(1 + value) and
            the difference is in standard deviations; for a code they are the shares of
            the value whose share differs most. Empty where all items or none have a
            result.
        """
        return self._selection_bias.copy()

    def channels(self) -> pd.DataFrame:
        """Return results by channel.

        Returns
        -------
        channels : DataFrame
            ``channel``, ``n_results``, ``n_hits``, ``hit_rate`` and its 95 % Wilson
            interval ``low``, ``high``. Empty where results have no channel.
        """
        return self._channels.copy()

    def months(self) -> pd.DataFrame:
        """Return items and results by month of lodgement.

        Returns
        -------
        months : DataFrame
            ``month`` (such as ``2024-05``), ``n_items`` and ``share`` (of the items
            that have a result).
        """
        return self._months.copy()


def scorecard(
    declarations: TableInput,
    outcomes: TableInput | None = None,
    *,
    on_error: OnError = "raise",
) -> Scorecard:
    """Return how complete, consistent, covered, timely and representative data are.

    Use it before fitting: a model learns from inspected items only, so what matters is
    not only whether values are present but also who was inspected, and when the result
    was known.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS, inspected or not.
    outcomes : DataFrame, default=None
        OUTCOMES of the inspected ones; results of other items are counted and left
        out. None where no result is known.
    on_error : str, default="raise"
        "raise", or "set_aside" to continue without invalid rows and warn.

    Returns
    -------
    scorecard : Scorecard
        ``frame()`` has one row per dimension.

    Raises
    ------
    TableError
        If a table is invalid, or `declarations` has no row.

    See Also
    --------
    smartrisk.pages.DataCard : The same as a page.

    Notes
    -----
    Completeness is the mean over fields of the share of items that declare the field;
    consistency is the share of items without a doubtful value; coverage the share of
    items with a result; timeliness the share of dated results known within 60 days of
    lodgement; representativeness 1 minus the largest absolute difference of
    `Scorecard.selection_bias`, at least 0. An item without a result is never counted as
    compliant. No figure says that the results themselves are right.

    References
    ----------
    Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd ed.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> card = sr.quality.scorecard(world.declarations, world.outcomes)
    >>> card.frame()[["dimension", "figure", "grade"]].round(2)
                dimension  figure grade
    0        completeness    0.98  good
    1         consistency    1.00  good
    2            coverage    0.09  good
    3          timeliness    0.88  fair
    4  representativeness    0.63  fair
    """
    items = validate(declarations, DECLARATIONS, on_error=on_error)
    if not len(items):
        raise TableError(
            "quality.no_items",
            "scorecard: 'declarations' has no valid row. Pass the items whose quality "
            "you want to know.",
        )
    results = None
    if outcomes is not None:
        results = validate(outcomes, OUTCOMES, on_error=on_error)
    joined = _join_results(items, results)
    inspected = joined["illicit"].notna().to_numpy()
    known = joined[inspected]
    fields = _make_fields(items)
    bias = _compare_inspected(joined, inspected)
    months = _make_months(joined, inspected)
    delay = _days_to_result(known)
    n_results = 0 if results is None else len(results)
    facts = DataFacts(
        n_items=len(joined),
        n_results=len(known),
        n_other_results=max(n_results - len(known), 0),
        n_importers=joined["importer_id"].nunique() if "importer_id" in joined else 0,
        first_day=joined["lodged_at"].min().normalize(),
        last_day=joined["lodged_at"].max().normalize(),
        hit_rate=float((known["illicit"] > 0).mean()) if len(known) else None,
        delay_median=round(float(delay.median())) if len(delay) else None,
        delay_90=round(float(delay.quantile(0.9))) if len(delay) else None,
        months_without_result=tuple(months.loc[months["share"] == 0.0, "month"]),
    )
    figures = {
        "completeness": float(fields["present"].mean()),
        "consistency": 1.0 - _share_doubtful(joined),
        "coverage": facts.inspected_share,
        "timeliness": float((delay <= _TIMELY_DAYS).mean()) if len(delay) else None,
        "representativeness": _representativeness(bias),
    }
    return Scorecard(
        facts=facts,
        dimensions=_grade_dimensions(figures),
        fields=fields,
        selection_bias=bias,
        channels=_make_channels(known),
        months=months,
    )


def _join_results(items: pd.DataFrame, results: pd.DataFrame | None) -> pd.DataFrame:
    """Return the items with the fields of their results, missing where none is."""
    if results is None:
        return items.assign(illicit=np.nan)
    fields = [name for name in _RESULT_FIELDS if name in results]
    return join_by_key(
        items, results, fields, owner="scorecard", name="'outcomes'"
    ).reset_index(drop=True)


def _grade_dimensions(figures: Mapping[str, float | None]) -> pd.DataFrame:
    """Return the grade of each figure; one that does not apply has a note."""
    notes = {
        "timeliness": "No result has a day on which it was known.",
        "representativeness": "All items or none have a result, or no field compares.",
    }
    rows = []
    for name, figure in figures.items():
        good, fair = BOUNDS[name]
        if figure is None:
            rows.append((name, np.nan, "not applicable", good, fair, notes[name]))
            continue
        grade = "good" if figure >= good else "fair" if figure >= fair else "poor"
        rows.append((name, figure, grade, good, fair, ""))
    columns = ["dimension", "figure", "grade", "good_from", "fair_from", "note"]
    return pd.DataFrame(rows, columns=columns)


def _make_fields(items: pd.DataFrame) -> pd.DataFrame:
    """Return completeness, distinct values and doubtful values by field."""
    flags = [str(name) for name in items if str(name).startswith("dq_")]
    rows = []
    for name in (n for n in DECLARATIONS.names if n in items):
        about = [flag for flag in flags if flag.endswith(name)]
        if name in ("net_mass_kg", "gross_mass_kg"):
            about += [flag for flag in flags if flag == "dq_net_exceeds_gross"]
        doubtful = items[about].any(axis=1).mean() if about else 0.0
        rows.append((name, items[name].notna().mean(), items[name].nunique(), doubtful))
    columns = ["field", "present", "distinct", "doubtful"]
    return pd.DataFrame(rows, columns=columns)


def _share_doubtful(items: pd.DataFrame) -> float:
    """Return the share of items with any doubtful value."""
    flags = [name for name in items if str(name).startswith("dq_")]
    return float(items[flags].any(axis=1).mean()) if flags else 0.0


def _compare_inspected(
    joined: pd.DataFrame, inspected: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return how the inspected differ from the others, field by field."""
    rows: list[tuple[str, str, float, float, float]] = []
    if inspected.any() and not inspected.all():
        for name in (n for n in _NUMBERS if n in joined):
            values = np.log1p(joined[name].to_numpy(np.float64, na_value=np.nan))
            ours, others = values[inspected], values[~inspected]
            if np.isnan(ours).all() or np.isnan(others).all():
                continue  # nothing to compare
            # One value throughout has no spread; its difference is 0 then.
            spread = float(np.nanstd(values)) or 1.0
            mean, other_mean = float(np.nanmean(ours)), float(np.nanmean(others))
            rows.append((name, "", mean, other_mean, (mean - other_mean) / spread))
        for name in (n for n in _CODES if n in joined):
            codes = joined[name].astype(object).where(joined[name].notna(), "–")
            shares = codes[inspected].value_counts(normalize=True)
            other_shares = codes[~inspected].value_counts(normalize=True)
            gap = shares.sub(other_shares, fill_value=0.0)
            most = gap.abs().idxmax()
            share = float(shares.get(most, 0.0))
            other_share = float(other_shares.get(most, 0.0))
            rows.append((name, str(most), share, other_share, share - other_share))
    return pd.DataFrame(rows, columns=_BIAS_COLUMNS)


def _representativeness(bias: pd.DataFrame) -> float | None:
    """Return 1 minus the largest difference; None where nothing was compared."""
    if bias.empty:
        return None
    return max(1.0 - float(bias["difference"].abs().max()), 0.0)


def _days_to_result(known: pd.DataFrame) -> pd.Series:
    """Return the days from lodgement to the result, where it has a day."""
    if "known_at" not in known:
        return pd.Series(dtype=float)
    delay = (known["known_at"] - known["lodged_at"]).dt.total_seconds()
    return (delay / _SECONDS_PER_DAY).dropna()


def _make_channels(known: pd.DataFrame) -> pd.DataFrame:
    """Return results by channel, with Wilson intervals."""
    if "channel" not in known or known.empty:
        return pd.DataFrame(columns=_CHANNEL_COLUMNS)
    hits = (known["illicit"] > 0).groupby(known["channel"].astype(str))
    table = pd.DataFrame({"n_results": hits.size(), "n_hits": hits.sum()})
    table["hit_rate"] = table["n_hits"] / table["n_results"]
    low, high = wilson_interval(
        table["hit_rate"].to_numpy(), table["n_results"].to_numpy()
    )
    return table.assign(low=low, high=high).reset_index(names="channel")


def _make_months(joined: pd.DataFrame, inspected: NDArray[np.bool_]) -> pd.DataFrame:
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
