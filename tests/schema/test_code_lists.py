"""Code lists: complete, without contradictions, and as their source has them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from smartrisk.schema import (
    AREAS,
    CHANNELS,
    CONTROL_KINDS,
    FLOWS,
    OFFENCES,
    country_code,
    is_chapter,
    is_country,
    is_currency,
    list_code,
    mode_code,
    unit_code,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "smartrisk" / "schema" / "_code_lists"


def rows(name):
    """Return the cells of a table."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")][1:]


def test_the_tables_are_those_that_the_generator_writes():
    babel = pytest.importorskip("babel")
    path = ROOT / ".ci" / "code_lists.py"
    spec = importlib.util.spec_from_file_location("code_lists", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    head = (FOLDER / "countries.tsv").read_text(encoding="utf-8").splitlines()[0]
    if f"Babel {babel.__version__}," not in head:
        pytest.skip("another release of the source")
    assert ["\t".join(row) for row in rows("countries.tsv")] == module.country_rows()


def test_every_form_of_a_country_is_that_country():
    table = rows("countries.tsv")
    assert len(table) == 250  # ISO 3166-1, and Kosovo
    for alpha2, alpha3, number, customary, *names, further in table:
        forms = [
            alpha2,
            alpha3,
            number,
            *customary.split(),
            *names,
            *further.split("|"),
        ]
        for form in filter(None, forms):
            assert country_code(form) == alpha2, form
            assert country_code(f" {form.lower()} ") == alpha2, form
        assert is_country(alpha2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Korea, Republic of", "KR"),
        ("REPUBLIC OF KOREA", "KR"),
        ("RÉPUBLIQUE POPULAIRE DE CHINE", "CN"),
        ("GRAN BRETA\u00a4A", "GB"),
        ("M\u00c3\u2030XICO", "MX"),
        ("BR?SIL", "BR"),
        ("ESPA\ufffdA", "ES"),
        ("36", "AU"),
        ("Germany East", None),
        ("EU", None),
        ("QQ", None),
        ("?????", None),
        ("", None),
    ],
)
def test_a_country_is_found_where_one_is_meant(text, code):
    assert country_code(text) == code


def test_codes_of_units_and_modes_are_their_own():
    for code, _, spellings in rows("units.tsv"):
        for text in (code, *spellings.split()):
            assert unit_code(text.lower()) == code
    for text in ("0", "4", "04", "40", "17"):
        assert mode_code(f" {text}") == text
    assert not any(map(mode_code, ("99", "44", "A", "")))
    assert is_currency("XOF")
    assert not is_currency("DEM")
    chapters = [f"{n:02d}" for n in range(100)]
    assert [c for c in chapters if not is_chapter(c)] == ["00", "77", "98", "99"]
    assert not is_chapter("x1")


def test_every_word_is_a_code_of_its_list_and_of_no_second_one():
    lists = {
        "channel": CHANNELS,
        "offence": OFFENCES,
        "control_kind": CONTROL_KINDS,
        "area": AREAS,
        "flow": FLOWS,
    }
    for field, codes in lists.items():
        assert [list_code(field, code) for code in codes] == list(codes)
    seen = set()
    for field, code, words in rows("words.tsv"):
        assert code in lists.get(field, ("0", "1"))
        for word in words.split(","):
            assert (field, word) not in seen, word
            assert list_code(field, word.upper()) == code
            seen.add((field, word))
    assert list_code("boolean", "-1") is None
