"""Formats of dates: each reads a text in full, or not at all.

A format is a regular expression over the *shape* of a text, in which every digit is a
9. Texts of one shape have their year, month and day at the same places, so that a
million of them are read at once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError

Int: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

#: Formats that are no `datetime.strptime` format.
ISO, EXCEL, EXCEL_1904 = "iso", "excel", "excel1904"
#: A longer text is no date.
_LONGEST = 48
#: Microseconds of a day, an hour, a minute and a second.
DAY, _HOUR, _MINUTE, _SECOND = 86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000
#: A year of two digits up to this one is of the 2000s, as POSIX has it.
_LAST_OF_2000S = 68
#: No time zone is further from UTC, in hours.
_FURTHEST_ZONE = 14
#: Directive -> expression over the shape; a digit is 9, a month's name {99}.
_DIRECTIVES = {
    "Y": "(?P<Y>9999)",
    "y": "(?P<y>99)",
    "m": "(?P<m>99?)",
    "d": "(?P<d>99?)",
    "H": "(?P<H>99?)",
    "I": "(?P<I>99?)",
    "M": "(?P<M>99)",
    "S": "(?P<S>99)",
    "f": "(?P<f>9{1,9})",
    "j": "(?P<j>999)",
    "b": r"\{(?P<m>99)\}",
    "B": r"\{(?P<m>99)\}",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "z": "(?P<z>Z|[+-]99(?::?99)?)",
}
#: Directives that stand for several.
_SHORT_FORMS = {"%T": "%H:%M:%S", "%R": "%H:%M", "%F": "%Y-%m-%d", "%D": "%m/%d/%y"}
#: Directives that are numbers: two of them without a sign between have fixed widths.
_NUMBERS = frozenset("YymdHIMSfj")
#: A time after a date, in every form that leaves one reading.
_TIME = (
    r"(?:(?:T| )(?P<H>99?):(?P<M>99)(?::(?P<S>99)(?:[.,](?P<f>9{1,9}))?)?"
    r"(?: ?(?P<p>[AaPp]\.?[Mm]\.?))?(?: ?(?P<z>Z|[+-]99(?::?99)?))?)?"
)
_COMPACT_TIME = (
    r"(?:(?:T| )?(?P<H>99)(?P<M>99)(?P<S>99)(?P<z>Z)?"
    r"|(?:T| )(?P<H2>99):(?P<M2>99)(?::(?P<S2>99))?)?"
)
_MONTH_NAMES = (
    "january janvier enero jan janv ene",
    "february fevrier febrero feb fevr fev",
    "march mars marzo mar",
    "april avril abril apr avr abr",
    "may mai mayo",
    "june juin junio jun",
    "july juillet julio jul juil",
    "august aout agosto aug ago",
    "september septembre septiembre setiembre sep sept set",
    "october octobre octubre oct",
    "november novembre noviembre nov",
    "december decembre diciembre dec dic",
)
_MONTHS = {
    name: number
    for number, names in enumerate(_MONTH_NAMES, 1)
    for name in names.split()
}
_ACCENTS = str.maketrans("\u00e9\u00fb\u00c9\u00db", "eueu")
_WORD = re.compile(r"[^\W\d_]{3,}\.?")
_ANY_WORD = re.compile(r"[^\W\d_]{3}")


@dataclass(frozen=True)
class DateFormat:
    """One way to write a date.

    Parameters
    ----------
    code : str
        Its name: a `datetime.strptime` format, or ``iso``.
    pattern : re.Pattern
        Expression over the shape of a text.
    order : str, default="ymd"
        Order of year, month and day.
    short : bool, default=False
        Whether the year has two digits.
    """

    code: str
    pattern: re.Pattern[str]
    order: str = "ymd"
    short: bool = False


@dataclass(frozen=True, eq=False)
class Readings:
    """What one format reads of texts."""

    #: Microseconds since 1970; of aware moments, in UTC.
    moments: Int
    #: Which texts were read.
    read: Flags
    #: Which moments state a time zone, and the offset to UTC in microseconds.
    aware: Flags
    offsets: Int
    #: Which texts had lost a zero in front.
    restored: Flags


@functools.lru_cache(maxsize=64)
def date_format(code: str) -> DateFormat:
    """Return a declared format, or raise where it leaves the day open."""
    if code == ISO:
        return DateFormat(ISO, re.compile(_base("%Y-%m-%d") + _TIME))
    expression = _base(code)
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ArgumentError(
            "validation.date_format_repeats",
            "ColumnMap: 'date_format' names a part of the date twice; got {code!r}.",
            code=code,
        ) from error
    parts = set(pattern.groupindex)
    if not ({"Y", "y"} & parts and ({"m", "d"} <= parts or "j" in parts)):
        raise ArgumentError(
            "validation.date_format_incomplete",
            "ColumnMap: 'date_format' must state year, month and day; got {code!r}. "
            "Write for example '%d/%m/%Y', 'iso' or 'excel'.",
            code=code,
        )
    if "I" in parts and "p" not in parts:
        raise ArgumentError(
            "validation.date_format_half_day",
            "ColumnMap: 'date_format' has hours up to 12 without '%p'; got {code!r}.",
            code=code,
        )
    return DateFormat(code, pattern, short="y" in parts)


def _base(code: str) -> str:
    """Return the expression of a `strptime` format."""
    for short, long in _SHORT_FORMS.items():
        code = code.replace(short, long)
    tokens = re.findall(r"%.|[^%]|%$", code, re.DOTALL)
    kinds = [t[1] if len(t) == 2 and t[1] in _NUMBERS else "" for t in tokens]
    out = []
    for place, token in enumerate(tokens):
        if len(token) == 1:
            if token.isdigit() or token == "%":
                raise _unknown_directive(code, token)
            out.append(re.escape(token))
        elif token == "%%":
            out.append("%")
        elif token[1] not in _DIRECTIVES:
            raise _unknown_directive(code, token)
        else:
            before = place and kinds[place - 1]
            after = place + 1 < len(kinds) and kinds[place + 1]
            expression = _DIRECTIVES[token[1]]
            is_tight = kinds[place] and (before or (after and place))
            out.append(expression.replace("99?", "99") if is_tight else expression)
    return "".join(out)


def _unknown_directive(code: str, token: str) -> ArgumentError:
    """Return the error of a directive that cannot be read."""
    return ArgumentError(
        "validation.date_format_unknown",
        "ColumnMap: 'date_format' {code!r} has {token!r}, which is not read. Use "
        "%Y %y %m %d %b %j %H %I %M %S %f %p %z and signs, or 'iso' or 'excel'.",
        code=code,
        token=token,
    )


def _candidates() -> tuple[DateFormat, ...]:
    """Return the formats that are recognised without being declared."""
    codes = []
    for sign in "-/.":
        for order in ("ymd", "dmy", "mdy"):
            parts = {"y": "%Y", "m": "%m", "d": "%d"}
            codes.append((sign.join(parts[c] for c in order), order, False))
            parts["y"] = "%y"
            codes.append((sign.join(parts[c] for c in order), order, True))
    for sign in "- /.":
        codes.append((f"%d{sign}%b{sign}%Y", "ymd", False))
        codes.append((f"%d{sign}%b{sign}%y", "dmy", True))
        codes.append((f"%y{sign}%b{sign}%d", "ymd", True))
    codes += [("%b %d, %Y", "ymd", False), ("%b %d %Y", "ymd", False)]
    found = [
        DateFormat(code, re.compile(_base(code) + _TIME), order, short)
        for code, order, short in codes
    ]
    for code, order in (("%Y%m%d", "ymd"), ("%d%m%Y", "dmy"), ("%m%d%Y", "mdy")):
        # A format that is not declared has no lost zeros.
        expression = _base(code).replace("99?", "99") + _COMPACT_TIME
        found.append(DateFormat(code, re.compile(expression), order))
    return tuple(found)


CANDIDATES = _candidates()
#: What may follow a date, for the formats that `explain_dates` names.
TIMES = (
    "",
    *(
        f"{sign}{time}{zone}"
        for sign in (" ", "T")
        for time in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
        for zone in ("", "%z")
    ),
    " %I:%M %p",
    " %I:%M:%S %p",
)


class Shapes:
    """Texts by their shape, to be read by any format.

    Parameters
    ----------
    texts : sequence of str
        Texts in one spelling.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        texts = _name_months(texts)
        self.n_texts = len(texts)
        if any(len(t) > _LONGEST or not t.isascii() for t in texts):
            texts = [t if len(t) <= _LONGEST and t.isascii() else "" for t in texts]
        lines = np.array([*texts, " "], dtype="S")  # never without a character
        self.matrix = lines.view(np.uint8).reshape(len(lines), -1)[:-1]
        shapes = self.matrix.copy()
        shapes[(shapes >= ord("0")) & (shapes <= ord("9"))] = ord("9")
        self.rows, self.shapes = _group(shapes)

    def read(self, form: DateFormat) -> Readings:
        """Return what a format reads."""
        n = self.n_texts
        moments, offsets = np.zeros(n, np.int64), np.zeros(n, np.int64)
        read, aware, restored = (np.zeros(n, bool) for _ in range(3))
        for shape, rows in zip(self.shapes, self.rows, strict=True):
            match = form.pattern.fullmatch(shape)
            if match is None:
                continue
            parts = _parts(match, self.matrix[rows])
            day, is_day = _days(parts)
            time, is_time = _times(parts)
            offset, is_zone = _zones(match, parts, len(rows))
            moments[rows] = day * DAY + time - offset
            offsets[rows] = offset
            read[rows] = is_day & is_time & is_zone
            aware[rows] = match.groupdict().get("z") is not None
            restored[rows] = _has_lost_zero(form, match)
        return Readings(moments, read, aware, offsets, restored)


def _group(shapes: NDArray[np.uint8]) -> tuple[list[NDArray[np.intp]], list[str]]:
    """Return the rows of each shape, and the shapes as texts."""
    if not len(shapes):
        return [], []
    hashes = np.zeros(len(shapes), np.uint64)
    for column in shapes.T:
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + column + np.uint64(1)
    codes, _ = pd.factorize(hashes)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    rows, texts = [], []
    for part in np.split(order, starts[1:]):
        shape = shapes[part[0]]
        same = (shapes[part] == shape).all(axis=1)  # else two hashes are equal
        rows.append(part[same])
        texts.append(bytes(shape).rstrip(b"\0").decode("ascii"))
    return rows, texts


def _name_months(texts: Sequence[str]) -> Sequence[str]:
    """Return texts with the number of a month for its name, as ``{03}``."""
    if not _ANY_WORD.search("\n".join(texts)):
        return texts
    return [_WORD.sub(_month_number, t).replace(" de ", " ") for t in texts]


def _month_number(match: re.Match[str]) -> str:
    """Return the number of a month for its name in English, French or Spanish."""
    name = match[0].rstrip(".").lower().translate(_ACCENTS)
    number = _MONTHS.get(name)
    return match[0] if number is None else f"{{{number:02d}}}"


def _parts(match: re.Match[str], matrix: NDArray[np.uint8]) -> dict[str, Int]:
    """Return the numbers of a format's parts."""
    parts: dict[str, Int] = {}
    for name, value in match.groupdict().items():
        if value is None or name in "pz":
            continue
        start, stop = match.span(name)
        digits = matrix[:, start:stop].astype(np.int64) - ord("0")
        if name == "f":  # microseconds, however many digits
            digits = digits[:, :6]
        number = np.zeros(len(matrix), np.int64)
        for column in digits.T:
            number = number * 10 + column
        if name == "f":
            number *= 10 ** (6 - digits.shape[1])
        parts[name[0]] = number
    for name in ("p", "z"):
        if match.groupdict().get(name) is not None:
            start, stop = match.span(name)
            parts[name] = matrix[:, start:stop].astype(np.int64)
    return parts


def _days(parts: dict[str, Int]) -> tuple[Int, Flags]:
    """Return days since 1970, and which are in the calendar."""
    if "Y" in parts:
        year = parts["Y"]
    else:
        year = parts["y"] + np.where(parts["y"] <= _LAST_OF_2000S, 2000, 1900)
    month = parts.get("m", np.ones_like(year))
    day = parts["j"] if "j" in parts else parts["d"]
    safe = np.clip(month, 1, 12)
    months = ((year - 1970) * 12 + safe - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    n_months = 12 if "j" in parts else 1
    end = (months + n_months).astype("datetime64[D]").astype(np.int64)
    is_day = (month == safe) & (day >= 1) & (day <= end - first)
    return first + day - 1, is_day


def _times(parts: dict[str, Int]) -> tuple[Int, Flags]:
    """Return microseconds since midnight, and which are of a day."""
    zero = np.zeros_like(next(iter(parts.values())))
    hour = parts.get("H", parts.get("I", zero))
    is_time = np.ones(len(zero), bool)
    if "p" in parts:
        is_time &= (hour >= 1) & (hour <= 12)
        is_late = np.isin(parts["p"][:, 0], (ord("P"), ord("p")))
        hour = hour % 12 + 12 * is_late
    minute, second = parts.get("M", zero), parts.get("S", zero)
    is_time &= (hour <= 23) & (minute <= 59) & (second <= 59)
    time = hour * _HOUR + minute * _MINUTE + second * _SECOND + parts.get("f", zero)
    return time, is_time


def _zones(
    match: re.Match[str], parts: dict[str, Int], n_rows: int
) -> tuple[Int, Flags]:
    """Return the offset of the time zone, and which zones exist."""
    zone = match.groupdict().get("z")
    if zone is None or zone == "Z":
        return np.zeros(n_rows, np.int64), np.ones(n_rows, bool)
    digits = parts["z"][:, [n for n, c in enumerate(zone) if c == "9"]] - ord("0")
    hours = digits[:, 0] * 10 + digits[:, 1]
    minutes = digits[:, 2] * 10 + digits[:, 3] if digits.shape[1] > 2 else 0 * hours
    sign = -1 if zone[0] == "-" else 1
    is_zone = (hours <= _FURTHEST_ZONE) & (minutes <= 59)
    return sign * (hours * _HOUR + minutes * _MINUTE), is_zone


def _has_lost_zero(form: DateFormat, match: re.Match[str]) -> bool:
    """Return whether a format without signs lacks a digit in front."""
    return match[0].isdigit() and match[0] != "" and _is_short(form, match)


def _is_short(form: DateFormat, match: re.Match[str]) -> bool:
    """Return whether day or month in front has one digit."""
    names = [n for n in ("d", "m") if match.groupdict().get(n) is not None]
    return form.code[:2] in ("%d", "%m") and any(len(match[n]) == 1 for n in names)
