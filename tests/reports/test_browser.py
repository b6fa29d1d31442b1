"""Pages in a real Chromium: nothing runs, nothing is loaded, nothing breaks."""

from __future__ import annotations

import pytest

from smartrisk.languages import LANGUAGES

PAGES = ("case", "watch", "model", "data", "evaluation", "policy")
WIDTHS = (1000, 400)


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", PAGES)
def test_a_page_is_accessible_and_quiet(opened, pages, kind, scheme, artefacts):
    from axe_playwright_python.sync_playwright import Axe

    page, wrong = opened(pages[kind].to_html(), scheme=scheme)
    page.screenshot(path=artefacts / f"{kind}-{scheme}.png", full_page=True)
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
def test_no_layout_breaks(opened, pages, kind, width, lang, artefacts):
    page, wrong = opened(pages[kind].to_html(lang), width=width)
    page.screenshot(path=artefacts / f"{kind}-{lang}-{width}.png", full_page=True)
    assert too_wide(page) <= 0
    assert wrong == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", PAGES)
def test_a_hostile_corpus_runs_nothing_and_breaks_nothing(
    opened, hostile_pages, kind, width, artefacts
):
    page, wrong = opened(hostile_pages[kind].to_html(), width=width)
    page.screenshot(path=artefacts / f"{kind}-hostile-{width}.png")
    assert page.evaluate("window.hacked") is None
    assert too_wide(page) <= 0
    assert wrong == []
    assert page.locator("iframe, img, link, object, embed, base").count() == 0


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_reads_without_script_and_prints(opened, pages, kind, artefacts):
    page, wrong = opened(pages[kind].to_html(), script=False)
    assert page.locator("h1").inner_text()
    if kind == "watch":
        assert page.locator("tbody tr").count() == 40
        assert not page.locator("#tools").is_visible()
    page.pdf(path=artefacts / f"{kind}.pdf", format="A4")
    assert wrong == []


def test_the_watch_list_filters_and_sorts(opened, pages):
    page, wrong = opened(pages["watch"].to_html())
    assert page.locator("#count").inner_text() == "40"
    first = page.locator("tbody tr").first.locator("td").nth(1).inner_text()
    page.fill("#filter", first.split(" / ")[0].lower())
    shown = page.locator("tbody tr:visible")
    assert 1 <= shown.count() < 40
    assert page.locator("#count").inner_text() == str(shown.count())
    page.fill("#filter", "")
    head = page.locator("thead th").nth(11)
    column = "rows => rows.map(r => Number(r.cells[11].getAttribute('data-v')))"
    for order in ("ascending", "descending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == order
        values = page.eval_on_selector_all("tbody tr", column)
        assert values == sorted(values, reverse=order == "descending")
    assert wrong == []


def test_reasons_and_displays_of_a_notebook_are_quiet(opened, pages, engine):
    from axe_playwright_python.sync_playwright import Axe

    reasons = pages["case"].reasons
    page, wrong = opened(reasons.to_html("es"))
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
