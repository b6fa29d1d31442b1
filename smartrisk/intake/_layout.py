"""Layouts: separator, quote and header of a text, found or asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from smartrisk.errors import TableError
from smartrisk.intake._records import Dialect, Lines, Record, parse_record

#: Separators that are looked for; others are declared.
SEPARATORS = (",", ";", "\t", "|")
#: Records that are looked at; titles above a header rarely take more than 20 lines.
_SAMPLE = 300
_HIGHEST_HEADER = 100
#: Share of the fullest row that a header has at least: one in five names may lack.
_FULL = 0.8
#: Values of a title: the first and the last day of a period.
_PERIOD = 2
#: Share of its fields that a record of data has at least, next to a number or date.
_DATA = 0.5
#: A separator whose number is the same in half of the lines.
_REGULAR = 0.5
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_NUMBER = re.compile(
    r"[-+(]?[$€£]?\s?[\d.,'’\s\u00a0\u202f]*\d[\d.,]*\s?%?\)?(e[+-]?\d+)?", re.I
)
_DATE = re.compile(r"\d{1,4}[-/.]\w{1,9}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d\d(:\d\d)?")
#: Longer texts are judged by their beginning.
_LONGEST_VALUE = 60
#: Blanks in a row, as between the fields of a text of fixed widths.
_GAP = re.compile(r"\S {2,}\S")
_CODE_SIGNS = re.compile(r"[~^§¬:\x1f\x01#/]")


@dataclass(frozen=True)
class Header:
    """Where the table begins, and what its columns are called.

    Parameters
    ----------
    names : tuple of str
        Names as written, or declared; empty where columns are only numbered.
    line, last : int
        First and last line of the header; 0 where there is none.
    first : int
        Line of the first record.
    width : int
        Fields of a record.
    evidence : str
        The evidence.
    """

    names: tuple[str, ...]
    line: int
    last: int
    first: int
    width: int
    evidence: str


def is_value(text: str) -> bool:
    """Return whether a text is a number or a date, as names of columns are not."""
    plain = text.strip()[:_LONGEST_VALUE]
    return bool(_NUMBER.fullmatch(plain) or _DATE.fullmatch(plain))


def find_sep_line(lines: Lines) -> str | None:
    """Return the separator that the first line names, as some programs write it."""
    found = _SEP_LINE.fullmatch(lines.text(1)) if len(lines) else None
    return None if found is None else found[1]


def read_sample(lines: Lines, first: int, dialect: Dialect) -> list[Record]:
    """Return the first records with content from a line on."""
    records: list[Record] = []
    line = first
    while line <= len(lines) and len(records) < _SAMPLE:
        record = parse_record(lines, line, dialect)
        if not record.is_empty:
            records.append(record)
        line = record.last + 1
    return records


def usual_width(records: Sequence[Record], least: int = 1) -> int:
    """Return the most frequent number of fields, the larger one of two."""
    counts = Counter(len(r.fields) for r in records if not r.problem)
    wide = {width: n for width, n in counts.items() if width >= least}
    return max(wide, key=lambda width: (wide[width], width), default=0)


def find_separator(lines: Lines, first: int, quote: bytes) -> tuple[str, str]:
    """Return the separator of a text, and the evidence.

    Parameters
    ----------
    lines : Lines
        The text.
    first : int
        Line from which it is looked for.
    quote : bytes
        Quote, or nothing.

    Returns
    -------
    separator, evidence : str
        One of `SEPARATORS`.

    Raises
    ------
    TableError
        If none or several divide header and records equally.
    """
    regular: dict[str, tuple[bool, float, int]] = {}
    for separator in SEPARATORS:
        records = read_sample(lines, first, Dialect(separator.encode(), quote))
        width = usual_width(records, least=2)
        n_usual = sum(len(r.fields) == width and not r.problem for r in records)
        share = n_usual / max(len(records), 1)
        if width >= 2 and share >= _REGULAR:
            k = find_header(records, width)
            n_names = 0 if k is None else len(records[k].fields)
            fits = n_names in (width, width - 1)
            regular[separator] = (fits, share, width)
    fitting = [s for s, (fits, _, _) in regular.items() if fits] or list(regular)
    # Decimal commas divide a line without a header too, less often and less regularly
    # than its separator.
    best = max(regular, key=lambda s: regular[s][1:], default="")
    if all(regular[best][1:] > regular[s][1:] for s in fitting) and all(
        regular[best][2] > regular[s][2] for s in fitting
    ):
        fitting = [best] if best else fitting
    if len(fitting) == 1:
        _, share, width = regular[fitting[0]]
        return fitting[0], f"{share:.0%} of the first records have {width} fields"
    if not fitting:
        return _accept_one_column(lines, first)
    best = max(fitting, key=lambda s: regular[s][1:])
    others = [regular[s] for s in fitting if s != best]
    if all(regular[best][1] > share and regular[best][2] > w for _, share, w in others):
        _, share, width = regular[best]
        return best, f"{share:.0%} of the first records have {width} fields"
    raise TableError(
        "intake.separator_uncertain",
        "the separator is not certain: {found} divide the lines equally. Declare it in "
        '[file], such as separator = ";".',
        found=" and ".join(f"{s!r} ({regular[s][2]} fields)" for s in fitting),
    )


def find_quote(records: Sequence[Record]) -> bytes:
    """Return the single quote where it stands around every field of a record.

    Parameters
    ----------
    records : sequence of Record
        The first records, read without quotes.

    Returns
    -------
    quote : bytes
        The single or the double quote.
    """
    for record in records[:_HIGHEST_HEADER]:
        quoted = [f for f in record.fields if len(f) > 1 and f[0] == f[-1] == "'"]
        if len(quoted) == len(record.fields) > 1:
            return b"'"
    return b'"'


def find_header(records: Sequence[Record], width: int) -> int | None:
    """Return which record is the header: the first full one of names, or None.

    Parameters
    ----------
    records : sequence of Record
        The first records with content.
    width : int
        Usual number of fields.

    Returns
    -------
    index : int or None
        Place in `records`; None where the first full record holds a number or date.
    """
    filled = []
    for record in records[:_HIGHEST_HEADER]:
        texts = [field for field in record.fields if field.strip()]
        n_values = sum(map(is_value, texts))
        is_full = len(texts) >= _DATA * width and len(record.fields) >= width
        # A year or a period of the report stands above a header, not in its place.
        is_title = len(texts) <= _PERIOD < width
        if n_values and (is_full or (n_values == len(texts) and not is_title)):
            break
        filled.append(len(texts) if not n_values else 0)
    most = max(filled, default=0)
    if most < min(width, 2):
        return None
    return next(k for k, n in enumerate(filled) if n >= _FULL * most)


def check_divided(names: Sequence[str], separator: str, line: int) -> None:
    """Raise where a header is one field that another separator would divide.

    Parameters
    ----------
    names : sequence of str
        Names of the columns.
    separator : str
        Separator that was declared or found.
    line : int
        Line of the header.
    """
    others = [s for s in SEPARATORS if s != separator and s in names[0]]
    if len(names) == 1 and others:
        raise TableError(
            "intake.header_not_divided",
            "the separator {separator!r} does not divide the header (line {line}: "
            "{text!r}); {other!r} would. Correct separator in [file].",
            separator=separator,
            line=line,
            text=names[0][:_LONGEST_VALUE],
            other=others[0],
        )


def ask_for_header(lines: Lines, record: Record | None) -> TableError:
    """Return the error for a text whose first full record is no header."""
    text = "" if record is None else record.text[:120]
    return TableError(
        "intake.header_not_found",
        "no header was found: line {line} ({text!r}) holds numbers or dates, not "
        "names. Declare names = [...] in [file] when there is no header, or header_row "
        "when it is another line.",
        line=1 if record is None else record.line,
        text=text,
    )


def _accept_one_column(lines: Lines, first: int) -> tuple[str, str]:
    """Return a separator for a text of one column, or ask for the layout."""
    texts = [lines.text(k) for k in range(first, min(first + _SAMPLE, len(lines) + 1))]
    texts = [text for text in texts if text.strip()] or [""]
    n_gaps = sum(bool(_GAP.search(text)) for text in texts)
    if n_gaps > _REGULAR * len(texts):
        raise TableError(
            "intake.widths_needed",
            "no separator divides the lines, which have blanks between their fields: "
            "{text!r}. Declare widths = [...] in [file], the characters of each field.",
            text=texts[0][:120],
        )
    signs = [Counter(_CODE_SIGNS.findall(text)) for text in texts]
    for sign in signs[0]:
        if len(texts) > 1 and all(c[sign] == signs[0][sign] for c in signs):
            raise TableError(
                "intake.separator_needed",
                "no usual separator divides the lines; {sign!r} stands {n} times in "
                "each. Declare separator = {sign_text} in [file] if it is that.",
                sign=sign,
                n=signs[0][sign],
                sign_text=f'"{sign}"',
            )
    n_with = {s: sum(s in text for text in texts) for s in SEPARATORS}
    frequent = [s for s, n in n_with.items() if n >= _REGULAR * len(texts)]
    if len(frequent) == 1:
        return frequent[0], "no other one is in half of the lines"
    absent = [s for s, n in n_with.items() if not n]
    if not frequent and absent:
        return absent[0], "one column: no separator in half of the lines"
    raise TableError(
        "intake.separator_not_found",
        "no separator divides the lines regularly: {text!r}. Declare it in [file], "
        'such as separator = ";".',
        text=texts[0][:120],
    )
