"""Errors and warnings: a message id, a template, values; they survive a process."""

from __future__ import annotations

import copy
import pickle
import re
import warnings

import pytest

from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    MissingExtraError,
    SmartRiskError,
    TableError,
    check_jobs,
    check_number,
    check_sequence,
)


def repickle(value):
    return pickle.loads(pickle.dumps(value))


def test_a_bound_is_allowed():
    check_number("example", "share", 0.0, low=0.0, high=1.0)
    check_number("example", "share", 1.0, low=0.0, high=1.0)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "1", None])
def test_a_number_outside_its_bounds_is_refused_by_name(value):
    with pytest.raises(ArgumentError, match=r"example: 'share' must be a number"):
        check_number("example", "share", value, low=0.0, high=1.0)


def test_the_text_is_the_template_with_its_values():
    error = ArgumentError(
        "example.capacity", "got {capacity!r}; {n:,} items", capacity=-1, n=1000
    )
    assert str(error) == "got -1; 1,000 items"
    assert error.message_id == "example.capacity"
    assert dict(error.values) == {"capacity": -1, "n": 1000}


def test_another_language_takes_the_same_values():
    error = ArgumentError("example.capacity", "got {capacity}", capacity=3)
    assert error.text({"got {capacity}": "reçu {capacity}"}.get) == "reçu 3"
    assert str(error) == "got 3"


def test_the_values_of_an_error_are_read_only():
    error = ArgumentError("example.capacity", "got {capacity}", capacity=3)
    with pytest.raises(TypeError):
        error.values["capacity"] = 4


@pytest.mark.parametrize(
    "error",
    [
        ArgumentError("example.one", "got {value}", value=1),
        TableError("example.two", "{n} items", n=2, failures=None),
        MissingExtraError("openpyxl", extra="xlsx"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_whole_from_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert (again.message_id, dict(again.values)) == (
        error.message_id,
        dict(error.values),
    )
    assert vars(again).keys() == vars(error).keys()
    assert getattr(again, "name", None) == getattr(error, "name", None)


@pytest.mark.parametrize("restore", [copy.deepcopy, copy.copy, repickle])
def test_a_warning_comes_back_whole_from_another_process(restore):
    warning = DataQualityWarning("example.doubt", "{n} doubtful items", n=2)
    again = restore(warning)
    assert (type(again), str(again)) == (DataQualityWarning, "2 doubtful items")
    assert (again.message_id, dict(again.values)) == ("example.doubt", {"n": 2})


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ({"low": 1}, "must be a number of at least 1; got -3."),
        ({"low": 0, "high": 1}, r"must be a number in \[0, 1\]; got -3."),
        ({"high": -5}, r"must be a number in \[-inf, -5\]; got -3."),
    ],
)
def test_a_range_without_an_upper_bound_reads_at_least(bounds, text):
    with pytest.raises(ArgumentError, match=text):
        check_number("example", "share", -3, **bounds)


@pytest.mark.parametrize("n_jobs", [0, 1.0, True, "1", [1]])
def test_a_number_of_jobs_that_makes_no_sense_is_refused(n_jobs):
    text = "example: 'n_jobs' must be None or an integer other than 0 (-1 for every "
    text = re.escape(text + "processor); got ")
    with pytest.raises(ArgumentError, match=text):
        check_jobs("example", n_jobs)


def test_none_all_cores_and_numbers_from_1_on_are_allowed():
    for n_jobs in (None, -2, -1, 1, 64):
        check_jobs("example", n_jobs)


@pytest.mark.parametrize("values", [None, 3, True, "abc", {"a": 1}, {1}])
def test_what_is_no_sequence_is_refused_by_name(values):
    with pytest.raises(ArgumentError, match="example: 'keys' must be a tuple of keys"):
        check_sequence("example", "keys", values, content="keys")


def test_tuples_and_lists_are_sequences():
    for values in ((), [1], range(2)):
        check_sequence("example", "keys", values, content="keys")


def test_a_warning_carries_its_message_id():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(
            DataQualityWarning("example.doubt", "{n} doubtful items", n=2), stacklevel=1
        )
    assert caught[0].message.message_id == "example.doubt"
    assert str(caught[0].message) == "2 doubtful items"


def test_a_missing_extra_names_the_command():
    error = MissingExtraError("openpyxl", extra="xlsx")
    assert "pip install 'smartrisk[xlsx]'" in str(error)
    assert error.name == "openpyxl"
    assert isinstance(error, ImportError)
    assert isinstance(error, SmartRiskError)
