"""The pages of a class: whole in every language, escaped, and fit to print."""

from __future__ import annotations

import re
import sys

import pytest

from smartrisk.errors import ArgumentError, MissingExtraError
from smartrisk.languages import LANGUAGES, catalogue
from smartrisk.pages import Handout
from smartrisk.workshop._folder import make_handout
from smartrisk.workshop._sources import list_labs, list_messages, list_sources

PAGES = sorted({*list_sources()} - {*list_labs()})
#: Sheets of paper that each page may take.
MOST_SHEETS = {"trainer": 2, "glossary": 8, "slides": 13}
HOSTILE = "<script>window.hacked=1</script> <b onclick=x>**bold**</b>"


@pytest.fixture
def opened(browser, tmp_path):
    """Return what opens a handout in a browser, and closes it afterwards."""
    made = []

    def open_page(handout, lang, *, width=1000, **options):
        viewport = {"width": width, "height": 700}
        context = browser.new_context(viewport=viewport, **options)
        made.append(context)
        path = handout.save(tmp_path / f"page{len(made)}.html", lang=lang)
        page = context.new_page()
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in made:
        context.close()


def count_sheets(page):
    """Return how many sheets of paper a page takes."""
    printed = page.pdf(prefer_css_page_size=True, format="A4")
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def words_of(text):
    """Return the words of a text, without its code."""
    return re.findall(r"[^\W\d_]{3,}", re.sub(r"`[^`]*`|\]\([^)]*\)", " ", text))


@pytest.mark.parametrize("lang", ["fr", "es"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_paragraph_in_english(name, lang):
    translate = catalogue(name, lang).gettext
    messages = [text for text in list_messages(name) if words_of(text)]
    assert messages
    for text in messages:
        assert translate(text) != text, text
        code = sorted(re.findall(r"`[^`]+`", text))
        assert sorted(re.findall(r"`[^`]+`", translate(text))) == code, text


def test_a_line_to_write_on_is_no_message():
    messages = list_messages("feedback")
    assert all(re.search(r"[^\W\d_]", text) for text in messages)
    assert "___" in make_handout("feedback", "fr").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_answers_are_letters_of_the_quiz(lang):
    quiz, answers = (make_handout(n, lang).text for n in ("quiz", "quiz-answers"))
    parts = re.split(r"^## \d+\. ", quiz, flags=re.MULTILINE)[1:]
    letters = re.findall(r"^\| \d+ \| ([a-c]) \|", answers, flags=re.MULTILINE)
    assert len(parts) == len(letters) == 10
    assert set(letters) == {"a", "b", "c"}  # no letter is always right
    for part in parts:
        assert re.findall(r"^- ([a-z])\) ", part, flags=re.MULTILINE) == list("abc")


def test_the_first_page_links_the_others(tmp_path):
    from smartrisk.workshop import write

    files = {file.name for file in write(tmp_path / "class", seed=7, lang="fr")}
    html = (tmp_path / "class" / "START.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="([^"]+)"', html))
    assert {"glossary.html", "cheat-sheet.html", "quiz.html", "feedback.html"} == linked
    assert linked <= files


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_call_on_the_sheet_is_one_of_the_library(lang):
    import smartrisk as sr

    calls = re.findall(
        r"^\| `([^`]+)` \|", make_handout("cheat-sheet", lang).text, re.M
    )
    assert len(calls) == 10
    for call in calls:
        owner, names = re.search(r"\b(sr|engine)\.([\w.]+)\(", call).groups()
        found = sr if owner == "sr" else sr.RiskEngine
        for name in names.split("."):
            found = getattr(found, name)
        assert callable(found), call


def test_a_handout_escapes_html():
    page = Handout(
        title=HOSTILE, kind=HOSTILE, meta=HOSTILE, text=f"{HOSTILE}\n\n| {HOSTILE} |"
    )
    html = page.to_html()
    assert "<script" not in html
    assert "<b " not in html
    assert html.count("&lt;script&gt;") >= 4
    assert "<strong>bold</strong>" in html
    table = Handout(title='a"b<c', kind="k", text="| a |\n| --- |\n| b |").to_html()
    assert 'aria-label="a&quot;b&lt;c"' in table


def test_a_link_that_runs_code_is_no_link():
    text = "[x](javascript:alert(1)) [y](data:text/html,x) [z](quiz.html)"
    html = Handout(title="t", kind="k", text=text).to_html()
    assert re.findall(r'href="([^"]*)"', html) == ["quiz.html"]


def test_a_sign_stays_with_the_word_before_it_and_code_stays_as_it_is():
    text = "Est-ce 30 % ? « Oui » : `a % b`.\n\n| a | b |\n| :-- | --: |\n| c | 5 % |"
    html = Handout(title="t", kind="k", text=text).to_html(lang="fr")
    nbsp = "\u00a0"
    assert f"30{nbsp}%{nbsp}? «{nbsp}Oui{nbsp}»{nbsp}:" in html
    assert "<code>a % b</code>" in html
    assert f"5{nbsp}%</td>" in html


def test_a_layout_that_is_unknown_is_refused():
    with pytest.raises(ArgumentError, match=r"'layout' must be one of .*slides"):
        Handout(title="t", kind="k", text="x", layout="poster")


def test_a_handout_without_markdown_it_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    page = Handout(title="t", kind="k", text="x")
    with pytest.raises(
        MissingExtraError, match=r"markdown-it-py.*smartrisk\[workshop\]"
    ):
        page.to_html()


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_fits_and_prints(opened, name, lang):
    from axe_playwright_python.sync_playwright import Axe

    scheme = "dark" if lang == "fr" else "light"
    width = 400 if lang == "es" else 1000
    page = opened(make_handout(name, lang), lang, color_scheme=scheme, width=width)
    found = Axe().run(page).response["violations"]
    serious = [
        (v["id"], [node["html"][:120] for node in v["nodes"]][:3])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0
    assert count_sheets(page) <= MOST_SHEETS.get(name, 1)


@pytest.mark.slow
def test_page_down_turns_one_slide_after_the_other(opened):
    page = opened(make_handout("slides", "fr"), "fr", bypass_csp=True)
    heights = page.eval_on_selector_all(
        ".slides header, .slides section", "all => all.map(x => x.offsetHeight)"
    )
    assert set(heights) == {700}
    assert len(heights) == 13
    for number in range(1, 4):
        page.keyboard.press("PageDown")
        page.wait_for_function(f"Math.abs(scrollY - {700 * number}) < 1")
