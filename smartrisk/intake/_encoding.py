"""Encodings: which one a text has, found from its bytes or asked for."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from smartrisk.errors import TableError

#: Marks at the start of a text, the longer before those that they begin with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Letters and signs of French, Spanish, Portuguese, German and English texts.
_USUAL = frozenset(
    "àâäáãåçéèêëíìîïñóòôöõøúùûüÿœæßÀÂÄÁÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØÚÙÛÜŸŒÆ°ºª«»€£§’‘“”–—…·¿¡²³½¼®™´\xa0"
)
_CANDIDATES = ("cp1252", "cp850")
#: Bytes that are looked at to distinguish code pages.
_SAMPLE = 1 << 20
#: Share of NUL in one of two bytes that only UTF-16 has: half of Latin text.
_NUL_SHARE = 0.3
#: Share of usual letters that the right code page has, and how far the next one is.
_FIT, _MARGIN = 0.9, 0.2
#: Words of Western languages have no three accented letters in a row; Cyrillic or
#: Greek texts of a code page consist of nothing else.
_RUN = re.compile(rb"[\x80-\xff]{3,}")
_MOST_IN_RUNS = 0.1
#: UTF-8 with a few damaged lines has ten times as many lines that are right.
_DAMAGED = 10
#: Lines with a byte beyond ASCII.
_BEYOND = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")
#: Characters that no text has, and their share from which a file is none.
_CONTROL = (*range(1, 9), *range(14, 26))
_MOST_CONTROL = 0.01
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
#: Signs of a text that was decoded wrongly before it was written.
_MISREAD = re.compile(
    r"[A-Za-z][¤¥¢‚„ƒ†‡Š‰¡¦§¨©][A-Za-z]|\ufffd|Ã[\u0080-\u00bf©ª¨±³]|â€"
)


@dataclass(frozen=True)
class Decoded:
    """A text in UTF-8, and how it was encoded.

    Parameters
    ----------
    data : bytes
        The text in UTF-8 without a mark; line ends are those of the file.
    encoding : str
        Encoding of the file.
    evidence : str
        The evidence.
    bad_lines : dict of int to bytes
        Lines that could not be decoded, from 1; `data` has question marks there.
    """

    data: bytes
    encoding: str
    evidence: str
    bad_lines: dict[int, bytes]


def decode_text(content: bytes, declared: str | None) -> Decoded:
    """Return a text in UTF-8; its encoding as declared, or as found.

    Parameters
    ----------
    content : bytes
        Content of the file.
    declared : str or None
        Name of the encoding; None to find it.

    Returns
    -------
    decoded : Decoded
        The text, its encoding and the evidence.

    Raises
    ------
    TableError
        If the bytes leave more than one reading.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark) and declared in (
            None,
            encoding,
            "utf-16",
            "utf-32",
        ):
            return _decode(content[len(mark) :], encoding, "a mark at the start")
    if declared is not None:
        plain = codecs.lookup(declared).name
        if plain.startswith(("utf-16", "utf-32")) and _find_wide(content) is None:
            raise TableError(
                "intake.not_wide",
                "[file] says encoding = {encoding!r}, and the bytes are those of an "
                "encoding with one byte for a letter. Correct or leave out encoding.",
                encoding=declared,
            )
        if plain in ("utf-8-sig", "utf-8") and content.startswith(codecs.BOM_UTF8):
            content = content[len(codecs.BOM_UTF8) :]
        return _decode(content, "utf-8" if plain == "utf-8-sig" else plain, "declared")
    return _find_encoding(content)


def find_misread(text: str) -> str | None:
    """Return a sign that a text was decoded wrongly before it was written, or None."""
    found = _MISREAD.search(text)
    return None if found is None else found[0]


def _find_encoding(content: bytes) -> Decoded:
    """Return the text under the only encoding that its bytes leave."""
    wide = _find_wide(content)
    if wide is not None:
        return _decode(content, wide, "every second byte is NUL")
    if content.isascii():
        return Decoded(content, "utf-8", "ASCII only", {})
    if _is_utf8(content):
        return Decoded(content, "utf-8", "all bytes are UTF-8", {})
    head = content[:_SAMPLE]
    if sum(head.count(bytes([k])) for k in _CONTROL) > _MOST_CONTROL * len(head):
        raise TableError(
            "intake.no_text",
            "the file is no text: it holds control characters. Pass the table as CSV, "
            ".xlsx or Parquet.",
        )
    sample = _beyond_ascii(content)
    bad: dict[int, bytes] = {}
    _mask_bad_lines(sample, bad)
    n_right = len(_MULTIBYTE.findall(sample))
    if n_right >= _DAMAGED * len(bad):
        return _decode(content, "utf-8", "nearly all bytes are UTF-8")
    encoding = None if n_right > len(bad) else _find_code_page(sample)
    if encoding is None:
        raise _ask(bad)
    if encoding == "cp1252" and not _is_decodable(content, encoding):
        encoding = "latin-1"
    return _decode(content, encoding, f"not UTF-8, and its letters are {encoding}")


def _beyond_ascii(content: bytes) -> bytes:
    """Return lines with other bytes than ASCII, up to the size of a sample."""
    kept, size = [], 0
    for found in _BEYOND.finditer(content):
        kept.append(found[0])
        size += len(found[0])
        if size > _SAMPLE:
            break
    return b"\n".join(kept)


def _is_decodable(content: bytes, encoding: str) -> bool:
    """Return whether every byte has a meaning in an encoding."""
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _find_wide(sample: bytes) -> str | None:
    """Return UTF-16 by the place of its NUL bytes."""
    sample = sample[:_SAMPLE]
    n = max(len(sample) // 2, 1)
    even, odd = (sample[k::2].count(0) / n for k in (0, 1))
    if max(even, odd) < _NUL_SHARE or min(even, odd) * 4 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _find_code_page(sample: bytes) -> str | None:
    """Return the code page under which the letters are usual, or None."""
    n_high = sum(1 for byte in sample if byte >= 0x80)
    n_runs = sum(len(run) for run in _RUN.findall(sample))
    if not n_high or n_runs > _MOST_IN_RUNS * n_high:
        return None
    fits = {name: _score(sample, name) for name in _CANDIDATES}
    best, other = sorted(_CANDIDATES, key=lambda name: -fits[name])
    if fits[best] < _FIT or fits[best] - fits[other] < _MARGIN:
        return None
    return best


def _score(sample: bytes, encoding: str) -> float:
    """Return the share of letters beyond ASCII that are usual, in usual places."""
    text = sample.decode(encoding, errors="replace")
    places = [k for k, sign in enumerate(text) if ord(sign) > 127]
    good = sum(_is_usual(text, k) for k in places)
    return good / max(len(places), 1)


def _is_usual(text: str, k: int) -> bool:
    """Return whether a letter is usual; no capital follows a small letter."""
    sign, before = text[k], text[k - 1 : k]
    if sign not in _USUAL:
        return False
    return not (sign.isupper() and before.islower())


def _decode(content: bytes, encoding: str, evidence: str) -> Decoded:
    """Return a text in UTF-8; what cannot be decoded is masked."""
    bad: dict[int, bytes] = {}
    if encoding == "utf-8":
        good = content if _is_utf8(content) else _mask_bad_lines(content, bad)
        return Decoded(good, encoding, evidence, bad)
    try:
        return Decoded(content.decode(encoding).encode(), encoding, evidence, bad)
    except UnicodeDecodeError as error:
        if not _is_byte_wise(encoding):
            raise TableError(
                "intake.undecodable",
                "the file cannot be read as {encoding}: byte {position} does not fit. "
                "It is cut or damaged; export it again, or declare its encoding in "
                "[file].",
                encoding=encoding,
                position=error.start,
            ) from error
        kept = _mask_bad_lines(content, bad, encoding)
        return Decoded(kept.decode(encoding).encode(), encoding, evidence, bad)


def _is_utf8(content: bytes) -> bool:
    """Return whether bytes are UTF-8, without a second text of their size."""
    if content.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    try:
        for start in range(0, len(content), _SAMPLE):
            decoder.decode(view[start : start + _SAMPLE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_byte_wise(encoding: str) -> bool:
    """Return whether a line end is one byte in an encoding."""
    return "\n".encode(encoding) == b"\n"


def _mask_bad_lines(
    content: bytes, bad: dict[int, bytes], encoding: str = "utf-8"
) -> bytes:
    """Return a text with question marks for what cannot be decoded; note the lines."""
    lines = content.split(b"\n")
    for k, line in enumerate(lines):
        if line.isascii():
            continue
        try:
            line.decode(encoding)
        except UnicodeDecodeError:
            bad[k + 1] = line
            lossy = line.decode(encoding, errors="replace")
            lines[k] = lossy.replace("\ufffd", "?").encode(encoding)
    return b"\n".join(lines)


def _ask(bad: dict[int, bytes]) -> TableError:
    """Return the error for bytes that leave more than one reading."""
    text = next(iter(bad.values()))
    readings = {
        name: text.strip().decode(name, errors="replace")[:60]
        for name in ("cp1252", "cp850", "cp1251")
    }
    return TableError(
        "intake.encoding_uncertain",
        "the encoding is not certain: lines are not UTF-8. The first reads {readings}. "
        'Declare the right one in [file], such as encoding = "cp1252".',
        readings="; ".join(f"{v!r} as {k}" for k, v in readings.items()),
    )
