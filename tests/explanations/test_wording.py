"""Numbers and texts follow the language."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import pytest

from smartrisk.errors import ArgumentError
from smartrisk.explanations import LANGUAGES, Wording, _units
from smartrisk.explanations._evidence import Evidence
from smartrisk.explanations._messages import MESSAGES
from smartrisk.validation._reasons import FLAGS

#: A measure with its unit, as evidence holds it.
MASS = ("kg_per_unit", None)

GUILT = re.compile(
    r"fraud|guilt|illegal|ilegal|crim|evad|coupable|illicite|culpa|delito|evasi",
    re.IGNORECASE,
)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_message_speaks_of_guilt(lang):
    words = Wording(lang)
    for name in MESSAGES:
        for n in (1, 5):
            assert not GUILT.search(words.text(name, n)), name


def test_spanish_groups_from_five_digits_on(features, first_sentence):
    spanish = Wording("es")
    assert spanish.number(1234.0) == "1234"
    assert spanish.number(12345.0) == "12\u202f345"
    assert spanish.rate(0.065) == "6,5\u202f%"
    pairs = [
        (features.price("deviation"), math.log(0.41)),
        (features.price("n_peers"), 312.0),
    ]
    assert first_sentence(pairs, lang="es") == (
        "valor unitario por kg de 2,90, el 41\u202f% del nivel habitual (7,07) "
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


def test_an_unknown_language_is_refused(features, first_sentence):
    with pytest.raises(ArgumentError, match="'lang' must be one of 'en', 'fr'"):
        first_sentence([(features.item("q", "quantity"), 1.0)], lang="de")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(999.7, "1,000"), (-999.9, "−1,000"), (12.34, "12.3"), (999.4, "999")],
)
def test_no_usual_number_is_written_in_powers_of_ten(value, expected):
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
def test_a_rate_just_below_one_is_not_written_as_100_percent(value, expected):
    assert Wording("en").rate(value) == expected


def test_french_spaces_are_those_of_the_catalogue_not_of_the_values():
    french = Wording("fr")
    table = french.text("page.item", declaration="AB ;12", item="1")
    assert table == "Déclaration AB ;12, article 1"
    assert french.text("list.also", first="a", more="b") == "a\u202f; b"


def test_a_ratio_below_one_is_a_percentage_and_one_above_is_not():
    words = Wording("en")
    below = Evidence(message="peers.only", values={"ratio": 0.32, "measure": MASS})
    above = Evidence(message="peers.only", values={"ratio": 1.0, "measure": MASS})
    assert words.sentence(below).startswith("mass per unit 32 % of the typical")
    assert words.sentence(above).startswith("mass per unit 1.00 × the typical")
    for lang, stated in (
        ("fr", "32\u202f% du niveau"),
        ("es", "el 32\u202f% del nivel"),
    ):
        assert stated in Wording(lang).sentence(below)
    assert words.share(1e-9) == "1e−07 %"
    assert words.share(0.9999) == "99.9 %"


@pytest.mark.parametrize(
    ("last", "joiner"),
    [
        ("importador", "e"),
        ("Índice", "e"),
        ("hijo", "e"),
        ("hielo", "y"),
        ("origen", "y"),
        ("aduana", "y"),
    ],
)
def test_a_spanish_list_ends_in_the_joiner_that_its_last_word_asks_for(last, joiner):
    assert Wording("es").join(["peso", last]) == f"peso {joiner} {last}"
    assert Wording("fr").join(["poids", last]) == f"poids et {last}"


@pytest.mark.parametrize(
    ("lang", "first", "other"),
    [
        ("en", "1 December 2024", "17 December 2024, 09:05"),
        ("fr", "1er décembre 2024", "17 décembre 2024 à 09:05"),
        ("es", "1 de diciembre de 2024", "17 de diciembre de 2024, 09:05"),
    ],
)
def test_dates_of_sentences_are_in_words(lang, first, other):
    words = Wording(lang)
    assert words.moment(datetime(2024, 12, 1, tzinfo=UTC)) == first
    assert words.moment(datetime(2024, 12, 17, 9, 5, tzinfo=UTC)) == other


def test_spanish_of_mexico_has_the_decimal_point():
    mexican, spanish = Wording("es-MX"), Wording("es")
    assert (mexican.ratio(0.72), spanish.ratio(0.72)) == ("0.72", "0,72")
    assert mexican.number(12345.0) == "12,345"
    assert mexican.text("field.office") == spanish.text("field.office") == "aduana"


def test_units_are_named_in_the_language_and_unknown_codes_stay():
    spanish = Wording("es")
    codes = ("KGM", "NMB", "H87", "LTR", "PR", "XYZ")
    assert [spanish.unit(code) for code in codes] == (
        ["kg", "unidad", "unidad", "l", "par", "XYZ"]
    )
    assert spanish.measure("price_per_unit", "NMB") == "valor unitario (por unidad)"
    assert spanish.measure("kg_per_unit", "NMB") == "masa por unidad (unidad)"
    assert spanish.declared_value("quantity_unit", "KGM") == "KGM (kg)"
    for name in set(_units._NAMES.values()):
        assert f"unit.{name}" in MESSAGES


@pytest.mark.parametrize(
    ("column", "french"),
    [
        ("dq_net_exceeds_gross", "masse nette supérieure à la masse brute"),
        ("dq_unknown_origin", "code inconnu (origine)"),
        ("dq_zero_customs_value", "valeur nulle (valeur en douane)"),
        (
            "dq_mixed_scripts_importer_id",
            "lettres de plusieurs écritures (importateur)",
        ),
    ],
)
def test_what_validation_notes_is_stated_in_the_language(column, french):
    assert Wording("fr").field(column) == french


def test_every_flag_of_a_field_has_words():
    names = {*FLAGS.values(), "zero", "unknown", "shared"}
    assert names <= {name.partition(".")[2] for name in MESSAGES}
    for name in sorted(names):
        assert Wording("en").field(f"dq_{name}_origin").endswith("(origin)")


def test_a_negative_number_has_a_true_minus_sign():
    assert Wording("fr").signed_number(-0.47) == "−0,47"
    assert Wording("en").signed_number(-0.47) == "−0.47"
