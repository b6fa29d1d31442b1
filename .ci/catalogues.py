"""Update the gettext catalogues from the texts in the code, and compile them.

``python .ci/catalogues.py`` adds new texts to every language, untranslated, drops texts
that the code no longer has, and writes the compiled files. The tests fail while a
translation is missing.
"""

from __future__ import annotations

import ast
import io
from datetime import UTC, datetime
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
#: Packages whose errors, warnings and findings the command line shows.
MESSAGE_PACKAGES = (
    *("validation", "intake", "schema", "cli", "quality", "engine"),
    *("tables", "settings", "errors", "lineage", "items", "languages", "serving"),
    *("readiness", "statistics", "workshop"),
    *("artefact", "ledger", "windows", "clock", "datasets", "selectivity"),
    "evaluation/_ranking",
    "models/_calibration",  # warns in `fit`
)
#: Packages whose other texts belong to the pages.
_SHOWN_ON_PAGES = ("statistics",)
#: Calls that make a message: the template is their second argument.
_MESSAGES = dict.fromkeys(
    [
        *("Message", "SmartRiskError", "TableError", "ArgumentError", "LeakageError"),
        *("ArtefactError", "LedgerError", "TrackingError", "DataQualityWarning"),
        *("LeakageWarning", "SmallSampleWarning", "SmartRiskWarning", "__init__"),
    ],
    (2,),
) | {"N_": None, "RequestError": (3,), "print_message": (2,), "broken": (2,)}
#: Tables of templates at the top of a file, by their name.
_TABLES = ("_PROBLEMS", "PROBLEMS", "_TEXTS")
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
    """Return the templates of the messages that the command line shows."""
    files = [
        (file, name in _SHOWN_ON_PAGES)
        for name in MESSAGE_PACKAGES
        for file in (
            sorted((ROOT / "smartrisk" / name).glob("*.py"))
            or [ROOT / "smartrisk" / f"{name}.py"]
        )
    ]
    texts = {text for file, on_pages in files for text in _texts_of(file, on_pages)}
    # Babel joins the two beginnings of a message of `validation` into one text.
    return {text for text in texts if text.count("{field!r}") < 2}


def _texts_of(file: Path, on_pages: bool = False) -> set[str]:
    """Return the templates in a file: in calls that make messages, and in tables."""
    keywords = dict(_MESSAGES)
    if on_pages:
        del keywords["N_"]
    with file.open("rb") as stream:
        found = extract("python", stream, keywords=keywords)
        calls = {text for _, text, _, _ in found if isinstance(text, str)}
    tables = set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        is_remedy = isinstance(node, ast.keyword) and node.arg == "remedy"
        if is_remedy and isinstance(node.value, ast.Constant):
            tables.add(str(node.value.value))
    for node in tree.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id in _TABLES:
            for part in ast.walk(node):
                if isinstance(part, ast.Dict):
                    tables |= {
                        ast.literal_eval(value)
                        for value in part.values
                        if isinstance(value, ast.Constant | ast.BinOp | ast.JoinedStr)
                    }
    return {text for text in calls | tables if text.strip() and _is_text(text)}


def _is_text(text: str) -> bool:
    """Return whether a text is one of words, and no identifier."""
    return " " in text or text.endswith((".", ":"))


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
