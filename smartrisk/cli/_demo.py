"""`smartrisk demo`: everything once, on declarations whose truth is known."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.cli._commands import rate_text, say_item
from smartrisk.cli._report import write_pages
from smartrisk.cli._terminal import complain, say, steps, table
from smartrisk.datasets import make_declarations
from smartrisk.displays import RateCurveDisplay
from smartrisk.engine import RiskEngine
from smartrisk.errors import TrackingError
from smartrisk.evaluation import Evaluation, evaluate
from smartrisk.models import DateFeaturesClassifier, RandomBaseline, SmoothedRateSum
from smartrisk.schema import KEY
from smartrisk.tracking import log_run

_RATES = (0.01, 0.02, 0.05, 0.10)
_SHOWN = (0.01, 0.05, 0.10)
_CAPACITY = 0.05
_PAST = 0.75
_STEPS = (
    "making a world",
    "fitting the engine",
    "fitting the baselines",
    "scoring and judging",
    "explaining",
    "drawing",
    "logging the run",
)


def demo(asked: argparse.Namespace) -> int:
    """Make a world, fit, judge beside the baselines, explain, log."""
    begun = time.monotonic()
    folder = Path(asked.out)
    with steps(_STEPS) as done:
        world = make_declarations(asked.items, random_state=asked.seed)
        items = world.declarations
        cut = pd.Timestamp(str(items["lodged_at"].quantile(_PAST))).normalize()
        past, new = items[items["lodged_at"] < cut], items[items["lodged_at"] >= cut]
        known = world.outcomes[world.outcomes["known_at"] < cut]
        done()
        engine = RiskEngine(random_state=asked.seed).fit(past, known)
        done()
        others = _baselines(past, known, asked.seed)
        done()
        engine.update(new)  # an item sees what was lodged before its day
        scores = {"smartrisk": engine.score(new)}
        scores |= {name: _scores(model, new) for name, model in others.items()}
        results = _judged(scores, world.full_outcomes())
        done()
        decisions = engine.select(new, capacity=_CAPACITY)
        first = _first_by_model(decisions)
        said = engine.explain(new.loc[first], top=3).sentences()
        done()
        files = _written(engine, folder, (past, new, known), results)
        done()
        shown = {
            "rate_curve.png": files["picture"],
            "model_card.html": files["model-card"],
        }
        data = {"training": past, "evaluation": new}
        run = _logged(engine, folder, (results["smartrisk"], data, shown))
        done()
    _tell_world(items, known, (past, new, cut))
    _tell_results(results)
    n = int(decisions["selected_by"].notna().sum())
    say(f"\nOf {n} items selected at 5%, the first five, why, and the truth:\n")
    _tell_items(scores["smartrisk"].loc[first], said, world.truth)
    say(f"\nengine    {files.pop('engine')}\npicture   {files.pop('picture')}")
    say(f"pages     {files['watch-list']} and {len(files) - 1} more beside it")
    say(f"MLflow    {run}" if run else "MLflow    not logged, see the message above")
    say(f"\ndone in {time.monotonic() - begun:.0f} s")
    return 0


def _written(
    engine: RiskEngine,
    folder: Path,
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    results: dict[str, Evaluation],
) -> dict[str, Path]:
    """Write engine, picture and pages; return the files by name."""
    past, new, known = tables
    display = RateCurveDisplay.from_evaluations(results)
    files = {
        "picture": display.save(folder / "rate_curve.png"),
        "engine": engine.save(folder / "engine"),
    }
    judged = results["smartrisk"]
    return files | write_pages(
        engine, new, folder, past=past, outcomes=known, evaluation=judged
    )


def _baselines(past: pd.DataFrame, known: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Fit the field's baselines on the same inspected items."""
    joined = past.merge(known[[*KEY, "illicit"]], on=list(KEY), how="inner")
    hits = joined.pop("illicit").to_numpy(np.int64)
    return {
        "smoothed-rate sum": SmoothedRateSum().fit(joined, hits),
        "DATE features": DateFeaturesClassifier(random_state=seed).fit(joined, hits),
        "at random": RandomBaseline(random_state=seed).fit(joined, hits),
    }


def _scores(model: Any, new: pd.DataFrame) -> pd.DataFrame:
    scores = new[list(KEY)].copy()
    scores["risk_score"] = model.predict_proba(new)[:, 1]
    return scores


def _judged(
    scores: dict[str, pd.DataFrame], truth: pd.DataFrame
) -> dict[str, Evaluation]:
    """Judge by the truth of all later items, inspected or not."""
    return {
        name: evaluate(
            part, truth, rates=_RATES, n_bootstrap=100 if name == "smartrisk" else 0
        )
        for name, part in scores.items()
    }


def _first_by_model(decisions: pd.DataFrame, most: int = 5) -> pd.Index:
    """Return the items that the model would have inspected first."""
    by_model = decisions[decisions["selected_by"] == "model"]
    return by_model.sort_values("rank").index[:most]


def _logged(engine: RiskEngine, folder: Path, about: tuple[Any, Any, Any]) -> Any:
    """Log the run; a store that fails spoils nothing else."""
    result, data, shown = about
    uri = None if os.environ.get("MLFLOW_TRACKING_URI") else folder
    try:
        return log_run(
            engine,
            evaluation=result,
            declarations=data,
            figures=shown,
            tracking_uri=uri,
            run_name="demo",
        )
    except TrackingError as error:
        complain(f"warning: {error}")
        return None


def _tell_world(
    items: pd.DataFrame, known: pd.DataFrame, parts: tuple[Any, Any, Any]
) -> None:
    past, new, cut = parts
    say(f"A made-up world of {len(items)} items (no real trader is in it).")
    say(
        f"Learned from {len(past)} items before {cut:%Y-%m-%d}, of which {len(known)} "
        f"had a result by then; judged on the truth of all {len(new)} later items."
    )


def _tell_results(results: dict[str, Evaluation]) -> None:
    header = ["", *(f"precision@{rate_text(r)}" for r in _SHOWN)]
    header += ["recall@5%", "revenue@5%", "ROC AUC"]
    rows = []
    for name, result in results.items():
        frame = result.frame()
        risk = frame[(frame["rank_by"] == "risk_score") & frame["rate"].isin(_SHOWN)]
        five = frame[frame["rate"] == 0.05]
        rows.append(
            [
                name,
                *risk["precision"].tolist(),
                float(five["recall"].iloc[0]),
                float(five["revenue_share"].iloc[-1]),
                float(result.overall()["roc_auc"]),
            ]
        )
    say()
    say(table(rows, header))
    say(
        "precision@5%: share of hits among the 5% ranked first; revenue@5%: share of "
        "all evaded\nrevenue among them (smartrisk ranks by expected revenue there)."
    )


def _tell_items(
    scores: pd.DataFrame, said: list[list[str]], truth: pd.DataFrame
) -> None:
    true = truth.loc[scores.index].to_dict("records")
    for row, sentences, was in zip(scores.to_dict("records"), said, true, strict=True):
        say_item(row, sentences)
        what = f"{was['typology']}, {was['evaded_revenue']:,.0f} evaded"
        say(f"  = {what if was['illicit'] else 'in order'}")
