"""Contributions fold without loss; the page is safe; one item equals the batch."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smartrisk.errors import ArgumentError, MissingExtraError, TableError
from smartrisk.explanations import (
    CONCEPTS,
    STRENGTHS,
    Reasons,
    _reason_order,
    explain,
)
from smartrisk.explanations._grouping import _PLANS, make_plan
from smartrisk.explanations._topic_evidence import make_evidence
from smartrisk.features import FeatureInfo

FIELDS = ("customs_value", "net_mass_kg", "importer_id", "tariff_code", "origin")


def make_inputs(n_items=6, n_features=12, seed=0):
    """Return declarations, matrix, contributions and infos drawn at random."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "declaration_id": [f"D{i}" for i in range(n_items)],
            "item_number": np.arange(n_items) % 3 + 1,
            "importer_id": rng.choice(["I1", "I2"], n_items),
            "tariff_code": rng.choice(["6403991000", "0901210000"], n_items),
            "origin": rng.choice(["VN", "CN"], n_items),
            "customs_value": rng.uniform(10, 9999, n_items),
            "net_mass_kg": rng.uniform(1, 99, n_items),
        },
        index=pd.RangeIndex(100, 100 + n_items),
    )
    infos = [
        FeatureInfo(
            name=f"f{number}",
            fields=tuple(rng.permutation(FIELDS)[: rng.integers(1, 4)].tolist()),
            concept=CONCEPTS[number % len(CONCEPTS)],
            statistic=("n_items", "hit_rate", "value", "deviation")[number % 4],
            key=("importer_id",) if number % 2 else None,
        )
        for number in range(n_features)
    ]
    names = [info.name for info in infos]
    matrix = pd.DataFrame(rng.normal(size=(n_items, n_features)), columns=names)
    contributions = rng.normal(0.0, 0.5, (n_items, n_features + 1))
    return frame, matrix, contributions, infos


# ------------------------------------------------------------------ additivity


@given(
    contributions=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.just(13)),
        elements=st.floats(-50, 50, allow_subnormal=False),
    ),
    seed=st.integers(0, 5),
)
def test_folds_add_up_to_the_raw_score_less_the_base(contributions, seed):
    frame, matrix, _, infos = make_inputs(len(contributions), seed=seed)
    found = explain(frame, matrix, contributions, infos)
    expected = contributions[:, :-1].sum(axis=1)
    for fold in (found.by_field(), found.by_concept()):
        np.testing.assert_allclose(fold.sum(axis=1), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        found.raw_score, contributions.sum(axis=1), rtol=0, atol=1e-9
    )


def test_all_reasons_of_an_item_add_up_to_what_raises_its_score():
    frame, matrix, contributions, infos = make_inputs()
    lines = explain(frame, matrix, contributions, infos, top=99).frame()
    share = lines.groupby("declaration_id")["share"].sum()
    np.testing.assert_allclose(share, 1.0)


def test_a_fold_to_fields_shares_a_reason_equally():
    frame, matrix, _, _ = make_inputs(1, 1)
    info = FeatureInfo(
        name="f0",
        fields=("net_mass_kg", "customs_value"),
        concept="valuation",
        statistic="value",
    )
    found = explain(frame, matrix, [[0.8, -1.0]], [info])
    assert found.by_field().to_dict("list") == {
        "customs_value": [0.4],
        "net_mass_kg": [0.4],
    }
    assert found.by_concept()["valuation"].tolist() == [0.8]


def test_folds_keep_the_index_of_the_caller():
    found = explain(*make_inputs())
    assert found.by_field().index.tolist() == list(range(100, 106))
    assert found.by_concept().columns.tolist() == list(CONCEPTS)


def test_features_of_plain_arrays_fold_to_other():
    frame, matrix, _, _ = make_inputs(2, 1)
    info = FeatureInfo(name="f0", fields=(), concept="", statistic="value")
    found = explain(frame, matrix, [[0.5, 0.0], [-0.5, 0.0]], [info])
    assert found.by_field()["other"].tolist() == [0.5, -0.5]
    assert found.by_concept()["other"].tolist() == [0.5, -0.5]


def test_without_any_feature_there_is_no_reason():
    frame, _, _, _ = make_inputs(2)
    found = explain(frame, np.empty((2, 0)), [[0.5], [0.5]], [])
    assert found.sentences() == [[], []]
    assert found.raw_score.tolist() == [0.5, 0.5]


# ------------------------------------------------------------------ reasons


def test_reasons_come_by_falling_contribution_and_only_raise():
    lines = explain(*make_inputs(40)).frame()
    assert (lines["contribution"] > 0).all()
    for _, item in lines.groupby("declaration_id", sort=False):
        assert item["rank"].tolist() == list(range(1, len(item) + 1))
        assert item["contribution"].is_monotonic_decreasing
    assert lines["rank"].max() <= 3


def test_a_frame_has_key_concept_size_and_sentence():
    lines = explain(*make_inputs()).frame()
    assert lines.columns.tolist() == [
        "declaration_id",
        "item_number",
        "rank",
        "concept",
        "fields",
        "contribution",
        "share",
        "strength",
        "feature",
        "evidence",
        "sentence",
        "check",
    ]
    assert set(lines["strength"]) <= set(STRENGTHS)
    assert all("about" in json.loads(text) for text in lines["evidence"])


def test_the_word_of_strength_follows_the_contribution():
    frame, matrix, _, infos = make_inputs(4, 1)
    sizes = [[1.0, 0], [0.4, 0], [0.1, 0], [0.05, 0]]
    lines = explain(frame, matrix, sizes, infos).frame()
    assert lines["strength"].tolist() == ["strong", "clear", "slight", "weak"]


def test_an_item_that_nothing_raises_has_no_reason():
    frame, matrix, contributions, infos = make_inputs(2)
    found = explain(frame, matrix, -np.abs(contributions), infos)
    assert found.sentences() == [[], []]
    assert found.frame().empty
    assert found.frame()["rank"].dtype == np.int64
    assert "Nothing in this declaration raises" in found.to_html()


def test_the_sentence_is_about_the_features_that_contributed_most():
    names = ("n_items", "hit_rate")
    infos = [
        FeatureInfo(
            name=name,
            fields=("importer_id",),
            concept="novelty",
            statistic=name,
            key=("importer_id",),
        )
        for name in names
    ]
    frame, _, _, _ = make_inputs(2)
    values = np.array([[3.0, 0.25], [3.0, 0.25]])
    found = explain(frame, values, [[0.1, 0.3, 0], [0.3, 0.1, 0]], infos)
    assert found.frame()["feature"].tolist() == ["hit_rate", "n_items"]


def test_an_absent_item_number_is_one():
    frame, matrix, contributions, infos = make_inputs()
    lines = explain(
        frame.drop(columns="item_number"), matrix, contributions, infos
    ).frame()
    assert set(lines["item_number"]) == {1}


def test_one_item_equals_the_batch_bitwise():
    frame, matrix, contributions, infos = make_inputs(300, 40)
    batch = explain(frame, matrix, contributions, infos)
    lines = batch.frame()
    for number in (0, 7, 299):
        part = slice(number, number + 1)
        one = explain(frame[part], matrix[part], contributions[part], infos)
        key = frame["declaration_id"].iloc[number]
        expected = lines[lines["declaration_id"] == key].reset_index(drop=True)
        pd.testing.assert_frame_equal(one.frame(), expected, check_exact=True)
        assert (one.by_field() == batch.by_field().iloc[part]).all(axis=None)
        assert one.raw_score[0] == batch.raw_score[number]


def test_memory_layout_changes_nothing():
    frame, matrix, contributions, infos = make_inputs(50, 40)
    left = explain(frame, matrix, contributions, infos)
    right = explain(frame, matrix, np.asfortranarray(contributions), infos)
    assert (left.by_concept() == right.by_concept()).all(axis=None)


def test_items_are_found_by_position_key_and_slice():
    found = explain(*make_inputs(5))
    assert isinstance(found[2], Reasons)
    assert found[2].sentences() == [found.sentences()[2]]
    assert found[-1].sentences() == [found.sentences()[4]]
    assert found["D3", 1].sentences() == [found.sentences()[3]]
    assert found[1:3].sentences() == found.sentences()[1:3]
    assert [len(one) for one in found] == [1] * 5
    with pytest.raises(IndexError):
        found[5]
    with pytest.raises(KeyError, match="no item with the key"):
        found["D3", 9]


def test_the_frames_of_the_caller_are_not_changed():
    frame, matrix, contributions, infos = make_inputs()
    before = (frame.copy(), matrix.copy(), contributions.copy())
    found = explain(frame, matrix, contributions, infos)
    found.frame()
    found.to_html()
    pd.testing.assert_frame_equal(frame, before[0])
    pd.testing.assert_frame_equal(matrix, before[1])
    np.testing.assert_array_equal(contributions, before[2])


def test_anything_with_the_right_attributes_describes_a_feature():
    frame, matrix, contributions, infos = make_inputs()
    loose = [
        SimpleNamespace(**{n: getattr(i, n) for n in SLOTS} | {"fields": [*i.fields]})
        for i in infos
    ]
    assert (
        explain(frame, matrix, contributions, loose).sentences()
        == explain(frame, matrix, contributions, infos).sentences()
    )


def test_plans_are_cached_up_to_a_limit():
    infos = make_inputs()[3]
    assert make_plan(infos) is make_plan(list(infos))
    for seed in range(40):
        make_plan(make_inputs(1, 2, seed)[3])
    assert len(_PLANS) <= 16


SLOTS = ("name", "concept", "statistic", "window", "key", "measure")


def test_reasons_are_restored_from_a_pickle():
    found = explain(*make_inputs())
    assert pickle.loads(pickle.dumps(found)).sentences() == found.sentences()


def test_evidence_is_made_once_and_for_few_groups_of_an_item(monkeypatch):
    calls = []

    def counted(facts):
        calls.append(facts.row)
        return make_evidence(facts)

    monkeypatch.setattr(_reason_order, "make_evidence", counted)
    found = explain(*make_inputs(200, 100), top=3)
    found.frame()
    n_calls = len(calls)
    # Three reasons, and at most three more groups that repeat or contradict.
    assert 0 < n_calls <= 200 * (3 + 3)
    found.sentences(lang="fr")
    found.checks()
    assert len(calls) == n_calls


def test_numbers_of_reasons_are_copies():
    found = explain(*make_inputs(), risk=np.full(6, 0.2))
    before = found.frame(), found.raw_score
    for values in (found.base_values, found.raw_score, found.risk):
        values[:] = 99.0
    for frame in (found.frame(), found.by_field(), found.by_concept()):
        frame.iloc[:, -1] = frame.iloc[0, -1]
    found.shap.values[:] = 0.0
    pd.testing.assert_frame_equal(found.frame(), before[0])
    np.testing.assert_array_equal(found.raw_score, before[1])
    assert found.risk.tolist() == [0.2] * 6


# ------------------------------------------------------------------ refusals


def test_shapes_that_do_not_fit_are_refused():
    frame, matrix, contributions, infos = make_inputs()
    with pytest.raises(TableError, match="'matrix' must have the shape"):
        explain(frame, matrix[:-1], contributions, infos)
    with pytest.raises(TableError, match="the base value last; got"):
        explain(frame, matrix, contributions[:, :-1], infos)
    with pytest.raises(TableError, match="must be a data frame of pandas"):
        explain(frame.to_numpy(), matrix, contributions, infos)
    with pytest.raises(TableError, match="no column 'declaration_id'"):
        explain(frame.drop(columns="declaration_id"), matrix, contributions, infos)


def test_columns_in_another_order_are_refused():
    frame, matrix, contributions, infos = make_inputs()
    with pytest.raises(TableError, match="the order differs"):
        explain(frame, matrix.iloc[:, ::-1], contributions, infos)
    with pytest.raises(TableError, match="unknown 'g'; missing 'f3'"):
        explain(frame, matrix.rename(columns={"f3": "g"}), contributions, infos)


def test_contributions_that_are_not_finite_are_refused():
    frame, matrix, contributions, infos = make_inputs()
    contributions[1, 2] = np.nan
    with pytest.raises(ArgumentError, match="1 of 6 items"):
        explain(frame, matrix, contributions, infos)


@pytest.mark.parametrize("top", [0, -1, 1.5, "3", True])
def test_top_is_a_positive_integer(top):
    with pytest.raises(ArgumentError, match="'top' must be an integer"):
        explain(*make_inputs(), top=top)


# ------------------------------------------------------------------ shap and pages


def test_the_shap_explanation_holds_the_same_numbers():
    frame, matrix, contributions, infos = make_inputs()
    values = explain(frame, matrix, contributions, infos).shap
    np.testing.assert_array_equal(values.values, contributions[:, :-1])
    np.testing.assert_array_equal(values.base_values, contributions[:, -1])
    np.testing.assert_array_equal(values.data, matrix)
    assert values.feature_names == [info.name for info in infos]


def test_a_missing_shap_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'shap"):
        _ = explain(*make_inputs()).shap


@pytest.mark.slow
def test_importing_the_package_does_not_load_shap():
    code = (
        "import sys, smartrisk.explanations; "
        "sys.exit(bool({'shap', 'jinja2', 'lightgbm', 'mlflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Tags(HTMLParser):
    """Collect tags and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_page_runs_nothing_and_loads_nothing(lang):
    frame, matrix, contributions, infos = make_inputs(3)
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>\x00\u202e'
    frame = frame.assign(declaration_id=hostile, origin=hostile, tariff_code=hostile)
    text = explain(frame, matrix, contributions, infos, top=9).to_html(lang=lang)
    found = Tags(text)
    assert not set(found.tags) & {"script", "img", "iframe", "link", "object", "base"}
    assert not [n for n in found.attributes if n.startswith("on") or n == "src"]
    assert text.startswith("<!DOCTYPE html>")
    assert f'<html lang="{lang}">' in text
    assert "Content-Security-Policy" in text
    assert not {"\x00", "\u202e"} & set(text)
    text.encode()


def test_a_notebook_shows_the_first_items_and_counts_the_rest():
    text = explain(*make_inputs(25))._repr_html_()
    assert text.count("<h2>") == 20
    assert "and 5 more items" in text
    assert "not a finding of irregularity" in text


def test_the_representation_counts_items_and_reasons():
    assert repr(explain(*make_inputs())) == "Reasons(n_items=6, top=3)"
