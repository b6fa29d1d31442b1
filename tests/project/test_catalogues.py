"""The catalogues are complete, with the same placeholders in every language."""

from __future__ import annotations

import ast
import importlib.util
import re
from string import Formatter

import pytest

from smartrisk.errors import LedgerError, Message
from smartrisk.languages import catalogue, render
from smartrisk.workshop._sources import list_sources

#: Words of a domain that stand without a context, by the reason why one translation
#: serves in every place. Any other text of one word needs `pgettext`.
ONE_SENSE = {
    "a noun that is the heading of a whole section or page": {
        *("Calibration", "Columns", "Competition", "Contact", "Data", "Demonstration"),
        *("Drift", "Evaluation", "Method", "Question", "Readiness", "Segments"),
        *("Parameters", "Tables", "Definition", "Shares"),
    },
    "a noun that stands by itself over a column or at an axis": {
        *("Difference", "Dimension", "File", "Interval", "Items", "Log-odds", "Name"),
        *("Results", "Segment", "Step", "Team"),
    },
    "a noun in the plural, beside its count": {
        *("columns", "importers", "items", "results", "rows"),
    },
    "a period of the calendar": {"Month", "Quarter", "Year", "month"},
    "a term of the glossary or of statistics": {
        *("Channel", "Declaration", "Policy", "Precision", "Reasons", "Recall"),
        *("Revenue", "Risk", "Score", "numerator", "recall", "risk"),
    },
    "a family of features of the model": {"codes", "structuring"},
}

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


def test_a_word_of_a_page_has_a_context_or_a_reason_to_have_none(catalogues):
    bare = {
        message.id
        for message in catalogues.template("pages")
        if message.id and not message.context and len(forms(message.id)[0].split()) == 1
    }
    allowed = sorted(word for words in ONE_SENSE.values() for word in words)
    assert len(allowed) == len(set(allowed))
    assert sorted(bare) == allowed


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


#: Templates that calls take from elsewhere, by file: why the catalogue has them.
PASSED_ON = {
    ("cli/_demo.py", "N_('warning: {text}')"): "marked",
    ("cli/_doubts.py", "doubt.remedy"): "a remedy of `quality`",
    ("cli/_lineage.py", "template"): "pairs of a table",
    ("cli/_main.py", "template"): "marked",
    ("cli/_messages.py", "template"): "of `print_message`",
    ("disclosure/_suppression.py", "GIVEN_AWAY_TEXT"): "of `_attack`",
    ("errors.py", "_PROBLEMS.get(sys.platform, _PROBLEMS['linux'])"): "a table",
    ("errors.py", "message_id"): "an argument of the base",
    ("errors.py", "template"): "restored from a pickle, or of the base",
    (
        "errors.py",
        "f'{{owner}}: {{name!r}} must be {kind}{scope}; got {{value!r}}.'",
    ): "all six are in `languages`",
    ("evaluation/_audit.py", "template"): "of `_look_up_finding`",
    ("evaluation/_leaks.py", "_TEMPLATES[row['probe']]"): "a table",
    ("features/_lookups.py", "identity"): "no message",
    ("features/_packing.py", "table"): "no message",
    ("features/_table_checks.py", "problem"): "no message",
    ("intake/_findings.py", "template"): "a table",
    ("intake/_looks.py", "template"): "marked",
    ("intake/_open.py", "_TEXTS[named]"): "a table",
    ("intake/_read.py", "error.template"): "of an error",
    ("intake/_read.py", "remedy"): "marked",
    ("ledger/_entries.py", "'Ledger.record: ' + error.template"): "a head and an error",
    ("ledger/_entries.py", "error.template"): "of an error",
    ("ledger/_postgres.py", "remedy"): "pairs of a table",
    ("ledger/_sqlite.py", "remedy"): "pairs of a table",
    ("monitoring/_guard_report.py", "_TEXTS[self.check][0]"): "a table",
    ("monitoring/_guard_report.py", "self.remedy"): "a table",
    ("monitoring/_guard_report.py", "text"): "a table",
    ("quality/_result_checks.py", "template"): "pairs of a table",
    ("serving/_problems.py", "template"): "an argument of the base",
    ("validation/_check.py", "message.template"): "of a message",
    (
        "validation/_report.py",
        "'{field!r} (column {column!r}): ' + problem if is_renamed else "
        "'{field!r}: ' + problem",
    ): "a head and a table",
    ("workshop/_feedback.py", "_NO_ATTEMPT"): "marked",
    ("workshop/_feedback.py", "_TEXTS[verdict.status]"): "marked",
    ("workshop/_feedback.py", "template"): "marked",
    ("workshop/_machine_check.py", "library.template"): "of a message",
    ("workshop/_machine_check.py", "problem.template"): "of a message",
}
#: Templates of a value only.
BARE = {"{problem}", "{report}", "{path}: {problem}"}


def test_every_error_warning_and_finding_of_the_library_is_in_the_catalogue(catalogues):
    wanted = {forms(message.id)[0] for message in catalogues.read("messages", "fr")}
    trees = catalogues.parse_package()
    places = catalogues.message_calls(trees)
    assert {"ArgumentError", "DataQualityWarning", "TrackingWarning"} < set(places)
    stated, passed_on = {}, set()
    for file, tree in trees.items():
        named = catalogues.named_texts(tree)
        for _, node in catalogues.template_nodes(tree, places):
            texts = list(catalogues.constants(node, named))
            stated |= dict.fromkeys(texts, file)
            if not texts:
                passed_on.add((file, ast.unparse(node)))
    assert len({file.split("/")[0] for file in stated.values()}) > 25
    assert len(stated) > 900
    missing = {text: stated[text] for text in set(stated) - wanted - BARE}
    assert missing == {}
    # A template that is put together is in no catalogue: state it as a whole.
    assert passed_on == set(PASSED_ON)


@pytest.mark.parametrize("lang", ["fr", "es"])
def test_a_message_within_a_message_is_translated(lang):
    remedy = Message("ledger.closed", "it is closed. Open it again")
    text = "Ledger {path!r}: {remedy} ({problem})."
    error = LedgerError("ledger.closed", text, path="a", remedy=remedy, problem="x")
    assert str(error) == "Ledger 'a': it is closed. Open it again (x)."
    assert "closed" not in render(error, lang)
    assert render(remedy, lang) in render(error, lang)


def test_no_remedy_is_put_together_where_no_catalogue_can_find_it(catalogues):
    composed = [
        (file, keyword.value.lineno)
        for file, tree in catalogues.parse_package().items()
        for node in ast.walk(tree)
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
