"""Whatever a contender could use counts towards its fingerprint, or is refused."""

from __future__ import annotations

import ctypes
import functools
import pickle
import re
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from smartrisk.errors import ArgumentError
from smartrisk.resumable import fingerprint


class Named(list):
    """A list with attributes."""


class Table(dict):
    """A mapping with attributes."""


class Group(set):
    """A set with attributes."""


class Code(str):
    """A text with attributes."""


class Numbers(np.ndarray):
    """An array with attributes."""


class Both:
    """A class with slots and a dictionary."""

    __slots__ = ("__dict__", "slot")


@dataclass
class Settings:
    """A dataclass that takes other attributes too."""

    rate: float = 0.1


class Call:
    """An object that Python takes for a method: it has ``__get__``."""

    def __init__(self, rate):
        self.rate = rate

    def __get__(self, owner, kind=None):
        """Return itself."""
        return self


class Booster:
    """An object that LightGBM could have made: a pointer, and a model as text."""

    def __init__(self, model):
        self.pointer = ctypes.pointer(ctypes.c_int(1))
        self.model = model

    def model_to_string(self):
        """Return the model."""
        return self.model


def with_attribute(value, attribute, name="extra"):
    """Return the value after an attribute of it is set."""
    setattr(value, name, attribute)
    return value


def with_rate(rate):
    """Return an object with a slot, and one more attribute."""
    value = with_attribute(Both(), rate, "slot")
    return with_attribute(value, 0)


def close_over(value):
    """Return a function that closes over a value."""
    return lambda: value


def cached(by):
    """Return a function with a cache."""

    @functools.lru_cache
    def shift(value):
        return value + by

    return shift


PAIRS = {
    "items of a deque": (deque([1]), deque([2])),
    "the length of a deque": (deque([1], 3), deque([1], 4)),
    "attributes of a list": tuple(with_attribute(Named([1]), k) for k in (1, 2)),
    "items of a list of its own class": (Named([1]), Named([2])),
    "attributes of a mapping": tuple(with_attribute(Table(a=1), k) for k in (1, 2)),
    "items of a mapping of its own class": (Table(a=1), Table(a=2)),
    "attributes of a set": tuple(with_attribute(Group("a"), k) for k in (1, 2)),
    "attributes of a text": tuple(with_attribute(Code("a"), k) for k in (1, 2)),
    "a text of its own class": (Code("a"), Code("b")),
    "attributes of an array": tuple(
        with_attribute(np.zeros(1).view(Numbers), k) for k in (1, 2)
    ),
    "more attributes of a dataclass": tuple(
        with_attribute(Settings(), k) for k in (1, 2)
    ),
    "slots beside a dictionary": (with_rate(1), with_rate(2)),
    "a dictionary beside slots": tuple(with_attribute(Both(), k) for k in (1, 2)),
    "attributes of a function": tuple(with_attribute(close_over(0), k) for k in (1, 2)),
    "an object with __get__": (Call(1), Call(2)),
    "a function with a cache": (cached(1), cached(2)),
    "defaults of a mapping": (defaultdict(int), defaultdict(list)),
    "counts": (Counter("ab"), Counter("abb")),
    "ordered mappings": (OrderedDict(a=1), OrderedDict(a=2)),
    "patterns": (re.compile("a"), re.compile("b")),
    "universal functions": (np.log, np.exp),
    "masks": tuple(np.ma.array([1, 2], mask=[k, False]) for k in (True, False)),
    "models of a booster": (Booster("tree 1"), Booster("tree 2")),
    "a booster that a function closes over": (
        close_over(Booster("tree 1")),
        close_over(Booster("tree 2")),
    ),
    "cells of several types": (
        pd.DataFrame({"a": [1, "x"]}),
        pd.DataFrame({"a": ["1", "x"]}),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_content_counts(name):
    one, other = PAIRS[name]
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(other)


def test_the_model_of_a_booster_of_lightgbm_counts():
    lightgbm = pytest.importorskip("lightgbm")

    def train(n_rounds):
        data = lightgbm.Dataset(np.arange(60.0).reshape(-1, 1), np.arange(60) % 2)
        return lightgbm.train({"verbose": -1, "num_threads": 1}, data, n_rounds)

    one, again, other = train(1), train(1), train(2)
    assert fingerprint(close_over(one)) == fingerprint(close_over(again))
    assert fingerprint(close_over(one)) != fingerprint(close_over(other))


def define(text, **others):
    """Return the function ``score`` that a module with this text defines."""
    names = {"__name__": "contenders", **others}
    exec(compile(text, "contenders.py", "exec"), names)
    return names["score"]


GLOBALS = {
    "a mapping": ({"rate": 1}, {"rate": 2}),
    "a list": ([1], [2]),
    "a set": ({1}, {2}),
    "a number": (1, 2),
    "an array": (np.zeros(2), np.ones(2)),
    "a table": (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
    "an estimator": (LogisticRegression(C=1), LogisticRegression(C=2)),
    "a module": (np, pd),
    "a function of another module": (fingerprint, with_rate),
}


@pytest.mark.parametrize("name", GLOBALS)
def test_the_global_objects_that_a_function_names_count(name):
    one, other = GLOBALS[name]
    text = "def score(x):\n    return [CFG for _ in x]\n"
    assert fingerprint(define(text, CFG=one)) == fingerprint(define(text, CFG=one))
    assert fingerprint(define(text, CFG=one)) != fingerprint(define(text, CFG=other))


def test_a_global_object_that_a_function_does_not_name_does_not_count():
    text = "def score(x):\n    return x.CFG\n"
    assert fingerprint(define(text, CFG=[1])) == fingerprint(define(text, CFG=[2]))


def test_the_attributes_of_a_class_count():
    text = "class score:\n    rates = {'a': 1}\n    def get(self):\n        return 1\n"
    other = text.replace("1}", "2}")
    assert fingerprint(define(text)()) == fingerprint(define(text)())
    assert fingerprint(define(text)()) != fingerprint(define(other)())


def test_an_empty_cell_of_a_closure_is_skipped():
    def outer():
        def inner():
            return later

        digest = fingerprint(inner)
        later = 1
        return digest, fingerprint(inner)

    before, after = outer()
    assert before != after


class Stubborn:
    """An object that refuses to be pickled."""

    def __reduce_ex__(self, protocol):
        raise pickle.PicklingError("no")


def count():
    """Yield a number."""
    yield 1


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (threading.Lock, "_thread.lock"),
        (lambda: ctypes.pointer(ctypes.c_int(1)), "LP_c_int"),
        (count, "builtins.generator"),
        (Stubborn, "Stubborn"),
        (lambda: close_over(ctypes.pointer(ctypes.c_int(1))), "LP_c_int"),
    ],
)
def test_what_cannot_be_read_is_refused(make, kind):
    with pytest.raises(ArgumentError, match=rf"{kind}' cannot be read") as error:
        fingerprint({"part": make()})
    assert error.value.message_id == "resumable.content_cannot_be_read"
    assert "Leave 'folder' out" in str(error.value)


def test_an_open_file_is_refused(tmp_path):
    with (
        (tmp_path / "a").open("w") as file,
        pytest.raises(ArgumentError, match="TextIOWrapper"),
    ):
        fingerprint(file)
