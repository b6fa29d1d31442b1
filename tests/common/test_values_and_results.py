"""Every exported value is frozen and equal by content; every result has a frame."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil

import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import smartrisk


def exported_classes():
    """Yield (name, class) of every class that a room exports."""
    for room in pkgutil.iter_modules(smartrisk.__path__):
        if room.name.startswith("_"):
            continue
        module = importlib.import_module(f"smartrisk.{room.name}")
        for name in sorted(getattr(module, "__all__", ())):
            thing = getattr(module, name)
            if inspect.isclass(thing):
                yield name, thing


CLASSES = dict(exported_classes())
VALUES = {
    name: thing for name, thing in CLASSES.items() if dataclasses.is_dataclass(thing)
}


def without_arguments(thing):
    """Tell whether the class can be made without arguments."""
    return all(
        f.default is not dataclasses.MISSING
        or f.default_factory is not dataclasses.MISSING
        for f in dataclasses.fields(thing)
        if f.init
    )


DEFAULTS = [
    pytest.param(thing, id=name)
    for name, thing in VALUES.items()
    if without_arguments(thing)
]


@pytest.mark.parametrize("thing", DEFAULTS)
def test_a_value_is_equal_by_content_and_cannot_be_changed(thing):
    value = thing()
    assert value == thing()
    assert repr(value).startswith(thing.__name__)
    name = dataclasses.fields(thing)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


@pytest.mark.parametrize("thing", DEFAULTS)
def test_a_value_with_settings_is_made_by_keyword(thing):
    assert all(f.kw_only for f in dataclasses.fields(thing) if f.init)


@pytest.fixture(scope="module")
def results(engine, world, past_and_new, declarations):
    """Return one result of every kind, by the name of its class."""
    from smartrisk import schema, validation
    from smartrisk.evaluation import evaluate

    _, new = past_and_new
    few = new.iloc[:200]
    made = [
        evaluate(engine.score(new), world.full_outcomes()),
        engine.explain(few, top=3),
        validation.check(declarations.iloc[:50], schema.DECLARATIONS),
    ]
    return {type(result).__name__: result for result in made}


WITH_FRAME = sorted(
    name for name, thing in CLASSES.items() if callable(getattr(thing, "frame", None))
)


@pytest.mark.parametrize("name", WITH_FRAME)
def test_a_result_gives_its_numbers_as_a_frame(name, results):
    if name not in results:
        pytest.skip("made of other inputs; tested in its own room")
    frame = results[name].frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.is_unique
    frame.iloc[:0] = frame.iloc[:0]
    pd.testing.assert_frame_equal(results[name].frame(), frame)


@pytest.mark.parametrize("name", WITH_FRAME)
def test_changing_the_frame_changes_no_result(name, results):
    if name not in results:
        pytest.skip("made of other inputs; tested in its own room")
    frame = results[name].frame()
    before = frame.copy(deep=True)
    frame["added"] = 0
    pd.testing.assert_frame_equal(results[name].frame(), before)


def test_every_exported_class_has_common_checks():
    """An exported class is of a kind that the tests of this folder know."""
    known_kinds = (BaseException, BaseEstimator)
    strangers = [
        name
        for name, thing in CLASSES.items()
        if not issubclass(thing, known_kinds)
        and not dataclasses.is_dataclass(thing)
        and not callable(getattr(thing, "frame", None))
        and not callable(getattr(thing, "plot", None))
        and not getattr(thing, "_is_protocol", False)
        and name not in {"RiskEngine", "SumTable", "Texts"}
    ]
    assert strangers == []
