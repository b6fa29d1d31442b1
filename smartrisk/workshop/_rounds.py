"""Three rounds at a customs office whose world changes, and their truth."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.datasets import join_labels
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, DataQualityWarning, check_number
from smartrisk.items import are_among, item_keys
from smartrisk.models import RandomBaseline, SmoothedRateSum
from smartrisk.selectivity import Costs, Policy
from smartrisk.worlds import SCENARIOS, Change, Scenario, World, make_declarations

Bool: TypeAlias = NDArray[np.bool_]
Float: TypeAlias = NDArray[np.float64]

N_ROUNDS = 3
#: Months of history before the first round; each round is the month that follows.
_HISTORY = 12
#: Fewer items leave no round from which a capacity selects.
_LEAST_ITEMS, _MOST_ITEMS = 500, 1_000_000
RANDOM, DUTY, RATES, ENGINE, ORACLE = "random", "duty", "rates", "engine", "oracle"
#: Who plays beside the teams, in the order of a board.
REFERENCES = (RANDOM, DUTY, RATES, ENGINE, ORACLE)
#: Columns of the truth, each item of a round once.
TRUTH = (
    *("round", "declaration_id", "item_number"),
    *("illicit", "typology", "evaded_revenue"),
)


def make_scenario() -> Scenario:
    """Return the scenario of a competition, which is public.

    Nothing changes before the second round. It begins with a duty on a part of the
    trade, which pays to evade, and a wave of importers that exist for weeks; the third
    with traders that react to every finding against them.
    """
    return replace(
        SCENARIOS["small"],
        name="competition",
        n_months=_HISTORY + N_ROUNDS,
        changes=(
            Change(
                kind="anti-dumping",
                month=_HISTORY + 1,
                goods=("61", "62", "64", "84", "85"),
                origin="CN",
                size=0.45,
            ),
            Change(kind="phoenix wave", month=_HISTORY + 1, size=4.0),
            Change(kind="adaptation", month=_HISTORY + 2, size=0.9),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What every team knows: items, controls of a round, cost of a control."""

    n_items: int
    capacity: int
    cost: float

    def check(self, owner: str) -> None:
        """Raise unless the terms can be played."""
        check_number(
            owner,
            "n_items",
            self.n_items,
            low=_LEAST_ITEMS,
            high=_MOST_ITEMS,
            integer=True,
        )
        check_number(owner, "capacity", self.capacity, low=1, integer=True)
        check_number(owner, "cost", self.cost, low=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounds:
    """A world cut into its history and three rounds; `truth` covers the rounds."""

    terms: Terms
    world: World
    history: pd.DataFrame
    results: pd.DataFrame
    late_results: pd.DataFrame  # of the history, known after the first round began
    items: tuple[pd.DataFrame, ...]
    truth: pd.DataFrame
    begins: tuple[pd.Timestamp, ...]

    def truth_of(self, number: int) -> pd.DataFrame:
        """Return the truth of a round, from 1, aligned with its items."""
        return truth_of(self.truth, number)


def truth_of(truth: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the rows of a round, from 1."""
    return truth[truth["round"] == number].reset_index(drop=True)


def make_rounds(owner: str, seed: int, terms: Terms) -> Rounds:
    """Make the world of a seed, and cut it into history and rounds."""
    terms.check(owner)
    world = make_declarations(
        int(terms.n_items), random_state=seed, scenario=make_scenario()
    )
    month = world.declarations["lodged_at"].dt.to_period("M")
    first = pd.Period(world.scenario.start, "M") + _HISTORY
    past = (month < first).to_numpy()
    history = world.declarations[past].reset_index(drop=True)
    later = world.outcomes[are_among(world.outcomes, history)]
    known = (later["known_at"] < first.start_time).to_numpy()
    places = [(month == first + k).to_numpy() for k in range(N_ROUNDS)]
    smallest = min(int(place.sum()) for place in places)
    if terms.capacity > smallest:
        raise ArgumentError(
            "workshop.capacity_above_items",
            "{owner}: 'capacity' must be at most {smallest}, the number of items in "
            "the smallest round; got {capacity}. Raise 'n_items' or lower 'capacity'.",
            owner=owner,
            smallest=smallest,
            capacity=terms.capacity,
        )
    truths = [
        world.truth[place].assign(round=k + 1)[list(TRUTH)]
        for k, place in enumerate(places)
    ]
    return Rounds(
        terms=terms,
        world=world,
        history=history,
        results=later[known].reset_index(drop=True),
        late_results=later[~known].reset_index(drop=True),
        items=tuple(world.declarations[p].reset_index(drop=True) for p in places),
        truth=pd.concat(truths, ignore_index=True),
        begins=tuple((first + k).start_time for k in range(N_ROUNDS + 1)),
    )


def choose_best(terms: Terms, worth: Float) -> Bool:
    """Return which items have the highest worth, as many as the capacity allows."""
    chosen = np.zeros(len(worth), bool)
    chosen[np.argsort(-worth, kind="stable")[: terms.capacity]] = True
    return chosen


def choose_by_oracle(terms: Terms, truth: pd.DataFrame) -> Bool:
    """Return the items of the highest net benefit, by the truth; none at a loss."""
    gain = truth["evaded_revenue"].to_numpy(float) - terms.cost
    return choose_best(terms, gain) & (gain > 0)


def choose_by_engine(engine: RiskEngine, terms: Terms, items: pd.DataFrame) -> Bool:
    """Return the items that an engine selects by expected net benefit.

    The guard is off: that the world changes is what a competition is about.
    """
    policy = Policy(
        capacity=int(terms.capacity),
        rank_by="net_benefit",
        costs=Costs(control=float(terms.cost)),
        random_share=0.0,
    )
    scores = engine.score(items, guard="off")
    decisions = policy.select(scores, items)
    return np.asarray((decisions["channel"] != "green").to_numpy(), bool)


def play_references(rounds: Rounds) -> dict[str, list[Bool]]:
    """Return what the reference policies choose, by policy and round.

    They learn from what the teams have before the first round, and from nothing else;
    the oracle knows the truth.
    """
    terms, history, results = rounds.terms, rounds.history, rounds.results
    labelled = join_labels(history, results)
    X = labelled[list(history.columns)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)  # made-up data
        by_chance = RandomBaseline().fit(X, labelled["illicit"])
        by_rates = SmoothedRateSum().fit(X, labelled["illicit"])
        engine = RiskEngine(random_state=0).fit(history, results)
        chosen: dict[str, list[Bool]] = {name: [] for name in REFERENCES}
        for number, items in enumerate(rounds.items, start=1):
            worth = {
                RANDOM: by_chance.predict_proba(items)[:, 1],
                DUTY: items["duties_taxes"].fillna(0.0).to_numpy(float),
                RATES: by_rates.predict_proba(items)[:, 1],
            }
            for name, values in worth.items():
                chosen[name].append(choose_best(terms, values))
            chosen[ENGINE].append(choose_by_engine(engine, terms, items))
            chosen[ORACLE].append(choose_by_oracle(terms, rounds.truth_of(number)))
    return chosen


def list_places(chosen: Mapping[str, Sequence[Bool]]) -> dict[str, list[list[int]]]:
    """Return chosen items as their places in each round, for a file."""
    return {
        name: [np.flatnonzero(part).tolist() for part in parts]
        for name, parts in chosen.items()
    }


def read_places(
    places: Mapping[str, Sequence[Sequence[int]]], truth: pd.DataFrame
) -> dict[str, list[Bool]]:
    """Return chosen items from their places in each round."""
    sizes = [len(truth_of(truth, number)) for number in range(1, N_ROUNDS + 1)]
    chosen: dict[str, list[Bool]] = {}
    for name, parts in places.items():
        chosen[name] = [np.zeros(size, bool) for size in sizes]
        for mask, part in zip(chosen[name], parts, strict=True):
            mask[np.asarray(part, np.int64)] = True
    return chosen


def key_texts(frame: pd.DataFrame) -> pd.Series:
    """Return the key of each item as one text."""
    keys = item_keys(frame).astype(str)
    texts: pd.Series = keys["declaration_id"] + "/" + keys["item_number"]
    return texts
