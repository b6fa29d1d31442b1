"""The default engine with few results: sizes of the past and numbers of hits.

Run ``python benchmarks/few_results.py``, about twenty minutes of CPU time. Worlds have
more irregularities and more controls than usual, so that the results can be thinned:
of the results that are known at the cut, in an order by chance, the first ones count
until they hold the wanted number of hits. So the hit rate of the controls and what
officers select stay as they are. All else is as in ``quality.py``. Cells whose worlds
have fewer hits than wanted are left out.

In each cell the engine must reach the best of the smoothed rates, the earlier settings,
and each single member, by the mean precision at 5 %, less one standard error of the
paired difference over the worlds.

A stopped run goes on. Writes ``benchmarks/results/few_results.csv`` and
``docs/tables/few_results.md``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from quality_contenders import (
    OURS,
    Fitted,
    Prepared,
    on_declarations,
    own_contenders,
)
from quality_measures import judge
from quality_runs import World, list_worlds, markdown, parse, publish, run_asked

import smartrisk as sr

#: Items of a world, and hits among its known results.
CELLS = {
    2_000: (10, 20, 40),
    5_000: (10, 50, 100),
    20_000: (20, 200, 600),
    120_000: (50, 2_000),
}
#: Share of illicit and of controlled items: enough for every cell.
ILLICIT, CONTROLLED = 0.1, 0.5
#: Seeds of the worlds of each size.
FIRST_SEED, N_SEEDS = 401, 2
FEWEST_WORLDS = 20
RATES = "smoothed-rate sum"


def scenarios() -> dict[str, Any]:
    """Return the scenarios with more irregularities and controls.

    ``scarce`` differs by its controls alone, so the first one of the independent family
    takes its place.
    """
    made: dict[str, Any] = {
        name: replace(scenario, illicit=ILLICIT, targeted=CONTROLLED)
        for name, scenario in sr.datasets.SCENARIOS.items()
        if name != "scarce"
    }
    name, scenario = next(iter(sr.datasets.INDEPENDENT_SCENARIOS.items()))
    return made | {name: replace(scenario, illicit=ILLICIT, inspected=CONTROLLED)}


def measure(world: World) -> list[dict[str, Any]]:
    """Return a row for each number of hits and contender."""
    whole = Prepared.make(scenarios()[world.scenario], world.n_items, world.seed)
    rows = []
    for n_hits in CELLS[world.n_items]:
        known = thin(whole.split.known, n_hits, world.seed)
        if known is not None:
            split = replace(whole.split, known=known)
            prepared = Prepared(split=split, truth=whole.truth)
            rows += measure_cell(prepared, n_hits)
    # A world too poor for any cell is noted, so that it is not made again.
    return rows or [{"contender": "none", "cell": 0}]


def thin(known: pd.DataFrame, n_hits: int, seed: int) -> pd.DataFrame | None:
    """Return results in which so many hits are left; None where there are too few."""
    order = np.random.default_rng(seed).permutation(len(known))
    hits = known["illicit"].fillna(0).to_numpy(np.int64)[order].cumsum()
    if not len(hits) or hits[-1] < n_hits:
        return None
    return known.iloc[np.sort(order[: np.searchsorted(hits, n_hits) + 1])]


def measure_cell(prepared: Prepared, n_hits: int) -> list[dict[str, Any]]:
    """Return a row per contender."""
    fitted = Fitted.fit(prepared)
    contenders = {
        **own_contenders(),
        RATES: on_declarations(sr.models.SmoothedRateSum()),
    }
    tables = {OURS: fitted.scores}
    tables |= {name: score(fitted) for name, score in contenders.items()}
    return [
        {
            "contender": name,
            "cell": n_hits,
            **prepared.counts,
            **judge(scores, prepared.truth),
        }
        for name, scores in tables.items()
    ]


# ---------------------------------------------------------------- summary


def compare(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cell: the engine, the best other one, and the verdict."""
    rows = []
    for (n_items, n_hits), part in table.groupby(["n_items", "cell"]):
        wide = part.pivot(
            index=["scenario", "seed"], columns="contender", values="precision"
        )
        others = wide.drop(columns=OURS)
        best = str(others.mean().idxmax())
        gap = wide[OURS] - wide[best]
        error = float(gap.std(ddof=1)) / np.sqrt(len(gap))
        rows.append(
            {
                "n_items": n_items,
                "n_hits": n_hits,
                "worlds": len(wide),
                OURS: wide[OURS].mean(),
                **{name: others[name].mean() for name in others},
                "best": best,
                "gap": float(gap.mean()),
                "error": error,
                "reached": bool(gap.mean() >= -error),
            }
        )
    return pd.DataFrame(rows)


def summary_lines(table: pd.DataFrame) -> list[str]:
    """Return the lines of the page."""
    table = table[table["contender"] != "none"]
    counts = table.groupby(["n_items", "cell"])[["scenario", "seed"]].apply(
        lambda part: len(part.drop_duplicates())
    )
    enough = counts[counts >= FEWEST_WORLDS].index
    index = pd.MultiIndex.from_frame(table[["n_items", "cell"]])
    cells = compare(table[index.isin(enough)])
    if not len(cells):
        return [f"No cell has {FEWEST_WORLDS} worlds.", ""]
    names = [OURS, RATES, *own_contenders()]
    shown = pd.DataFrame(
        {
            "items": cells["n_items"].map("{:,}".format),
            "hits": cells["n_hits"].map("{:,}".format),
            "worlds": cells["worlds"],
            **{name: cells[name].map("{:.3f}".format) for name in names},
            "best other": cells["best"],
            "engine minus best, ± standard error": [
                f"{gap:+.3f} ± {error:.3f}"
                for gap, error in zip(cells["gap"], cells["error"], strict=True)
            ],
            "reached": cells["reached"].map({True: "yes", False: "**no**"}),
        }
    )
    left_out = [
        f"{n_items:,} items with {hits:,} hits"
        for n_items, wanted in CELLS.items()
        for hits in wanted
        if (n_items, hits) not in enough
    ]
    note = f"Left out, fewer than {FEWEST_WORLDS} worlds: {'; '.join(left_out)}."
    reached = f"{int(cells['reached'].sum())} of {len(cells)} cells are reached."
    return [*markdown(shown), "", reached, *([note] if left_out else []), ""]


def main() -> None:
    """Measure what is missing, and write the page."""
    asked = parse(
        __doc__,
        "few_results",
        items=CELLS,
        seeds=N_SEEDS,
        first=FIRST_SEED,
        scenarios=scenarios(),
    ).parse_args()
    table = run_asked(asked, list_worlds(asked), measure)
    about = "mean precision at 5 % of all later items, by their truth."
    publish(asked, about, summary_lines(table))


if __name__ == "__main__":
    main()
