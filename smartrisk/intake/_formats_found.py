"""Options of a column map that the values of its columns show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from smartrisk.errors import Message
from smartrisk.intake._columns import NUMBER_FORMATS, ColumnValues
from smartrisk.intake._headers import has_meaning
from smartrisk.validation import explain_dates, explain_numbers, parse_dates

#: Share of the rows that one format of dates must explain to be taken without doubt.
_ALL = 0.98
#: Values of a column that are tried: shares change little with more.
_VALUES = 2_000
#: How much heavier the columns of tonnes are: thousand kilograms.
_TONNE = 1000.0


@dataclass
class Options:
    """Options of a map, and what is unsure about each.

    Parameters
    ----------
    settings : dict
        Arguments of `ColumnMap`.
    notes : dict of str to Message
        What the values show, by option.
    doubts : dict of str to Message
        What they do not decide, by option.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Message] = field(default_factory=dict)
    doubts: dict[str, Message] = field(default_factory=dict)


def find_options(
    columns: Mapping[str, ColumnValues], kinds: Mapping[str, Sequence[str]]
) -> Options:
    """Return the options that the columns of dates, numbers and codes show.

    Parameters
    ----------
    columns : mapping of str to ColumnValues
        All columns.
    kinds : mapping of str to sequence of str
        Columns by what they hold: "dates" and "numbers", and the fields "tariff_code",
        "duty_rate", "net_mass_kg", "gross_mass_kg".
    """
    options = Options()
    _find_dates({n: columns[n] for n in kinds.get("dates", ())}, options)
    _find_numbers([columns[n] for n in kinds.get("numbers", ())], options)
    for name in kinds.get("tariff_code", ()):
        _find_digits(columns[name], options)
    for name in kinds.get("duty_rate", ()):
        _find_rate_unit(columns[name], options)
    for mass in ("net_mass_kg", "gross_mass_kg"):
        for name in kinds.get(mass, ()):
            _find_tonnes(mass, columns[name], options)
    return options


def _find_dates(columns: Mapping[str, ColumnValues], options: Options) -> None:
    """Set the order of days and months, or the format of each column."""
    orders = {name: _order(column) for name, column in columns.items()}
    formats = {n: order for n, order in orders.items() if isinstance(order, str)}
    unread = [n for n, order in orders.items() if order is None]
    firsts = [bool(o) for o in orders.values() if isinstance(o, int) and o >= 0]
    if formats:
        options.settings["date_format"] = formats
    if firsts or unread:
        options.settings["day_first"] = Counter(firsts or [True]).most_common(1)[0][0]
    if unread and not firsts:
        options.doubts["day_first"] = Message(
            "intake.days_and_months",
            "{column!r}: no day is past the 12th, so days and months cannot be "
            "distinguished; day first is a guess. Set day_first to true or false.",
            column=unread[0],
        )
    if len(set(firsts)) > 1:
        options.doubts["day_first"] = Message(
            "intake.days_and_months_differ",
            "columns of dates have days and months in different orders: {columns}. "
            "Give each a format in date_format.",
            columns=", ".join(map(repr, columns)),
        )
    mixed = [c for c in columns.values() if _read_share(c) < _ALL]
    if mixed:
        options.doubts["dates"] = Message(
            "intake.dates_mixed",
            "{column!r}: the best format reads {share:.0%} of the dates; others "
            "look like {others}.",
            column=mixed[0].name,
            share=_read_share(mixed[0]),
            others=", ".join(repr(v) for v in _unread(mixed[0])[:3]),
        )


def _order(column: ColumnValues) -> str | int | None:
    """Return a format, 1 for day first, 0 for month first, -1 for ISO, None if open."""
    shares = _date_shares(column)
    if not shares:
        return -1
    day, month = _joint(shares, "%d"), _joint(shares, "%m")
    others = {n: s for n, s in shares.items() if not _is_slashed(n)}
    best = max(others, key=lambda n: others[n], default="")
    if others.get(best, 0.0) > max(day, month):
        return -1 if best == "iso" or shares.get("iso", 0.0) >= others[best] else best
    if "%y" in "".join(shares) and others.get(best, 0.0) == max(day, month):
        # 24/01/31 is read by two formats: the right one has fewer years.
        years = {n: _n_years(n, column) for n in shares if shares[n] == others[best]}
        fewest = min(years, key=lambda n: years[n])
        if fewest == best and years[best] < min(
            v for n, v in years.items() if n != best
        ):
            return best
    return None if day == month else int(day > month)


def _date_shares(column: ColumnValues) -> dict[str, float]:
    """Return the share of the values that each format of dates reads."""
    return explain_dates(column.texts.dropna().head(_VALUES))


def _is_slashed(name: str) -> bool:
    """Return whether days and months of a format are numbers with signs between."""
    return re.match(r"%[dm][/.\- ]%[dm][/.\- ]", name) is not None


def _joint(shares: Mapping[str, float], first: str) -> float:
    """Return what formats of one order, with long and short years, explain together."""
    found = [s for n, s in shares.items() if n.startswith(first) and _is_slashed(n)]
    return min(1.0, sum(found))


def _n_years(name: str, column: ColumnValues) -> int:
    """Return the number of years that a format reads in the values."""
    moments, _ = parse_dates(column.texts.dropna().head(_VALUES), name)
    years = moments[~np.isnat(moments)].astype("datetime64[Y]")
    return len(np.unique(years))


def _read_share(column: ColumnValues) -> float:
    """Return the share of dates that one order of day, month and year reads."""
    shares = _date_shares(column)
    best = max(shares.values(), default=0.0)
    return max(_joint(shares, "%d"), _joint(shares, "%m"), best)


def _unread(column: ColumnValues) -> list[str]:
    """Return values that look unlike the most frequent one."""

    def shape(text: str) -> str:
        return re.sub("[0-9]+", "9", text)

    usual = shape(column.values[0])
    return [v for v in column.values if shape(v) != usual] or column.values[1:]


def _find_numbers(columns: Sequence[ColumnValues], options: Options) -> None:
    """Set the decimal and thousands signs that explain the columns of numbers."""
    columns = [c for c in columns if c.n_filled and c.number_share > 0.5]
    totals: Counter[tuple[str, str | None, str]] = Counter()
    for column in columns:
        totals.update(explain_numbers(column.values[:_VALUES]))
    if not totals:
        return
    decimal, thousands, grouping = max(totals, key=lambda form: _simple(form, totals))
    if decimal != ".":
        options.settings["decimal"] = decimal
    if thousands is not None:
        options.settings["thousands"] = thousands
    if grouping != "western":
        options.settings["grouping"] = grouping
    threes = [c.name for c in columns if _only_threes(c)]
    if threes and thousands is None:
        options.doubts["decimal"] = Message(
            "intake.groups_of_three",
            "{column!r}: every sign stands before three digits, so {example!r} may be "
            "read as thousands or as decimals. Set thousands if it separates groups.",
            column=threes[0],
            example=next(v for v in columns[0].values if v),
        )


def _simple(
    form: tuple[str, str | None, str], totals: Mapping[Any, float]
) -> tuple[float, int]:
    """Return what a way to write numbers reads; of equal ones, the simplest wins."""
    order = [*((*signs, "western") for signs in NUMBER_FORMATS), form]
    return round(totals[form], 3), -order.index(form)


def _only_threes(column: ColumnValues) -> bool:
    """Return whether each sign of a column could separate thousands."""
    signed = [v for v in column.values if "." in v or "," in v]
    grouped = [v for v in signed if re.fullmatch(r"[1-9][0-9]{0,2}([.,][0-9]{3})+", v)]
    return len(signed) > 5 and len(grouped) == len(signed)


def _find_digits(column: ColumnValues, options: Options) -> None:
    """Set the digits of tariff codes where leading zeros were lost."""
    plain = [re.sub(r"\.0+$", "", v) if len(v) > 6 else v for v in column.values]
    lengths: Counter[int] = Counter()
    rows = column.counts.head(len(plain)).tolist()
    for value, count in zip(plain, rows, strict=True):
        digits = re.sub(r"[\s.\-/]", "", value)
        if digits.isdigit():
            lengths[len(digits)] += count
    if not lengths:
        return
    longest, most = max(lengths), lengths.most_common(1)[0][0]
    lost = lengths.get(longest - 1, 0)
    n_codes = sum(lengths.values())
    if lost and longest == most and lost + lengths[longest] > 0.9 * n_codes:
        options.settings["tariff_digits"] = longest
        options.notes["tariff_digits"] = Message(
            "intake.zeros_lost",
            "{column!r}: {share:.0%} of the codes have {digits} digits, one less than "
            "the others: a leading zero was lost.",
            column=column.name,
            share=lost / n_codes,
            digits=longest - 1,
        )


def _find_rate_unit(column: ColumnValues, options: Options) -> None:
    """Set per cent where rates are above 1."""
    numbers = column.numbers[column.numbers > 0]
    if len(numbers) and float(np.quantile(numbers, 0.9)) > 1.0:
        options.settings["duty_rate_unit"] = "percent"
        options.notes["duty_rate_unit"] = Message(
            "intake.rate_above_one",
            "{column!r} has rates up to {highest:g}.",
            column=column.name,
            highest=float(numbers.max()),
        )


def _find_tonnes(
    mass: str,
    column: ColumnValues,
    options: Options,
) -> None:
    """Set the factor of masses in tonnes."""
    name = column.name
    says_kilograms = re.search(r"kg|kilo|кг", name, re.IGNORECASE) is not None
    if has_meaning(name, "tonne") and not says_kilograms:
        options.settings.setdefault("factors", {})[mass] = _TONNE
        options.notes["factors"] = Message(
            "intake.tonnes", "{column!r} is named in tonnes.", column=name
        )


def date_format_of(column: ColumnValues) -> str:
    """Return the formats of dates that read most of a column, the best first."""
    shares = _date_shares(column)
    best = max(shares.values(), default=0.0)
    return " or ".join(n for n in shares if shares[n] >= best and n != "iso")


def number_format_of(column: ColumnValues) -> str:
    """Return a number as the format of a column writes it."""
    totals = Counter(explain_numbers(column.values[:_VALUES]))
    if not totals:
        return ""
    decimal, thousands, _ = max(totals, key=lambda form: _simple(form, totals))
    digits = f"1{thousands}234" if thousands else "1234"
    return f"{digits}{decimal}56" if column.has_fractions else digits
