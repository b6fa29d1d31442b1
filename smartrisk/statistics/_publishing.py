"""Figures that are safe to publish, and two releases side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smartrisk.disclosure import Rules
from smartrisk.errors import ArgumentError, check_number, format_values
from smartrisk.intervals import wilson_interval
from smartrisk.languages import N_
from smartrisk.results import Result
from smartrisk.statistics._definitions import Definition
from smartrisk.statistics._enforcement import EnforcementStatistics
from smartrisk.statistics._layout import Layout, make_layout
from smartrisk.statistics._pattern import Patterns
from smartrisk.statistics._population import TOTAL
from smartrisk.statistics._quantities import ADDITIVE, PART

_OWNER = "publish"
_FREE, _WITHHELD = "F", "N"
_NO_RULE = "withheld: an estimate or a median, for which there is no rule"


@dataclass(frozen=True, eq=False, repr=False)
class Release(Result):
    """Figures that are safe to publish, with what was hidden and why.

    Parameters
    ----------
    _table, _secret, _sums : DataFrame
        Rows of `frame` and `report`; all sums that are published, by what they add.
    _definitions : dict of str to Definition
        What each indicator is.
    _by : tuple of str
        Fields of the groups.
    as_of : Timestamp
        Nothing known at this moment or later counts.
    rules : Rules
        Rules of secrecy.
    rounding : int
        Base that counts and sums were rounded to; 0 for none.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import enforcement, publish
    >>> world = make_declarations(2_000, random_state=0)
    >>> figures = enforcement(world.declarations, world.outcomes, by=("office",))
    >>> release = publish(figures, indicators=["control_rate"])
    >>> set(release.frame()["status"]) <= {"F", "A", "C", "D"}
    True
    """

    _table: pd.DataFrame
    _secret: pd.DataFrame
    _sums: pd.DataFrame
    _definitions: dict[str, Definition]
    _by: tuple[str, ...]
    as_of: pd.Timestamp
    rules: Rules
    rounding: int

    def frame(self) -> pd.DataFrame:
        """Return the figures for publication.

        Returns
        -------
        frame : DataFrame
            ``indicator``, ``part``, the fields of `by`, ``unit``, ``numerator``,
            ``denominator``, ``value``, ``low``, ``high``, ``n``, ``status`` and
            ``reason``. Codes of ``status`` are those of the SDMX list CL_CONF_STATUS:
            "F" free, "A" few traders, "C" dominance or a rate that shows each
            result, "D"
            secondary, "N" withheld as a whole.
        """
        return self._table.copy()

    def report(self) -> pd.DataFrame:
        """Return what was hidden, by indicator and reason.

        Returns
        -------
        frame : DataFrame
            ``indicator``, ``status``, ``reason`` and ``n_figures``.
        """
        return self._secret.copy()

    def definition(self, id: str, lang: str = "en") -> str:
        """Return what an indicator is, as a text.

        Parameters
        ----------
        id : str
            Name of the indicator.
        lang : {"en", "fr", "es"}, default="en"
            Language.

        Returns
        -------
        text : str
            As `EnforcementStatistics.definition`.

        Raises
        ------
        ArgumentError
            If there is no such indicator.
        """
        if id not in self._definitions:
            raise _unknown([id], self._definitions)
        return self._definitions[id].text(lang)

    def _layout(self) -> Layout:
        """Return what is written to a file."""
        return make_layout(
            self._table,
            self._by,
            self._definitions,
            as_of=self.as_of,
            left_out=self._secret,
            about=("release", N_("Enforcement statistics, for publication")),
            # A reader who knew the rules of dominance could undo them.
            facts=(
                (N_("least traders of a figure"), str(self.rules.min_traders)),
                (N_("rounded to a multiple of; 0 for none"), str(self.rounding)),
            ),
        )

    def __repr__(self) -> str:
        """Return how many figures are published, and how many hidden."""
        free = int((self._table["status"] == _FREE).sum())
        return f"Release({free} of {len(self._table)} figures, as of {self.as_of:%F})"


def publish(
    result: EnforcementStatistics,
    min_traders: int = 5,
    dominance: tuple[tuple[int, float], ...] = ((1, 0.75), (2, 0.85)),
    p_percent: float = 10,
    earlier: Sequence[Release] = (),
    *,
    indicators: Sequence[str] | None = None,
    rounding: int = 0,
) -> Release:
    """Return the figures of a result that are safe to publish.

    Use it before figures leave the office: one importer often is a whole group.

    Parameters
    ----------
    result : EnforcementStatistics
        What `enforcement` returned in this session: a saved result does not carry what
        each trader did.
    min_traders : int, default=5
        A count or sum of fewer traders is secret.
    dominance : tuple of (int, float), default=((1, 0.75), (2, 0.85))
        A sum is secret if its n largest traders make up more than this share.
    p_percent : float, default=10
        How far, in percent of the largest trader's part, a reader's interval of a
        secret sum reaches above and below it at least.
    earlier : sequence of Release, default=()
        Everything already published: nothing secret can be computed by comparing.
        Rounded ones are refused.
    indicators : sequence of str, default=None
        Names of the indicators to publish; None for all.
    rounding : int, default=0
        Base that counts and sums are rounded to; rates follow from the rounded
        numbers. Totals are rounded by themselves, so parts may not add up.

    Returns
    -------
    release : Release
        ``frame()`` for publication, ``report()`` of what was hidden.

    Raises
    ------
    ArgumentError
        If a rule is outside what is allowed, there is no such indicator, the importers
        are missing, or an earlier release has other fields or was rounded.

    See Also
    --------
    compare : Two releases side by side.
    smartrisk.disclosure.suppress : The rules, for any table.

    Notes
    -----
    A trader is an importer. A numerator is hidden where its denominator is, and where
    it is 0 or all of less than 50 units, since that shows the result of each. The
    reader of the linear programmes knows all published totals, the denominators of
    published rates and all earlier releases, and is the second-largest trader of the
    figure. Relations between different indicators, other than that equal sums are
    hidden in the same way, are not attacked: publish indicators that nearly add up
    together with
    care. Estimates and medians are withheld.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import enforcement, publish
    >>> world = make_declarations(2_000, random_state=0)
    >>> figures = enforcement(world.declarations, world.outcomes, by=("office",))
    >>> release = publish(figures, indicators=["lodged", "control_rate"])
    >>> list(release.report())
    ['indicator', 'status', 'reason', 'n_figures']
    """
    rules = Rules(min_traders=min_traders, dominance=dominance, p_percent=p_percent)
    check_number(_OWNER, "rounding", rounding, low=0, integer=True)
    definitions = _choose(result, indicators)
    _check_earlier(result, earlier)
    figures = result.frame()
    kept = result._kept
    patterns = Patterns(rules=rules, earlier=[one._sums for one in earlier])
    keys = {}
    for one in definitions.values():
        if one.measure in ADDITIVE and not kept.engine.missing(one):
            keys[one.id] = patterns.add(kept.quantities(one))
    patterns.settle()
    tables = [
        _rows(figures[figures["indicator"] == name], one, keys.get(name), patterns)
        for name, one in definitions.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    if rounding:
        table = _round(table, definitions, rounding)
    hidden = table[table["status"] != _FREE]
    names = ["indicator", "status", "reason"]
    report = hidden.groupby(names, sort=True).size().rename("n_figures").reset_index()
    sums = _sums(patterns, rounding)
    return Release(
        table, report, sums, definitions, result._by, result.as_of, rules, rounding
    )


def _choose(
    result: EnforcementStatistics, indicators: Sequence[str] | None
) -> dict[str, Definition]:
    """Return the definitions of the indicators to publish."""
    known = result._definitions
    if indicators is None:
        return dict(known)
    wrong = [name for name in indicators if name not in known]
    if wrong:
        raise _unknown(wrong, known)
    return {name: one for name, one in known.items() if name in set(indicators)}


def _unknown(wrong: Sequence[str], known: dict[str, Definition]) -> ArgumentError:
    """Return the error of indicators that do not exist."""
    return ArgumentError(
        "statistics.indicators_unknown",
        "{owner}: there are no indicators {wrong}; known are {known}.",
        owner=_OWNER,
        wrong=format_values(list(wrong)),
        known=format_values(list(known)),
    )


def _check_earlier(result: EnforcementStatistics, earlier: Sequence[Release]) -> None:
    """Raise where an earlier release cannot be taken into account."""
    for one in earlier:
        if one.rounding:
            raise ArgumentError(
                "statistics.earlier_rounded",
                "{owner}: an earlier release was rounded to {base}; what readers know "
                "from it is not taken into account, so that this one could give a "
                "trader away. Publish the same period without rounding only where "
                "nothing of it was published rounded.",
                owner=_OWNER,
                base=one.rounding,
            )
        wrong = [name for name in one._by if name not in result._by]
        if wrong:
            raise ArgumentError(
                "statistics.earlier_groups",
                "{owner}: an earlier release is by {wrong}, this result is by {by}. "
                "Add the missing fields to 'by' of `enforcement`.",
                owner=_OWNER,
                wrong=format_values(wrong),
                by=format_values(result._by),
            )


def _rows(
    figures: pd.DataFrame,
    one: Definition,
    keys: dict[str, str] | None,
    patterns: Patterns,
) -> pd.DataFrame:
    """Return the rows of an indicator, with hidden numbers left out."""
    table = figures.drop(columns="pending").reset_index(drop=True)
    table = table.assign(n=table["n"].astype(float))
    reason = table["reason"].to_numpy(object)
    status = np.full(len(table), _FREE, dtype=object)
    lost = np.zeros(len(table), bool)
    if keys is None:
        if one.measure not in ADDITIVE:
            status[:], reason[:], lost[:] = _WITHHELD, _NO_RULE, True
        keys = {}
    columns = {"lower": "denominator", "n": "n", "upper": "numerator"}
    columns["parts"] = "numerator"
    missing = {name: lost.copy() for name in set(columns.values())}
    for role in ("lower", "upper", "parts", "n"):
        if role not in keys:
            continue
        codes, texts = _lookup(table, patterns, keys[role], split=role == "parts")
        hidden = codes != _FREE
        missing[columns[role]] |= hidden
        fresh = hidden & (status == _FREE)
        status[fresh], reason[fresh] = codes[fresh], texts[fresh]
    if "n" not in keys:
        side = "denominator" if "lower" in keys else "numerator"
        missing["n"] |= missing[side] | (
            one.upper.kind == "sum" and "lower" not in keys
        )
    for name, mask in missing.items():
        table.loc[mask, name] = np.nan
    either = missing["numerator"] | missing["denominator"]
    table.loc[either, ["value", "low", "high"]] = np.nan
    return table.drop(columns="reason").assign(
        status=pd.Series(status, dtype="str"), reason=pd.Series(reason, dtype="str")
    )


def _lookup(
    table: pd.DataFrame, patterns: Patterns, key: str, *, split: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return status and reason of a sum in each row."""
    n = len(table)
    if patterns.done[key] is None:
        return np.full(n, _WITHHELD, object), np.full(n, patterns.why[key], object)
    found = patterns.frame(key)
    by = [name for name in found if name not in ("value", "status", "reason")]
    asked = table.assign(all=TOTAL)[by] if "all" in by else table[by]
    place = pd.MultiIndex.from_frame(found[by]).get_indexer(
        pd.MultiIndex.from_frame(asked.astype(str))
    )
    # A total without any unit has nothing to hide.
    codes = np.append(found["status"].to_numpy(object), _FREE)[place]
    return codes, np.append(found["reason"].to_numpy(object), "")[place]


def _round(
    table: pd.DataFrame, definitions: dict[str, Definition], base: int
) -> pd.DataFrame:
    """Return the table with numbers rounded to a base, and rates of these."""
    table = table.copy()
    for name in ("numerator", "denominator", "n"):
        table[name] = base * np.floor(table[name] / base + 0.5)
    counts = {
        name for name, one in definitions.items() if one.measure in ("share", "split")
    }
    amount = {name for name, one in definitions.items() if one.measure == "amount"}
    upper, lower = table["numerator"], table["denominator"]
    is_share = table["indicator"].isin(counts).to_numpy(bool)
    upper = upper.where(~is_share, np.minimum(upper, lower))
    rate = (upper / lower.where(lower > 0)).where(table["value"].notna())
    is_amount = table["indicator"].isin(amount)
    table["numerator"] = upper
    table["value"] = rate.where(~is_amount, upper)
    low, high = wilson_interval(rate.to_numpy(float), lower.to_numpy(float))
    table["low"] = np.where(is_share, low, np.nan)
    table["high"] = np.where(is_share, high, np.nan)
    return table


def _sums(patterns: Patterns, rounding: int) -> pd.DataFrame:
    """Return all published sums by what they add; rounded ones are no exact sums."""
    tables = []
    for key, found in sorted(patterns.done.items()):
        if found is not None:
            rows = found.frame().drop(columns=["status", "reason"])
            if rounding:
                rows["value"] = np.nan
            tables.append(rows.assign(quantity=key))
    return (
        pd.concat(tables, ignore_index=True)
        if tables
        else pd.DataFrame({"quantity": [], "value": [], PART: []})
    )


@dataclass(frozen=True, eq=False, repr=False)
class ReleaseComparison(Result):
    """Two releases side by side; definitions that differ come first.

    Parameters
    ----------
    _table, _differing : DataFrame
        Rows of `frame` and `definitions`.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import compare, enforcement, publish
    >>> world = make_declarations(2_000, random_state=0)
    >>> figures = enforcement(world.declarations, world.outcomes, by=("office",))
    >>> release = publish(figures, indicators=["lodged"])
    >>> bool(compare(release, release).frame()["comparable"].all())
    True
    """

    _table: pd.DataFrame
    _differing: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return the figures side by side.

        Returns
        -------
        frame : DataFrame
            ``indicator``, ``part``, fields of both, ``comparable`` (whether the
            definitions are equal), ``ours``, ``theirs`` and ``difference``, missing
            where the definitions differ. Indicators that differ come first.
        """
        return self._table.copy()

    def definitions(self) -> pd.DataFrame:
        """Return what differs in the definitions.

        Returns
        -------
        frame : DataFrame
            ``indicator`` (empty for the release as a whole), ``what``, ``ours`` and
            ``theirs``.
        """
        return self._differing.copy()

    def __repr__(self) -> str:
        """Return the number of rows and of differences in definitions."""
        return (
            f"ReleaseComparison({len(self._table)} figures, "
            f"{len(self._differing)} definitions differ)"
        )


def compare(ours: Release, theirs: Release) -> ReleaseComparison:
    """Put two releases side by side, definitions that differ first.

    Parameters
    ----------
    ours, theirs : Release
        Figures that were published by the same fields.

    Returns
    -------
    comparison : ReleaseComparison
        ``frame()`` and ``definitions()``.

    Raises
    ------
    ArgumentError
        If the releases are by different fields.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import compare, enforcement, publish
    >>> world = make_declarations(2_000, random_state=0)
    >>> figures = enforcement(world.declarations, world.outcomes, by=("office",))
    >>> release = publish(figures, indicators=["control_rate"])
    >>> compare(release, release).definitions().empty
    True
    """
    if ours._by != theirs._by:
        raise ArgumentError(
            "statistics.releases_differ",
            "compare: one release is by {ours}, the other by {theirs}. Publish both by "
            "the same fields.",
            ours=format_values(ours._by),
            theirs=format_values(theirs._by),
        )
    rows: list[tuple[str, str, str, str]] = []
    for what in ("as_of", "rules", "rounding"):
        pair = str(getattr(ours, what)), str(getattr(theirs, what))
        rows += [("", what, *pair)] if pair[0] != pair[1] else []
    for name in [*ours._definitions, *theirs._definitions]:
        for what in ("measure", "numerator", "denominator", "unit", "split"):
            pair = _state(ours, name, what), _state(theirs, name, what)
            if pair[0] != pair[1] and (name, what, *pair) not in rows:
                rows.append((name, what, *pair))
    differing = pd.DataFrame(rows, columns=["indicator", "what", "ours", "theirs"])
    keys = ["indicator", "part", *ours._by]
    left, right = (
        one._table[[*keys, "value"]].rename(columns={"value": name})
        for one, name in ((ours, "ours"), (theirs, "theirs"))
    )
    both = left.merge(right, on=keys, how="outer", sort=True)
    both["comparable"] = ~both["indicator"].isin(differing["indicator"])
    both["difference"] = (both["ours"] - both["theirs"]).where(both["comparable"])
    both = both.sort_values(["comparable", *keys], kind="stable", ignore_index=True)
    columns = [*keys, "comparable", "ours", "theirs", "difference"]
    return ReleaseComparison(both[columns], differing)


def _state(release: Release, name: str, what: str) -> str:
    """Return one line of a definition; empty where there is no such indicator."""
    one = release._definitions.get(name)
    if one is None:
        return ""
    if what == "unit":
        units = release._table.loc[release._table["indicator"] == name, "unit"]
        return str(units.iloc[0])
    return str(getattr(one, what))
