"""The default engine without any result: the lift over chance, by scenario.

Run ``python benchmarks/no_results.py``, about four minutes of CPU time. The engine sees
declarations only, up to the cut, and scores the later items; the lift is the share of
illicit items among the 5 % with the highest scores, divided by that of all. The weights
of its signals were chosen on worlds of some scenarios; the others are reported apart.

Writes ``benchmarks/results/no_results.csv`` and ``docs/tables/no_results.md``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from quality_contenders import KEY, OURS, Fitted, Prepared
from quality_measures import judge
from quality_runs import World, list_worlds, markdown, parse, publish, run_asked
from sklearn.ensemble import IsolationForest

import smartrisk as sr

#: Scenarios whose worlds (seeds 50 to 52) the weights of the signals were chosen on.
CHOSEN_ON = (
    "national",
    "drift",
    "transshipment",
    "scarce",
    "adversary",
    "independent-stable",
    "independent-scarce",
)
FOREST, CHEAP, RESULTS_TOO = (
    "isolation forest, our features",
    "low price per kg",
    "with results",
)
#: Bars: lift in the median and in the worst scenario.
MEDIAN, WORST = 4.0, 2.0


def measure(world: World) -> list[dict[str, Any]]:
    """Return a row per contender."""
    whole = Prepared.make(world.scenario, world.n_items, world.seed)
    known = whole.split.known
    nothing = Prepared(split=replace(whole.split, known=known[:0]), truth=whole.truth)
    fitted = Fitted.fit(nothing)
    tables = {
        OURS: fitted.scores,
        FOREST: by_isolation(fitted),
        CHEAP: by_price(whole),
        RESULTS_TOO: Fitted.fit(whole).scores,
    }
    return [
        {
            "contender": name,
            "stage": getattr(fitted.engine, "stage_", "") if name == OURS else "",
            **judge(scores, whole.truth),
        }
        for name, scores in tables.items()
    ]


def by_isolation(fitted: Fitted) -> pd.DataFrame:
    """Return SCORES of an isolation forest on all features of the engine."""
    past = fitted.world.split.past
    sample = past.sample(min(len(past), 10_000), random_state=0)
    learned = np.asarray(fitted.engine.features_.transform(sample))
    middle = np.nan_to_num(np.nanmedian(learned, axis=0))
    fill = [np.where(np.isnan(m), middle, m) for m in (learned, fitted.judged)]
    forest = IsolationForest(random_state=0, n_jobs=1).fit(fill[0])
    later = fitted.world.split.later
    return later[KEY].assign(risk_score=-forest.score_samples(fill[1]))


def by_price(world: Prepared) -> pd.DataFrame:
    """Return SCORES by how far the price per kg lies below that of the heading."""
    past, later = world.split.past, world.split.later
    prices = [np.log(t["customs_value"] / t["net_mass_kg"]) for t in (past, later)]
    prices = [p.replace([np.inf, -np.inf], np.nan) for p in prices]
    codes = [t["tariff_code"].str[:6] for t in (past, later)]
    usual = codes[1].map(prices[0].groupby(codes[0]).median())
    gap = (usual - prices[1]).fillna(0.0).clip(-10.0, 10.0)
    return later[KEY].assign(risk_score=(1 / (1 + np.exp(-gap))).to_numpy())


# ---------------------------------------------------------------- summary


def summary_lines(table: pd.DataFrame) -> list[str]:
    """Return the lines of the page."""
    lift = table.pivot_table(index="scenario", columns="contender", values="lift")
    named = [*sr.datasets.SCENARIOS, *sr.datasets.INDEPENDENT_SCENARIOS]
    lift = lift.loc[[name for name in named if name in lift.index]]
    columns = [OURS, CHEAP, FOREST, RESULTS_TOO]
    shown = pd.DataFrame(
        {
            "scenario": lift.index,
            "used for": [
                "choosing" if name in CHOSEN_ON else "reporting" for name in lift.index
            ],
            **{name: lift[name].map("{:.1f}".format).to_list() for name in columns},
        }
    )
    reported = lift.loc[~lift.index.isin(CHOSEN_ON), OURS]
    chosen = lift.loc[lift.index.isin(CHOSEN_ON), OURS]
    lines = [*markdown(shown), ""]
    for title, part in (("choosing", chosen), ("reporting", reported)):
        if len(part):
            lines.append(
                f"- scenarios for {title}: lift {part.median():.1f} in the median one, "
                f"{part.min():.1f} in the worst ({part.idxmin()}); at least {MEDIAN:g} "
                f"and {WORST:g} wanted: "
                f"{'reached' if is_reached(part) else '**not reached**'}"
            )
    return [*lines, ""]


def is_reached(lift: pd.Series) -> bool:
    """Return whether the median and the worst scenario reach their bars."""
    return bool(lift.median() >= MEDIAN and lift.min() >= WORST)


def main() -> None:
    """Measure what is missing, and write the page."""
    asked = parse(__doc__, "no_results", items=(20_000,), seeds=3).parse_args()
    table = run_asked(asked, list_worlds(asked), measure)
    about = (
        "lift of the precision at 5 % over chance, mean over "
        f"{table['seed'].nunique()} worlds of {table['n_items'].max():,} items."
    )
    publish(asked, about, summary_lines(table))


if __name__ == "__main__":
    main()
