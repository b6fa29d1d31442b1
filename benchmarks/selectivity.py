"""Selection: seconds to decide on a million items, and the rules made of a model.

Run ``python benchmarks/selectivity.py [--items 1000000] [--first 0] [--seeds 3]``.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

import smartrisk as sr
from smartrisk.selectivity import Condition, Policy, Rule, RuleSet, compile_rules

KEY = ["declaration_id", "item_number"]


def speed(n: int) -> None:
    """Print the seconds of several policies."""
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(
        {
            "declaration_id": [f"D{k:09d}" for k in range(n)],
            "item_number": 1,
            "risk_score": rng.random(n),
            "expected_revenue": rng.random(n),
        }
    )
    items = scores[KEY].assign(
        lodged_at=pd.Timestamp("2026-01-01")
        + pd.to_timedelta(rng.integers(0, 30, n), unit="D"),
        office=rng.choice([f"{k:02d}" for k in range(20)], n),
        origin=rng.choice(["CN", "US", "FR"], n),
    )
    china = Condition(field="origin", operator="=", value="CN")
    rules = RuleSet(rules=(Rule(rule_id="china", when=(china,), rate=0.02),))
    for name, policy, given in (
        ("default", Policy(), {}),
        ("by uncertainty", Policy(explore="uncertainty"), {}),
        ("by office and day", Policy(per=("office", "day")), {}),
        ("with a rule", Policy(), {"rules": rules}),
    ):
        start = time.perf_counter()
        made = policy.select(scores, declarations=items, **given)
        seconds = time.perf_counter() - start
        chosen = int(made["selected_by"].notna().sum())
        print(f"{name}: {n:,} decisions, {chosen:,} controls, {seconds:.2f} s")


def compiled(first: int, seeds: int) -> None:
    """Print what compiled rules reach of their model, out of time, by the truth."""
    for seed in range(first, first + seeds):
        world = sr.datasets.make_declarations(60_000, random_state=seed)
        split = sr.windows.time_split(world.declarations, world.outcomes)
        engine = sr.RiskEngine().fit(split.past, split.known)
        rules = compile_rules(split.past, engine.score(split.past)).rules
        later = split.later
        truth = world.full_outcomes().set_index(KEY)["illicit"]
        hit = truth.loc[pd.MultiIndex.from_frame(later[KEY])].to_numpy()
        drawn = rules.decide(later)["selected_by"].notna().to_numpy()
        risk = engine.score(later)["risk_score"].to_numpy()
        model = hit[np.argsort(-risk)[: int(0.05 * len(later))]].mean()
        print(
            f"seed {seed}: {len(rules)} rules control {drawn.mean():.1%} at a hit rate "
            f"of {hit[drawn].mean():.3f}; model {model:.3f} at 5 %, all "
            f"{hit.mean():.3f}; ratio {hit[drawn].mean() / model:.2f}"
        )


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    speed(given.items)
    compiled(given.first, given.seeds)


if __name__ == "__main__":
    main()
