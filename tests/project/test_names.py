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
        "needing",
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


def list_cases(package=None, *, exceptions=True):
    """Return (name, thing) of the public classes and functions, of one package or all.

    A test looks at all of a package and lists what it finds: a test for each of some
    thousand names would take minutes.
    """
    return [
        (f"{owner}.{name}", thing)
        for owner, name, thing in list_public()
        if package in (None, owner)
        if inspect.isroutine(thing) or inspect.isclass(thing)
        if not is_record(thing) and (exceptions or not is_exception(thing))
    ]


def list_classes(package, *, exceptions=True):
    """Return (name, class) of the public classes of a package."""
    cases = list_cases(package, exceptions=exceptions)
    return [(name, thing) for name, thing in cases if inspect.isclass(thing)]


def list_defined(package):
    """Return (name, thing) of every class and function that a package defines."""
    things = {}
    for info in pkgutil.walk_packages(smartrisk.__path__, "smartrisk."):
        if info.name in ("smartrisk._mlflow_entry", "smartrisk.__main__"):
            continue
        if info.name.split(".")[1] != package:
            continue
        for thing in vars(importlib.import_module(info.name)).values():
            is_code = inspect.isclass(thing) or inspect.isfunction(thing)
            if is_code and thing.__module__ == info.name:
                things[f"{info.name}.{thing.__qualname__}"] = thing
                if inspect.isclass(thing):
                    things |= list_methods(info.name, thing)
    return sorted(things.items())


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


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_name_has_a_docstring_with_an_example(package):
    without = [
        name
        for name, thing in list_cases(package, exceptions=False)
        if not re.search(
            r"^Examples\n-{8}$", inspect.getdoc(thing) or "", flags=re.MULTILINE
        )
    ]
    assert without == []


def test_nine_examples_in_ten_run():
    docs = [inspect.getdoc(thing) or "" for _, thing in list_cases(exceptions=False)]
    assert len(docs) > 300
    assert sum(">>>" in doc for doc in docs) >= 0.9 * len(docs)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_example_of_a_class_shows_its_use_and_no_traceback(package):
    classes = list_classes(package, exceptions=False)
    assert [n for n, thing in classes if "Traceback" in (thing.__doc__ or "")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_name_opens_with_one_closed_sentence(package):
    odd = []
    for name, thing in list_cases(package):
        first = (thing.__doc__ or "").strip().split("\n\n")[0]
        if not first or "\n" in first or not first.endswith("."):
            odd.append(name)
    assert odd == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_parameter_of_a_public_name_is_documented(package):
    without = {}
    for name, thing in list_cases(package, exceptions=False):
        documented = parse_documented(inspect.getdoc(thing) or "")
        without[name] = set(list_parameters(thing)) - documented
    assert {name: found for name, found in without.items() if found} == {}


@pytest.mark.parametrize(
    "package", [p.name for p in pkgutil.iter_modules(smartrisk.__path__)]
)
def test_every_documented_parameter_exists(package):
    unknown = {n: find_unknown_parameters(thing) for n, thing in list_defined(package)}
    assert {name: found for name, found in unknown.items() if found} == {}


def test_what_the_library_defines_is_looked_at():
    assert sum(len(list_defined(package)) for package in PACKAGES) > 5000


@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_methods_of_a_class_are_documented(package):
    bare = [
        f"{cls}.{name}"
        for cls, thing in list_classes(package)
        for name, member in vars(thing).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property))
        and not (member.__doc__ or "").strip()
    ]
    assert bare == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_value_class_is_frozen(package):
    values = [c for c in list_classes(package) if dataclasses.is_dataclass(c[1])]
    thawed = [n for n, thing in values if not thing.__dataclass_params__.frozen]
    assert thawed == []


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
