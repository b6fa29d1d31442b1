"""Pages in a real Chromium: nothing runs, nothing is loaded, nothing breaks."""

from __future__ import annotations

import csv
import re

import pytest

from smartrisk.languages import LANGUAGES

PAGES = (
    *("case", "watch", "model", "data", "evaluation", "policy"),
    *("readiness", "statistics", "leaders", "rules"),
)
WIDTHS = (1000, 400)
#: Starting a browser and drawing 90 pages takes two minutes.
pytestmark = pytest.mark.slow


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens a page, and what went wrong meanwhile."""
    made = []

    def open_page(html, *, width=1000, scheme="light", script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=script,
        )
        made.append(context)
        page, wrong = context.new_page(), []
        page.on("console", lambda m: wrong.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: wrong.append(f"error: {e}"))
        page.on("dialog", lambda d: (wrong.append(f"dialog: {d.message}"), d.dismiss()))
        page.on(
            "request",
            lambda r: r.url.startswith("file:") or wrong.append(f"request: {r.url}"),
        )
        path = tmp_path / f"page{len(made)}.html"
        path.write_text(html, encoding="utf-8")
        page.goto(path.as_uri())
        return page, wrong

    yield open_page
    for context in made:
        context.close()


def too_wide(page):
    """Return by how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


CUT_OFF = """
() => Array.from(document.querySelectorAll('.picture svg text')).filter(text => {
  const box = text.getBoundingClientRect();
  const all = text.ownerSVGElement.getBoundingClientRect();
  return box.left < all.left - 1 || box.right > all.right + 1
    || box.top < all.top - 1 || box.bottom > all.bottom + 1;
}).map(text => text.textContent)
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", PAGES)
def test_a_page_is_accessible_and_quiet(
    opened, pages, html_of, kind, scheme, photograph
):
    from axe_playwright_python.sync_playwright import Axe

    page, wrong = opened(html_of(pages[kind]), scheme=scheme)
    photograph(page, f"{kind}-{scheme}", full_page=True)
    found = Axe().run(page).response["violations"]
    serious = [
        (v["id"], [n["html"][:120] for n in v["nodes"]][:3])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert wrong == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", PAGES)
def test_no_layout_breaks(opened, pages, html_of, kind, width, lang, photograph):
    page, wrong = opened(html_of(pages[kind], lang), width=width)
    photograph(page, f"{kind}-{lang}-{width}", full_page=True)
    assert too_wide(page) <= 0
    assert page.evaluate(CUT_OFF) == []
    if kind == "watch":  # reasons read without scrolling to the side
        right = "b => Math.max(...b.map(x => x.getBoundingClientRect().right))"
        assert page.eval_on_selector_all(".why div", right) <= width
    assert wrong == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", PAGES)
def test_a_hostile_corpus_runs_nothing_and_breaks_nothing(
    opened, hostile_pages, html_of, kind, width, photograph
):
    page, wrong = opened(html_of(hostile_pages[kind]), width=width)
    photograph(page, f"{kind}-hostile-{width}")
    assert page.evaluate("window.hacked") is None
    assert too_wide(page) <= 0
    assert wrong == []
    assert page.locator("iframe, img, link, object, embed, base").count() == 0


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_reads_without_script_and_prints(opened, pages, html_of, kind):
    page, wrong = opened(html_of(pages[kind]), script=False)
    assert page.locator("h1").inner_text()
    if kind == "watch":
        assert page.locator("tbody").count() == 40
        assert page.locator("tr.why").first.inner_text().strip()
        assert not page.locator("#tools").is_visible()
    printed = page.pdf(format="A4")
    n_pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert (
        1
        <= n_pages
        <= {"case": 2, "watch": 5, "model": 5, "evaluation": 5}.get(kind, 4)
    )
    assert wrong == []


def test_the_watch_list_filters_and_sorts(opened, pages):
    page, wrong = opened(pages["watch"].to_html())
    assert page.locator("#count").inner_text() == "40"
    first = page.locator("tbody").first.locator("td").nth(1).inner_text()
    page.fill("#filter", first.split(" / ")[0].lower())
    shown = page.locator("tbody:visible")
    assert 1 <= shown.count() < 40
    assert page.locator("#count").inner_text() == str(shown.count())
    page.fill("#filter", "")
    head = page.locator("thead th").nth(10)
    cell = "t.rows[0].cells[10].getAttribute('data-v')"
    column = f"items => items.map(t => Number({cell}))"
    for order in ("ascending", "descending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == order
        values = page.eval_on_selector_all("tbody", column)
        assert values == sorted(values, reverse=order == "descending")
    assert wrong == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_watch_list_saves_what_is_shown_without_formulas(
    opened, hostile_pages, lang, tmp_path
):
    page, wrong = opened(hostile_pages["watch"].to_html(lang=lang))
    page.fill("#filter", "cn")
    shown = page.locator("tbody:visible").count()
    assert 1 <= shown < 40
    with page.expect_download() as waiting:
        page.click("#save")
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.name == "watch-list.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        separator = "," if lang == "en" else ";"
        head, *rows = csv.reader(file, delimiter=separator)
    assert len(rows) == shown
    assert {len(row) for row in rows} == {len(head)} == {14}
    table = hostile_pages["watch"].frame(lang=lang)
    place = head.index(page.locator("thead th").nth(2).inner_text())
    risks = {f"{risk:.10g}" for risk in table["risk_score"]}
    decimal = "." if lang == "en" else ","
    assert {row[place].replace(decimal, ".") for row in rows} <= risks
    assert all(row[-2] and row[-1] for row in rows)
    cells = [cell for row in rows for cell in row]
    trigger = re.compile(r"[\s\ufeff]*[=+@|%\t\r\n]|[\s\ufeff]*-\D")
    assert not [cell for cell in cells if trigger.match(cell)]
    assert any(cell.startswith("'") for cell in cells)
    assert wrong == []


def test_reasons_and_displays_of_a_notebook_are_quiet(opened, pages, engine):
    from axe_playwright_python.sync_playwright import Axe

    reasons = pages["case"].reasons
    page, wrong = opened(reasons.to_html(lang="es"))
    assert too_wide(page) <= 0
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    notebook = (
        f"<!DOCTYPE html><title>notebook</title>{reasons._repr_html_()}"
        f"{pages['watch']._repr_html_()}{pages['data']._repr_html_()}"
    )
    page, more = opened(notebook)
    frames = [f for f in page.frames if f != page.main_frame]
    assert [f.locator("h1").count() for f in frames] == [1, 1]
    assert frames[0].locator("th button").count() == 12
    assert wrong + more == []
