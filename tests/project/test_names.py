"""Public names exist, are listed, are documented, and carry an example."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re

import pytest

import smartrisk

#: Argument checks and parts of messages: for the library's own packages, undocumented.
INTERNAL = {
    "errors": {
        "check_choice",
        "check_jobs",
        "check_number",
        "check_sequence",
        "format_values",
        "suggest_nearest",
    }
}

PACKAGES = sorted(
    package.name
    for package in pkgutil.iter_modules(smartrisk.__path__)
    if not package.name.startswith("_")
)


def list_public():
    """Yield (package, name, object) of every public name."""
    for package in PACKAGES:
        module = importlib.import_module(f"smartrisk.{package}")
        for name in getattr(module, "__all__", ()):
            yield package, name, getattr(module, name, None)


def list_cases(*, exceptions=True):
    """Return the public classes and functions as test parameters."""
    return [
        pytest.param(thing, id=f"{package}.{name}")
        for package, name, thing in list_public()
        if inspect.isroutine(thing) or inspect.isclass(thing)
        if not is_record(thing) and (exceptions or not is_exception(thing))
    ]


def list_defined():
    """Return every class and function that the library defines, as test parameters."""
    things = {}
    for info in pkgutil.walk_packages(smartrisk.__path__, "smartrisk."):
        if info.name in ("smartrisk._mlflow_entry", "smartrisk.__main__"):
            continue
        for thing in vars(importlib.import_module(info.name)).values():
            is_code = inspect.isclass(thing) or inspect.isfunction(thing)
            if is_code and thing.__module__ == info.name:
                things[f"{info.name}.{thing.__qualname__}"] = thing
                if inspect.isclass(thing):
                    things |= list_methods(info.name, thing)
    return [pytest.param(thing, id=name) for name, thing in sorted(things.items())]


def list_methods(module, cls):
    """Return the functions of a class by name."""
    return {
        f"{module}.{member.__qualname__}": member
        for member in vars(cls).values()
        if inspect.isfunction(member)
    }


def is_record(thing):
    """Return whether something is a typed mapping, whose keys its docstring names."""
    return inspect.isclass(thing) and issubclass(thing, dict)


def is_exception(thing):
    """Return whether something is an exception or a warning."""
    return inspect.isclass(thing) and issubclass(thing, BaseException)


def list_parameters(thing, *, variable=False):
    """Return the names of the parameters that a caller can give to `thing`."""
    if inspect.isclass(thing) and getattr(thing, "_is_protocol", False):
        return []
    return [
        p.name
        for p in inspect.signature(thing).parameters.values()
        if p.name not in ("self", "cls")
        and (variable or p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
    ]


def parse_documented(doc):
    """Return the names in the section Parameters of a numpydoc text."""
    section = re.search(
        r"^Parameters\n-{10}\n(.*?)(?=^\w[\w ]*\n-{3,}$|\Z)",
        doc,
        flags=re.MULTILINE | re.DOTALL,
    )
    names = set()
    for line in re.findall(
        r"^([\w*, ]+?)(?: :.*)?$", section[1] if section else "", re.MULTILINE
    ):
        if not line.startswith(" "):
            names.update(name.strip(" *") for name in line.split(","))
    return names - {""}


def find_unknown_parameters(thing):
    """Return the documented names that are not parameters."""
    documented = parse_documented(inspect.getdoc(thing) or "")
    return documented and documented - set(list_parameters(thing, variable=True))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lists_its_names_and_they_exist(package):
    module = importlib.import_module(f"smartrisk.{package}")
    names = module.__all__
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(module, name)] == []
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_defines_under_a_public_name_is_listed(package):
    module = importlib.import_module(f"smartrisk.{package}")
    defined = {
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__ == module.__name__
    }
    assert defined - set(module.__all__) - INTERNAL.get(package, set()) == set()


@pytest.mark.parametrize("thing", list_cases(exceptions=False))
def test_a_public_name_has_a_docstring_with_an_example(thing):
    doc = inspect.getdoc(thing) or ""
    assert re.search(r"^Examples\n-{8}$", doc, flags=re.MULTILINE)


def test_nine_examples_in_ten_run():
    docs = [inspect.getdoc(c.values[0]) or "" for c in list_cases(exceptions=False)]
    assert sum(">>>" in doc for doc in docs) >= 0.9 * len(docs)


@pytest.mark.parametrize(
    "thing", [c for c in list_cases(exceptions=False) if inspect.isclass(c.values[0])]
)
def test_the_example_of_a_class_shows_its_use_and_no_traceback(thing):
    assert "Traceback" not in (thing.__doc__ or "")


@pytest.mark.parametrize("thing", list_cases())
def test_a_public_name_opens_with_one_closed_sentence(thing):
    first = (thing.__doc__ or "").strip().split("\n\n")[0]
    assert first, "no docstring"
    assert "\n" not in first
    assert first.endswith(".")


@pytest.mark.parametrize("thing", list_cases(exceptions=False))
def test_every_parameter_of_a_public_name_is_documented(thing):
    documented = parse_documented(inspect.getdoc(thing) or "")
    assert set(list_parameters(thing)) - documented == set()


@pytest.mark.parametrize("thing", list_defined())
def test_every_documented_parameter_exists(thing):
    assert not find_unknown_parameters(thing)


@pytest.mark.parametrize(
    "thing", [c for c in list_cases() if inspect.isclass(c.values[0])]
)
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
    "thing", [c for c in list_cases() if dataclasses.is_dataclass(c.values[0])]
)
def test_a_value_class_is_frozen(thing):
    assert thing.__dataclass_params__.frozen


def test_a_documented_parameter_that_does_not_exist_is_found():
    def compute(items, *, n_folds=3, **more):
        """Return nothing.

        Parameters
        ----------
        items, folds : int
            Numbers.
        **more : object
            Others.

        Returns
        -------
        nothing : None
        """

    assert find_unknown_parameters(compute) == {"folds"}
