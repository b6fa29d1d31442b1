"""The digits of declared figures, on figures of every size and form."""

from __future__ import annotations

import numpy as np
import pytest

from smartrisk.features import DeclarationFeatures, DigitFeatures

CASES = [
    (12_000.0, 3, 2),
    (12_001.0, 0, 5),
    (12.34, -2, 4),
    (12.30, -1, 3),
    (0.1 + 0.2, -1, 1),
    (1.1 * 3, -1, 2),
    (0.07 * 100, 0, 1),
    (999.999999999999, 3, 1),
    (0.005, -3, 1),
    (0.0004, -4, 1),
    (1234.5678912, -3, 7),
    (123_456_789_012.34, -2, 14),
    (1e15, 15, 1),
    (1e300, 300, 1),
    (1e-300, np.nan, np.nan),
    (0.0, np.nan, np.nan),
    (-5.0, np.nan, np.nan),
    (np.inf, np.nan, np.nan),
    (np.nan, np.nan, np.nan),
]


@pytest.fixture
def rows(world):
    values = [value for value, *_ in CASES]
    return world.declarations.head(len(CASES)).assign(
        customs_value=values, net_mass_kg=values[::-1]
    )


def test_digits_are_those_that_a_person_would_count(rows):
    out = DigitFeatures().fit_transform(rows)
    expected = np.array([case[1:] for case in CASES], np.float32)
    assert np.array_equal(out[:, :2], expected, equal_nan=True)
    assert np.array_equal(out[::-1, 2:4], expected, equal_nan=True)


def test_digits_equal_those_of_decimal_numbers(world):
    rng = np.random.default_rng(0)
    n = len(world.declarations)
    texts = [
        f"{rng.integers(1, 10 ** rng.integers(1, 10))}{'0' * rng.integers(0, 4)}"
        for _ in range(n)
    ]
    decimals = rng.integers(0, 4, n)
    values = [int(text) / 10**d for text, d in zip(texts, decimals, strict=True)]
    out = DigitFeatures().fit_transform(world.declarations.assign(customs_value=values))
    bare = [text.rstrip("0") for text in texts]
    zeros = [len(t) - len(b) for t, b in zip(texts, bare, strict=True)]
    assert np.array_equal(out[:, 0], np.array(zeros) - decimals)
    assert out[:, 1].tolist() == [len(b) for b in bare]


def test_one_item_has_the_digits_of_the_batch(rows):
    features = DeclarationFeatures(parts=("digits",)).fit(rows)
    batch = features.transform_matrix(rows)
    for row in range(len(rows)):
        one = features.transform_one(rows.iloc[row].to_dict())
        assert np.array_equal(one, batch[[row]], equal_nan=True)


def test_a_figure_that_is_not_declared_has_no_digits(world):
    items = world.declarations.drop(columns="quantity")
    names = DigitFeatures().fit(items).get_feature_names_out().tolist()
    assert names == [
        "customs_value__trailing_zeros",
        "customs_value__significant_digits",
        "net_mass_kg__trailing_zeros",
        "net_mass_kg__significant_digits",
    ]


def test_places_of_the_decimal_point_do_not_change_the_significant_digits(world):
    value = np.floor(world.declarations["customs_value"]) + 1.0
    counts = [
        DigitFeatures().fit_transform(world.declarations.assign(customs_value=v))[:, :2]
        for v in (value, value * 1000, value / 100)
    ]
    assert np.array_equal(counts[0][:, 1], counts[1][:, 1])
    assert np.array_equal(counts[0][:, 1], counts[2][:, 1])
    assert np.array_equal(counts[0][:, 0] + 3, counts[1][:, 0])
    assert np.array_equal(counts[0][:, 0] - 2, counts[2][:, 0])
