"""Public names exist, are listed, are documented, and carry an example."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re

import pytest

import smartrisk

# Guards and message parts of floor 0 are for the house, not for its visitors.
HOUSE_ONLY = {
    "errors": {"check_choice", "check_number", "format_values", "suggest_nearest"},
}

ROOMS = sorted(
    room.name
    for room in pkgutil.iter_modules(smartrisk.__path__)
    if not room.name.startswith("_")
)


def public():
    """Yield (room, name, object) of every public name."""
    for room in ROOMS:
        module = importlib.import_module(f"smartrisk.{room}")
        for name in getattr(module, "__all__", ()):
            yield room, name, getattr(module, name, None)


def cases(*, exceptions=True):
    """Return the public classes and functions as test parameters."""
    return [
        pytest.param(thing, id=f"{room}.{name}")
        for room, name, thing in public()
        if inspect.isroutine(thing) or inspect.isclass(thing)
        if exceptions or not is_exception(thing)
    ]


def is_exception(thing):
    return inspect.isclass(thing) and issubclass(thing, BaseException)


def parameters(thing):
    """Return the names of the parameters a caller can give to `thing`."""
    if inspect.isclass(thing) and getattr(thing, "_is_protocol", False):
        return []
    signature = inspect.signature(thing)
    return [
        p.name
        for p in signature.parameters.values()
        if p.name not in ("self", "cls")
        and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]


def documented(doc):
    """Return the parameter names of a numpydoc text, grouped ones apart."""
    found = set()
    for line in re.findall(r"^([\w*, ]+) :", doc, flags=re.MULTILINE):
        found.update(name.strip(" *") for name in line.split(","))
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_its_names_and_they_exist(room):
    module = importlib.import_module(f"smartrisk.{room}")
    names = module.__all__
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(module, name)] == []
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_defines_under_a_public_name_is_listed(room):
    module = importlib.import_module(f"smartrisk.{room}")
    defined = {
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__ == module.__name__
    }
    assert defined - set(module.__all__) - HOUSE_ONLY.get(room, set()) == set()


@pytest.mark.parametrize("thing", cases(exceptions=False))
def test_a_public_name_has_a_docstring_with_an_example(thing):
    doc = inspect.getdoc(thing) or ""
    assert re.search(r"^Examples\n-{8}$", doc, flags=re.MULTILINE)


def test_nine_examples_in_ten_run():
    docs = [inspect.getdoc(case.values[0]) or "" for case in cases(exceptions=False)]
    assert sum(">>>" in doc for doc in docs) >= 0.9 * len(docs)


@pytest.mark.parametrize("thing", cases())
def test_a_public_name_opens_with_one_closed_sentence(thing):
    first = (thing.__doc__ or "").strip().split("\n\n")[0]
    assert first, "no docstring"
    assert "\n" not in first
    assert first.endswith(".")


@pytest.mark.parametrize("thing", cases(exceptions=False))
def test_every_parameter_of_a_public_name_is_documented(thing):
    missing = set(parameters(thing)) - documented(inspect.getdoc(thing) or "")
    assert missing == set()


@pytest.mark.parametrize("thing", [c for c in cases() if inspect.isclass(c.values[0])])
def test_the_public_methods_of_a_class_are_documented(thing):
    bare = [
        name
        for name, member in vars(thing).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property))
        and not (member.__doc__ or "").strip()
    ]
    assert bare == []


@pytest.mark.parametrize(
    "thing", [c for c in cases() if dataclasses.is_dataclass(c.values[0])]
)
def test_a_value_class_is_frozen(thing):
    assert thing.__dataclass_params__.frozen
