"""Numbers and texts follow the language."""

from __future__ import annotations

import math
import re

import pytest

from smartrisk.errors import ArgumentError
from smartrisk.explanations import LANGUAGES, Wording
from smartrisk.explanations._messages import MESSAGES

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


def test_an_unknown_language_is_refused(features, first_sentence):
    with pytest.raises(ArgumentError, match="'lang' must be one of 'en', 'fr'"):
        first_sentence([(features.item("q", "quantity"), 1.0)], lang="de")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(999.7, "1,000"), (-999.9, "-1,000"), (12.34, "12.3"), (999.4, "999")],
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
