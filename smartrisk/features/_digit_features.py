"""How round a declared figure is: the digits in which it is written."""

from __future__ import annotations

import math

import numpy as np

from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._feature_info import FeatureInfo
from smartrisk.features._item_results import ItemResults
from smartrisk.features._one_item import OneItem
from smartrisk.features._transformer import DeclarationTransformer, Matrix

#: Figures whose digits are features, with the customs concept of each.
_FIGURES = {
    "customs_value": "valuation",
    "net_mass_kg": "quantity",
    "quantity": "quantity",
}
_STATISTICS = ("trailing_zeros", "significant_digits")
#: Decimals that are read: grams of a kilogram, and the mills of the few currencies that
#: have them. What follows is a remainder of a division or of an exchange rate.
_DECIMALS = 3
#: Digits that every decimal number keeps as a 64-bit float.
_EXACT_DIGITS = 15
#: Powers of ten that are exact as whole numbers and as floats.
_POWERS: Int = 10 ** np.arange(_EXACT_DIGITS + 1, dtype=np.int64)
#: Powers of ten as floats, each the nearest: a power function may miss the last bit.
_TENS: Float = np.array([float(f"1e{power}") for power in range(309)])
#: Powers of ten that find up to 15 trailing zeros by halving.
_STEPS = (8, 4, 2, 1)


class DigitFeatures(DeclarationTransformer):
    """Trailing zeros and significant digits of declared figures.

    Parameters
    ----------
    label_delay : int, default=30
        Not used: digits are known at lodgement. It is here so that all transformers
        accept it.

    Attributes
    ----------
    names_ : tuple of str
        The declared fields.
    feature_info_ : list of FeatureInfo
        What each column is about.

    Notes
    -----
    ``trailing_zeros`` is the highest power of ten that divides the figure: 3 for
    12,000, 0 for 12,001, -2 for 12.34. ``significant_digits`` counts the digits from
    the first to the last that is not zero: 2 for 12,000, 4 for 12.34. Figures are
    rounded to three decimals and to 15 digits, so that what a float adds to a decimal
    number does not count; one below 0.001 keeps its first digit. Zero, negative and
    missing figures give NaN.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import DigitFeatures
    >>> world = make_declarations(n_items=100, random_state=0)
    >>> DigitFeatures().fit_transform(world.declarations).shape
    (100, 6)
    """

    def __init__(self, *, label_delay: int = 30) -> None:
        self.label_delay = label_delay

    def _learn(self, columns: Columns, results: ItemResults | None) -> None:
        """Note which fields are declared."""
        self.names_ = columns.names

    def _describe(self) -> list[FeatureInfo]:
        """Return two features of each declared figure."""
        return [
            FeatureInfo(
                name=f"{field}__{statistic}",
                fields=(field,),
                concept=concept,
                statistic=statistic,
            )
            for field, concept in _FIGURES.items()
            if field in self.names_
            for statistic in _STATISTICS
        ]

    def _compute(self, columns: Columns, out: Matrix) -> None:
        """Fill two columns for each figure."""
        fields = [info.fields[0] for info in self.feature_info_[:: len(_STATISTICS)]]
        if not fields:
            return
        figures = np.concatenate([columns.number(field) for field in fields])
        zeros, digits = count_digits(figures)
        out[:, 0::2] = zeros.reshape(len(fields), columns.n).T
        out[:, 1::2] = digits.reshape(len(fields), columns.n).T

    def _compute_one(self, item: OneItem) -> list[float]:
        """Return two numbers of each figure."""
        fields = [info.fields[0] for info in self.feature_info_[:: len(_STATISTICS)]]
        row: list[float] = []
        for field in fields:
            row += _count_digits_of_one(item.number(field))
        return row


def _count_digits_of_one(value: float) -> tuple[float, float]:
    """Return what `count_digits` does for a single figure."""
    if not (value > 0 and math.isfinite(value)):
        return math.nan, math.nan
    before = int(np.floor(np.log10(value))) + 1
    decimals = max(_DECIMALS, 1 - before)
    decimals = min(decimals, _EXACT_DIGITS - max(before, 0))
    scaled = value * float(_TENS[max(decimals, 0)])
    if decimals < 0:
        scaled /= float(_TENS[-decimals])
    whole = round(scaled)
    if whole <= 0:
        return math.nan, math.nan
    n_digits, stripped = min(len(str(whole)), len(_POWERS)), 0
    for step in _STEPS:
        quotient, left = divmod(whole, 10**step)
        if not left:
            whole = quotient
            stripped += step
    return float(stripped - decimals), float(n_digits - stripped)


def count_digits(values: Float) -> tuple[Float, Float]:
    """Return the trailing zeros and the significant digits of figures.

    Parameters
    ----------
    values : ndarray of float64, shape (n_items,)
        Declared figures.

    Returns
    -------
    zeros, digits : ndarray of float64, shape (n_items,)
        Power of ten that divides the figure, negative for decimals; digits from the
        first to the last that is not zero. NaN where a figure is not positive.
    """
    good = (values > 0) & np.isfinite(values)
    safe = np.where(good, values, 1.0)
    before = np.floor(np.log10(safe)).astype(np.int64) + 1
    decimals = np.maximum(_DECIMALS, 1 - before)
    decimals = np.minimum(decimals, _EXACT_DIGITS - np.maximum(before, 0))
    # A power of ten up to 22 is exact, so that one rounding error is all there is.
    scaled = safe * _TENS[np.maximum(decimals, 0)]
    if decimals.min(initial=0) < 0:
        scaled /= _TENS[np.maximum(-decimals, 0)]
    whole = np.rint(scaled).astype(np.int64)
    good &= whole > 0
    n_digits = np.searchsorted(_POWERS, whole, side="right")
    stripped = np.zeros(len(values), np.int64)
    for step in _STEPS:
        quotient = whole // _POWERS[step]
        ends = quotient * _POWERS[step] == whole
        whole = np.where(ends, quotient, whole)
        stripped += step * ends
    zeros = np.where(good, stripped - decimals, np.nan)
    return zeros, np.where(good, n_digits - stripped, np.nan)
