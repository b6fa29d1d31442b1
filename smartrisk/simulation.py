"""The closed loop: what a policy finds decides what it learns from, month after month.

Reads a world whose truth is known, contenders and policies; writes what each month
brought, beside an oracle with the same capacity.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, check_choice, check_number, format_values
from smartrisk.evaluation import Learned, learn
from smartrisk.models import DateFeaturesClassifier, SmoothedRateSum
from smartrisk.results import Result
from smartrisk.schema import KEY
from smartrisk.selectivity import Policy, novelty
from smartrisk.windows import Split

__all__ = ["Arm", "ClosedLoop", "close_loop", "standard_arms"]

ORACLE = "oracle"
#: Called after every month of an arm: arm, seed, month.
Progress = Callable[[str, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A contender and the policy that it decides by.

    Parameters
    ----------
    policy : Policy, default=Policy()
        How scores become decisions.
    contender : object, default=None
        What `smartrisk.evaluation.learn` takes: an engine, a classifier, a function.
        Between two fits an engine's history moves on; None for `RiskEngine`.
    refit_every : int, default=1
        Months between two fits.
    knows_all : bool, default=False
        Learns from the truth of every past item, inspected or not: a bound that no
        administration reaches.
    thompson : bool, default=False
        Each fit sees every known result with probability one half (double-or-nothing
        bootstrap): the arm acts by one draw of what may be true, and explores where
        little is known. Its decisions' `propensity` is that given the draw.

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
                "simulation.policy_policy_got",
                "Arm: 'policy' must be a Policy; got {policy_type}.",
                policy_type=type(self.policy).__name__,
            )


@dataclass(frozen=True, eq=False, repr=False)
class ClosedLoop(Result):
    """What each arm found, month by month, in every world.

    Parameters
    ----------
    table : DataFrame
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

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per world, arm and month.

        Returns
        -------
        frame : DataFrame
            seed, arm, month, n_items, n_controls, n_known (results that had come when
            the month began), hits, hit_rate, recall, revenue, revenue_share (of what
            was there), regret (hits that an oracle with as many controls finds beyond
            it). The arm "oracle" has the controls of the first arm; its hits and its
            revenue are each the most that can be, not those of one choice.
        """
        return self.table.copy()

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
            to the most that as many controls can find), each with its half-width
            (95 %, Student) over the worlds.
        """
        sums = self._sums(last)
        rows = []
        for arm, part in sums.groupby("arm", sort=False):
            row: dict[str, Any] = {"arm": arm, "n_worlds": len(part)}
            for name in ("hit_rate", "recall", "revenue_share", "of_oracle"):
                row[name], row[f"{name}_half"] = _mean(part[name])
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
        mine, theirs = (
            sums[sums["arm"] == name].set_index("seed") for name in (one, other)
        )
        rows = []
        for measure in ("hit_rate", "recall", "revenue_share"):
            ratio, half = _mean(mine[measure] / theirs[measure])
            rows.append(
                {
                    "measure": measure,
                    "one": float(mine[measure].mean()),
                    "other": float(theirs[measure].mean()),
                    "ratio": ratio,
                    "half": half,
                }
            )
        return pd.DataFrame(rows)

    def _sums(self, last: int | None) -> pd.DataFrame:
        """Return measures over the months, by world and arm."""
        months = sorted(self.table["month"].unique())
        kept = months if last is None else months[-last:]
        table = self.table[self.table["month"].isin(kept)]
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
        arms, worlds = self.table["arm"].nunique(), self.table["seed"].nunique()
        return f"ClosedLoop({arms} arms, {worlds} worlds)"


def close_loop(
    arms: Mapping[str, Arm],
    worlds: Sequence[Any],
    *,
    start: int = 12,
    n_jobs: int = 1,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> ClosedLoop:
    """Let arms decide, inspect and learn, each from what it has found itself.

    Until `start` every arm knows the same: what the offices found. From then on a month
    goes: learn from the results known when it begins, score the month's items, decide,
    inspect; the results come with their delay, and with the officers' errors. What an
    arm did not inspect it never learns of. Every arm is judged by the truth.

    Parameters
    ----------
    arms : mapping of str to Arm
        What decides.
    worlds : sequence of World
        Where; several seeds of a scenario give intervals.
    start : int, default=12
        Month of the world in which the arms take over.
    n_jobs : int, default=1
        Worlds and arms at once.
    folder : path, default=None
        Where each arm in each world is kept when it has ended, so that a run that was
        broken off goes on from there; None for nowhere.
    progress : callable, default=None
        Called with arm, seed and the last month when an arm has ended in a world; where
        `n_jobs` is 1 after every month.

    Returns
    -------
    result : ClosedLoop
        By month, in total, compared; with an oracle.

    Raises
    ------
    ArgumentError
        If there is no arm, no month is left, or two worlds have the same seed.

    Notes
    -----
    Hits and revenue are those of the arm that decided, by the truth of the items that
    it chose: a hit counts once, in the month of the decision. The world does not
    react to the arm: trade, fraud and reactions are those of the past policy.

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
    if not arms or ORACLE in arms:
        raise ArgumentError(
            "simulation.arms_none_called",
            "close_loop: 'arms' must hold at least one, none called {ORACLE!r}.",
            ORACLE=ORACLE,
        )
    check_number("close_loop", "start", start, low=1, integer=True)
    for world in worlds:
        if start >= world.scenario.n_months:
            raise ArgumentError(
                "simulation.start_but_world_only",
                "close_loop: 'start' is {start}, but a world has only {n_months} "
                "months.",
                start=start,
                n_months=world.scenario.n_months,
            )
    seeds = [world.random_state for world in worlds]
    if len(set(seeds)) < len(seeds):
        raise ArgumentError(
            "simulation.worlds_differ_random_state_which",
            "close_loop: 'worlds' must differ by random_state, by which they "
            "are told apart; got {seeds}.",
            seeds=format_values(seeds),
        )
    place = None if folder is None else Path(folder)
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    tasks = [
        (name, arm, world, start, place)
        for world in worlds
        for name, arm in arms.items()
    ]
    rows: list[dict[str, Any]] = []
    if n_jobs == 1:
        for task in tasks:
            rows += _kept(*task, progress)
    else:
        from joblib import Parallel, delayed

        made = Parallel(n_jobs=n_jobs, return_as="generator")
        for part in made(delayed(_kept)(*task) for task in tasks):
            rows += part
            if progress is not None:
                progress(part[-1]["arm"], part[-1]["seed"], part[-1]["month"])
    return ClosedLoop(_with_oracle(pd.DataFrame(rows)))


def standard_arms(capacity: float = 0.1) -> dict[str, Arm]:
    """Return the arms that the field compares.

    Parameters
    ----------
    capacity : float, default=0.1
        Share of the items that can be controlled.

    Returns
    -------
    arms : dict of str to Arm
        The engine exploiting only, with 2, 5, 10 and 20 % of its controls at random, by
        uncertainty, by novelty, by Thompson sampling; the peers' risky (a sum of
        smoothed rates) and hybrid (DATE's features, a tenth at random); and the bound
        that learns from all truths.

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


def _kept(
    name: str,
    arm: Arm,
    world: Any,
    start: int,
    folder: Path | None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Return one arm in one world, from the folder where it is there."""
    if folder is None:
        return _run(name, arm, world, start, progress)
    what = [name, repr(arm), start, world.random_state, len(world.declarations)]
    text = json.dumps([*what, repr(world.scenario)])
    file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"
    if file.exists():
        rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        return rows
    rows = _run(name, arm, world, start, progress)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(rows), encoding="utf-8")
    partial.replace(file)
    return rows


def _run(
    name: str, arm: Arm, world: Any, start: int, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Run one arm in one world."""
    loop = _Loop(arm, world, start)
    rows = []
    for row in loop.months():
        rows.append({"seed": world.random_state, "arm": name, **row})
        if progress is not None:
            progress(name, world.random_state, row["month"])
    return rows


class _Loop:
    """The state of an arm in a world: what it knows, and what is on its way."""

    def __init__(self, arm: Arm, world: Any, start: int) -> None:
        self.arm, self.world = arm, world
        self.items = world.declarations
        self.truth = world.full_outcomes()
        self.month = self.items["lodged_at"].dt.to_period("M")
        first = pd.Period(world.scenario.start, "M")
        self.months_ahead = [first + k for k in range(start, world.scenario.n_months)]
        opened = self.months_ahead[0].start_time
        lodged = world.outcomes.merge(self.items[[*KEY, "lodged_at"]], on=list(KEY))
        mine = (lodged["lodged_at"] < opened).to_numpy()
        self.results = [world.outcomes[mine]]
        self.made: Learned | None = None

    def months(self) -> Iterator[dict[str, Any]]:
        """Yield what each month brought."""
        for number, month in enumerate(self.months_ahead):
            now = (self.month == month).to_numpy()
            if now.any():
                yield self._pass(number, month, now)

    def _pass(self, number: int, month: Any, now: Any) -> dict[str, Any]:
        """Learn, decide, inspect."""
        begins = month.start_time
        past = self.items[(self.items["lodged_at"] < begins).to_numpy()]
        new = self.items[now]
        known = self._known(begins)
        split = Split(at=begins, past=past, known=known, later=new)
        if self.made is None or number % self.arm.refit_every == 0:
            contender = self.arm.contender
            made = RiskEngine(random_state=0) if contender is None else contender
            self.made = learn(made, self._drawn(split, number))
        scores = self.made.score(split)
        if self.arm.policy.explore == "novelty":
            scores = scores.assign(novelty=novelty(new, past))
        decisions = self.arm.policy.select(scores, declarations=new)
        decisions["decided_at"] = new["lodged_at"].to_numpy()
        self.results.append(self.world.inspect(decisions))
        taken = (decisions["channel"] != "green").to_numpy()
        hit = self.truth["illicit"].to_numpy()[now]
        revenue = self.truth["revenue_adjustment"].to_numpy()[now]
        return _row(month, taken, hit, revenue, len(known))

    def _known(self, begins: Any) -> pd.DataFrame:
        """Return the results that are known when a month begins."""
        results: pd.DataFrame = self.truth
        if not self.arm.knows_all:
            results = pd.concat(self.results, ignore_index=True)
        known: pd.DataFrame = results[(results["known_at"] < begins).to_numpy()]
        return known

    def _drawn(self, split: Split, number: int) -> Split:
        """Return what the arm learns from: all that is known, or one half of it."""
        if not self.arm.thompson:
            return split
        rng = np.random.default_rng([self.world.random_state, number])
        return replace(split, known=split.known[rng.random(len(split.known)) < 0.5])


def _row(
    month: Any, taken: Any, hit: Any, revenue: Any, n_known: int
) -> dict[str, Any]:
    """Return what a month brought."""
    k = int(taken.sum())
    hits, found = int(hit[taken].sum()), float(revenue[taken].sum())
    return {
        "month": str(month),
        "n_items": len(hit),
        "n_controls": k,
        "n_known": n_known,
        "hits": hits,
        "all_hits": int(hit.sum()),
        "hit_rate": hits / k if k else math.nan,
        "recall": hits / hit.sum() if hit.sum() else math.nan,
        "revenue": found,
        "all_revenue": float(revenue.sum()),
        "revenue_share": found / revenue.sum() if revenue.sum() else math.nan,
        "best_hits": min(k, int(hit.sum())),
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


def _mean(values: pd.Series) -> tuple[float, float]:
    """Return a mean and the half-width of its interval."""
    n = int(values.notna().sum())
    half = math.nan
    if n > 1:
        half = float(student.ppf(0.975, n - 1) * values.std() / math.sqrt(n))
    return float(values.mean()), half
