"""`Gate`: what a new engine must show, and on which later items it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, Message, TableError, check_number
from smartrisk.evaluation import PairedGain, paired_gain, read_metric
from smartrisk.items import are_among, item_ids, label_outcomes
from smartrisk.schema import OUTCOMES, TableInput
from smartrisk.settings import TomlSettings
from smartrisk.validation import read_declarations, validate
from smartrisk.windows import read_moment

_DAY = "%Y-%m-%d"
#: Enough that the bounds of an interval move by less than a tenth of its width.
_REPLICATES = 2_000


@dataclass(frozen=True, kw_only=True)
class Gate(TomlSettings):
    """What a challenger must show to replace the champion.

    It passes where the lower bound of its paired gain is greater than `min_gain`. An
    engine that is only as good as the champion does not pass a `min_gain` of 0; to
    replace an engine by one that is not much worse, set a negative one.

    Parameters
    ----------
    metric : str, default="precision_at_05pct"
        Metric to compare by; see `smartrisk.evaluation.read_metric`. One metric, chosen
        before you look: of many, some would pass by chance.
    min_gain : float, default=0.0
        Gain to exceed, in the unit of the metric (0.01 is one percentage point of
        precision), in its better direction.
    confidence : float, default=0.95
        Probability of the two-sided interval of the gain.

    Raises
    ------
    ArgumentError
        If the metric is unknown or a number is outside what is allowed.

    Examples
    --------
    >>> from smartrisk.tracking import Gate
    >>> print(Gate(metric="brier").to_toml())
    metric = "brier"
    min_gain = 0.0
    confidence = 0.95
    <BLANKLINE>
    """

    metric: str = "precision_at_05pct"
    min_gain: float = 0.0
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Check every value."""
        read_metric(self.metric)
        check_number("Gate", "min_gain", self.min_gain)
        check_number("Gate", "confidence", self.confidence, low=0.5, high=0.9999)

    def passes(self, gain: PairedGain) -> bool:
        """Return whether a comparison passes.

        Parameters
        ----------
        gain : PairedGain
            Result of `smartrisk.evaluation.paired_gain` by this metric.

        Returns
        -------
        passed : bool
            False also where no interval could be given.
        """
        return bool(gain.low > self.min_gain)


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgingData:
    """Declarations and results of later months, checked and in canonical form.

    Parameters
    ----------
    items : DataFrame
        DECLARATIONS: those that are judged, and earlier ones.
    results : DataFrame
        OUTCOMES of these items.
    judged : DataFrame
        Those of the items that are judged: with a result, lodged since the day asked.
    """

    items: pd.DataFrame
    results: pd.DataFrame
    judged: pd.DataFrame

    def __str__(self) -> str:
        """Return how many items are judged, and of which days."""
        return str(self.message)

    @property
    def message(self) -> Message:
        """How many items are judged, and of which days, for another language."""
        days = self.judged["lodged_at"]
        return Message(
            "tracking.judged_items",
            "{n_items:,} items of {first} to {last}",
            n_items=len(days),
            first=f"{days.min():{_DAY}}",
            last=f"{days.max():{_DAY}}",
        )


def read_judging_data(
    declarations: TableInput,
    outcomes: TableInput,
    since: object,
    own_fields: Mapping[str, str] | None = None,
) -> JudgingData:
    """Return the tables to judge by; raise where no item has a result.

    Parameters
    ----------
    declarations : DataFrame
        DECLARATIONS.
    outcomes : DataFrame
        OUTCOMES.
    since : date-like or None
        First day of the items that are judged.
    own_fields : mapping of str to str, default=None
        Fields of the administration that the engines use, and their kinds.
    """
    first = _read_day(since)
    items = read_declarations(declarations, own_fields or {})
    results = validate(outcomes, OUTCOMES)
    results = results[are_among(item_ids(results), item_ids(items))]
    # Where only the document is known to hold a hit, its items have no result.
    found = results[results["illicit"].notna()]
    known = are_among(item_ids(items), item_ids(found))
    late = np.ones(len(items), bool) if first is None else items["lodged_at"] >= first
    judged = items[known & late]
    if not len(judged):
        raise TableError(
            "tracking.nothing_to_judge_by",
            "register: none of the {n_items} items of 'declarations'{since} has a "
            "result in 'outcomes'. Check that the keys of both tables are those of the "
            "same items, and pass months whose results are known.",
            n_items=len(items),
            since="" if first is None else f" lodged since {first:{_DAY}}",
        )
    return JudgingData(items=items, results=results, judged=judged)


def _read_day(since: object) -> pd.Timestamp | None:
    """Return a day; raise where it is none."""
    if since is None:
        return None
    try:
        if isinstance(since, (int, float)):
            raise TypeError("a number is no day")
        return read_moment("register", "since", since).normalize()  # type: ignore[arg-type]
    except (TypeError, ArgumentError) as error:
        raise ArgumentError(
            "tracking.not_a_day",
            "register: 'since' must be a day such as '2026-07-01'; got {since!r}.",
            since=str(since),
        ) from error


def check_not_learned(data: JudgingData, engines: dict[str, RiskEngine]) -> None:
    """Raise unless every judged item is later than what the engines learned from.

    Parameters
    ----------
    data : JudgingData
        What is judged.
    engines : dict of str to RiskEngine
        Engines by what they are called in the message.
    """
    days = data.judged["lodged_at"].dt.normalize()
    problems, last = [], None
    for name, engine in engines.items():
        until = engine.learned_until
        learned = engine.has_learned(data.judged)
        early = learned if until is None else learned | (days <= until).to_numpy()
        if not early.any():
            continue
        text = f"{name}: {int(learned.sum())} learned from"
        if until is not None:
            text += f", {int((early & ~learned).sum())} more up to {until:{_DAY}}"
            last = until if last is None else max(last, until)
        problems.append(text)
    if not problems:
        return
    if last is None or not (days > last).any():
        remedy = "Pass later declarations and their results."
    else:
        day = last + pd.Timedelta(days=1)
        n_left = int((days > last).sum())
        remedy = f"Pass since='{day:{_DAY}}' ({n_left} items remain)."
    raise TableError(
        "tracking.judged_items_not_later",
        "register: the {n_judged} items with a result are not all later than what both "
        "engines have learned from ({problems}). An engine must not be judged by what "
        "it was fitted on. {remedy}",
        n_judged=len(data.judged),
        problems="; ".join(problems),
        remedy=remedy,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """How a challenger compared, and on what.

    Parameters
    ----------
    gate : Gate
        What it had to show.
    data : JudgingData
        What it was judged on.
    champion : str or None
        Version of the champion; None where there was none.
    challenger : float
        Its figure of the metric.
    gain : PairedGain or None
        The comparison; None without a champion.
    passed : bool
        Whether it becomes the champion.
    table : DataFrame
        All metrics.
    """

    gate: Gate
    data: JudgingData
    champion: str | None
    challenger: float
    gain: PairedGain | None
    passed: bool
    table: pd.DataFrame


def judge(
    data: JudgingData, engines: list[RiskEngine], gate: Gate, champion: str | None
) -> Judgement:
    """Return how the engines compare on the judged items.

    Parameters
    ----------
    data : JudgingData
        What is judged.
    engines : list of RiskEngine
        Challenger, and champion where there is one, as they were logged; they are not
        changed.
    gate : Gate
        Metric and probability.
    champion : str or None
        Version of the champion.

    Raises
    ------
    ArgumentError
        If the engines look for different findings.
    """
    target = _check_targets(engines)
    scores = [score_as_in_service(data, engine) for engine in engines]
    # Without a champion the challenger is compared with itself, for its figures.
    gain = paired_gain(
        scores[0],
        scores[-1],
        label_outcomes(data.results, target),
        metric=gate.metric,
        groups=_traders(data.judged),
        confidence=gate.confidence,
        n_bootstrap=_REPLICATES if champion else 1,
    )
    table = gain.frame()
    return Judgement(
        gate=gate,
        data=data,
        champion=champion,
        challenger=gain.challenger,
        gain=gain if champion else None,
        passed=gate.passes(gain) if champion else True,
        table=table if champion else table[["metric", "challenger"]],
    )


def _check_targets(engines: list[RiskEngine]) -> str:
    """Return what the engines look for; raise where it differs."""
    targets = [engine.target_ for engine in engines]
    if len(set(targets)) > 1:
        raise ArgumentError(
            "tracking.targets_differ",
            "register: the engine looks for {challenger!r}, the champion for "
            "{champion!r}: one is not better than the other. Register it under a name "
            "of its own.",
            challenger=targets[0],
            champion=targets[-1],
        )
    return targets[0]


def score_as_in_service(data: JudgingData, engine: RiskEngine) -> pd.DataFrame:
    """Return SCORES of the judged items, from a history that went on.

    Features of an item use what was known when it was lodged, so an engine in service
    is updated day by day. Here all is added at once, to a copy: nothing later counts.
    """
    served = engine.copy().update(data.items, data.results, on_known="keep")
    return served.score(data.judged)


def _traders(judged: pd.DataFrame) -> pd.Series | None:
    """Return the importer of every item, None where none is declared."""
    names = judged.get("importer_id")
    return None if names is None or names.isna().all() else names.reset_index(drop=True)
