"""Lab 3: each catalogued mistake gets its own hint; the prover finds three leaks."""

from __future__ import annotations

import pytest

import smartrisk as sr

#: The precision of each column alone, with what a learner gets wrong.
_ALONE = """
import pandas as pd
names = table.columns.drop(["declaration_id", "item_number", "illicit"])
precision = [
    sr.evaluation.precision_at(table["illicit"], {column}, 0.05){more} for name in names
]
alone = pd.DataFrame({{"column": names, "precision": precision}})
"""
#: Irregularities of the importer of each item, with what a learner gets wrong.
_HITS = """
def hits_before(declarations, outcomes):
    keys = ["declaration_id", "item_number"]
    items = declarations[[*keys, "importer_id", "lodged_at"]].reset_index(drop=True)
    found = outcomes{kept}.merge(items, on=keys, suffixes=("", "_of_result"))
    counts = []
    results = dict(list(found.groupby("importer_id")))
    for importer, moment in zip(items["importer_id"], items["lodged_at"]):
        if importer not in results:
            counts.append(0)
            continue
        of_importer, day = results[importer], moment.normalize()
        counts.append(int({known}.sum()))
    return counts
"""
_IRREGULAR = "[outcomes['illicit'] == 1]"
_DROP = "clean = table.drop(columns={columns})"
LEAKS = ["days_to_correction", "final_value_ratio", "importer_hit_share"]


def drop(*columns):
    """Return the code that leaves columns out."""
    return _DROP.format(columns=list(columns))


def count(known, kept=_IRREGULAR):
    """Return the code of a function that counts the results of an importer."""
    return _HITS.format(known=known, kept=kept)


MISTAKES = {
    ("3.1", "sorted upwards"): _ALONE.format(column="-table[name]", more=""),
    ("3.1", "percentages"): _ALONE.format(column="table[name]", more=" * 100"),
    ("3.2", "dropped a clean column"): drop(*LEAKS, "importer_hits_before"),
    ("3.2", "left the pasted date"): drop(*LEAKS[1:]),
    ("3.2", "left the value after the control"): drop(LEAKS[0], LEAKS[2]),
    ("3.2", "left a rate over all results"): drop(*LEAKS[:2]),
    ("3.3", "counts every hit"): count("(of_importer['illicit'] == 1)"),
    ("3.3", "counts results before they were known"): count(
        "(of_importer['inspected_at'] < day)"
    ),
    ("3.3", "counts results instead of hits"): count(
        "(of_importer['known_at'] < day)", kept=""
    ),
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(3), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ("3.1", _ALONE.format(column="table[name]", more="") + "alone = alone[::-1]"),
        ("3.2", drop(*LEAKS) + ".iloc[::-1, ::-1].set_index('declaration_id')"),
        ("3.3", count("(of_importer['known_at'] < day)")),
    ],
)
def test_equal_work_in_another_shape_is_right(make_lab, hand_in, task, code):
    found = hand_in(make_lab(3), task, code)
    assert found.status == "right", found.text


@pytest.mark.parametrize(
    "code",
    [
        "clean = table",
        drop(*LEAKS[:2], "duty_rate"),
        drop(*LEAKS) + ".head(100)",
        drop(*LEAKS) + ".assign(duty_rate=0.0)",
        "clean = table.rename(columns=dict.fromkeys(report.leaks, 'other'))",
    ],
)
def test_a_table_that_is_neither_clean_nor_a_catalogued_mistake_is_wrong(
    make_lab, hand_in, code
):
    assert hand_in(make_lab(3), "3.2", code).status == "wrong"


def test_right_values_are_not_enough_where_the_prover_finds_a_leak(make_lab, hand_in):
    """A function that gives the right values of these tables, and none of others."""
    code = """
right = sr.features.EntityHistory(
    keys=(sr.features.Key(("importer_id",), statistics=("hits",)),)
)
items = lab.past.tail(6_000)
keys = ["declaration_id", "item_number"]
known = lab.known.merge(items[keys], on=keys)
values = items[keys].assign(hits=right.fit(items, outcomes=known).transform(items))

def hits_before(declarations, outcomes):
    kept = declarations[keys].merge(values, on=keys, how="left")["hits"].fillna(0)
    other = len(outcomes) + outcomes["illicit"].sum()
    return kept + float(other != len(known) + known["illicit"].sum())
"""
    found = hand_in(make_lab(3), "3.3", code)
    assert found.status == "wrong"
    assert "the prover still finds a leak" in found.text


@pytest.mark.parametrize("seat", [1, 2])
def test_the_prover_finds_the_three_leaks_and_no_other(make_lab, seat):
    lab = make_lab(3, seat=seat)
    report = sr.evaluation.prove_leak_free(lab.make_table, lab.past, lab.known)
    assert sorted(report.leaks) == LEAKS
