"""Write random values in every declared format, and read them back.

``python benchmarks/values.py`` draws 10,000 values of each kind, writes each in a
random format that can carry it, reads it with that format declared, and counts: the
same value, a refusal, another value. The last must not happen. It writes
docs/tables/values.md and benchmarks/results/values.csv.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import time
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, parse_dates, parse_numbers

#: Formats of dates, with the smallest part of a day that each carries.
DAYS = (
    "%Y-%m-%d %d/%m/%Y %m/%d/%Y %d.%m.%Y %d-%m-%Y %Y/%m/%d %Y%m%d %d%m%Y %d/%m/%y "
    "%d-%b-%Y %d_%B_%Y %b_%d,_%Y %y%m%d %d-%b-%y %Y-%j iso"
)
TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S.%f", " %I:%M:%S %p", "T%H:%M:%S%z")
#: First moment and last moment that are drawn, and those of years of two digits.
FIRST, LAST = dt.datetime(1900, 3, 1), dt.datetime(2199, 12, 31)
SHORT_FIRST, SHORT_LAST = dt.datetime(1969, 1, 1), dt.datetime(2068, 12, 31)
#: Months as French and Spanish write them.
MONTHS = {
    "Jan": ("janv.", "Ene"),
    "Feb": ("f\u00e9vr.", "FEB"),
    "Aug": ("ao\u00fbt", "ago"),
    "Dec": ("d\u00e9c.", "dic"),
}
#: Signs of numbers: decimal, thousands, grouping.
SIGNS = (
    (".", None, "western"),
    (",", None, "western"),
    (".", ",", "western"),
    (",", ".", "western"),
    (",", " ", "western"),
    (".", "'", "western"),
    (".", ",", "indian"),
)
NOT_KEPT = (["flow", "export"], ["flow", "transit"])
LETTERS = "ABCDEFGHJKMPQRSTUVWXYZabc\u00e9\u00d1\u0416\u0394"
INVISIBLE = "\u200b\u200e\ufeff\u00ad\u2060\x00"


@dataclass
class Case:
    """A value as it is written, what it is, and what is declared."""

    written: Any
    value: Any
    options: dict[str, Any] = field(default_factory=dict)
    column: str = ""


def draw_date(source: random.Random) -> Case:
    """Return a date in a format of dates."""
    if source.random() < 0.1:
        day = dt.datetime(1899, 12, 30)
        parts = source.randrange((LAST - FIRST).days * 86_400_000)
        moment = FIRST + dt.timedelta(milliseconds=parts)
        serial = (moment - day) / dt.timedelta(days=1)
        written = serial if source.random() < 0.5 else repr(serial)
        return Case(written, moment, {"format": "excel"})
    base = source.choice(DAYS.split()).replace("_", " ")
    suffix = "" if base == "iso" else source.choice(TIMES)
    code = "iso" if base == "iso" else base + suffix
    first, last = (SHORT_FIRST, SHORT_LAST) if "%y" in code else (FIRST, LAST)
    moment = first + dt.timedelta(days=source.randrange((last - first).days + 1))
    moment += dt.timedelta(microseconds=source.randrange(86_400_000_000))
    pattern = "%Y-%m-%dT%H:%M:%S.%f" if code == "iso" else code
    plain = pattern.replace("%z", "")
    carried = moment.strftime(plain)
    moment = dt.datetime.strptime(carried, plain)
    offset = None
    if "%z" in code:
        offset = dt.timedelta(minutes=15 * source.randrange(-48, 57))
        local = moment.replace(tzinfo=dt.timezone(offset))
        carried, moment = local.strftime(pattern), moment - offset
    return Case(_loosen(carried, code, source), moment, {"format": code})


def _loosen(text: str, code: str, source: random.Random) -> str:
    """Return a date as clerks write it: no zero in front, months of other languages."""
    for name, others in MONTHS.items():
        if f"-{name}-" in text or f" {name} " in text:
            text = text.replace(name, source.choice((name, name.upper(), *others)))
    signed = code[2:3] in ("/", ".", "-", " ") and code[:2] in ("%d", "%m")
    if signed and text.startswith("0") and source.random() < 0.5:
        text = text[1:]
    return f"  {text}" if source.random() < 0.1 else text


def draw_number(source: random.Random) -> Case:
    """Return a number with signs of a declared kind."""
    decimal, thousands, grouping = source.choice(SIGNS)
    places = source.choice((0, 0, 1, 2, 2, 3, 6))
    digits = str(source.randrange(10 ** source.randint(1, 13))).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    sign = source.choice(("", "", "-", "+"))
    value = float(Decimal(f"{sign}{whole}.{part or 0}"))
    if thousands and source.random() < 0.8:
        whole = _group(whole, thousands, grouping)
    if places and not whole.strip("0") and source.random() < 0.3:
        whole = ""  # .45400
    text = f"{sign}{whole}{decimal if places else ''}{part}"
    if source.random() < 0.05:
        text = text.translate({ord(str(n)): 0xFF10 + n for n in range(10)})
    options = {"decimal": decimal, "thousands": thousands, "grouping": grouping}
    return Case(f" {text} " if source.random() < 0.1 else text, value, options)


def _group(whole: str, sign: str, grouping: str) -> str:
    """Return digits in groups."""
    head, groups = whole[:-3], [whole[-3:]]
    size = 2 if grouping == "indian" else 3
    while head:
        head, group = head[:-size], head[-size:]
        groups.insert(0, group)
    return sign.join(groups)


def draw_identifier(source: random.Random) -> Case:
    """Return a name of a party, damaged in ways that leave it certain."""
    column = source.choice(("declaration_id", "importer_id", "container_id"))
    if source.random() < 0.5:
        number = source.randrange(1, 10 ** source.randint(1, 15))
        forms = [number, float(number), str(number), f"{number}.0", f" {number}"]
        return Case(source.choice(forms), str(number), column=column)
    size = source.randint(2, 12)
    text = "".join(source.choice(LETTERS + "0123456789") for _ in range(size))
    text = unicodedata.normalize("NFKC", source.choice("KLM") + text + "9")
    written = text
    if source.random() < 0.3:
        place = source.randrange(len(text))
        written = text[:place] + source.choice(INVISIBLE) + text[place:]
    if source.random() < 0.2:
        written = unicodedata.normalize("NFD", written)
    if source.random() < 0.2:
        written = f"\u00a0{written}\t"
    if source.random() < 0.1:
        return Case(written.encode(), text, column=column)
    return Case(written, text, column=column)


def draw_code(source: random.Random) -> Case:
    """Return a tariff code of declared length, or a country in any of its forms."""
    if source.random() < 0.5:
        return _draw_country(source)
    width = source.choice((6, 8, 10, 12))
    chapter = source.choice([n for n in range(1, 98) if n != 77])
    code = f"{chapter:02d}{source.randrange(10 ** (width - 2)):0{width - 2}d}"
    pairs = [code[n : n + 2] for n in range(4, width, 2)]
    number = int(code)
    points, blank = ".".join((code[:4], *pairs)), f"{code[:4]} {code[4:]}"
    forms = (code, number, float(number), f"{number}.0", points, blank)
    return Case(source.choice(forms), code, {"tariff_digits": width}, "tariff_code")


def _draw_country(source: random.Random) -> Case:
    """Return a country by a code or a name."""
    row = source.choice(COUNTRIES)
    # No number: among others, one number would be taken for that of another list.
    forms = [text for text in (row[0], row[1], *row[3].split(), *row[4:7]) if text]
    forms += [name for name in row[7].split("|") if name]
    text = source.choice(forms)
    text = source.choice((text, text.lower(), text.upper(), f" {text}"))
    return Case(text, row[0], column=source.choice(("origin", "departure")))


def draw_label(source: random.Random) -> Case:
    """Return a word of a closed list."""
    name, code, words = source.choice(WORDS)
    if name == "boolean":
        name = source.choice(("illicit", "trusted_trader"))
    word = source.choice([*words.split(","), code.replace("_", " ")])
    value = code if not code.isdigit() else int(code)
    return Case(source.choice((word, word.upper(), word.title())), value, column=name)


def draw_missing(source: random.Random) -> Case:
    """Return a sign for a missing value."""
    column = source.choice(("importer_id", "office", "customs_value", "origin"))
    signs = [s for s in SIGNS_FOR_MISSING if s != "na" or column != "origin"]
    text = source.choice(signs)
    text = source.choice((text, text.upper(), text.title(), f" {text} "))
    return Case(text, None, column=column)


def _rows(name: str) -> list[list[str]]:
    """Return a table of code lists."""
    folder = resources.files("smartrisk.schema._code_lists")
    lines = folder.joinpath(name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line[:1] != "#"][1:]


COUNTRIES = _rows("countries.tsv")
#: Exports and transit are set aside, so that no value of them is kept.
WORDS = [row for row in _rows("words.tsv") if row[:2] not in NOT_KEPT]
SIGNS_FOR_MISSING = (
    *("n/a", "na", "null", "none", "nan", "nat", "<na>", "(null)", "[null]"),
    *("--", "-", "?", "\\n", "#n/a", "#ref!", "#value!", "s/d", "nil"),
)
KINDS = {
    "date": draw_date,
    "number": draw_number,
    "identifier": draw_identifier,
    "code": draw_code,
    "label": draw_label,
    "missing": draw_missing,
}
#: What stands for a value that was refused.
REFUSED = "refused"


def read_back(kind: str, cases: list[Case]) -> list[Any]:
    """Return what is read of each case: a value, or `REFUSED`."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        groups[case.column, *case.options.items()].append(place)
    out: list[Any] = [REFUSED] * len(cases)
    for places in groups.values():
        first = cases[places[0]]
        written = pd.Series([cases[n].written for n in places], dtype=object)
        for place, value in zip(places, _read(kind, first, written), strict=True):
            out[place] = value
    return out


def _read(kind: str, first: Case, written: pd.Series) -> list[Any]:
    """Return what is read of values that are written in one format."""
    if kind == "date":
        moments, unread = parse_dates(written, first.options["format"])
        values = pd.Series(moments).to_list()
    elif kind == "number":
        values, unread = parse_numbers(written, **first.options)
    else:
        return _check(first, written)
    return [REFUSED if no else v for v, no in zip(values, unread, strict=True)]


def _check(first: Case, written: pd.Series) -> list[Any]:
    """Return what validation makes of a column; rows that are set aside are refused."""
    table = DECLARATIONS if first.column in DECLARATIONS else OUTCOMES
    frame = pd.DataFrame(
        {
            "declaration_id": [f"N{n}" for n in range(len(written))],
            "item_number": 1,
            "lodged_at": pd.Timestamp("2024-01-05"),
            "tariff_code": "010121",
            "illicit": 1,
        }
    )
    needed = {field.name for field in table if field.required} | {"item_number"}
    frame = frame[[name for name in frame if name in needed]]
    if first.column == "declaration_id":
        frame["item_number"] = range(1, len(frame) + 1)
    frame[first.column] = written
    report = check(frame, table, columns=ColumnMap(**first.options))
    kept = report.table[first.column]
    out: list[Any] = [REFUSED] * len(written)
    for row, value in kept.items():
        out[row] = None if pd.isna(value) else value
    return out


def is_same(case: Case, value: Any) -> bool:
    """Return whether what was read is what was written."""
    if case.value is None or value is None:
        return case.value is value
    return bool(case.value == value)


def count(kind: str, n: int, seed: int) -> dict[str, Any]:
    """Return how many values of a kind are read, refused, and read as another."""
    source = random.Random(f"{kind}{seed}")
    cases = [KINDS[kind](source) for _ in range(n)]
    start = time.process_time()
    values = read_back(kind, cases)
    seconds = time.process_time() - start
    refused = sum(value is REFUSED for value in values)
    pairs = list(zip(cases, values, strict=True))
    same = sum(is_same(case, value) for case, value in pairs)
    for case, value in pairs:
        if value is REFUSED or not is_same(case, value):
            sys.stderr.write(f"{kind}: {case} -> {value!r}\n")
    return {
        "kind": kind,
        "values": n,
        "read": same,
        "refused": refused,
        "another value": n - same - refused,
        "cpu seconds": round(seconds, 2),
    }


def main() -> None:
    """Count, print, and write the page and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rows = [count(kind, arguments.values, arguments.seed) for kind in KINDS]
    table = pd.DataFrame(rows)
    lines = [
        "# Values that are written and read back",
        "",
        f"`python benchmarks/values.py --values {arguments.values}`: values of each "
        "kind, each written in a random declared format that can carry it.",
        "",
        f"| {' | '.join(table)} |",
        "|---|" + "--:|" * (table.shape[1] - 1),
        *(f"| {' | '.join(map(str, row))} |" for row in table.to_numpy()),
        "",
    ]
    root = Path(__file__).parents[1]
    page = "\n".join(lines)
    (root / "docs" / "tables" / "values.md").write_text(page, encoding="utf-8")
    table.to_csv(root / "benchmarks" / "results" / "values.csv", index=False)
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
