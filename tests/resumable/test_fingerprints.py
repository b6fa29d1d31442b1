"""A fingerprint changes with everything in its parts, and with nothing else."""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import smartrisk as sr
from smartrisk.resumable import fingerprint
from smartrisk.selectivity import Condition, Policy, Rule, RuleSet


class Colour(Enum):
    """Two members."""

    RED = 1
    BLUE = 2


class Plain:
    """An object with attributes."""

    calls = 0

    def __init__(self, value):
        self.value = value

    def twice(self):
        """Return twice the value."""
        return 2 * self.value


class Other(Plain):
    """Another class with the same attributes."""


class OtherRegression(LogisticRegression):
    """Another class with the same settings."""


@dataclass
class Settings:
    """A dataclass whose repr and comparison hide a field."""

    shown: int = 1
    hidden: int = field(default=1, repr=False, compare=False)


def shifted(by):
    """Return a function that closes over a number."""

    def shift(value):
        return value + by

    return shift


def added(value):
    """Return the value and one."""
    return value + 1


def subtracted(value):
    """Return the value less one."""
    return value - 1


def rules(threshold):
    """Return rules with one condition."""
    high_duty = Condition(field="duty_rate", operator=">=", value=threshold)
    return RuleSet(rules=(Rule(rule_id="duty", when=(high_duty,), channel="yellow"),))


PAIRS = {
    "numbers of two types": (1, 1.0),
    "a flag and a number": (True, 1),
    "texts that join to one": (["ab", "c"], ["a", "bc"]),
    "a list and a tuple": ([1], (1,)),
    "one list and two": ([[1, 2]], [[1], [2]]),
    "values of a mapping": ({"a": 1}, {"a": 2}),
    "members of an enumeration": (Colour.RED, Colour.BLUE),
    "days": (date(2024, 1, 1), date(2024, 1, 2)),
    "attributes": (Plain(1), Plain(2)),
    "classes of equal content": (Plain(1), Other(1)),
    "fields that the repr hides": (Settings(), Settings(hidden=2)),
    "functions": (added, subtracted),
    "what a function closes over": (shifted(1), shifted(2)),
    "arguments of a partial call": (
        functools.partial(added, 1),
        functools.partial(added, 2),
    ),
    "the object of a bound method": (Plain(1).twice, Plain(2).twice),
    "the object of a method in C": ([1].append, [2].append),
    "settings of an estimator": (LogisticRegression(C=1), LogisticRegression(C=2)),
    "classes of equal settings": (LogisticRegression(), OtherRegression()),
    "settings of a nested estimator": (
        make_pipeline(StandardScaler(), LogisticRegression(C=1)),
        make_pipeline(StandardScaler(), LogisticRegression(C=2)),
    ),
    "settings of an engine": (
        sr.RiskEngine(random_state=0),
        sr.RiskEngine(random_state=1),
    ),
    "settings of a policy": (Policy(), Policy(trusted_relief=0.1)),
    "conditions of a rule": (rules(0.1), rules(0.2)),
    "arrays": (np.array([1.0, 2.0]), np.array([1.0, 3.0])),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "types of an array": (np.zeros(2, np.int64), np.zeros(2, np.float64)),
    "arrays of objects": (np.array(["a", 1], object), np.array(["a", 2], object)),
    "states of random numbers": (np.random.default_rng(0), np.random.default_rng(1)),
    "cells of a table": (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
    "names of columns": (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
    "an index": (pd.Series([1], index=[0]), pd.Series([1], index=[1])),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_differs_has_another_fingerprint(name):
    one, other = PAIRS[name]
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(other)


def test_equal_content_in_new_objects_has_the_same_fingerprint():
    def make():
        return (
            {"b": [1, None], "a": {"x", "y", "z"}},
            make_pipeline(StandardScaler(), LogisticRegression()),
            shifted(3),
            rules(0.1),
            pd.DataFrame({"origin": ["VN", None], "at": pd.Timestamp("2024-01-01")}),
        )

    assert fingerprint(make()) == fingerprint(make())


def test_the_order_of_a_mapping_does_not_count():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_what_an_estimator_learned_does_not_count():
    X, y = [[0.0], [1.0]], [0, 1]
    fitted = LogisticRegression().fit(X, y)
    assert fingerprint(fitted) == fingerprint(LogisticRegression())


def module(text):
    """Return the names that a module with this text defines."""
    names = {"__name__": "contenders"}
    exec(compile(text, "contenders.py", "exec"), names)
    return names


def test_the_code_of_a_function_and_of_what_it_calls_counts():
    text = "RATE = 2\ndef help(x):\n    return x * RATE\n"
    text += "def score(x):\n    return help(x)\n"
    text += "class Ranker:\n    def score(self, x):\n        return help(x)\n"
    first, again = module(text), module(text)
    for change in (("RATE = 2", "RATE = 3"), ("x * RATE", "x + RATE")):
        other = module(text.replace(*change))
        for name in ("score", "Ranker"):
            assert fingerprint(first[name]) == fingerprint(again[name])
            assert fingerprint(first[name]) != fingerprint(other[name])


def test_a_value_that_contains_itself_has_a_fingerprint():
    loop = [1]
    loop.append(loop)
    assert fingerprint(loop) == fingerprint(loop)


def test_the_version_of_the_library_counts(monkeypatch):
    before = fingerprint("x")
    monkeypatch.setattr(sr, "__version__", "99.0")
    assert fingerprint("x") != before


@pytest.mark.slow
def test_another_process_gives_the_same_fingerprint(root):
    code = "import smartrisk as sr\nfrom smartrisk.resumable import fingerprint\n"
    code += "from smartrisk.selectivity import Policy\n"
    code += "print(fingerprint({'a', 'b', 'c'}, Policy(), sr.RiskEngine(), "
    code += "lambda x: x in {'p', 'q'}))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
