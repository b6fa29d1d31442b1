"""The page of readiness states what is blocked, by what, and the next step."""

from __future__ import annotations

import html as texts
import re

import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError
from smartrisk.languages import LANGUAGES
from smartrisk.pages import ReadinessReport


def sections(page, lang):
    """Return the sections of a page as texts."""
    html = texts.unescape(page.to_html(lang=lang))
    return re.findall(r"<section>(.*?)</section>", html, re.S)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "lacking", ["nothing", "random share", "blanks", "time", "results"]
)
def test_the_page_states_what_is_blocked_by_what_and_the_step(
    administrations, lacking, lang
):
    ready = administrations[lacking].assess()
    cases = ready.use_cases(lang=lang)
    possible, blocked, *rest = sections(ReadinessReport.from_readiness(ready), lang)
    shown = {
        place: re.findall(r"</span> (.*?)</h3>", part)
        for place, part in ((True, possible), (False, blocked))
    }
    for is_possible, names in shown.items():
        assert names == cases.loc[cases["possible"] == is_possible, "name"].tolist()
    for row in ready.blocks(lang=lang).to_dict("records"):
        assert row["missing"] in blocked
        assert row["next_step"] in rest[0]
    assert blocked.count("<strong>") == len(shown[False])


def test_the_step_that_concerns_most_uses_comes_first(administrations):
    ready = administrations["results"].assess()
    steps = sections(ReadinessReport.from_readiness(ready), "en")[2]
    uses = re.findall(r"<td[^>]*>(.*?)</td>", steps)[1::2]
    counts = [len(names.split("; ")) for names in uses]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_people_are_named_with_what_waits_for_them(perfect):
    page = ReadinessReport.from_readiness(perfect.assess(), name="A <b>")
    assert "A &lt;b&gt;" in page.to_html()
    people = sections(page, "en")[-1]
    row = re.search(r"Is there a budget.*?</tr>", people, re.S)[0]
    assert "the head of finance" in row
    assert "Non-compliance and recall" in row


def test_evidence_that_does_not_exist_is_no_sentence_of_unknowns(administrations):
    frame = administrations["results"].assess().frame().set_index("id")["evidence"]
    assert frame["timely"].endswith("there is no result whose days could be counted")
    assert frame["drift"] == "0 such months; there are no results"
    bare = administrations["results"].items[
        ["declaration_id", "lodged_at", "tariff_code"]
    ]
    evidence = sr.readiness.assess(bare).frame()["evidence"]
    assert not evidence.str.contains("not known of|take not known").any()
    stated = administrations["nothing"].assess().frame().set_index("id")["evidence"]
    assert "10 days in the median" in stated["timely"]


def test_what_is_no_assessment_is_refused():
    with pytest.raises(ArgumentError, match="must be a Readiness"):
        ReadinessReport.from_readiness({})


def test_the_least_number_of_traders_is_that_of_publishing():
    assert sr.disclosure.Rules().min_traders == sr.readiness.LEAST_TRADERS
    assert sr.readiness.THRESHOLDS["traders"] == sr.readiness.LEAST_TRADERS
