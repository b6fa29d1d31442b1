"""How well the values of a column fit a field, whatever the column is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from smartrisk.intake._columns import ColumnValues
from smartrisk.intake._headers import words_of
from smartrisk.intake._sums import looks_like_rate
from smartrisk.schema import DECLARATIONS, OUTCOMES, country_code

#: Share of the rows from which values are of a kind: exports have a few other ones.
_MOST = 0.9
_MODES = re.compile(r"[0-9]{1,2}|[0-9]\.0")


def fit_values(field: str, column: ColumnValues) -> float:
    """Return how well values fit a field: 0 rules the column out, 1 fits."""
    if column.n_filled == 0:
        return 0.0
    rule = _RULES.get(field)
    if rule is not None:
        return rule(column)
    declared = DECLARATIONS[field] if field in DECLARATIONS else OUTCOMES[field]
    return _KINDS[declared.kind](column)


def _fit_date(column: ColumnValues) -> float:
    """Rate dates that one format reads."""
    share = column.date_share
    if share < 0.8 and column.share_matching(r"[34][0-9]{4}(\.[0-9]+)?") > _MOST:
        return 0.5  # days since 1900, as spreadsheets count them
    return share if share >= 0.8 else 0.0


def _fit_tariff(column: ColumnValues) -> float:
    """Digits of 4 to 12, in chapters that exist, more than one code."""
    plain = [re.sub(r"[\s.\-/]", "", _whole(v)) for v in column.values]
    is_code = [
        bool(re.fullmatch(r"[0-9]{5,12}", p)) and (1 <= int(_chapter(p)) <= 98)
        for p in plain
    ]
    share = column.share(is_code)
    if share < 0.8:
        return 0.0
    lengths = {len(p) for p, ok in zip(plain, is_code, strict=True) if ok}
    long = column.share(len(p) >= 6 for p in plain)
    is_spread = len({_chapter(p) for p in plain}) > 1 or column.n_distinct < 5
    # A serial number has one chapter, or never repeats.
    repeats = column.n_distinct < 0.98 * column.n_filled or column.n_filled < 30
    return (
        share
        * long
        * (1.0 if is_spread else 0.5)
        * (1.0 if repeats else 0.6)
        * (1.0 if len(lengths) <= 4 else 0.7)
    )


def _chapter(code: str) -> str:
    """Return the first two digits of a code, its lost zero restored."""
    return (code.zfill(len(code) + 1) if len(code) % 2 else code)[:2]


def _whole(text: str) -> str:
    """Return ``90121.0`` as ``90121``."""
    return re.sub(r"(?<=[0-9]{5})\.0+$", "", text)


def _fit_country(column: ColumnValues) -> float:
    """Codes or names of countries, or an administration's own numbers."""
    named = column.share(is_country(v) for v in column.values)
    if named >= 0.5:
        return min(1.0, named + 0.05)
    is_coded = column.share_matching(r"[0-9]{1,4}")
    own = is_coded >= _MOST and column.n_distinct <= 300 and not column.has_fractions
    letters = column.share_matching(r"[A-Za-z]{1,3}")
    if letters >= _MOST and column.n_distinct <= 300:
        return 0.5 if named >= 0.2 else 0.35
    words = column.letters_share >= _MOST and column.n_distinct <= 300
    return 0.6 if own else 0.4 if words and column.mean_length > 3 else 0.0


@cache
def is_country(text: str) -> bool:
    """Return whether a text is a code or name of a country."""
    return country_code(text) is not None


def _fit_number(column: ColumnValues) -> float:
    """Rate numbers that are not all zero."""
    share = column.number_share
    if share < 0.8:
        return 0.0
    if column.is_zero:
        return 0.0
    return share * (0.5 if column.is_constant else 1.0)


def _fit_amount(column: ColumnValues) -> float:
    """Numbers of many sizes: no code, no serial number."""
    fit = _fit_number(column)
    if fit == 0.0 or column.n_filled < 20:
        return fit
    numbers = column.numbers[~np.isnan(column.numbers)]
    spread = np.ptp(np.log10(np.maximum(np.abs(numbers[numbers != 0]), 1e-3)))
    few = column.n_distinct < 10 and not column.has_fractions
    fixed = column.share_matching(r"0[0-9]+") > 0.1
    return (
        fit
        * (0.4 if few else 1.0)
        * (0.5 if spread < 0.5 else 1.0)
        * (0.2 if fixed else 1.0)
    )


def _fit_integer(column: ColumnValues) -> float:
    """Rate whole numbers."""
    share = column.share_matching(r"[0-9]{1,6}(\.0+)?")
    return share if share >= _MOST else 0.0


def _fit_item_number(column: ColumnValues) -> float:
    """Rate small whole numbers that start at 1."""
    share = _fit_integer(column)
    if not share:
        return 0.0
    numbers = column.numbers[~np.isnan(column.numbers)]
    if not len(numbers) or numbers.max() > 9_999 or not numbers.any():
        return 0.1
    return share * (1.0 if numbers.min() <= 1 else 0.5)


def _fit_party(column: ColumnValues) -> float:
    """Rate identifiers or names: more than a handful, none of them a measure."""
    if column.has_fractions and column.number_share > _MOST:
        return 0.1
    if column.is_constant:
        return 0.3 if column.n_filled > 20 else 0.7
    if column.date_share > _MOST and column.share_matching("[0-9]+") < _MOST:
        return 0.0
    short = column.mean_length < 3 and column.n_distinct < 20
    return 0.4 if short else 1.0


def _fit_key(column: ColumnValues) -> float:
    """Rate identifiers of documents: many, none of them a measure or a date."""
    fit = _fit_party(column)
    ratio = column.n_distinct / max(1, column.n_filled)
    if column.n_filled >= 50 and ratio < 0.02:
        fit *= 0.2
    return fit * min(1.0, column.filled + 0.05) ** 4


def _fit_code(column: ColumnValues) -> float:
    """Values of a list: few, short, no measures."""
    if column.has_fractions and column.number_share > _MOST:
        return 0.05
    if column.date_share > _MOST and column.mean_length > 6:
        return 0.05
    most = max(60.0, 0.1 * column.n_filled)
    many = 1.0 if column.n_distinct <= most else 0.4
    many *= 0.5 if column.is_constant and column.n_filled > 20 else 1.0
    return many * (1.0 if column.mean_length <= 12 else 0.7)


def _fit_text(column: ColumnValues) -> float:
    """Free texts: letters, of some length."""
    if column.letters_share < 0.6:
        return 0.1
    return 1.0 if column.mean_length >= 8 else 0.6


def _fit_list(name: str, otherwise: float = 0.0) -> Callable[[ColumnValues], float]:
    """Return the rule of a list of words; codes of a few kinds may stand for them."""

    def fit(column: ColumnValues) -> float:
        """Rate values of the list."""
        share = column.share_in(words_of(name))
        if share >= 0.8:
            return share
        return otherwise if column.n_distinct <= 30 else 0.0

    return fit


def _fit_mode(column: ColumnValues) -> float:
    """One or two digits, or words of transport."""
    if column.n_distinct > 60:
        return 0.0
    digits = column.share(_MODES.fullmatch(v) is not None for v in column.values)
    words = column.share(_holds(v, "modes") for v in column.values)
    letters = column.share_matching("[A-Za-z]{1,3}")
    return max(digits, words) if max(digits, words) >= 0.7 else 0.6 * letters


def _holds(text: str, name: str) -> bool:
    """Return whether a text holds one of the words of a list."""
    plain = text.casefold()
    return any(word in plain for word in words_of(name))


def _fit_unit(column: ColumnValues) -> float:
    """Rate a few codes of units."""
    if column.n_distinct > 120 or column.has_fractions:
        return 0.0
    return 1.0 if column.letters_share >= 0.7 else 0.6


def _fit_rate(column: ColumnValues) -> float:
    """Numbers from 0 to 100 (up to 3,000 per cent occur), with few values."""
    fit = column.number_share
    numbers = column.numbers[~np.isnan(column.numbers)]
    if fit < 0.8 or not len(numbers) or numbers.min() < 0 or numbers.max() > 3000:
        return 0.0
    if not numbers.any():
        return 0.2
    few = column.n_distinct <= max(60, 0.05 * column.n_filled)
    return fit * (1.0 if few else 0.4) * (1.0 if np.median(numbers) <= 100 else 0.3)


def _fit_duties(column: ColumnValues) -> float:
    """Rate amounts, which few numbers below 100 are not."""
    return _fit_number(column) * (0.5 if looks_like_rate(column) else 1.0)


def _fit_exchange(column: ColumnValues) -> float:
    """Rate numbers above zero."""
    fit = _fit_number(column)
    numbers = column.numbers[column.numbers > 0]
    return fit if len(numbers) and np.median(numbers) < 1e6 else 0.0


def _fit_label(column: ColumnValues) -> float:
    """Yes or no, or a few words of a result."""
    if column.share_in(words_of("yes_no")) >= _MOST and column.n_distinct <= 4:
        return 1.0
    return 0.5 if column.n_distinct <= 12 and column.letters_share > 0.5 else 0.0


def _fit_channel(column: ColumnValues) -> float:
    """Rate colours, or a few codes."""
    if column.n_distinct > 12:
        return 0.0
    words = [re.split(r"[\s_\-]", v.casefold())[-1] for v in column.values]
    share = column.share(w in words_of("channels") for w in words)
    return share if share >= 0.7 else 0.4


def _fit_offence(column: ColumnValues) -> float:
    """Rate a few words of offences."""
    if column.letters_share < 0.6 or column.n_distinct > 60:
        return 0.2 if column.n_distinct <= 60 else 0.0
    return max(0.5, column.share(_holds(v, "offences") for v in column.values))


def _fit_adjustment(column: ColumnValues) -> float:
    """Amounts, most of which may be zero or missing."""
    return _fit_number(column)


def _fit_currency(column: ColumnValues) -> float:
    """Rate codes of currencies."""
    share = column.share_in(words_of("currencies"))
    if share >= 0.6:
        return 1.0
    return 0.6 if column.n_distinct <= 40 and not column.has_fractions else 0.0


def _fit_container(column: ColumnValues) -> float:
    """Rate numbers of containers."""
    share = column.share_matching(r"[A-Z]{4} ?[0-9]{6}-?[0-9].*|[A-Z]{4}[0-9]{7}.*")
    return 1.0 if share > 0.3 else 0.3


_KINDS: Mapping[str, Callable[[ColumnValues], float]] = {
    "text": _fit_party,
    "code": _fit_code,
    "number": _fit_amount,
    "integer": _fit_integer,
    "boolean": _fit_list("yes_no", 0.1),
    "datetime": _fit_date,
}
_RULES: Mapping[str, Callable[[ColumnValues], float]] = {
    "declaration_id": _fit_key,
    "item_number": _fit_item_number,
    "tariff_code": _fit_tariff,
    "description": _fit_text,
    "origin": _fit_country,
    "departure": _fit_country,
    "transport_mode": _fit_mode,
    "quantity_unit": _fit_unit,
    "duty_rate": _fit_rate,
    "duties_taxes": _fit_duties,
    "freight": _fit_number,
    "insurance": _fit_number,
    "exchange_rate": _fit_exchange,
    "currency": _fit_currency,
    "incoterm": _fit_list("incoterms", 0.5),
    "flow": _fit_list("flows"),
    "container_id": _fit_container,
    "illicit": _fit_label,
    "channel": _fit_channel,
    "offence": _fit_offence,
    "revenue_adjustment": _fit_adjustment,
    "assessed_value": _fit_number,
}
