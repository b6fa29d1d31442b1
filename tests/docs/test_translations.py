"""The pages in French and Spanish say what the English ones say, and run what they run.

Their blocks are the English ones, letter by letter, which `test_blocks.py` runs.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest
from lingua import Language, LanguageDetectorBuilder

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location(
    "translations", ROOT / ".ci/translations.py"
)
PROGRAM = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(PROGRAM)
PAIRS = {
    path.relative_to(ROOT).as_posix(): page
    for path, page in PROGRAM.translations().items()
}
every = pytest.mark.parametrize("name", PAIRS)
LINK = re.compile(r"\[[^]]*\]\(([^)#]+)[^)]*\)")
#: What a block of Markdown begins with -> what it is.
KINDS = (
    (re.compile(r"(#+) "), "heading"),
    (re.compile(r"```"), "code"),
    (re.compile(r"- "), "list"),
    (re.compile(r"\|"), "table"),
    (re.compile(r"<!-- ci"), "mark"),
)
SHORTEST = 40


def read(path):
    """Return the text of a page, without the first line of a translation."""
    return PROGRAM.STAMP.sub("", (ROOT / path).read_text(encoding="utf-8"))


def outline(text):
    """Return what each block of a page is: levels of heads, lengths of lists."""
    found = []
    for block in re.split(r"\n{2,}", PROGRAM.FENCE.sub("```", text).strip()):
        kind = next((k for pattern, k in KINDS if pattern.match(block)), "text")
        size = {
            "heading": len(block.split(" ")[0]),
            "list": len(re.findall(r"^- ", block, re.M)),
            "table": block.count("\n"),
        }
        found.append((kind, size.get(kind, 0)))
    return found


def targets(page, text):
    """Return the files that a page links to, each by its English page."""
    english = {path.resolve(): page for path, page in PROGRAM.translations().items()}
    found = [(page.parent / link).resolve() for link in LINK.findall(text)]
    return [english.get(path, path) for path in found]


def spans(text):
    """Return the code within the sentences of a page."""
    return Counter(re.findall(r"`([^`\n]+)`", PROGRAM.FENCE.sub("", text)))


@every
def test_a_translation_was_compared_with_the_english_page_as_it_is_now(name):
    first = (ROOT / name).read_text(encoding="utf-8").split("\n", 1)[0]
    assert first == PROGRAM.stamp_of(PAIRS[name]), (
        f"bring {name} in line with its English page, then run "
        f"python .ci/translations.py {name}"
    )


@every
def test_a_translation_has_the_blocks_heads_lists_and_links_of_its_page(name):
    translated, english = read(name), read(PAIRS[name])
    assert PROGRAM.FENCE.findall(translated) == PROGRAM.FENCE.findall(english)
    assert outline(translated) == outline(english)
    assert len(outline(english)) > 20
    assert spans(translated) == spans(english)
    linked = targets(ROOT / name, translated)
    assert linked == targets(PAIRS[name], english)
    assert all(path.exists() for path in linked)


@pytest.fixture(scope="module")
def detector():
    """Return what names the language of a text."""
    languages = [Language.ENGLISH, Language.FRENCH, Language.SPANISH]
    return LanguageDetectorBuilder.from_languages(*languages).build()


def prose(text):
    """Yield the paragraphs, heads and entries of a page, without code and links."""
    for block in re.split(r"\n{2,}|\n(?=- )", PROGRAM.FENCE.sub("", text)):
        plain = re.sub(r"`[^`]*`|\([^)]*\)|«[^»]*»|<!--.*?-->|[*#|\[\]]", " ", block)
        plain = " ".join(plain.split())
        if len(plain) >= SHORTEST:
            yield plain


@every
def test_no_sentence_of_a_translation_is_english(name, detector):
    wanted = {"fr": Language.FRENCH, "es": Language.SPANISH}[Path(name).parent.name]
    paragraphs = list(prose(read(name)))
    assert len(paragraphs) > 10
    assert [x for x in paragraphs if detector.detect_language_of(x) != wanted] == []
    english = list(prose(read(PAIRS[name])))
    assert [x for x in english if detector.detect_language_of(x) == wanted] == []


@pytest.mark.parametrize("lang", ["fr", "es"])
def test_the_folder_of_a_language_leads_to_each_of_its_pages(lang):
    folder = ROOT / "docs" / lang
    index = (folder / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in folder.glob("*.md")} - {"index.md"}
    assert pages == {*PROGRAM.PAGES.values(), "glossary.md"}
    # The README of a language is read in the project, not in the documentation.
    assert pages - {"readme.md"} <= set(LINK.findall(index))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"docs/{lang}/readme.md" in LINK.findall(readme)


def test_a_page_that_lacks_a_paragraph_is_found():
    english = read("docs/quickstart.md")
    shorter = english.replace("## Keep it", "", 1)
    assert outline(shorter) != outline(english)
    assert spans(english.replace("`README.md`", "", 1)) != spans(english)
