"""Readiness: what is blocked, by what, and what would unblock it."""

from __future__ import annotations

import string
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, TableError
from smartrisk.languages import LANGUAGES
from smartrisk.readiness._questions import read_catalogue, show_value

OF_RESULTS = {"model", "revenue", "judging", "enforcement", "trend"}
OF_RANDOM = {"random_estimates", "off_policy"}
#: What each administration cannot do, and with which fields.
BLOCKED = {
    "nothing": set(),
    "random share": OF_RANDOM,
    "blanks": OF_RESULTS | OF_RANDOM,
    "time": {"judging", "trend"},
    "results": OF_RESULTS | OF_RANDOM,
}


@pytest.mark.parametrize("lacking", BLOCKED)
def test_what_is_blocked_is_blocked_and_nothing_else(administrations, lacking):
    ready = administrations[lacking].assess()
    assert set(ready.blocks()["use_case"]) == BLOCKED[lacking]
    cases = ready.use_cases().set_index("use_case")["possible"]
    assert set(cases.index[~cases]) == BLOCKED[lacking]
    assert len(cases) == 10


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("lacking", list(BLOCKED)[1:])
def test_each_block_names_the_field_the_amount_and_one_step(
    administrations, lacking, lang
):
    rows = administrations[lacking].assess().blocks(lang=lang)
    english = administrations[lacking].assess().blocks()
    assert len(rows)
    for row in rows.to_dict("records"):
        table, _, field = row["field"].partition(".")
        assert field in getattr(sr.schema, table).names
        assert row["missing"].startswith(row["field"])
        assert row["have"] in row["missing"]
        assert row["needed"] in row["missing"]
        assert row["next_step"].endswith(".")
        assert any(c.isdigit() for c in row["next_step"])
        assert "{" not in row["missing"] + row["next_step"]
    if lang != "en":
        assert not set(rows["next_step"]) & set(english["next_step"])
        assert not set(rows["name"]) & set(english["name"])


def test_the_amount_is_what_is_missing(perfect):
    hits = perfect.results["illicit"].to_numpy().cumsum()
    few = replace(perfect, results=perfect.results[hits <= 22])
    row = few.assess().blocks().query("use_case == 'model' and have == '22'")
    assert row["needed"].tolist() == ["60"]
    assert "38 more hits" in row["next_step"].item()


@pytest.mark.parametrize(
    ("use_case", "column", "bound"),
    [("model", "illicit", 60), ("revenue", "revenue_adjustment", 30)],
)
def test_the_bound_itself_is_enough(perfect, use_case, column, bound):
    places = np.flatnonzero(perfect.results["illicit"])
    for extra, expected in ((0, False), (-1, True)):
        changed = perfect.results.copy()
        changed.loc[places[bound + extra :], column] = 0
        assert (use_case in replace(perfect, results=changed).blocked()) is expected, (
            extra
        )


def test_thirty_random_declarations_are_enough(perfect):
    drawn = perfect.decisions["selected_by"].eq("random").cumsum()
    for bound, expected in ((30, set()), (29, OF_RANDOM)):
        chosen = perfect.decisions["selected_by"].where(
            (drawn <= bound) | perfect.decisions["selected_by"].isna(), "rule"
        )
        decisions = perfect.decisions.assign(selected_by=chosen)
        assert replace(perfect, decisions=decisions).blocked() == expected


def test_a_declaration_with_an_item_chosen_by_a_rule_is_not_random(perfect):
    pairs = [f"D{k // 20}" for k in range(len(perfect.items))]
    numbers = [k % 20 + 1 for k in range(len(perfect.items))]
    keys = {
        name: (pairs[k], numbers[k])
        for k, name in enumerate(perfect.items["declaration_id"])
    }

    def renamed(table):
        names = [keys[name] for name in table["declaration_id"]]
        return table.assign(
            declaration_id=[name for name, _ in names],
            item_number=[number for _, number in names],
        )

    # Each declaration now has one random item, and one that a rule chose.
    tables = (perfect.items, perfect.results, perfect.decisions)
    together = type(perfect)(*(renamed(table) for table in tables))
    assert together.blocked() == OF_RANDOM


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("customs_value", "valuation"),
        ("net_mass_kg", "valuation"),
        ("importer_id", "publishing"),
    ],
)
def test_a_field_that_one_item_in_nine_lacks_blocks_what_needs_it(
    perfect, field, expected
):
    empty = np.arange(len(perfect.items)) % 9 == 0
    items = perfect.items.assign(**{field: perfect.items[field].mask(empty)})
    ready = replace(perfect, items=items).assess()
    row = ready.blocks().to_dict("records")
    assert [r["use_case"] for r in row] == [expected]
    assert f"{67} more items" in row[0]["next_step"]
    assert row[0]["have"] == "88.8 %"


def test_without_propensities_another_policy_is_not_estimated(perfect):
    decisions = perfect.decisions.drop(columns="propensity")
    without = replace(perfect, decisions=decisions)
    assert without.blocked() == {"off_policy"}
    stated = perfect.decisions["propensity"].mask(np.arange(len(decisions)) == 7)
    one = replace(perfect, decisions=perfect.decisions.assign(propensity=stated))
    row = one.assess().blocks().to_dict("records")
    assert [r["use_case"] for r in row] == ["off_policy"]
    assert row[0]["have"] == "99.9 %"
    assert "1 more items" in row[0]["next_step"]


def test_results_with_the_day_of_an_extract_judge_no_month(perfect):
    results = perfect.results.assign(known_at=pd.Timestamp("2025-02-10"))
    assert replace(perfect, results=results).blocked() == {"judging", "trend"}


def test_few_days_block_what_learns(perfect):
    few = perfect.until("2024-01-15")
    assert {"signals", "model", "judging"} <= few.blocked()


def test_the_order_of_rows_changes_nothing(administrations):
    for name in ("nothing", "blanks", "random share", "time"):
        one = administrations[name]
        for lang in LANGUAGES:
            frame = one.assess().frame(lang=lang)
            pd.testing.assert_frame_equal(
                frame, one.shuffled().assess().frame(lang=lang)
            )


def test_more_months_never_block_what_was_possible(perfect):
    days = ["2024-01-11", "2024-02-20", "2024-04-10", "2024-07-01", "2025-02-10"]
    before = None
    for day in days:
        blocked = perfect.until(day).blocked()
        assert before is None or blocked <= before, day
        before = blocked
    assert before == set()
    assert perfect.until(days[0]).blocked()


def test_what_is_blocked_by_too_few_random_controls_has_no_figure(administrations):
    for name, is_there in (("nothing", True), ("random share", False)):
        one = administrations[name]
        table = sr.statistics.enforcement(
            one.items, one.results, one.decisions, by=("month",), age=None
        ).frame()
        total = table[table["month"] == "total"].set_index("indicator")
        assert total["value"].notna()["hit_rate_random"] == is_there
        assert ("random_estimates" not in one.blocked()) == is_there


def test_questions_for_people_stay_open(perfect):
    frame = perfect.assess().frame()
    people = frame[frame["answered_by"] == "people"]
    assert len(people) == 7
    assert (people["who"] != "").all()
    assert (people[["measure", "evidence", "blocks", "missing"]] == "").all(axis=None)
    asked = ", ".join(perfect.assess().use_cases()["to_ask"]).split(", ")
    assert set(asked) == set(people["id"])


def test_nothing_is_blocked_without_a_question_that_states_it(administrations):
    for one in administrations.values():
        ready = one.assess()
        frame, cases = ready.frame(), ready.use_cases()
        named = {n for text in frame["blocks"] for n in text.split("; ") if n}
        assert named == set(cases.loc[~cases["possible"], "name"])
        assert ((frame["blocks"] != "") == (frame["next_step"] != "")).all()


def test_the_evidence_is_counted(perfect):
    frame = perfect.assess().frame().set_index("id")["evidence"]
    assert frame["labels_enough"].startswith(
        "600 results, 120 hits, 120 with an amount"
    )
    assert "50.0 % of the controls, 300 declarations" in frame["labels_fair"]
    assert "10 days in the median" in frame["timely"]
    assert "400 days, 14 months" in frame["history"]
    assert "40 importers" in frame["protected"]
    assert frame["drift"].startswith("10 such months; hit rate 20.0 % of 300 results")


def test_no_hit_rate_rests_on_few_results(perfect):
    few = replace(perfect, results=perfect.results.head(12))
    evidence = few.assess().frame().set_index("id")["evidence"]["drift"]
    assert "not known of 6 results" in evidence


def test_every_text_has_three_languages_with_the_same_facts(perfect):
    content = read_catalogue()
    facts = set(perfect.assess()._facts) | {"lack"}
    rows = [*content.questions, *content.needs, *content.use_cases]
    texts = [t for row in rows for t in vars(row).values() if isinstance(t, dict)]
    assert len(texts) > 80
    for text in texts:
        assert set(text) == set(LANGUAGES)
        named = {
            lang: {
                name for _, name, _, _ in string.Formatter().parse(text[lang]) if name
            }
            for lang in LANGUAGES
        }
        assert named["en"] == named["fr"] == named["es"]
        assert named["en"] <= facts


def test_every_need_is_of_a_question_and_blocks_use_cases():
    content = read_catalogue()
    questions = {q.id for q in content.questions}
    cases = {c.id for c in content.use_cases}
    assert len({need.id for need in content.needs}) == len(content.needs)
    for need in content.needs:
        assert need.question in questions
        assert need.blocks
        assert set(need.blocks) <= cases
        assert (need.least == "") != (need.most == "")
    assert {name for need in content.needs for name in need.blocks} == cases
    assert {name for case in content.use_cases for name in case.ask} <= questions


def test_a_share_below_all_is_not_shown_as_all():
    labels = read_catalogue().labels
    assert show_value(0.9999, labels["en"]) == "99.9 %"
    assert show_value(1.0, labels["fr"]) == "100,0 %"
    assert show_value(0.29, labels["es"]) == "29,0 %"
    assert show_value(None, labels["fr"]) == "inconnu"


def test_a_table_without_rows_or_an_unknown_language_is_refused(perfect):
    with pytest.raises(TableError) as caught:
        sr.readiness.assess(perfect.items.head(0))
    assert caught.value.message_id == "readiness.no_items"
    for method in ("frame", "blocks", "use_cases"):
        with pytest.raises(ArgumentError, match="lang"):
            getattr(perfect.assess(), method)(lang="de")


def test_rows_that_cannot_be_read_can_be_set_aside(perfect):
    items = perfect.items.astype({"tariff_code": object})
    items.loc[0, "tariff_code"] = "x"
    with pytest.raises(TableError):
        sr.readiness.assess(items)
    with pytest.warns(sr.errors.DataQualityWarning):
        ready = sr.readiness.assess(items, on_error="set_aside")
    assert repr(ready) == "Readiness(3 of 10 use cases possible)"
    assert "labels_enough" in ready._repr_html_()
