"""Nothing that `--lang fr` or `--lang es` prints or writes holds an English sentence.

Every command runs once in each language on a small world. What it printed and the pages
that it wrote are cut into lines; code, names, numbers, paths and quotes are taken out,
and a language detector reads what is left of the longer ones.
"""

from __future__ import annotations

import contextlib
import html
import io
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from lingua import Language, LanguageDetectorBuilder

import smartrisk as sr
from smartrisk import languages
from smartrisk.cli import main
from smartrisk.cli._table_words import CELLS, HEADS, WORDS

#: Shorter texts are read by nobody as a sentence, and by no detector as a language.
SHORTEST = 40
#: What is no text of ours: code, names, values, addresses.
NO_PROSE = re.compile(
    r"(?<!\w)'[^']*'|\"[^\"]*\"|«[^»]*»|`[^`]*`|\[[a-z_]+\]|\S*[/\\=_@]\S*|--\S+|"
    r"\b[A-Z][A-Z_]+\b|\b(?:[A-Z]\w+\.)?\w+\([^)]*\)|\S*\d\S*|\b\w+\.\w[\w.]*|"
    r"smartrisk (?:fit|map)[^:]*$|MLflow|LightGBM|scikit-learn|\w+_\w+|"
    # Names of fields in a row, and the grammar of indicators.
    r"(?:\b[a-z]+, +){3,}[a-z]+|"
    r"\b(?:count|sum|median|share|mean)\b .*\b(?:where|of)\b.*|"
    # Titles of publications.
    r"(?:référence publique|referencia pública)\W.*"
)
#: What reads the same in French or Spanish.
SAME = {"version {version}", "error: {text}"}
both = pytest.mark.parametrize("lang", ["fr", "es"])


@pytest.fixture(scope="session")
def detector():
    """Return what names the language of a text."""
    known = [Language.ENGLISH, Language.FRENCH, Language.SPANISH]
    return LanguageDetectorBuilder.from_languages(*known).build()


def prepare(folder):
    """Write the files of a small world, one of them with rows that cannot be used."""
    world = sr.datasets.make_declarations(1_500, random_state=3, scenario="small")
    split = sr.windows.time_split(world.declarations, world.outcomes)
    tables = {
        "past": split.past,
        "new": split.later.head(150),
        "known": split.known,
        "all": world.outcomes,
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    bad = pd.read_csv(folder / "new.csv", dtype=str, keep_default_na=False).head(9)
    bad.loc[1, "lodged_at"], bad.loc[2, "customs_value"] = "31/13/2024", "x"
    bad.loc[3, "tariff_code"], bad.loc[5] = "", bad.loc[4]
    bad.to_csv(folder / "bad.csv", index=False)
    (folder / "other.txt").write_text("nothing", encoding="utf-8")


#: Commands that do their work, in this order; {item} and {key} are of a decided item.
DONE = (
    "generate --items 300 --scenario small --out world",
    "map past.csv known.csv --out map.toml --no-ask",
    "profile past.csv --out profile.html",
    "validate bad.csv --report failures.csv --fix-list fix.xlsx --out table.csv",
    "validate past.csv",
    "readiness past.csv --outcomes known.csv --out readiness.html",
    "statistics past.csv --outcomes known.csv --out figures --currency XOF",
    "fit --declarations past.csv --outcomes known.csv --out engine",
    "fit --declarations past.csv --out beginner",
    "score new.csv --engine engine --out scores.csv --show 3",
    "score new.csv --engine beginner --show 3",
    "explain new.csv --engine engine --show 2 --out reasons.html",
    "select new.csv --engine engine --out decisions.csv --show 3",
    "evaluate --declarations new.csv --outcomes all.csv --engine engine --out e.csv",
    "report new.csv --engine engine --past past.csv --outcomes all.csv --out pages "
    "--cases 1 --channels yellow=orange --currency XOF",
    "report new.csv --engine beginner --out first --cases 1",
    "digest engine",
    "sign --new-key key.pem",
    "sign engine --key key.pem",
    "digest engine --public-key key.pem.pub",
    "ledger verify ledger.db",
    "ledger show ledger.db --show 2",
    "ledger replay ledger.db --engine engine --declaration {item} --item {number}",
    "ledger retain ledger.db --since 2020-01-01",
    "ledger export ledger.db --out lines.jsonl",
    "ledger copy ledger.db --out copy.db",
    "lineage --ledger ledger.db --engine engine {item}/{number} new.csv",
)
#: Requests that cannot be met.
REFUSED = (
    "lineage --ledger ledger.db --engine beginner {item}/{number} past.csv",
    "lineage --ledger ledger.db {item}/{number}",
    "lineage --ledger ledger.db X/1",
    "score none.csv --engine engine",
    "score new.csv --engine none",
    "score bad.csv --engine engine",
    "score other.txt --engine engine",
    "score past.csv --engine engine --columns nix",
    "select new.csv --engine engine --capacity -1",
    "select new.csv --engine engine --capacity 7.5",
    "generate --items 0 --out other",
    "generate --scenario nix --out other",
    "fit --declarations past.csv --outcomes known.csv --label-delay -3 --out other",
    "fit --declarations past.csv --out pages",
    "fit --declarations past.csv --outcomes past.csv --kcs none --out other",
    "evaluate --declarations new.csv --outcomes all.csv --engine engine --rates 3.5",
    "explain new.csv --engine engine --out reasons.txt",
    "readiness past.csv --out readiness.txt",
    "statistics past.csv --as-of x",
    "statistics past.csv --by x",
    "digest engine --expected 00",
    "digest pages",
    "sign",
    "ledger verify none.db",
    "ledger retain ledger.db --since x",
    "ledger replay ledger.db --engine engine --declaration X",
    "map past.csv --out map.txt --no-ask",
    "benchmark --scenarios nix",
    "serve none",
)


def keep_decisions(folder):
    """Record some decisions of the engine; return an item of theirs."""
    engine = sr.RiskEngine.load(folder / "engine")
    read = sr.intake.read_table(folder / "new.csv")
    items = sr.validation.validate(read, sr.schema.DECLARATIONS).head(5)
    with sr.ledger.Ledger(folder / "ledger.db") as ledger:
        scores, decisions = engine.score(items), engine.select(items)
        ledger.record(decisions, scores=scores, declarations=items)
    first = items.iloc[0]
    return {"item": first["declaration_id"], "number": first["item_number"]}


def show(words, lang):
    """Return what a request prints, on both streams."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([*words, "--lang", lang])
    return status, out.getvalue() + err.getvalue()


@contextlib.contextmanager
def templates_kept(kept):
    """Keep the English templates of the messages that are shown within a block."""
    render = languages.render

    def keep(message, lang):
        kept.add(message.template)
        return render(message, lang)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(languages, "render", keep)
        yield


@pytest.fixture(scope="session")
def templates():
    """Return the templates of all messages that were shown."""
    return set()


@pytest.fixture(scope="session")
def printed(tmp_path_factory, templates):
    """Return, by language and command, what was printed, and the folder."""
    found, folders = {}, {}
    before = Path.cwd()
    for lang in ("fr", "es"):
        folder = folders[lang] = tmp_path_factory.mktemp(f"printed-{lang}")
        prepare(folder)
        os.chdir(folder)
        item = {}
        try:
            for request in (*DONE, *REFUSED):
                if request.startswith("digest engine") and not item:
                    item = keep_decisions(folder)
                words = request.format(**item).split() if item else request.split()
                with templates_kept(templates):
                    status, text = show(words, lang)
                # A check that found something ends with 1.
                expected = (0, 1) if request in DONE else (1, 2)
                assert status in expected, (request, text)
                found[lang, request] = text
        finally:
            os.chdir(before)
    return found, folders


def bare(template):
    """Return a template without its values."""
    return re.sub(r"\{[^}]*\}", " ", template)


def prose(text):
    """Return a line without what is no prose."""
    return " ".join(NO_PROSE.sub(" ", text).split())


def english_lines(lines, lang, detector):
    """Return the lines in which a detector reads another language."""
    wanted = {"fr": Language.FRENCH, "es": Language.SPANISH}[lang]
    found = []
    for line in dict.fromkeys(lines):
        plain = prose(line)
        if len(plain) >= SHORTEST and detector.detect_language_of(plain) != wanted:
            found.append(line)
    return found


def paragraphs(page):
    """Yield the texts of a page, its styles and scripts left out."""
    text = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", page, flags=re.S)
    text = re.sub(r"<(code|pre)\b.*?</\1>", " ", text, flags=re.S)
    text = re.sub(r"</?(?:b|i|em|strong|span|a|abbr|small|sup|sub)\b[^>]*>", "", text)
    for part in re.split(r"<[^>]+>", text):
        yield " ".join(html.unescape(part).split())


@both
def test_no_line_that_a_command_prints_is_english(printed, lang, detector):
    found, _ = printed
    lines = [
        part
        for (language, _), text in found.items()
        if language == lang
        for line in text.splitlines()
        for part in re.split(r"(?<=[.;:!?])\s", line)
    ]
    assert len(lines) > 300
    assert english_lines(lines, lang, detector) == []


@both
def test_every_message_that_is_shown_is_in_the_catalogue(printed, templates, lang):
    say = languages.translator(lang)
    assert len(templates) > 100
    words = {text for text in templates if re.search("[a-z]{3}", bare(text))}
    assert {text for text in words if say(text) == text} - SAME == set()


@both
def test_no_text_of_a_page_is_english(printed, lang, detector):
    folder = printed[1][lang]
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) >= 10
    for page in pages:
        texts = list(paragraphs(page.read_text(encoding="utf-8")))
        assert texts
        assert english_lines(texts, lang, detector) == [], page.name


@both
def test_names_of_the_administration_are_on_its_pages(printed, lang):
    page = (printed[1][lang] / "pages" / "watch-list.html").read_text(encoding="utf-8")
    assert "orange" in page
    assert "XOF" in page


@both
def test_heads_and_codes_of_printed_tables_are_words(printed, lang):
    text = printed[0][lang, next(x for x in DONE if x.startswith("select"))]
    assert not re.search(r"declaration_id|selected_by|\bred\b|\bgreen\b", text)
    assert {"fr": "rouge", "es": "rojo"}[lang] in text
    assert "1,000" in text  # a propensity, with a decimal comma


@both
def test_every_word_of_a_table_has_an_entry(lang):
    texts = languages.catalogue("help", lang)
    entries = [("head of a table", name) for name in HEADS]
    entries += [("word of a line", text) for text in WORDS]
    entries += [(f"cell of a table: {c}", code) for c in CELLS for code in CELLS[c]]
    assert len(entries) > 80
    same = {text for context, text in entries if texts.pgettext(context, text) == text}
    assert not [text for text in same if "_" in text and text != "roc_auc"]


def test_an_english_line_is_found(detector):
    lines = [
        "300 articles, pas un de plus",
        "Les articles antérieurs sont connus jusqu'au 31 juillet 2024.",
        "The truth is for judging, never for fitting, as everybody knows.",
        "digest: the folder /tmp/x/engine was changed after it had been saved here.",
    ]
    assert english_lines(lines, "fr", detector) == lines[2:]
