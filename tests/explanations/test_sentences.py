"""Sentences carry their evidence, in every language, whatever the input."""

from __future__ import annotations

import math
import re
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError
from smartrisk.explanations import LANGUAGES, explain
from smartrisk.explanations._messages import MESSAGES
from smartrisk.explanations._wording import Wording
from smartrisk.features import FeatureInfo

ITEM = {
    "declaration_id": "D-1",
    "item_number": 1,
    "lodged_at": pd.Timestamp("2026-03-02"),
    "office": "KRPUS",
    "procedure": "4000",
    "importer_id": "SECRET-IMPORTER",
    "declarant_id": "SECRET-DECLARANT",
    "consignor_id": "SECRET-CONSIGNOR",
    "carrier_id": "SECRET-CARRIER",
    "tariff_code": "6403991000",
    "description": "secret description",
    "origin": "VN",
    "departure": "CN",
    "customs_value": 985.0,
    "net_mass_kg": 340.0,
    "gross_mass_kg": 400.0,
    "quantity": 12.0,
    "duty_rate": 0.12,
    "preference": "P1",
    "trusted_trader": False,
}
GUILT = re.compile(
    r"fraud|guilt|illegal|ilegal|crim|evad|coupable|illicite|culpa|delito|evasi",
    re.IGNORECASE,
)


def price(statistic, key=("hs6", "origin"), measure="price_per_kg"):
    """Return a peer statistic."""
    return FeatureInfo(
        name=f"{'_x_'.join(key)}__{measure}_{statistic}",
        fields=("customs_value", "net_mass_kg", "tariff_code", "origin"),
        concept="valuation",
        statistic=statistic,
        key=key,
        measure=measure,
    )


def history(statistic, key=("importer_id",), *, window=None, concept="trader record"):
    """Return a history statistic."""
    fields = tuple(dict.fromkeys("tariff_code" if k[:2] == "hs" else k for k in key))
    return FeatureInfo(
        name="__".join(["_x_".join(key), statistic, *([window] if window else [])]),
        fields=fields,
        concept=concept,
        statistic=statistic,
        window=window,
        key=key,
    )


def item(name, fields, statistic="value", concept="valuation"):
    """Return a feature of the item alone."""
    return FeatureInfo(
        name=name, fields=tuple(fields.split()), concept=concept, statistic=statistic
    )


def said(pairs, *, lead=0, lang="en", **changes):
    """Return the first sentence of one item whose features have these values."""
    frame = pd.DataFrame([ITEM | changes])
    matrix = np.array([[value for _, value in pairs]])
    contributions = np.full((1, len(pairs) + 1), 0.01)
    contributions[0, lead] = 0.5
    found = explain(frame, matrix, contributions, [info for info, _ in pairs])
    return found.sentences(lang=lang)[0][0]


# ------------------------------------------------------------------ evidence


def test_a_unit_value_is_set_against_the_typical_value_of_its_peers():
    pairs = [(price("deviation"), math.log(0.41)), (price("n_peers"), 312.0)]
    # 985 for 340 kg is 2.90 a kg; 2.90 / 0.41 is 7.07
    expected = "unit value per kg 2.90, 0.41 × the typical 7.07 of 312 earlier"
    expected += " items"
    assert said(pairs) == f"{expected} of 6403.99 from VN"
    assert said(pairs, lead=1) == f"{expected} of 6403.99 from VN"


def test_few_peers_lean_on_similar_goods_and_none_says_so():
    near = [(price("deviation"), 0.0), (price("n_peers"), 1.0)]
    assert said(near) == (
        "unit value per kg 2.90, 1.00 × the typical 2.90 of 1 earlier item of "
        "6403.99 from VN and of similar goods"
    )
    alone = [(price("deviation"), 0.0), (price("n_peers"), 0.0)]
    assert "no earlier item of 6403.99 from VN" in said(alone)


def test_a_unit_value_that_cannot_be_computed_is_said_to_be_so():
    pairs = [(price("deviation"), np.nan), (price("n_peers"), 12.0)]
    assert "a part is missing or zero" in said(pairs, net_mass_kg=0.0)
    assert "not known for any earlier item" in said(pairs)


@pytest.mark.parametrize(
    ("deviation", "n", "expected"),
    [
        (-0.9, 40.0, "0.41 × the typical 7.13 of 40 earlier items of 6403.99"),
        (-0.1, 40.0, "0.37 × the typical 7.88 of 500 earlier items of chapter"),
        (0.9, 40.0, "0.37 × the typical 7.88 of 500 earlier items of chapter"),
        (-0.9, 4.0, "0.37 × the typical 7.88 of 500 earlier items of chapter"),
        (np.nan, 4.0, "0.37 × the typical 7.88 of 500 earlier items of chap"),
    ],
)
def test_closer_peers_speak_where_they_are_many_and_agree(deviation, n, expected):
    pairs = [
        (price("deviation", ("hs2",)), -1.0),
        (price("n_peers", ("hs2",)), 500.0),
        (price("deviation", ("hs6",)), deviation),
        (price("n_peers", ("hs6",)), n),
        (price("deviation", ("hs6",), "kg_per_unit"), -1.0),
    ]
    assert expected in said(pairs)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(price("deviation"), 0.7)], "2.90, 2.01 × the typical 1.44 of earlier"),
        ([(price("z"), -2.5)], "-2.50 standard deviations from the typical value"),
        ([(price("n_peers"), 4.0)], "compared with 4 earlier items"),
        ([(price("deviation"), 900.0)], "× the typical "),
        ([(price("deviation"), -900.0)], "× the typical "),
    ],
)
def test_peer_statistics_stand_alone_where_their_siblings_are_absent(pairs, expected):
    assert expected in said(pairs)


def test_what_is_not_declared_but_deviates_is_said_as_a_ratio():
    pairs = [(price("deviation"), math.log(0.41)), (price("n_peers"), 312.0)]
    expected = "unit value per kg 0.41 × the typical value of earlier items of"
    assert said(pairs, net_mass_kg=np.nan).startswith(expected)


def test_the_market_s_and_the_party_s_own_values_are_said_together():
    own, market = ("importer_id", "hs4"), ("hs6", "origin")
    pairs = [
        (price("deviation", market), math.log(0.41)),
        (price("n_peers", market), 312.0),
        (price("deviation", own), math.log(0.5)),
        (price("n_peers", own), 12.0),
    ]
    assert said(pairs) == (
        "unit value per kg 2.90, 0.41 × the typical 7.07 of 312 earlier items "
        "of 6403.99 from VN; 0.50 × the typical 5.79 of 12 earlier items of "
        "this importer with goods 6403"
    )
    assert said(pairs, lead=2) == (
        "unit value per kg 2.90, 0.50 × the typical 5.79 of 12 earlier items of "
        "this importer with goods 6403; 0.41 × the typical 7.07 of 312 earlier "
        "items of 6403.99 from VN"
    )
    dearer = [*pairs[:2], (pairs[2][0], 0.3), pairs[3]]
    assert "importer" not in said(dearer)  # it deviates to the other side
    few = [*pairs[:3], (pairs[3][0], 2.0)]
    assert "importer" not in said(few)


def test_a_unit_value_and_what_its_peers_have_are_one_reason():
    own = item("price_per_kg", "customs_value net_mass_kg")
    peers = [(price("deviation"), math.log(0.41)), (price("n_peers"), 312.0)]
    expected = "unit value per kg 2.90, 0.41 × the typical 7.07 of 312 earlier"
    assert said([(own, 2.9), *peers]).startswith(expected)
    assert said([(own, 2.9)]) == "unit value per kg 2.9"
    frame = pd.DataFrame([ITEM])
    matrix = [[2.9, math.log(0.41), 312.0]]
    infos = [own, *(info for info, _ in peers)]
    found = explain(frame, matrix, [[0.5, 0.2, 0.1, -2.0]], infos).frame()
    assert found["contribution"].tolist() == pytest.approx([0.8])


def test_the_period_of_a_whole_history_is_said():
    key = ("importer_id",)
    pairs = [
        (history("inspections"), 40.0),
        (history("hits"), 9.0),
        (history("days_since_first", concept="novelty"), 300.0),
    ]
    assert said(pairs).endswith("found an irregularity (since May 2025)")
    assert said(pairs, lang="fr").endswith("(depuis mai 2025)")
    assert said(pairs, lang="es").endswith("(desde mayo de 2025)")
    once = [(history("inspections"), 1.0), *pairs[1:]]
    assert "since" not in said(once)
    other = [*pairs[:2], (history("days_since_first", ("origin",)), 300.0)]
    assert "since" not in said(other)  # of another key
    unknown = [*pairs[:2], (history("days_since_first", key), np.nan)]
    assert "since" not in said(unknown)


def test_results_of_earlier_inspections_are_counted():
    pairs = [
        (history("inspections"), 40.0),
        (history("hits"), 9.0),
        (history("hit_rate"), 0.21),
    ]
    assert said(pairs, lead=2) == (
        "9 of 40 earlier inspections of this importer with known result found an "
        "irregularity"
    )
    assert said(pairs, lead=2, lang="fr") == (
        "irrégularité relevée dans 9 des 40 résultats de contrôle connus pour les "
        "articles antérieurs de cet importateur"
    )


@pytest.mark.parametrize(
    ("n", "hits", "expected"),
    [
        (0, 0, "no earlier inspection of this importer has a known result; the hit"),
        (
            1,
            0,
            "the one earlier inspection of this importer with known result",
        ),
        (
            1,
            1,
            "the one earlier inspection of this importer with known result",
        ),
        (6, 0, "none of 6 earlier inspections of this importer with known result"),
    ],
)
def test_no_result_and_no_hit_name_the_rate_that_stands_in(n, hits, expected):
    pairs = [
        (history("inspections"), n),
        (history("hits"), hits),
        (history("hit_rate"), 0.18),
    ]
    assert said(pairs, lead=2).startswith(expected)
    assert ("no irregularity" in said(pairs, lead=2)) == ((n, hits) == (1, 0))
    assert ("18 %" in said(pairs, lead=2)) == (hits == 0)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(history("inspections"), 0)], "no earlier inspection of this importer has"),
        ([(history("inspections"), 3)], "3 earlier inspections of this importer with"),
        ([(history("hits"), 2)], "2 earlier inspections of this importer found"),
        ([(history("hit_rate"), 0.034)], "hit rate 3.4 % in earlier inspections"),
        ([(history("revenue_rate"), 2.5)], "importer id  revenue rate: 2.5"),
    ],
)
def test_a_lone_result_statistic_is_said_as_it_is(pairs, expected):
    assert said(pairs).startswith(" ".join(expected.split()))


@pytest.mark.parametrize(
    ("statistic", "window", "value", "expected"),
    [
        ("n_items", None, 0, "first item of this importer with goods 6403"),
        ("n_items", None, 3, "only 3 earlier items of this importer with"),
        ("n_items", None, 1, "only 1 earlier item of this importer with"),
        ("n_items", None, 4321, "4,321 earlier items of this importer with"),
        ("n_items", "90d", 7, "7 items of this importer with goods 6403 in the"),
        ("n_items", "90d", 0, "no item of this importer with goods 6403 in the"),
        ("days_since_last", None, 200, "last item of this importer with goods"),
        ("days_since_first", None, 12, "the first item of this importer with goods"),
        (
            "decayed",
            None,
            1.34,
            "recent activity of this importer with goods 6403: ",
        ),
        ("items_per_active_day", None, 9, "items per day with items of this"),
        ("near_threshold", "90d", 5, "5 items of this importer with goods 6403"),
        ("near_threshold", "90d", 0, "no item of this importer with goods 6403"),
    ],
)
def test_activity_names_its_number_and_its_period(statistic, window, value, expected):
    info = history(statistic, ("importer_id", "hs4"), window=window, concept="novelty")
    sentence = said([(info, value)])
    assert sentence.startswith(expected)
    assert ("90 days" in sentence) == (window == "90d")


def test_a_recent_count_of_something_new_says_that_it_is_the_first():
    key = ("importer_id", "hs4")
    pairs = [
        (history("n_items", key, concept="novelty"), 0),
        (history("days_since_last", key, concept="novelty"), np.nan),
    ]
    assert said(pairs, lead=1) == "first item of this importer with goods 6403"


def test_a_pair_of_countries_seldom_seen_is_named():
    flag = item("route_differs", "origin departure", "flag", "origin and route")
    count = history("n_items", ("origin", "departure"), concept="origin and route")
    pairs = [(flag, 1.0), (count, 3.0)]
    expected = "origin VN but shipped from CN, a pair seldom seen (3 earlier items)"
    assert said(pairs) == said(pairs, lead=1) == expected
    often = [(flag, 1.0), (count, 300.0)]
    assert said(often) == "origin VN but shipped from CN (300 earlier items)"
    assert said([(flag, 1.0)]) == "origin VN but shipped from CN"
    assert said(pairs, departure="VN") == "origin and departure both VN"
    assert "departure" in said([(flag, np.nan)], departure=None)


def test_the_gap_to_a_cheaper_code_is_said_in_rates():
    gap = FeatureInfo(
        name="hs4__cheapest_gap",
        fields=("duty_rate", "tariff_code"),
        concept="classification",
        statistic="cheapest_gap",
        key=("hs4",),
    )
    assert said([(gap, np.float32(0.12))]) == (
        "duty rate 12 % where the cheapest neighbour code of heading 6403 pays 0 %"
    )
    assert "no neighbour code of heading 6403 pays less" in said([(gap, 0.0)])
    assert said([(gap, np.nan)]) == "duty rate 12 %"
    assert said([(gap, 0.1)], duty_rate=np.nan) == "not declared: duty rate"
    mean = FeatureInfo(
        name="hs2__rate_gap",
        fields=("duty_rate", "tariff_code"),
        concept="classification",
        statistic="rate_gap",
        key=("hs2",),
    )
    assert said([(mean, 0.055)]) == (
        "duty rate 12 % where earlier goods of chapter 64 paid 6.5 % on average"
    )


@pytest.mark.parametrize(
    ("info", "value", "expected"),
    [
        (
            item("customs_value__near_threshold", "customs_value", "near_threshold"),
            1.0,
            "declared value 985 just below a threshold",
        ),
        (
            item("customs_value__near_threshold", "customs_value", "near_threshold"),
            0.0,
            "declared value 985, not just below a threshold",
        ),
        (
            item("net_mass_kg__is_round", "net_mass_kg", "is_round"),
            1.0,
            "round figure: net mass 340",
        ),
        (
            item("net_mass_kg__is_round", "net_mass_kg", "is_round"),
            0.0,
            "not a round figure: net mass 340",
        ),
        (
            item("gross_to_net", "gross_mass_kg net_mass_kg", "ratio"),
            400 / 340,
            "gross mass 1.18 × the net mass",
        ),
        (item("duty_rate", "duty_rate", "rate"), 0.12, "declared: duty rate 12 %"),
        (item("office__code", "office", "code"), 2.0, "declared: office KRPUS"),
        (
            item("hs6__code", "tariff_code", "code"),
            640399.0,
            "declared: tariff code 6403.99.1000",
        ),
        (
            item("price_per_kg", "customs_value net_mass_kg"),
            1.06,
            "unit value per kg 2.9",
        ),
        (
            item("duty_at_stake__log", "customs_value duty_rate"),
            4.7,
            "declared: customs value 985 and duty rate 12 %",
        ),
        (item("weekday", "lodged_at"), 0.0, "lodged on a Monday"),
        (
            item("trusted_trader", "trusted_trader", "flag"),
            0.0,
            "not declared as a trusted trader",
        ),
        (
            item("dq_net_above_gross", "net_above_gross", "flag"),
            1.0,
            "noted on the declaration: net above gross",
        ),
        (item("importer_id__code", "importer_id", "code"), 7.0, "declared: importer"),
        (item("n", "customs_value", "near_threshold"), np.nan, "n: not known"),
        (item("r", "customs_value", "is_round"), np.nan, "r: not known"),
        (item("t", "trusted_trader", "code"), 0.0, "declared: trusted trader no"),
        (item("odd", "origin", "a statistic of tomorrow"), 1.5, "odd: 1.5"),
        (item("odd", "origin", "a statistic of tomorrow"), np.nan, "odd: not known"),
        (item("plain", "plain"), 3.0, "plain: 3"),
    ],
)
def test_a_feature_of_the_item_is_said_by_what_was_declared(info, value, expected):
    assert said([(info, value)]).startswith(expected)


def test_a_missing_field_is_the_reason_when_it_leaves_no_history():
    found = said([(history("n_items", concept="novelty"), 0)], importer_id=None)
    assert found == "no history to compare with; not declared: importer"
    assert said([(item("q", "quantity"), np.nan)], quantity=np.nan) == (
        "not declared: quantity"
    )


@pytest.mark.parametrize(
    ("key", "english", "french"),
    [
        (("importer_id",), "of this importer", "de cet importateur"),
        (
            ("importer_id", "consignor_id"),
            "of this importer with this consignor",
            "de cet importateur avec cet expéditeur",
        ),
        (
            ("declarant_id", "office"),
            "of this declarant at office KRPUS",
            "de ce déclarant du bureau KRPUS",
        ),
        (("office",), "at office KRPUS", "du bureau KRPUS"),
        (("hs2",), "of chapter 64", "du chapitre 64"),
        (("origin",), "of goods from VN", "de marchandises d'origine VN"),
        (
            ("hs6", "departure", "origin", "duty_rate", "preference", "net_mass_kg"),
            "of 6403.99 from VN shipped from CN with the same duty rate, preference "
            "and net mass",
            "relevant de la sous-position 6403.99 d'origine VN en provenance de CN "
            "avec les mêmes données (taux de droit, préférence tarifaire et masse "
            "nette)",
        ),
    ],
)
def test_a_history_key_is_said_by_role_and_code(key, english, french):
    pairs = [(history("n_items", key), 25.0)]
    assert said(pairs) == f"25 earlier items {english}"
    assert said(pairs, lang="fr").endswith(french)


# ------------------------------------------------------------------ languages


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_message_speaks_of_guilt(lang):
    words = Wording(lang)
    for name in MESSAGES:
        for n in (1, 5):
            assert not GUILT.search(words.text(name, n)), name


def test_spanish_groups_from_five_digits_on():
    spanish = Wording("es")
    assert spanish.number(1234.0) == "1234"
    assert spanish.number(12345.0) == "12\u202f345"
    assert spanish.rate(0.065) == "6,5\u202f%"
    pairs = [(price("deviation"), math.log(0.41)), (price("n_peers"), 312.0)]
    assert said(pairs, lang="es") == (
        "valor unitario por kg de 2,90, es decir, 0,41 veces el nivel habitual (7,07) "
        "de 312 artículos anteriores de la subpartida 6403.99 de origen VN"
    )


def test_numbers_follow_the_language():
    english, french = Wording("en"), Wording("fr")
    assert english.number(12345.0) == "12,345"
    assert french.number(12345.0) == "12\u202f345"
    assert (english.ratio(0.412), french.ratio(0.412)) == ("0.41", "0,41")
    assert (english.ratio(0.00123), english.ratio(250.4)) == ("0.0012", "250")
    assert (english.ratio(12.34), english.ratio(3e7)) == ("12.3", "3.0e+07")
    assert (english.rate(0.12), french.rate(0.065)) == ("12 %", "6,5\u202f%")
    assert (english.rate(0.0), english.rate(0.0004)) == ("0 %", "0.04 %")
    assert english.number(1e20) == "1e+20"


def test_an_unknown_language_is_refused():
    with pytest.raises(ArgumentError, match="'lang' must be one of 'en', 'fr'"):
        said([(item("q", "quantity"), 1.0)], lang="de")


# ------------------------------------------------------------------ hostile input

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
EVERY_KIND = [
    (price("deviation"), -0.9),
    (price("n_peers"), 5.0),
    (history("n_items", ("hs4", "origin"), concept="novelty"), 5.0),
    (history("n_items", ("declarant_id", "office"), concept="procedure"), 5.0),
    (item("route_differs", "origin departure", "flag", "origin and route"), 1.0),
    (item("office__code", "office", "code", "procedure"), 1.0),
    (item("hs6__code", "tariff_code", "code", "classification"), 1.0),
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_text_leaves_sentences_plain_and_short(text, lang):
    columns = ("office", "procedure", "tariff_code", "origin", "departure")
    frame = pd.DataFrame([ITEM | dict.fromkeys(columns, text)], dtype=object)
    infos = [info for info, _ in EVERY_KIND]
    matrix = np.array([[value for _, value in EVERY_KIND]])
    found = explain(frame, matrix, np.full((1, 8), 0.1), infos, top=9)
    for sentence in found.sentences(lang=lang)[0]:
        assert not {unicodedata.category(c) for c in sentence} & {"Cc", "Cf", "Cs"}
        assert len(sentence) < 400
        sentence.encode()


def test_identities_are_said_by_role_only():
    infos = [info for info, _ in EVERY_KIND] + [
        item(f"{name}__code", name, "code", "other")
        for name in ("importer_id", "consignor_id", "carrier_id", "description")
    ]
    matrix = np.ones((1, len(infos)))
    found = explain(
        pd.DataFrame([ITEM]), matrix, np.full((1, len(infos) + 1), 0.1), infos, top=99
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
    statistic, key, window, value, field, absent, lang
):
    info = FeatureInfo(
        name="made_up",
        fields=(field,),
        concept="novelty",
        statistic=statistic,
        key=key,
        window=window,
    )
    row = {"declaration_id": "D", "item_number": 1} if absent else ITEM
    found = explain(pd.DataFrame([row]), np.array([[value]]), [[0.5, 0.0]], [info])
    (sentence,) = found.sentences(lang=lang)[0]
    assert sentence
    assert "{" not in sentence


# ------------------------------------------------------------------ what is known


def test_peers_without_a_known_value_are_not_said_to_be_absent():
    pairs = [
        (price("deviation"), math.log(0.41)),
        (price("n_peers"), 0.0),
        (history("n_items", ("hs6", "origin")), 9.0),
    ]
    assert said(pairs).endswith("not known for earlier items of 6403.99 from VN")
    none = [*pairs[:2], (pairs[2][0], 0.0)]
    assert said(none).endswith("no earlier item of 6403.99 from VN")
    some = [pairs[0], (pairs[1][0], 12.0), (pairs[2][0], 40.0)]
    assert "of those 12 of 40 earlier items of 6403.99 from VN for which" in said(some)


def test_a_unit_value_names_its_unit():
    pairs = [(price("deviation", measure="price_per_unit"), 0.5)]
    assert said(pairs, quantity_unit="NMB").startswith(
        "unit value (per NMB) 82.08, 1.6"
    )
    assert said(pairs, lang="fr", quantity_unit="NMB").startswith(
        "valeur unitaire (par NMB) de 82,08"
    )


def test_the_same_figures_by_another_unit_are_no_second_reason():
    both = [
        (price("deviation"), math.log(0.41)),
        (price("n_peers"), 312.0),
        (price("deviation", measure="price_per_unit"), math.log(0.41)),
        (price("n_peers", measure="price_per_unit"), 312.0),
        (history("n_items"), 25.0),
    ]
    frame = pd.DataFrame([ITEM | {"quantity": 340.0, "quantity_unit": "KGM"}])
    found = explain(
        frame,
        [[value for _, value in both]],
        [[0.9, 0.0, 0.8, 0.0, 0.2, -2.0]],
        [info for info, _ in both],
        top=2,
    )
    assert found.frame()["feature"].tolist() == [both[0][0].name, both[4][0].name]


def test_what_points_the_other_way_is_told_later():
    record = [(history("inspections"), 15.0), (history("hits"), 4.0)]
    ordinary = [(price("deviation"), 0.02), (price("n_peers"), 40.0)]
    other = [(item("quantity__log", "quantity", concept="quantity"), 2.0)]
    pairs = [*record, *ordinary, *other]
    infos = [info for info, _ in pairs]
    frame, matrix = pd.DataFrame([ITEM]), [[value for _, value in pairs]]
    low = explain(frame, matrix, [[-0.9, 0, 0, 0, -0.2, -2.0]], infos, top=1)
    assert low.release.frame()["concept"].tolist() == ["quantity"]
    high = explain(frame, matrix, [[0, 0, 0.9, 0, 0.2, -2.0]], infos, top=1)
    assert high.frame()["concept"].tolist() == ["quantity"]
    clean = [(history("inspections"), 15.0), (history("hits"), 0.0)]
    clean += [(history("hit_rate"), 0.04), *other]
    found = explain(
        frame,
        [[value for _, value in clean]],
        [[0.9, 0, 0, 0.2, -2.0]],
        [info for info, _ in clean],
        top=1,
    )
    assert found.frame()["concept"].tolist() == ["quantity"]
    alone = explain(frame, matrix, [[0, 0, 0.9, 0, 0.0, -2.0]], infos, top=1)
    assert alone.frame()["concept"].tolist() == ["valuation"]


def test_a_weighted_count_is_said_as_the_last_time():
    pairs = [
        (history("decayed", concept="novelty"), 0.03),
        (history("n_items", concept="novelty"), 5.0),
        (history("days_since_last", concept="novelty"), 150.0),
    ]
    assert said(pairs) == "last item of this importer 150 days ago"
    assert said(pairs[:2]).startswith("recent activity of this importer: 0")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(999.7, "1,000"), (-999.9, "-1,000"), (12.34, "12.3"), (999.4, "999")],
)
def test_no_number_is_said_in_powers_of_ten(value, expected):
    assert Wording("en").number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.9972, "99.7 %"),
        (0.99999, "99.9 %"),
        (1.0, "100 %"),
        (0.994, "99 %"),
        (-0.0, "0 %"),
    ],
)
def test_not_all_is_not_said_to_be_all(value, expected):
    assert Wording("en").rate(value) == expected


def test_french_spaces_are_of_the_catalogue_and_not_of_what_is_put_in():
    french = Wording("fr")
    told = french.text("page.item", declaration="AB ;12", item="1")
    assert told == "Déclaration AB ;12, article 1"
    assert french.text("list.also", first="a", more="b") == "a\u202f; b"
