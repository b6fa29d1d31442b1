"""The closed loop: what a policy finds decides what it learns from, month after month.

Reads a world whose truth is known, contenders and policies; writes the figures of each
month, next to those of an oracle with the same capacity.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, check_choice, check_number, format_values
from smartrisk.evaluation import FittedContender, fit_contender
from smartrisk.intervals import mean_half_width
from smartrisk.items import clean_amounts, join_by_key
from smartrisk.models import DateFeaturesClassifier, SmoothedRateSum
from smartrisk.results import Result
from smartrisk.resumable import ResultStore, fingerprint
from smartrisk.selectivity import Policy, novelty
from smartrisk.windows import Split
from smartrisk.worlds import World

__all__ = ["Arm", "ClosedLoop", "close_loop", "standard_arms"]

_log = logging.getLogger("smartrisk")

ORACLE = "oracle"
#: Called after every month of an arm with the arm, the seed of the world and the month.
Progress: TypeAlias = Callable[[str, int, str], None]
_Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A contender and the policy that it decides by.

    Parameters
    ----------
    policy : Policy, default=Policy()
        How scores become decisions.
    contender : object, default=None
        What `smartrisk.evaluation.fit_contender` takes: an engine, a classifier, a
        function. Between two fits an engine is updated; None for
        ``RiskEngine(random_state=0)``.
    refit_every : int, default=1
        Months between two fits.
    knows_all : bool, default=False
        Whether it learns from the truth of every past item, inspected or not: a bound
        that no administration reaches.
    thompson : bool, default=False
        Whether each fit uses every known result with probability one half
        (double-or-nothing bootstrap): the arm then acts on one random draw of the
        models that fit the results, and explores where little is known. The
        `propensity` of its decisions is conditional on the draw.

    References
    ----------
    Owen, A. B., Eckles, D. (2012). Bootstrapping data arrays of arbitrary order. Annals
    of Applied Statistics 6.

    Eckles, D., Kaptein, M. (2019). Bootstrap Thompson sampling and sequential decision
    problems in the behavioral sciences. SAGE Open 9.

    Examples
    --------
    >>> from smartrisk.selectivity import Policy
    >>> from smartrisk.simulation import Arm
    >>> Arm(policy=Policy(random_share=0.0)).refit_every
    1
    """

    policy: Policy = field(default_factory=Policy)
    contender: Any = None
    refit_every: int = 1
    knows_all: bool = False
    thompson: bool = False

    def __post_init__(self) -> None:
        check_number("Arm", "refit_every", self.refit_every, low=1, integer=True)
        if not isinstance(self.policy, Policy):
            raise ArgumentError(
                "simulation.not_a_policy",
                "Arm: 'policy' must be a Policy; got {policy_type}.",
                policy_type=type(self.policy).__name__,
            )


@dataclass(frozen=True, eq=False, repr=False)
class ClosedLoop(Result):
    """What each arm found, month by month, in every world.

    Parameters
    ----------
    _table : DataFrame
        One row per world, arm and month.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.models import SmoothedRateSum
    >>> from smartrisk.simulation import Arm, close_loop
    >>> world = make_declarations(2_000, random_state=0, scenario="small")
    >>> arm = Arm(contender=SmoothedRateSum(), refit_every=6)
    >>> result = close_loop({"rates": arm}, [world], start=18)
    >>> sorted(set(result.frame()["arm"]))
    ['oracle', 'rates']
    """

    _table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per world, arm and month.

        Returns
        -------
        frame : DataFrame
            seed, arm, month, n_items, n_controls, n_known (results that had arrived
            when the month began), hits, hit_rate, recall, revenue, revenue_share (of
            all that could be found), regret (hits that an oracle with the same number
            of controls finds in addition). The arm "oracle" has the controls of the
            first arm; its hits and its revenue are each the possible maximum, so they
            can belong to two different selections.
        """
        return self._table.copy()

    def total(self, *, last: int | None = None) -> pd.DataFrame:
        """Return one row per arm: means over the worlds.

        Parameters
        ----------
        last : int, default=None
            Months that count, from the end; None for all.

        Returns
        -------
        total : DataFrame
            arm, n_worlds, hit_rate, recall, revenue_share and of_oracle (hits relative
            to the maximum that the same number of controls can find), each with its
            half-width (95 %, Student) over the worlds.
        """
        sums = self._sums(last)
        rows = []
        for arm, part in sums.groupby("arm", sort=False):
            row: _Row = {"arm": arm, "n_worlds": len(part)}
            for name in ("hit_rate", "recall", "revenue_share", "of_oracle"):
                row[name] = float(part[name].mean())
                row[f"{name}_half"] = mean_half_width(part[name])
            rows.append(row)
        return pd.DataFrame(rows)

    def compare(self, one: str, other: str, *, last: int | None = None) -> pd.DataFrame:
        """Return how one arm's total relates to another's, paired by world.

        Parameters
        ----------
        one, other : str
            Arms.
        last : int, default=None
            Months that count, from the end; None for all.

        Returns
        -------
        comparison : DataFrame
            measure, one, other, ratio and its half-width (95 %) over the worlds.

        Raises
        ------
        ArgumentError
            If an arm is unknown.
        """
        sums = self._sums(last)
        for name in (one, other):
            check_choice("ClosedLoop.compare", "arm", name, list(sums["arm"].unique()))
        first, second = (
            sums[sums["arm"] == name].set_index("seed") for name in (one, other)
        )
        rows = []
        for measure in ("hit_rate", "recall", "revenue_share"):
            ratios = first[measure] / second[measure]
            rows.append(
                {
                    "measure": measure,
                    "one": float(first[measure].mean()),
                    "other": float(second[measure].mean()),
                    "ratio": float(ratios.mean()),
                    "half": mean_half_width(ratios),
                }
            )
        return pd.DataFrame(rows)

    def _sums(self, last: int | None) -> pd.DataFrame:
        """Return measures over the months, by world and arm."""
        months = sorted(self._table["month"].unique())
        kept = months if last is None else months[-last:]
        table = self._table[self._table["month"].isin(kept)]
        table = table.assign(best=table["hits"] + table["regret"])
        names = ["n_controls", "hits", "all_hits", "revenue", "all_revenue", "best"]
        sums = table.groupby(["arm", "seed"], sort=False)[names].sum().reset_index()
        return sums.assign(
            hit_rate=sums["hits"] / sums["n_controls"],
            recall=sums["hits"] / sums["all_hits"],
            revenue_share=sums["revenue"] / sums["all_revenue"],
            of_oracle=sums["hits"] / sums["best"],
        )

    def __repr__(self) -> str:
        """Return the number of arms and of worlds."""
        arms, worlds = (self._table[column].nunique() for column in ("arm", "seed"))
        return f"ClosedLoop({arms} arms, {worlds} worlds)"


def close_loop(
    arms: Mapping[str, Arm],
    worlds: Sequence[World],
    *,
    start: int = 12,
    n_jobs: int = 1,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> ClosedLoop:
    """Let arms decide, inspect and learn, each from its own findings.

    Until `start` every arm has the results of the offices. In each month from then on
    an arm learns from the results known when the month begins, scores the month's
    items, decides and inspects; the results arrive with their delay, and with the
    officers' errors. An arm never learns about items that it did not inspect. Every arm
    is judged by the truth.

    Parameters
    ----------
    arms : mapping of str to Arm
        The arms by name.
    worlds : sequence of World
        The worlds to run in; several seeds of a scenario give intervals.
    start : int, default=12
        Month of the world, from 0, in which the arms take over.
    n_jobs : int, default=1
        Arms that run at the same time; -1 for one per processor.
    folder : path, default=None
        Where the months of an arm in a world are kept when it has ended, so that a run
        that was stopped resumes: an arm with another engine, policy, world, start or
        version of the library starts from the beginning. None to keep nothing.
        Of modules that a function names, such as ``import helpers``, only the name
        counts: clear the folder when one changes. What a contender changes while it
        runs, such as a global list that counts calls, starts it from the beginning.
    progress : callable, default=None
        Called with arm, seed and the last month when an arm has ended in a world. Where
        `n_jobs` is 1, it is called after every month.

    Returns
    -------
    result : ClosedLoop
        By month, in total, compared; with an oracle.

    Raises
    ------
    ArgumentError
        If there is no arm, no month is left, two worlds have the same seed, or, with
        `folder`, the content of a contender cannot be read.

    Notes
    -----
    Hits and revenue are those of the items that the arm chose, by their truth: a hit
    counts once, in the month of the decision. The world does not react to the arm:
    trade, fraud and reactions are those of the past policy.

    References
    ----------
    Kim, S., Mai, T.-D., Han, S., Park, S., Khanh, T. N. D., So, J., Singh, K., Cha, M.
    (2022). Active learning for human-in-the-loop customs inspection. IEEE TKDE.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.models import SmoothedRateSum
    >>> from smartrisk.simulation import Arm, close_loop
    >>> world = make_declarations(2_000, random_state=0, scenario="small")
    >>> arm = Arm(contender=SmoothedRateSum(), refit_every=6)
    >>> total = close_loop({"rates": arm}, [world], start=18).total()
    >>> bool(total.set_index("arm").loc["rates", "of_oracle"] <= 1)
    True
    """
    check_number("close_loop", "n_jobs", n_jobs, low=-64, integer=True)
    if n_jobs == 0:
        raise ArgumentError(
            "simulation.no_job",
            "close_loop: 'n_jobs' must be 1 or more, or -1 for one job per processor; "
            "got 0.",
        )
    _check_arms_and_worlds(arms, worlds, start)
    store = ResultStore(folder)
    tasks = []
    for world in worlds:
        # Everything that a world gives to an arm, whatever the arm.
        content = "" if folder is None else _world_content(world)
        for name, arm in arms.items():
            contender = arm.contender
            if contender is None:
                contender = RiskEngine(random_state=0)
            made = replace(arm, contender=contender)
            key = "" if folder is None else fingerprint(content, made, start)
            tasks.append(_Task(name, made, world, start, key))
    rows: list[_Row] = []
    if n_jobs == 1:
        for task in tasks:
            rows += task.run(store, progress)
    else:
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        for part in parallel(delayed(task.run)(store) for task in tasks):
            rows += part
            if progress is not None:
                progress(part[-1]["arm"], part[-1]["seed"], part[-1]["month"])
    return ClosedLoop(_with_oracle(pd.DataFrame(rows)))


def _check_arms_and_worlds(
    arms: Mapping[str, Arm], worlds: Sequence[World], start: int
) -> None:
    """Raise unless the arms can run in the worlds."""
    if not isinstance(arms, Mapping):
        raise ArgumentError(
            "simulation.arms_not_named",
            "close_loop: 'arms' must be a mapping from names to Arm; got {type_name}.",
            type_name=type(arms).__name__,
        )
    if not arms or ORACLE in arms:
        raise ArgumentError(
            "simulation.arms_not_allowed",
            "close_loop: 'arms' must hold at least one, none called {reserved!r}; got "
            "{arms}.",
            reserved=ORACLE,
            arms=format_values(arms) or "none",
        )
    check_number("close_loop", "start", start, low=1, integer=True)
    if not worlds:
        raise ArgumentError(
            "simulation.no_world",
            "close_loop: 'worlds' must hold at least one; got none. Make one with "
            "smartrisk.datasets.make_declarations.",
        )
    for kind, parts in ((Arm, arms.values()), (World, worlds)):
        wrong = [type(part).__name__ for part in parts if not isinstance(part, kind)]
        if wrong:
            raise ArgumentError(
                "simulation.wrong_parts",
                "close_loop: arms must be of class Arm and worlds of class World; got "
                "{type_names} in place of {wanted}. Wrap a contender as "
                "Arm(contender=...); make a world with make_declarations.",
                type_names=format_values(wrong),
                wanted=kind.__name__,
            )
    for world in worlds:
        if start >= world.scenario.n_months:
            raise ArgumentError(
                "simulation.start_too_late",
                "close_loop: 'start' must be less than the number of months in the "
                "world, {n_months}; got {start}.",
                start=start,
                n_months=world.scenario.n_months,
            )
    seeds = [world.random_state for world in worlds]
    if len(set(seeds)) < len(seeds):
        raise ArgumentError(
            "simulation.seeds_repeated",
            "close_loop: 'worlds' must differ by random_state, which identifies them "
            "in the result; got {seeds}.",
            seeds=format_values(seeds),
        )


def _world_content(world: World) -> str:
    """Return a fingerprint of a world: scenario, seed and tables."""
    tables = (world.declarations, world.outcomes, world.truth, world.officers)
    return fingerprint("world", world.scenario, world.random_state, tables)


def standard_arms(capacity: float = 0.1) -> dict[str, Arm]:
    """Return the arms that the literature compares.

    Parameters
    ----------
    capacity : float, default=0.1
        Share of the items that can be controlled.

    Returns
    -------
    arms : dict of str to Arm
        The engine without exploration; with 2, 5, 10 and 20 % of its controls at
        random; exploring by uncertainty, by novelty, by Thompson sampling. From the
        literature: "risky" (a sum of smoothed rates) and "hybrid" (DATE's features, a
        tenth at random). And the bound that learns from all truths.

    References
    ----------
    Kim, S., Mai, T.-D., Han, S., Park, S., Khanh, T. N. D., So, J., Singh, K., Cha, M.
    (2022). Active learning for human-in-the-loop customs inspection. IEEE TKDE.

    Examples
    --------
    >>> from smartrisk.simulation import standard_arms
    >>> list(standard_arms())[:2]
    ['exploit only', '2 % random']
    """

    def policy(share: float, explore: str = "random") -> Policy:
        return Policy(capacity=capacity, random_share=share, explore=explore)

    arms = {"exploit only": Arm(policy=policy(0.0))}
    for share in (0.02, 0.05, 0.1, 0.2):
        arms[f"{round(100 * share)} % random"] = Arm(policy=policy(share))
    return arms | {
        "10 % uncertainty": Arm(policy=policy(0.1, "uncertainty")),
        "10 % novelty": Arm(policy=policy(0.1, "novelty")),
        "Thompson": Arm(policy=policy(0.0), thompson=True),
        "risky": Arm(policy=policy(0.0), contender=SmoothedRateSum()),
        "hybrid": Arm(policy=policy(0.1), contender=DateFeaturesClassifier()),
        "all truths": Arm(policy=policy(0.0), knows_all=True),
    }


@dataclass(frozen=True)
class _Task:
    """An arm in a world."""

    name: str
    arm: Arm
    world: World
    start: int
    key: str

    def run(self, store: ResultStore, progress: Progress | None = None) -> list[_Row]:
        """Return the months of the arm, from the store where it has ended before."""
        months: list[_Row] | None = store.read(self.key)
        if months is None:
            months = []
            for row in _Loop(self.arm, self.world, self.start).months():
                months.append(row)
                _log.debug(
                    "close_loop: arm %s, seed %s, month %s",
                    self.name,
                    self.world.random_state,
                    row["month"],
                )
                if progress is not None:
                    progress(self.name, self.world.random_state, row["month"])
            store.write(self.key, months)
        head = {"seed": self.world.random_state, "arm": self.name}
        return [{**head, **row} for row in months]


class _Loop:
    """The state of an arm in a world: its results, known and outstanding."""

    def __init__(self, arm: Arm, world: World, start: int) -> None:
        self.arm, self.world = arm, world
        self.items = world.declarations
        self.truth = world.full_outcomes()
        self.month = self.items["lodged_at"].dt.to_period("M")
        first = pd.Period(world.scenario.start, "M")
        self.months_ahead = [first + k for k in range(start, world.scenario.n_months)]
        opens = self.months_ahead[0].start_time
        lodged = join_by_key(world.outcomes, self.items, ["lodged_at"])["lodged_at"]
        self.results = [world.outcomes[(lodged < opens).to_numpy()]]
        self.fitted: FittedContender | None = None

    def months(self) -> Iterator[_Row]:
        """Yield the figures of each month."""
        for number, month in enumerate(self.months_ahead):
            now = (self.month == month).to_numpy()
            if now.any():
                yield self._pass_month(number, month, now)

    def _pass_month(
        self, number: int, month: pd.Period, now: NDArray[np.bool_]
    ) -> _Row:
        """Learn, decide, inspect."""
        begins = month.start_time
        past = self.items[(self.items["lodged_at"] < begins).to_numpy()]
        later = self.items[now]
        known = self._known_results(begins)
        split = Split(at=begins, past=past, known=known, later=later)
        if self.fitted is None or number % self.arm.refit_every == 0:
            training = self._training_split(split, number)
            self.fitted = fit_contender(self.arm.contender, training)
        scores = self.fitted.score(split)
        if self.arm.policy.explore == "novelty":
            scores = scores.assign(novelty=novelty(later, past))
        decisions = self.arm.policy.select(scores, declarations=later)
        decisions["decided_at"] = later["lodged_at"].to_numpy()
        self.results.append(self.world.inspect(decisions))
        controlled = (decisions["channel"] != "green").to_numpy()
        hit = self.truth["illicit"].to_numpy()[now]
        revenue = clean_amounts(self.truth["revenue_adjustment"])[now]
        return _month_row(str(month), controlled, hit, revenue, len(known))

    def _known_results(self, begins: pd.Timestamp) -> pd.DataFrame:
        """Return the results that are known when a month begins."""
        results: pd.DataFrame = self.truth
        if not self.arm.knows_all:
            results = pd.concat(self.results, ignore_index=True)
        known: pd.DataFrame = results[(results["known_at"] < begins).to_numpy()]
        return known

    def _training_split(self, split: Split, number: int) -> Split:
        """Return the split to learn from: with all known results, or half of them."""
        if not self.arm.thompson:
            return split
        rng = np.random.default_rng([self.world.random_state, number])
        return replace(split, known=split.known[rng.random(len(split.known)) < 0.5])


def _month_row(
    month: str,
    controlled: NDArray[np.bool_],
    hit: NDArray[np.int64],
    revenue: NDArray[np.float64],
    n_known: int,
) -> _Row:
    """Return the figures of a month."""
    k, all_hits, all_revenue = int(controlled.sum()), int(hit.sum()), revenue.sum()
    hits, recovered = int(hit[controlled].sum()), float(revenue[controlled].sum())
    return {
        "month": month,
        "n_items": len(hit),
        "n_controls": k,
        "n_known": n_known,
        "hits": hits,
        "all_hits": all_hits,
        "hit_rate": hits / k if k else math.nan,
        "recall": hits / all_hits if all_hits else math.nan,
        "revenue": recovered,
        "all_revenue": float(all_revenue),
        "revenue_share": float(recovered / all_revenue) if all_revenue else math.nan,
        "best_hits": min(k, all_hits),
        "best_revenue": float(np.sort(revenue)[::-1][:k].sum()),
    }


def _with_oracle(table: pd.DataFrame) -> pd.DataFrame:
    """Add the oracle, with the controls of the first arm, and regrets of every arm."""
    first = table.drop_duplicates(["seed", "month"])
    oracle = first.assign(arm=ORACLE, hits=first["best_hits"], n_known=0)
    oracle["revenue"] = oracle["best_revenue"]
    oracle["hit_rate"] = oracle["hits"] / oracle["n_controls"]
    oracle["recall"] = oracle["hits"] / oracle["all_hits"]
    oracle["revenue_share"] = oracle["revenue"] / oracle["all_revenue"]
    out = pd.concat([table, oracle], ignore_index=True)
    out["regret"] = out["best_hits"] - out["hits"]
    return out.drop(columns=["best_hits", "best_revenue"])
