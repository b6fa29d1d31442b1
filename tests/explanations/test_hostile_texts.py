"""Sentences stay plain, short and without identities, whatever the input."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.explanations import LANGUAGES, explain
from smartrisk.features import FeatureInfo

HOSTILE = (
    "<script>alert(1)</script>",
    "\x00\x1b[31mred\r\n",
    "\u202egnp.exe",
    "{importer_id} {0} %s",
    "x" * 10_000,
    "\ud800",
    "",
    "6403é<b>",
)


@pytest.fixture(scope="module")
def every_kind(features):
    """Return a feature of every kind of evidence, with its value."""
    return [
        (features.price("deviation"), -0.9),
        (features.price("n_peers"), 5.0),
        (features.history("n_items", ("hs4", "origin"), concept="novelty"), 5.0),
        (
            features.history(
                "n_items", ("declarant_id", "office"), concept="procedure"
            ),
            5.0,
        ),
        (
            features.item(
                "route_differs", "origin departure", "flag", "origin and route"
            ),
            1.0,
        ),
        (features.item("office__code", "office", "code", "procedure"), 1.0),
        (features.item("hs6__code", "tariff_code", "code", "classification"), 1.0),
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_text_leaves_sentences_plain_and_short(
    every_kind, declared_item, text, lang
):
    columns = ("office", "procedure", "tariff_code", "origin", "departure")
    frame = pd.DataFrame([declared_item | dict.fromkeys(columns, text)], dtype=object)
    infos = [info for info, _ in every_kind]
    matrix = np.array([[value for _, value in every_kind]])
    found = explain(frame, matrix, np.full((1, 8), 0.1), infos, top=9)
    for sentence in found.sentences(lang=lang)[0]:
        assert not {unicodedata.category(c) for c in sentence} & {"Cc", "Cf", "Cs"}
        assert len(sentence) < 400
        sentence.encode()


def test_identities_are_stated_by_role_only(features, every_kind, declared_item):
    infos = [info for info, _ in every_kind] + [
        features.item(f"{name}__code", name, "code", "other")
        for name in ("importer_id", "consignor_id", "carrier_id", "description")
    ]
    matrix = np.ones((1, len(infos)))
    found = explain(
        pd.DataFrame([declared_item]),
        matrix,
        np.full((1, len(infos) + 1), 0.1),
        infos,
        top=99,
    )
    text = found.frame().to_csv() + found.frame(lang="fr").to_csv() + found.to_html()
    assert "secret" not in text.lower()


@given(
    statistic=st.sampled_from(
        [
            *("deviation", "z", "n_peers", "hits", "hit_rate", "inspections"),
            *("revenue_rate", "n_items", "days_since_last", "decayed"),
            *("near_threshold", "rate_gap", "cheapest_gap", "value", "ratio"),
            *("is_round", "flag", "code", "a statistic of tomorrow"),
        ]
    ),
    key=st.sampled_from(
        [None, ("importer_id",), ("hs6", "origin"), ("origin", "departure"), ("x",)]
    ),
    window=st.sampled_from([None, "90d", "long"]),
    value=st.floats(allow_nan=True, allow_infinity=True),
    field=st.sampled_from(["customs_value", "importer_id", "lodged_at", "unknown"]),
    absent=st.booleans(),
    lang=st.sampled_from(LANGUAGES),
)
def test_any_statistic_of_any_value_gives_a_sentence(
    declared_item, statistic, key, window, value, field, absent, lang
):
    info = FeatureInfo(
        name="made_up",
        fields=(field,),
        concept="novelty",
        statistic=statistic,
        key=key,
        window=window,
    )
    row = {"declaration_id": "D", "item_number": 1} if absent else declared_item
    found = explain(pd.DataFrame([row]), np.array([[value]]), [[0.5, 0.0]], [info])
    (sentence,) = found.sentences(lang=lang)[0]
    assert sentence
    assert "{" not in sentence
