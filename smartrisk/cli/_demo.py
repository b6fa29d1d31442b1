"""The command ``demo``: everything once, on declarations whose truth is known."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.cli._evaluate import format_rate
from smartrisk.cli._explain import print_item
from smartrisk.cli._messages import render_message
from smartrisk.cli._terminal import format_table, print_error, print_line
from smartrisk.datasets import make_declarations
from smartrisk.displays import RateCurveDisplay
from smartrisk.engine import RiskEngine
from smartrisk.errors import TrackingError
from smartrisk.evaluation import Evaluation, evaluate
from smartrisk.items import join_by_key
from smartrisk.models import DateFeaturesClassifier, RandomBaseline, SmoothedRateSum
from smartrisk.pages import write_pages
from smartrisk.progress import track_steps
from smartrisk.schema import KEY
from smartrisk.tracking import Run, log_run
from smartrisk.worlds import World

_RATES = (0.01, 0.02, 0.05, 0.10)
_SHOWN_RATES = (0.01, 0.05, 0.10)
#: An office of the size of the world controls about one item in twenty.
_CAPACITY = 0.05
#: Share of the items, by day of lodgement, that the engine learns from.
_PAST_SHARE = 0.75
#: Items shown with their reasons: as many as fit on a terminal.
_SHOWN_ITEMS = 5
_STEPS = (
    "making a world",
    "fitting the engine",
    "fitting the baselines",
    "scoring and judging",
    "explaining",
    "drawing",
    "logging the run",
)


@dataclass(frozen=True, eq=False)
class _Scenario:
    """A world cut at a day: what was known by then, and what came after."""

    world: World
    day: pd.Timestamp
    past: pd.DataFrame
    known: pd.DataFrame
    new: pd.DataFrame


class _Classifier(Protocol):
    """A fitted model that gives probabilities of declarations."""

    def predict_proba(self, X: pd.DataFrame, /) -> NDArray[np.float64]:
        """Return probabilities of no hit and of a hit, shape (n_items, 2)."""


def demo(*, items: int, seed: int, out: str) -> int:
    """Generate a world, fit, compare with the baselines, explain, log."""
    start = time.monotonic()
    folder = Path(out)
    with track_steps(_STEPS) as finish_step:
        scenario = _make_scenario(items, seed)
        finish_step()
        engine = RiskEngine(random_state=seed).fit(scenario.past, scenario.known)
        finish_step()
        baselines = _fit_baselines(scenario, seed)
        finish_step()
        # The history is extended: an item uses what was lodged before its own day.
        engine.update(scenario.new)
        scores = {"smartrisk": engine.score(scenario.new)}
        scores |= {n: _score(m, scenario.new) for n, m in baselines.items()}
        results = _evaluate_all(scores, scenario.world.full_outcomes())
        finish_step()
        decisions = engine.select(scenario.new, capacity=_CAPACITY)
        first = _find_first_by_model(decisions)
        sentences = engine.explain(scenario.new.loc[first], top=3).sentences()
        finish_step()
        files = _write_files(engine, folder, scenario, results)
        finish_step()
        run = _log_run(engine, folder, scenario, results["smartrisk"], files)
        finish_step()
    _print_scenario(scenario)
    _print_results(results)
    n_selected = int(decisions["selected_by"].notna().sum())
    print_line(
        f"\nThe first five of {n_selected} items selected at 5%, with the truth:\n"
    )
    _print_items(scores["smartrisk"].loc[first], sentences, scenario.world.truth)
    _print_files(files, run)
    print_line(f"\ndone in {time.monotonic() - start:.0f} s")
    return 0


def _make_scenario(n_items: int, seed: int) -> _Scenario:
    """Make a world and cut it at the start of a day."""
    world = make_declarations(n_items, random_state=seed)
    items = world.declarations
    day = pd.Timestamp(str(items["lodged_at"].quantile(_PAST_SHARE))).normalize()
    return _Scenario(
        world=world,
        day=day,
        past=items[items["lodged_at"] < day],
        known=world.outcomes[world.outcomes["known_at"] < day],
        new=items[items["lodged_at"] >= day],
    )


def _fit_baselines(scenario: _Scenario, seed: int) -> dict[str, _Classifier]:
    """Fit the baselines of the literature on the same inspected items."""
    joined = join_by_key(scenario.past, scenario.known, ["illicit"], how="inner")
    hits = joined.pop("illicit").to_numpy(np.int64)
    return {
        "smoothed-rate sum": SmoothedRateSum().fit(joined, hits),
        "DATE features": DateFeaturesClassifier(random_state=seed).fit(joined, hits),
        "at random": RandomBaseline(random_state=seed).fit(joined, hits),
    }


def _score(model: _Classifier, new: pd.DataFrame) -> pd.DataFrame:
    """Return SCORES of a baseline."""
    scores = new[list(KEY)].copy()
    scores["risk_score"] = model.predict_proba(new)[:, 1]
    return scores


def _evaluate_all(
    scores: dict[str, pd.DataFrame], truth: pd.DataFrame
) -> dict[str, Evaluation]:
    """Judge by the truth of all later items, inspected or not."""
    return {
        name: evaluate(
            part, truth, rates=_RATES, n_bootstrap=100 if name == "smartrisk" else 0
        )
        for name, part in scores.items()
    }


def _find_first_by_model(decisions: pd.DataFrame) -> pd.Index:
    """Return the labels of the items that the model ranks first."""
    by_model = decisions[decisions["selected_by"] == "model"]
    return by_model.sort_values("rank").index[:_SHOWN_ITEMS]


def _write_files(
    engine: RiskEngine,
    folder: Path,
    scenario: _Scenario,
    results: dict[str, Evaluation],
) -> dict[str, Path]:
    """Write engine, picture and pages; return the files by name."""
    display = RateCurveDisplay.from_evaluations(results)
    files = {
        "picture": display.save(folder / "rate_curve.png"),
        "engine": engine.save(folder / "engine"),
    }
    return files | write_pages(
        engine,
        scenario.new,
        folder,
        past=scenario.past,
        outcomes=scenario.known,
        evaluation=results["smartrisk"],
    )


def _log_run(
    engine: RiskEngine,
    folder: Path,
    scenario: _Scenario,
    result: Evaluation,
    files: dict[str, Path],
) -> Run | None:
    """Log the run, or print why the store failed and return None."""
    try:
        return log_run(
            engine,
            evaluation=result,
            declarations={"training": scenario.past, "evaluation": scenario.new},
            figures={
                "rate_curve.png": files["picture"],
                "model_card.html": files["model-card"],
            },
            tracking_uri=None if os.environ.get("MLFLOW_TRACKING_URI") else folder,
            run_name="demo",
        )
    except TrackingError as error:
        print_error(f"warning: {render_message(error)}")
        return None


def _print_scenario(scenario: _Scenario) -> None:
    """Show what was learned from, and what is judged."""
    n_items = len(scenario.world.declarations)
    print_line(f"A synthetic world of {n_items} items (no real trader is in it).")
    print_line(
        f"Learned from {len(scenario.past)} items before {scenario.day:%Y-%m-%d}, of "
        f"which {len(scenario.known)} had a result by then;\n"
        f"judged on the truth of all {len(scenario.new)} later items."
    )


def _print_results(results: dict[str, Evaluation]) -> None:
    """Show the engine next to the baselines."""
    header = ["", *(f"precision@{format_rate(rate)}" for rate in _SHOWN_RATES)]
    header += ["recall@5%", "revenue@5%", "ROC AUC"]
    rows = []
    for name, result in results.items():
        frame = result.frame()
        is_shown = frame["rate"].isin(_SHOWN_RATES)
        by_risk = frame[(frame["rank_by"] == "risk_score") & is_shown]
        at_capacity = frame[frame["rate"] == _CAPACITY]
        rows.append(
            [
                name,
                *by_risk["precision"].tolist(),
                float(at_capacity["recall"].iloc[0]),
                float(at_capacity["revenue_share"].iloc[-1]),
                float(result.overall()["roc_auc"]),
            ]
        )
    print_line()
    print_line(format_table(rows, header))
    print_line(
        "precision@5%: share of hits among the 5% ranked first; revenue@5%: share of "
        "all evaded\nrevenue among them (smartrisk ranks by expected revenue there)."
    )


def _print_items(
    scores: pd.DataFrame, sentences: list[list[str]], truth: pd.DataFrame
) -> None:
    """Show items with their reasons and their truth."""
    rows = scores.to_dict("records")
    true_rows = truth.loc[scores.index].to_dict("records")
    for row, reasons, true_row in zip(rows, sentences, true_rows, strict=True):
        print_item(row, reasons)
        irregularity = (
            f"{true_row['typology']}, {true_row['evaded_revenue']:,.0f} evaded"
        )
        print_line(f"  = {irregularity if true_row['illicit'] else 'compliant'}")


def _print_files(files: dict[str, Path], run: Run | None) -> None:
    """Show where everything is."""
    n_pages = len(files.keys() - {"engine", "picture"})
    print_line(f"\nengine    {files['engine']}\npicture   {files['picture']}")
    print_line(f"pages     {files['watch-list']} and {n_pages - 1} more beside it")
    print_line(f"MLflow    {run or 'not logged, see the message above'}")
