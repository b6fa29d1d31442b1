"""The engine and its rivals on one world, with features that are computed once.

Read by `quality.py`, `few_results.py` and `no_results.py`.
"""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from quality_lite_date import LiteDate

import smartrisk as sr

KEY = list(sr.schema.KEY)
OURS = "smartrisk"
#: The single members of the default model.
MEMBERS = ("boosting", "forest", "extra_trees", "signals")
#: Latest items from which the signals learn what is usual, as in the engine.
N_USUAL = 20_000
#: The default model of the release before the blend: one booster, as many trees as the
#: latest items allow.
EARLIER = {
    "members": ("boosting",),
    "n_estimators": 800,
    "learning_rate": 0.04,
    "feature_fraction": 0.4,
    "min_child_items": 30,
    "l2": 10.0,
    "patience": 50,
}
#: Items that are explained where seconds are measured.
N_EXPLAINED = 1_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A world that is split in time, and the truth of its later items."""

    split: Any
    truth: pd.DataFrame
    #: Later items that officers inspected.
    inspected: np.ndarray | None = None

    @classmethod
    def make(cls, scenario: Any, n_items: int, seed: int) -> Prepared:
        """Make a world; the first three quarters of its items are the past."""
        world = sr.datasets.make_declarations(
            n_items, scenario=scenario, random_state=seed
        )
        split = sr.windows.time_split(world.declarations, world.outcomes)
        later = (world.declarations["lodged_at"] >= split.at).to_numpy()
        truth = world.full_outcomes()[later].reset_index(drop=True)
        inspected = world.truth["channel"].notna().to_numpy()[later]
        return cls(split=split, truth=truth, inspected=inspected)

    @property
    def counts(self) -> dict[str, int]:
        """Results and hits that may be learned from, and items that are judged."""
        return {
            "n_results": len(self.split.known),
            "n_hits": int(self.split.known["illicit"].fillna(0).sum()),
            "n_later": len(self.split.later),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """An engine that was fitted on the past of a world, and the matrices it used."""

    world: Prepared
    engine: sr.RiskEngine
    scores: pd.DataFrame
    seconds: dict[str, float]

    @classmethod
    def fit(cls, world: Prepared, engine: sr.RiskEngine | None = None) -> Fitted:
        """Fit an engine, the default one if none is given, and score later items."""
        split = world.split
        known = split.known if len(split.known) else None
        timer = Timer()
        with quietly():
            made = (engine or sr.RiskEngine(random_state=0)).fit(split.past, known)
            timer.lap("fit_seconds")
            scores = made.score(split.later, guard="off")
            timer.lap("score_seconds")
        return cls(world=world, engine=made, scores=scores, seconds=timer.laps)

    @cached_property
    def labelled(self) -> pd.DataFrame:
        """Inspected items with their results, in order of lodgement."""
        split = self.world.split
        columns = [*KEY, "illicit", "revenue_adjustment"]
        table = split.past.merge(split.known[columns].dropna(subset="illicit"), on=KEY)
        return table.sort_values("lodged_at", kind="stable", ignore_index=True)

    @cached_property
    def hits(self) -> np.ndarray:
        """Labels of `learned`."""
        return self.labelled["illicit"].to_numpy(np.int64)

    @cached_property
    def learned(self) -> Any:
        """Features of the inspected items, each as of its own day."""
        items = self.labelled.drop(columns=["illicit", "revenue_adjustment"])
        return self.engine.features_.transform(items)

    @cached_property
    def judged(self) -> Any:
        """Features of the later items."""
        return self.engine.features_.transform(self.world.split.later)

    @cached_property
    def given_hit(self) -> np.ndarray:
        """Revenue that the engine expects of each later item, given a hit."""
        risk = self.scores["risk_score"].to_numpy(np.float64)
        expected = self.scores["expected_revenue"].to_numpy(np.float64)
        return np.divide(expected, risk, out=np.zeros(len(risk)), where=risk > 0)

    def table(self, risk: np.ndarray, *, own: bool) -> pd.DataFrame:
        """Return SCORES: own models share the revenue model, others rank by value."""
        later = self.world.split.later
        value = np.nan_to_num(later["customs_value"].to_numpy(np.float64))
        amount = self.given_hit if own else value
        return (
            later[KEY]
            .reset_index(drop=True)
            .assign(risk_score=risk, expected_revenue=risk * amount)
        )


class Timer:
    """CPU seconds of this process, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, name: str) -> None:
        """Note the seconds since the last note."""
        now = time.process_time()
        self.laps[name], self._last = now - self._last, now


class quietly(warnings.catch_warnings):  # noqa: N801  (reads as a verb in `with`)
    """Without warnings: worlds with few results are meant."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        warnings.simplefilter("ignore")
        return entered


#: A contender: a function of the fitted world that returns SCORES of its later items.
Contender = Callable[[Fitted], pd.DataFrame]


def risk_of(**settings: Any) -> Contender:
    """Return the contender of a `RiskClassifier` with these settings."""

    def score(fitted: Fitted) -> pd.DataFrame:
        classifier = sr.models.RiskClassifier(random_state=0, **settings)
        with quietly():
            classifier.fit(fitted.learned, fitted.hits)
        risk = classifier.predict_proba(fitted.judged)[:, 1]
        return fitted.table(risk, own=True)

    return score


def score_by_signals(fitted: Fitted) -> pd.DataFrame:
    """Return SCORES of the member that needs no results."""
    past = fitted.world.split.past.sort_values("lodged_at", kind="stable")
    usual = fitted.engine.features_.transform(past.tail(N_USUAL))
    classifier = sr.models.RiskClassifier(members=("signals",))
    classifier.fit(usual, np.full(len(usual), np.nan))
    return fitted.table(classifier.predict_proba(fitted.judged)[:, 1], own=True)


def on_features(make: Callable[[], Any]) -> Contender:
    """Return the contender of any classifier on the features of the engine."""

    def score(fitted: Fitted) -> pd.DataFrame:
        model = make().fit(np.asarray(fitted.learned), fitted.hits)
        risk = model.predict_proba(np.asarray(fitted.judged))[:, 1]
        return fitted.table(np.asarray(risk, np.float64), own=True)

    return score


def on_declarations(contender: Any) -> Contender:
    """Return the contender of a classifier of declarations and labels."""

    def score(fitted: Fitted) -> pd.DataFrame:
        split = fitted.world.split
        found = sr.evaluation.fit_contender(contender, split).score(split)
        return fitted.table(found["risk_score"].to_numpy(np.float64), own=False)

    return score


def own_contenders() -> dict[str, Contender]:
    """Return the earlier settings and the single members of the default model."""
    trees = [name for name in MEMBERS if name != "signals"]
    singles = {f"{name} alone": risk_of(members=(name,)) for name in trees}
    return {
        "earlier settings": risk_of(**EARLIER),
        **singles,
        "signals alone": score_by_signals,
    }


def plain_contenders() -> dict[str, Contender]:
    """Return the rivals of the public benchmark but for CatBoost, by name."""
    made = sr.benchmark.contenders()
    return {
        name: on_declarations(contender)
        for name, contender in made.items()
        if name != OURS and "catboost" not in name
    }


def feature_contenders() -> dict[str, Contender]:
    """Return other libraries on the features of the engine, and LITE-DATE's idea."""
    from sklearn.ensemble import ExtraTreesClassifier

    made = {
        "ExtraTrees, our features": on_features(
            lambda: ExtraTreesClassifier(
                200, min_samples_leaf=3, max_features=0.2, random_state=0, n_jobs=1
            )
        )
    }
    if has("xgboost"):
        made["XGBoost like LITE-DATE"] = score_by_lite_date
    return made


def slow_contenders() -> dict[str, Contender]:
    """Return CatBoost on the declared columns and on the features of the engine."""
    if not has("catboost"):
        return {}
    import catboost

    def make() -> Any:
        # A third of the usual trees, columns and bins: a quarter of an hour otherwise.
        return catboost.CatBoostClassifier(
            iterations=300,
            rsm=0.2,
            border_count=64,
            boosting_type="Plain",
            random_seed=0,
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
        )

    plain = sr.benchmark.contenders()["catboost, raw columns"]
    return {
        "catboost, raw columns": on_declarations(plain),
        "CatBoost, our features": on_features(make),
    }


def has(library: str) -> bool:
    """Return whether an optional library is installed, and report where it is not."""
    if importlib.util.find_spec(library) is not None:
        return True
    sys.stdout.write(f"{library} is not installed: its contenders are left out\n")
    return False


def score_by_lite_date(fitted: Fitted) -> pd.DataFrame:
    """Return SCORES of XGBoost on the features and the two tasks of LITE DATE."""
    items = fitted.labelled.drop(columns=["illicit", "revenue_adjustment"])
    found = np.nan_to_num(fitted.labelled["revenue_adjustment"].to_numpy(np.float64))
    model = LiteDate().fit(items, fitted.hits, found)
    risk, revenue = model.predict(fitted.world.split.later)
    return fitted.table(risk, own=False).assign(expected_revenue=revenue)


# ------------------------------------------------------------ another commit


class BaseEngine:
    """The default engine of another commit, in a process of its own.

    Parameters
    ----------
    folder : path
        A working tree of that commit, such as ``git worktree add FOLDER 613ca71``
        makes. Worlds come from this one, so that both see the same tables.
    """

    _process: Any = None

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def score(self, world: Prepared, *, timed: bool) -> dict[str, Any]:
        """Return SCORES and seconds of the other engine on a world."""
        with tempfile.TemporaryDirectory() as work:
            asked, answer = Path(work) / "asked", Path(work) / "answer"
            split = world.split
            tables = (split.past, split.known, split.later, timed)
            asked.write_bytes(pickle.dumps(tables))
            process = self._start()
            process.stdin.write(f"{asked}\t{answer}\n")
            process.stdin.flush()
            if process.stdout.readline().strip() != "done":
                raise RuntimeError(f"the engine of {self.folder} failed: see above")
            found: dict[str, Any] = pickle.loads(answer.read_bytes())
        return found

    def _start(self) -> Any:
        """Return the process, started once in each process of this benchmark."""
        if BaseEngine._process is None:
            check_imported(self.folder)
            BaseEngine._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=_environment(self.folder),
            )
        return BaseEngine._process


def check_imported(folder: Path) -> None:
    """Raise unless a process of this folder imports the library of this folder."""
    code = "import smartrisk; print(smartrisk.__file__)"
    command = [sys.executable, "-P", "-c", code]  # not from the folder it runs in
    environment = _environment(folder)
    found = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    if folder.resolve() not in Path(found).resolve().parents:
        raise RuntimeError(f"{folder} holds no library: {found} was imported")


def _environment(folder: Path) -> dict[str, str]:
    """Return the variables of this process, with another working tree first."""
    import os

    return {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}


def time_engine(
    past: pd.DataFrame, known: pd.DataFrame, later: pd.DataFrame, timed: bool
) -> dict[str, Any]:
    """Return SCORES and CPU seconds of the engine of whatever version is imported."""
    timer = Timer()
    with quietly():
        engine = sr.RiskEngine(random_state=0).fit(past, known)
        timer.lap("fit_seconds")
        scores = engine.score(later, guard="off")
        timer.lap("score_seconds")
        if timed:
            for name, seconds in time_parts(engine, past, known, later):
                timer.laps[name] = seconds
    columns = [c for c in ("risk_score", "expected_revenue") if c in scores]
    plain = {name: scores[name].to_numpy(np.float64) for name in columns}
    return {"scores": plain, "seconds": timer.laps}


def time_parts(
    engine: Any, past: pd.DataFrame, known: pd.DataFrame, later: pd.DataFrame
) -> Iterator[tuple[str, float]]:
    """Yield CPU seconds of the classifier's fit and of 1,000 explanations."""
    items = past.merge(known[[*KEY, "illicit"]].dropna(), on=KEY)
    hits = items.pop("illicit").to_numpy(np.int64)
    matrix = engine.features_.transform(items)
    timer = Timer()
    sr.models.RiskClassifier(random_state=0).fit(matrix, hits)
    timer.lap("model_seconds")
    sr.models.RiskClassifier(random_state=0, validation_share=0.0).fit(matrix, hits)
    timer.lap("final_seconds")
    engine.explain(later.head(N_EXPLAINED))
    timer.lap("explain_seconds")
    yield from timer.laps.items()


@cache
def warm_up() -> None:
    """Fit once on few items: what is imported at first use is in no seconds."""
    world = sr.datasets.make_declarations(2_000, scenario="small", random_state=0)
    with quietly():
        engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
        engine.score(world.declarations)
        engine.explain(world.declarations.head(20))


def _serve() -> None:
    """Answer the questions of another process until it ends."""
    warm_up()
    for line in sys.stdin:
        asked, answer = line.rstrip("\n").split("\t")
        tables = pickle.loads(Path(asked).read_bytes())
        Path(answer).write_bytes(pickle.dumps(time_engine(*tables)))
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
