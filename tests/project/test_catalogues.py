"""The catalogues are complete, with the same placeholders in every language."""

from __future__ import annotations

import ast
import importlib.util
import re
from string import Formatter

import pytest

from smartrisk.languages import catalogue
from smartrisk.workshop._sources import list_sources

GUILT = re.compile(r"coupable|culpable|delincuen|criminel|fraudeur|defraudador")


@pytest.fixture(scope="module")
def catalogues(root):
    """Return the program that updates the catalogues."""
    spec = importlib.util.spec_from_file_location(
        "catalogues", root / ".ci/catalogues.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def forms(text):
    """Return a text, or its forms, as a tuple."""
    return (text,) if isinstance(text, str) else tuple(text)


def placeholders(text):
    """Return the placeholders of all forms of a text."""
    braces = {n for form in forms(text) for _, n, _, _ in Formatter().parse(form) if n}
    return braces | set(re.findall(r"%\(\w+\)s", " ".join(forms(text))))


both = pytest.mark.parametrize("lang", ["fr", "es"])
every = pytest.mark.parametrize(
    "domain", ["reasons", "pages", "messages", *list_sources()]
)


@both
@every
def test_a_catalogue_holds_every_text_and_no_other(catalogues, domain, lang):
    wanted = {(m.context, forms(m.id)) for m in catalogues.template(domain) if m.id}
    there = {(m.context, forms(m.id)) for m in catalogues.read(domain, lang) if m.id}
    assert len(wanted) > (0 if domain in list_sources() else 40)
    assert (sorted(map(str, wanted - there)), sorted(map(str, there - wanted))) == (
        [],
        [],
    )


@both
@every
def test_every_text_is_translated_and_none_is_marked_as_unsure(
    catalogues, domain, lang
):
    for message in catalogues.read(domain, lang):
        if message.id:
            assert all(forms(message.string)), message.id
            assert not message.fuzzy, message.id
            assert placeholders(message.string) == placeholders(message.id), message.id
            assert not GUILT.search(" ".join(forms(message.string)).lower())


@both
@every
def test_the_compiled_file_matches_the_text(catalogues, domain, lang):
    compiled = catalogues.path(domain, lang).with_suffix(".mo").read_bytes()
    assert compiled == catalogues.compile_catalogue(catalogues.read(domain, lang))


def calls(path, names):
    """Yield the first constant text in each call of these functions in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in names:
                yield [a.value for a in node.args if isinstance(a, ast.Constant)]


def test_every_text_that_is_translated_is_in_the_catalogue(root, catalogues):
    wanted = {forms(message.id)[0] for message in catalogues.template("pages")}
    package = root / "smartrisk"
    used = {
        constants[0]
        for path in [*package.glob("displays/*.py"), *package.glob("pages/*.py")]
        for constants in calls(path, {"_", "N_", "gettext", "ngettext"})
        if constants
    }
    assert len(used) > 200
    assert used - wanted == set()


def test_every_message_of_an_evaluation_is_in_the_catalogue(root, catalogues):
    wanted = {forms(message.id)[0] for message in catalogues.template("pages")}
    path = root / "smartrisk" / "evaluation" / "_evaluate.py"
    templates = {constants[1] for constants in calls(path, {"Message"})}
    assert len(templates) >= 4
    assert templates - wanted == set()


def test_no_remedy_is_put_together_where_no_catalogue_can_find_it(root, catalogues):
    files = [
        path
        for name in catalogues.MESSAGE_PACKAGES
        for path in (root / "smartrisk").glob(f"{name}/*.py")
    ]
    composed = [
        (path.name, keyword.value.lineno)
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "remedy" and isinstance(keyword.value, ast.JoinedStr)
    ]
    assert composed == []


def test_an_unknown_text_comes_back_in_english():
    assert catalogue("reasons", "fr").gettext("no such text") == "no such text"


@both
def test_every_text_of_a_page_can_be_filled_in(catalogues, lang):
    filled = 0
    for message in catalogues.read("pages", lang):
        for form in forms(message.string) if message.id else ():
            names = re.findall(r"%\((\w+)\)s", form)
            if names:
                assert form % dict.fromkeys(names, "x"), message.id
                filled += 1
    assert filled > 30


def test_every_text_in_a_context_is_in_the_catalogue(root, catalogues):
    wanted = {(m.context, forms(m.id)[0]) for m in catalogues.template("pages")}
    package = root / "smartrisk"
    used = {
        tuple(constants[:2])
        for path in [*package.glob("displays/*.py"), *package.glob("pages/*.py")]
        for constants in calls(path, {"pgettext"})
        if len(constants) == 2
    }
    assert len(used) > 50
    assert used - wanted == set()
