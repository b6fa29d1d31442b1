"""Reasons of the grammar of values: what each means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Reason -> message; the message id is the reason in snake case.
PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        # ------------------------------------------------ errors
        "mixed date formats": "mixed date formats in {n_rows} rows: {values}. One "
        "column has one format: correct the export, or declare date_format.",
        "mixed time zones": "mixed time zones in {n_rows} rows: {values}. Some moments "
        "state an offset and others none: pass ColumnMap(time_zone=...) if those "
        "without are local.",
        "no time zone": "no time zone in {n_rows} rows: {values}. These moments state "
        "an offset: pass ColumnMap(time_zone=...) with the zone whose days count, or "
        "'UTC'.",
        "days turned into months": "days turned into months in {n_rows} rows: "
        "{values}. A spreadsheet turned days up to the 12th into months and left the "
        "others as text: export the column again, as text.",
        "not an identifier": "not an identifier in {n_rows} rows: {values}. A fraction "
        "or a date is no name: export the column as text.",
        "not a code": "not a code in {n_rows} rows: {values}. A fraction, a date or a "
        "flag is no code: export the column as text.",
        "broken text": "broken text in {n_rows} rows: {values}. Read the file in the "
        "encoding that it was written in.",
        # ------------------------------------------------ doubts
        "far date": "far from all other dates in {n_rows} rows: {values}. Compare the "
        "year with the source.",
        "no day after the 12th": "no day after the 12th of a month in {n_rows} rows: "
        "{values}. A spreadsheet may have exchanged days and months: compare a date "
        "with the source.",
        "huge number": "huge number in {n_rows} rows: {values}. Compare the value and "
        "its unit with the source.",
        "high rate": "above 100 % in {n_rows} rows, as most rates of the column: "
        "{values}. If rates are in percent, pass ColumnMap(duty_rate_unit='percent').",
        "point or thousands": "three digits after each point in {n_rows} rows: "
        "{values}. If the point stands between thousands, pass "
        "ColumnMap(decimal=',', thousands='.').",
        "column without a value": "no value in all {n_rows} rows: {values}. Map the "
        "column that your system fills.",
        "column of zeros": "no value but 0 in all {n_rows} rows: {values}. Map the "
        "column that your system fills.",
        "unknown code": "unknown code in {n_rows} rows: {values}. Give its code of the "
        "public list by ColumnMap(values=...).",
        "unknown chapter": "unknown chapter in {n_rows} rows: {values}. Chapters 00 "
        "and 77 do not exist, 98 and 99 are national: compare with the source.",
        "odd number of digits": "odd number of digits in {n_rows} rows: {values}. If a "
        "zero was lost in front, pass ColumnMap(tariff_digits=...).",
        "mixed scripts": "letters of several scripts in {n_rows} rows: {values}. A "
        "letter that looks Latin is another: two names may be one party.",
        "several spellings": "several spellings of one name or code in {n_rows} rows: "
        "{values}. They differ in case, blanks, points or zeros in front and are kept "
        "apart: write one form, or use ColumnMap(values=...) or widths.",
        "far number": "more than a billion times the usual value of the column in "
        "{n_rows} rows: {values}. Compare the value and its unit with the source.",
        "float of 32 bits": "about 7 digits are left in {n_rows} rows: {values}. "
        "Export the column with 64 bits, or as text.",
        "misread characters": "characters that could not be read in {n_rows} rows: "
        "{values}. Read the file in the encoding that it was written in.",
        "zero": "zero in {n_rows} rows: {values}. Leave unknown values empty.",
        "net exceeds gross": "net mass above gross mass in {n_rows} rows: {values}. "
        "Compare both with the source.",
        "contradiction": "no irregularity, but an amount recovered, in {n_rows} rows: "
        "{values}. Correct the label or the amount.",
        "negative adjustment": "a negative amount recovered in {n_rows} rows: "
        "{values}. Refunds count as no revenue.",
        "known before inspected": "known before the control in {n_rows} rows: "
        "{values}. Compare both dates with the source.",
        # ------------------------------------------------ repairs
        "sign for missing": "a sign for a missing value in {n_rows} rows: {values}. "
        "Name signs in ColumnMap(missing=...), and values in keep=...",
        "restored zero": "restored zero in {n_rows} rows: {values}. A number lost the "
        "zero in front.",
        "time zone converted": "converted to the time zone of the table in {n_rows} "
        "rows: {values}. Pass ColumnMap(time_zone=...) to choose it.",
        "number rewritten": "read from another form of writing numbers in {n_rows} "
        "rows: {values}.",
        "percent sign": "divided by 100 for its percent sign in {n_rows} rows: "
        "{values}.",
        "number as identifier": "a number taken for an identifier in {n_rows} rows: "
        "{values}. The fraction .0 was dropped; export the column as text.",
        "tidied text": "quotes, invisible characters or other forms of letters "
        "removed in {n_rows} rows: {values}.",
        "code of the list": "the code of the public list put in its place in {n_rows} "
        "rows: {values}.",
        "word of the list": "the code of the list put in its place in {n_rows} rows: "
        "{values}.",
        "restored code": "restored tariff code in {n_rows} rows: {values}. Zeros in "
        "front were added, points and fractions dropped.",
        "numbered by order": "numbered in the order of the rows in {n_rows} rows: "
        "{values}. Name the column of the item number.",
    }
)
#: Doubts that mark the row with a ``dq_`` column -> the middle of its name.
FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "far date": "far",
        "huge number": "huge",
        "high rate": "high",
        "unknown code": "unknown",
        "unknown chapter": "unknown",
        "mixed scripts": "mixed_scripts",
        "misread characters": "misread",
    }
)
#: Doubts that `validate` warns of and that no ``dq_`` column marks.
OF_COLUMNS = frozenset(
    {
        "no day after the 12th",
        "point or thousands",
        "column without a value",
        "column of zeros",
        "several spellings",
        "far number",
        "float of 32 bits",
    }
)
