"""The command ``demo``: everything once, on declarations whose truth is known."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.cli._demo_lines import (
    Shown,
    print_files,
    print_items,
    print_results,
    print_scenario,
)
from smartrisk.cli._messages import render_message, translator
from smartrisk.cli._terminal import print_error, print_line
from smartrisk.datasets import make_declarations
from smartrisk.displays import RateCurveDisplay
from smartrisk.engine import RiskEngine
from smartrisk.errors import Message, TrackingError
from smartrisk.evaluation import Evaluation, evaluate, standard_segments
from smartrisk.items import join_by_key
from smartrisk.languages import N_
from smartrisk.models import (
    DateFeaturesClassifier,
    DutyBaseline,
    RandomBaseline,
    SmoothedRateSum,
)
from smartrisk.pages import DemoIndex, write_pages
from smartrisk.progress import track_steps
from smartrisk.schema import KEY
from smartrisk.selectivity import Policy
from smartrisk.tracking import WORLD_TAG, Run, log_run
from smartrisk.workshop import UseCase

_RATES = (0.01, 0.02, 0.05, 0.10)
#: An office of the size of the world controls about one item in twenty.
_CAPACITY = 0.05
#: By risk alone the first items are sure and worth little, by revenue alone they are
#: worth much and unsure; those high in both orders are worth an officer's time.
_POLICY = Policy(capacity=_CAPACITY, rank_by="blend")
#: Share of the items, by day of lodgement, that the engine learns from.
_PAST_SHARE = 0.75
#: Items shown with their reasons: as many as fit on a terminal.
_SHOWN_ITEMS = 5
_STEPS = (
    N_("making a world"),
    N_("fitting the engine"),
    N_("fitting the baselines"),
    N_("scoring and judging"),
    N_("explaining"),
    N_("drawing"),
    N_("logging the run"),
)


class _Classifier(Protocol):
    """A fitted model that gives probabilities of declarations."""

    def predict_proba(self, X: pd.DataFrame, /) -> NDArray[np.float64]:
        """Return probabilities of no hit and of a hit, shape (n_items, 2)."""


def demo(*, items: int, seed: int, out: str, lang: str) -> int:
    """Generate a world, fit, compare with the baselines, explain, log."""
    start = time.monotonic()
    folder = Path(out)
    translate = translator(lang) or str
    with track_steps([translate(step) for step in _STEPS]) as finish_step:
        shown = _make_scenario(items, seed)
        finish_step()
        engine = RiskEngine(random_state=seed).fit(shown.past, shown.known)
        finish_step()
        baselines = _fit_baselines(shown, seed)
        finish_step()
        # The history is extended: an item uses what was lodged before its own day.
        engine.update(shown.new)
        scores = {"smartrisk": engine.score(shown.new)}
        scores |= {n: _score(m, shown.new) for n, m in baselines.items()}
        results = _evaluate_all(scores, shown)
        finish_step()
        decisions = engine.select(shown.new, policy=_POLICY)
        first = _find_first_by_model(decisions)
        reasons = engine.explain(shown.new.loc[first], top=3)
        finish_step()
        files = _write_files(engine, folder, shown, results, lang)
        finish_step()
        run = _log_run(engine, folder, shown, results["smartrisk"], files)
        files |= _write_index(run, folder, shown, results, files, lang)
        finish_step()
    print_scenario(shown)
    print_results(results, _CAPACITY, lang)
    print_items(scores["smartrisk"].loc[first], reasons, decisions, shown, lang)
    print_files(files, run)
    done = Message("cli.demo_done", "done in {seconds} s", seconds=_since(start))
    print_line(f"\n{render_message(done)}")
    return 0


def _since(start: float) -> int:
    """Return the seconds since a moment, rounded."""
    return round(time.monotonic() - start)


def _make_scenario(n_items: int, seed: int) -> Shown:
    """Make a world and cut it at the start of a day."""
    world = make_declarations(n_items, random_state=seed)
    items = world.declarations
    day = pd.Timestamp(str(items["lodged_at"].quantile(_PAST_SHARE))).normalize()
    return Shown(
        world=world,
        seed=seed,
        day=day,
        past=items[items["lodged_at"] < day],
        known=world.outcomes[world.outcomes["known_at"] < day],
        new=items[items["lodged_at"] >= day],
    )


def _fit_baselines(shown: Shown, seed: int) -> dict[str, _Classifier]:
    """Fit what is done today, and the baselines of the literature, on equal terms."""
    joined = join_by_key(shown.past, shown.known, ["illicit"], how="inner")
    hits = joined.pop("illicit").to_numpy(np.int64)
    return {
        "highest duty first": DutyBaseline().fit(joined, hits),
        "smoothed-rate sum": SmoothedRateSum().fit(joined, hits),
        "DATE features": DateFeaturesClassifier(random_state=seed).fit(joined, hits),
        "at random": RandomBaseline(random_state=seed).fit(joined, hits),
    }


def _score(model: _Classifier, new: pd.DataFrame) -> pd.DataFrame:
    """Return SCORES of a baseline: its expected revenue is score times duty."""
    scores = new[list(KEY)].copy()
    scores["risk_score"] = model.predict_proba(new)[:, 1]
    if not isinstance(model, DutyBaseline):  # which has one order, that of the duty
        duty = new["customs_value"] * new["duty_rate"]
        scores["expected_revenue"] = scores["risk_score"] * duty
    return scores


def _evaluate_all(
    scores: dict[str, pd.DataFrame], shown: Shown
) -> dict[str, Evaluation]:
    """Judge by the truth of all later items, inspected or not."""
    truth = shown.world.full_outcomes()
    segments = standard_segments(shown.new, past=shown.past)
    return {
        name: evaluate(part, truth, rates=_RATES, segments=segments, n_bootstrap=100)
        for name, part in scores.items()
    }


def _find_first_by_model(decisions: pd.DataFrame) -> pd.Index:
    """Return the labels of the items that the model ranks first."""
    by_model = decisions[decisions["selected_by"] == "model"]
    return by_model.sort_values("rank").index[:_SHOWN_ITEMS]


def _write_files(
    engine: RiskEngine,
    folder: Path,
    shown: Shown,
    results: dict[str, Evaluation],
    lang: str,
) -> dict[str, Path]:
    """Write engine, picture and pages; return the files by name."""
    display = RateCurveDisplay.from_evaluations(results)
    files = {
        "picture": display.save(folder / "rate_curve.png", lang=lang),
        "engine": engine.save(folder / "engine"),
    }
    files |= write_pages(
        engine,
        shown.new,
        folder,
        past=shown.past,
        outcomes=shown.known,
        capacity=_POLICY,
        evaluation=results["smartrisk"],
        lang=lang,
    )
    return files


def _write_index(
    run: Run | None,
    folder: Path,
    shown: Shown,
    results: dict[str, Evaluation],
    files: dict[str, Path],
    lang: str,
) -> dict[str, Path]:
    """Write the sheet of the use case, where the run was logged, and the first page."""
    more = {}
    if run is not None:
        case = UseCase.from_run(run).save(folder, lang=lang)
        more = {"use-case": case["html"], "use-case-text": case["markdown"]}
    index = DemoIndex.from_demo(
        files | more, results, capacity=_CAPACITY, counts=shown.counts()
    )
    return more | {"index": index.save(folder / "index.html", lang=lang)}


def _log_run(
    engine: RiskEngine,
    folder: Path,
    shown: Shown,
    result: Evaluation,
    files: dict[str, Path],
) -> Run | None:
    """Log the run, or print why the store failed and return None."""
    try:
        return log_run(
            engine,
            evaluation=result,
            declarations={"training": shown.past, "evaluation": shown.new},
            figures={
                "rate_curve.png": files["picture"],
                "model_card.html": files["model-card"],
            },
            tracking_uri=None if os.environ.get("MLFLOW_TRACKING_URI") else folder,
            run_name="demo",
            tags={WORLD_TAG: json.dumps(shown.name_world())},
        )
    except TrackingError as error:
        warning = Message(
            "cli.demo_warning", N_("warning: {text}"), text=render_message(error)
        )
        print_error(render_message(warning))
        return None
