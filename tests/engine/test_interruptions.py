"""An interrupted or refused change leaves the engine as it was, wherever it stops."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

import smartrisk as sr
from smartrisk.models import RevenueRegressor, RiskClassifier

SOURCES = str(Path(sr.__file__).parent)
#: Places at which each is stopped; `score` merges what the updates before it added.
N_PLACES = {"fit": 10, "update": 14, "forget": 6, "score": 5}


class Interruption:
    """Raises at the n-th line of the package that is run; counts the lines."""

    def __init__(self, place=None, error=KeyboardInterrupt):
        self.place, self.error, self.n_lines = place, error, 0

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(SOURCES):
            return None
        if event == "line":
            self.n_lines += 1
            if self.n_lines == self.place:
                raise self.error
        return self

    def run(self, call):
        """Call a function; the interruption is over when it returns."""
        before = sys.gettrace()
        gc.disable()  # what is raised while it collects is lost
        sys.settrace(self)
        try:
            call()
        finally:
            sys.settrace(before)
            gc.enable()


@pytest.fixture(scope="module")
def split(world):
    return sr.windows.time_split(world.declarations.tail(2500), world.outcomes)


@pytest.fixture(scope="module")
def fitted(split):
    engine = sr.RiskEngine(
        features=sr.features.DeclarationFeatures(n_jobs=1),
        classifier=RiskClassifier(n_estimators=3, validation_share=0.0, n_jobs=1),
        regressor=RevenueRegressor(n_estimators=3, n_jobs=1),
        n_jobs=1,
    )
    return engine.fit(split.past, split.known)


def changes_of(engine, split):
    """Return what is interrupted, by name."""
    new = split.later.head(80)
    results = split.known.tail(30).assign(illicit=1)
    trader = str(split.past["importer_id"].value_counts().index[0])
    return {
        "fit": lambda: engine.fit(split.past.head(1500), split.known.head(60)),
        "update": lambda: engine.update(new, results, on_known="replace"),
        "forget": lambda: engine.forget(importer_id=trader),
        "score": lambda: engine.score(new, guard="off"),
    }


@pytest.mark.filterwarnings("ignore::smartrisk.errors.DataQualityWarning")
@pytest.mark.parametrize("name", list(N_PLACES))
def test_interruptions_leave_the_engine_as_it_was(fitted, split, name):
    probe = split.later.head(40)

    def shown(engine):
        scores = engine.score(probe, guard="off")
        return scores.to_numpy().tolist(), engine.version_, repr(engine.last_update_)

    for _ in range(2):  # the first run imports and fills caches: more lines
        counter = Interruption()
        counted = fitted.copy().update(split.later.tail(40))
        counter.run(changes_of(counted, split)[name])
    rng = np.random.default_rng(7)
    # The last line returns from the method: by then the change is done.
    places = rng.choice(counter.n_lines - 2, N_PLACES[name] - 1, replace=False) + 1
    before = shown(fitted.copy().update(split.later.tail(40)))
    for place in (*places, counter.n_lines - 1):
        engine = fitted.copy().update(split.later.tail(40))  # not merged yet
        error = MemoryError if place % 2 else KeyboardInterrupt
        change = changes_of(engine, split)[name]
        stopped = Interruption(int(place), error)
        with pytest.raises(error):
            stopped.run(change)
        assert shown(engine) == before
    changes_of(engine, split)[name]()
    assert (shown(engine)[1] == before[1]) == (name == "score")
