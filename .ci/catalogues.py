"""Update the gettext catalogues from the texts in the code, and compile them.

``python .ci/catalogues.py`` adds new texts to every language, untranslated, drops texts
that the code no longer has, and writes the compiled files. The tests fail while a
translation is missing.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from smartrisk.cli._help import ARGPARSE, ARGPARSE_PLURALS, help_texts
from smartrisk.cli._main import make_parser
from smartrisk.cli._table_words import entries as printed_words
from smartrisk.explanations._messages import MESSAGES
from smartrisk.workshop._sources import list_messages, list_sources

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "smartrisk" / "locale"
#: The sources of the workshop, each with the texts of its tasks, are domains too.
SOURCES = list_sources()
DOMAINS = ("reasons", "pages", "messages", "help", *SOURCES)
LANGUAGES = ("fr", "es")
_METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract")]
_KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
#: Folders whose other texts, marked with ``N_``, belong to another domain.
_OTHER_DOMAINS = ("displays", "pages", "statistics", "workshop/tasks")
#: What every error, warning and finding comes from.
_FIRST = frozenset(["Message", "SmartRiskError", "SmartRiskWarning"])
#: Position of the template in the calls that make a message.
_USUAL_PLACE = 1
_PLACES = {"RequestError": 2, "_look_up_finding": 4} | dict.fromkeys(
    ("__init__", "print_message", "broken"), _USUAL_PLACE
)
#: Classes that write their template themselves: their arguments are none.
_OWN_TEMPLATE = frozenset(["FileError", "MissingExtraError", "MissingLibraryError"])
#: A message id: in a tuple, the text after it is its template.
_MESSAGE_ID = re.compile(r"[a-z]+\.[a-z_0-9]+")
#: Tables of templates, and single ones, at the top of a file: how their names end.
_TABLES = ("PROBLEMS", "_TEXT", "_TEXTS", "_TEMPLATE", "_TEMPLATES")
#: One fixed date in the headers, so that the same texts give the same bytes.
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def template(domain: str) -> Catalog:
    """Return the English texts of a domain."""
    texts = Catalog(domain=domain, charset="utf-8", fuzzy=False)
    for context, text in _list_texts(domain):
        texts.add(text, context=context)
    return texts


def _list_texts(domain: str) -> list[tuple[str | None, str | tuple[str, ...]]]:
    """Return the texts of a domain, each with its context."""
    if domain == "reasons":
        return list(MESSAGES.items())
    if domain == "messages":
        return [(None, text) for text in sorted(message_templates())]
    if domain == "help":
        found = help_texts(make_parser()) | {(None, text) for text in ARGPARSE}
        found |= printed_words()
        ordered = sorted(found, key=lambda one: (one[0] or "", one[1]))
        return [*ordered, *((None, plural) for plural in ARGPARSE_PLURALS)]
    if domain in SOURCES:
        return [(None, text) for text in (*list_messages(domain), *task_texts(domain))]
    return [
        (context, text)
        for package in ("displays", "pages", "statistics")
        for _, _, text, _, context in extract_from_dir(
            ROOT / "smartrisk" / package, method_map=_METHODS, keywords=_KEYWORDS
        )
    ]


def task_texts(source: str) -> list[str]:
    """Return what the tasks of a lab say: marked texts of its module, in order."""
    name = source.replace("-", "_")
    file = ROOT / "smartrisk" / "workshop" / "tasks" / f"{name}.py"
    if not file.exists():
        return []
    with file.open("rb") as stream:
        found = list(extract("python", stream, keywords={"N_": None}))
    return [text for _, text, _, _ in found if isinstance(text, str)]


def message_templates() -> set[str]:
    """Return the templates of all errors, warnings and findings of the library."""
    trees = parse_package()
    places = message_calls(trees)
    texts: set[str] = set()
    for file, tree in trees.items():
        found = {*_templates(tree, places), *_pairs(tree), *_remedies(tree)}
        found |= _table_texts(tree)
        if not file.startswith(_OTHER_DOMAINS):
            found |= _marked_texts(tree)
        texts |= {text for text in found if text.strip() and _is_text(text)}
    return texts


def parse_package() -> dict[str, ast.Module]:
    """Return the syntax tree of every file of the library, by its path in it."""
    package = ROOT / "smartrisk"
    return {
        file.relative_to(package).as_posix(): ast.parse(file.read_text("utf-8"))
        for file in sorted(package.rglob("*.py"))
    }


def message_calls(trees: Mapping[str, ast.Module]) -> dict[str, int]:
    """Return where calls that make a message have the template, by their name."""
    bases = {
        node.name: {ast.unparse(base).split(".")[-1] for base in node.bases}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known: set[str] = set()
    more = set(_FIRST)
    while more:
        known |= more
        more = {name for name, of in bases.items() if of & known} - known
    return dict.fromkeys(known - _OWN_TEMPLATE, _USUAL_PLACE) | _PLACES


def template_nodes(
    tree: ast.Module, places: Mapping[str, int]
) -> Iterator[tuple[str, ast.expr]]:
    """Yield the template of every call that makes a message, with the call's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).split(".")[-1]
            if name in places and len(node.args) > places[name]:
                yield name, node.args[places[name]]


def _templates(tree: ast.Module, places: Mapping[str, int]) -> Iterator[str]:
    """Yield the templates that calls state."""
    named = named_texts(tree)
    for _, node in template_nodes(tree, places):
        yield from constants(node, named)


def named_texts(tree: ast.Module) -> dict[str, str]:
    """Return the texts at the top of a file, by their name."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def constants(node: ast.expr, named: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the text of an expression, each of a choice; none for one in pieces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body, named)
        yield from constants(node.orelse, named)
    elif isinstance(node, ast.Name) and node.id in (named or {}):
        yield (named or {})[node.id]


def _marked_texts(tree: ast.Module) -> set[str]:
    """Return the texts that ``N_`` marks."""
    return {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "N_"
        for text in constants(node.args[0])
    }


def _pairs(tree: ast.Module) -> Iterator[str]:
    """Yield the templates that stand after their message id in a tuple."""
    for node in ast.walk(tree):
        for one, other in pairwise(node.elts if isinstance(node, ast.Tuple) else ()):
            if any(map(_MESSAGE_ID.fullmatch, constants(one))):
                yield from constants(other)


def _remedies(tree: ast.Module) -> Iterator[str]:
    """Yield the texts that calls pass as ``remedy``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "remedy":
            yield from constants(node.value)


def _table_texts(tree: ast.Module) -> set[str]:
    """Return the texts of tables of templates, with those that they name."""
    named = named_texts(tree)
    texts: set[str] = set()
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if isinstance(target, ast.Name) and target.id.endswith(_TABLES):
            parts = list(ast.walk(node.value))
            keys = {id(key) for d in parts if isinstance(d, ast.Dict) for key in d.keys}
            for part in parts:
                if isinstance(part, ast.expr) and id(part) not in keys:
                    texts |= set(constants(part, named))
    return texts


def _is_text(text: str) -> bool:
    """Return whether a text is one of words, and no identifier."""
    is_word = text.endswith((".", ":")) and "." not in text[:-1]
    return (" " in text or is_word) and text.upper() != text


def path(domain: str, lang: str) -> Path:
    """Return the file of a catalogue."""
    return LOCALE / lang / "LC_MESSAGES" / f"{domain}.po"


def read(domain: str, lang: str) -> Catalog:
    """Return the catalogue of a file, an empty one when there is no file."""
    file = path(domain, lang)
    if not file.exists():
        return Catalog(locale=lang, domain=domain, charset="utf-8", fuzzy=False)
    with file.open("rb") as stream:
        return read_po(stream, locale=lang, domain=domain)


def compile_catalogue(catalogue: Catalog) -> bytes:
    """Return the compiled form of a catalogue."""
    catalogue.header_comment = f"# {catalogue.domain} of smartrisk."
    catalogue.project, catalogue.version = "smartrisk", "1"
    catalogue.msgid_bugs_address = catalogue.last_translator = "smartrisk"
    catalogue.language_team = "smartrisk"
    catalogue.creation_date = catalogue.revision_date = _EPOCH
    with io.BytesIO() as stream:
        write_mo(stream, catalogue)
        return stream.getvalue()


def main() -> None:
    """Update and compile every catalogue."""
    for domain in DOMAINS:
        for lang in LANGUAGES:
            catalogue = read(domain, lang)
            catalogue.update(template(domain), no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            file = path(domain, lang)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.with_suffix(".mo").write_bytes(compile_catalogue(catalogue))
            with file.open("wb") as stream:
                write_po(stream, catalogue, width=88, no_location=True)
            missing = [m.id for m in catalogue if m.id and not all(_forms(m.string))]
            print(
                f"{lang} {domain}: {len(catalogue)} texts, {len(missing)} untranslated"
            )
            for text in missing:
                print(f"    {text!r}")


def _forms(string: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return a translation as the tuple of its plural forms."""
    return (string or "",) if isinstance(string, str | None) else tuple(string)


if __name__ == "__main__":
    main()
