"""What a file is, by its content: unpacked, recognised, or refused with a remedy."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from smartrisk.errors import TableError, format_values
from smartrisk.schema import FileFormat

#: First bytes of files, and what they are.
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"%PDF", "pdf"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\x00\x01\x00\x00Standard", "access"),
)
#: Endings of names that say what a file is; other endings are those of texts.
_ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        **{".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow"},
        **{".feather": "arrow", ".gz": "gzip", ".bz2": "bz2", ".xz": "xz"},
        **{".zip": "zip", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls"},
        **{".xml": "xml", ".json": "json", ".jsonl": "json", ".pdf": "pdf"},
        **{".docx": "docx", ".doc": "docx", ".ods": "ods", ".xlsb": "xlsb"},
        **{".zst": "zstd", ".7z": "7z", ".rar": "rar", ".mdb": "access"},
        **{".accdb": "access", ".dbf": "dbf", ".html": "html", ".htm": "html"},
        **{".sqlite": "sqlite", ".db": "sqlite", ".sqlite3": "sqlite"},
    }
)
#: What is refused, and what to do instead.
_TEXTS: dict[str, str] = {
    "xml": "the file is XML, which is not read. Export the table as CSV or .xlsx, or "
    "pass its records as a list.",
    "json": "the file is JSON, which is not read. Pass its records as a list: "
    "read_table(json.loads(text)).",
    "pdf": "the file is a PDF document, which is not read. Ask for the table from "
    "which it was printed, as CSV or .xlsx.",
    "xls": "the file is a workbook of the old kind (.xls), which is not read. Open it "
    "in a spreadsheet and save it as .xlsx, or as CSV in UTF-8.",
    "docx": "the file is a text document, which is not read. Copy its table into a "
    "spreadsheet and save it as .xlsx, or ask for the table itself.",
    "ods": "the file is an OpenDocument file, which is not read. Open it and save it "
    "as .xlsx, or as CSV in UTF-8.",
    "xlsb": "the file is a binary workbook (.xlsb), which is not read. Open it in a "
    "spreadsheet and save it as .xlsx, or as CSV in UTF-8.",
    "html": "the file is a web page, which is not read. Open it in a spreadsheet and "
    "save it as .xlsx, or as CSV in UTF-8.",
    "zstd": "the file is packed with zstd, which is not read. Unpack it, or pack it "
    "as .gz or .zip.",
    "7z": "the file is packed with 7-Zip, which is not read. Unpack it, or pack it as "
    ".gz or .zip.",
    "rar": "the file is packed with RAR, which is not read. Unpack it, or pack it as "
    ".gz or .zip.",
    "access": "the file is an Access database, which is not read. Export its table as "
    "CSV or .xlsx.",
    "dbf": "the file is a dBASE table, which is not read. Open it in a spreadsheet "
    "and save it as .xlsx, or as CSV in UTF-8.",
}
_PACKED = ("gzip", "bz2", "xz", "zip")
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
#: Files within a .zip that programs add, and nobody means.
_EXTRAS = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
#: A packed file within a packed file is unpacked, not one within that.
_DEEPEST = 2


@dataclass(frozen=True)
class Content:
    """The content of a file, unpacked.

    Parameters
    ----------
    data : bytes
        What the file holds.
    kind : str
        "text", "xlsx", "parquet", "arrow" or "sqlite".
    stated : str
        What the name of the file says.
    compression : str
        How it was packed.
    member : str or None
        Name within a .zip.
    """

    data: bytes
    kind: str
    stated: str
    compression: str = "none"
    member: str | None = None


def open_content(data: bytes, name: str, file: FileFormat) -> Content:
    """Return what a file holds and what it is.

    Parameters
    ----------
    data : bytes
        Bytes of the file.
    name : str
        Its name.
    file : FileFormat
        What is declared of it.

    Returns
    -------
    content : Content
        Unpacked, and of a kind that can be read.

    Raises
    ------
    TableError
        If the file is damaged, of a kind that is not read, or a .zip with several
        files of which none is named.
    """
    compression, member = "none", None
    for _ in range(_DEEPEST):
        kind = recognise(data)
        if kind not in _PACKED or file.compression == "none":
            break
        if file.compression not in (None, kind) and compression == "none":
            raise TableError(
                "intake.other_compression",
                "[file] says compression = {declared!r}, and the file is packed as "
                "{kind!r}. Correct or leave out compression.",
                declared=file.compression,
                kind=kind,
            )
        compression = kind
        data, member = _unpack(data, kind, file.member)
        name = member or str(PurePath(name).with_suffix(""))
    if file.compression not in (None, "none") and compression == "none":
        raise TableError(
            "intake.not_compressed",
            "[file] says compression = {declared!r}, and the file is not packed. Leave "
            "out compression.",
            declared=file.compression,
        )
    stated = _ENDINGS.get(PurePath(name).suffix.lower(), "text")
    kind = recognise(data)
    _refuse(kind, stated, data)
    return Content(data, kind, stated, compression, member)


def recognise(data: bytes) -> str:
    """Return what bytes are: a kind by their first bytes, or "text".

    Parameters
    ----------
    data : bytes
        Bytes of a file.

    Returns
    -------
    kind : str
        Such as "xlsx", "gzip" or "text".
    """
    for mark, kind in _MAGIC:
        if data.startswith(mark):
            return _look_into_zip(data) if kind == "zip" else kind
    head = (
        data[:2000].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").replace(b"\0", b"").lower()
    )
    if head.startswith((b"<?xml", b"<asycuda", b"<declaration", b"<sad")):
        return "xml"
    if head.startswith((b"<html", b"<!doctype html", b"<table", b"<head", b"<meta")):
        return "html"
    if head.startswith((b'{"', b"[{", b"{ ", b"{\n", b"{\r", b"[\n", b"[\r", b"[ {")):
        return "json"
    return "text"


def _look_into_zip(data: bytes) -> str:
    """Return what a .zip is: a workbook, a document, or files."""
    try:
        names = set(zipfile.ZipFile(io.BytesIO(data)).namelist())
    except _DAMAGED:
        return "zip"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if any(name.startswith("word/") for name in names):
        return "docx"
    return "ods" if {"mimetype", "content.xml"} <= names else "zip"


def _unpack(data: bytes, kind: str, member: str | None) -> tuple[bytes, str | None]:
    """Return the content of a packed file, and its name within a .zip."""
    try:
        if kind == "zip":
            return _unpack_member(data, member)
        unpack = {"gzip": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}
        return unpack[kind](data), None
    except TableError:
        raise
    except (*_DAMAGED, ValueError) as error:
        raise TableError(
            "intake.damaged_file",
            "the file is cut or damaged: {kind} says {problem}. Copy or export it "
            "again.",
            kind=kind,
            problem=str(error).rstrip(".") or type(error).__name__,
        ) from error
    except (RuntimeError, NotImplementedError) as error:  # a password, a method
        raise TableError(
            "intake.cannot_unpack",
            "the file cannot be unpacked: {problem}. Unpack it with its own program, "
            "or pack it without a password.",
            problem=str(error),
        ) from error


def _unpack_member(data: bytes, member: str | None) -> tuple[bytes, str]:
    """Return the file within a .zip that is named, or the only one."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [
            name
            for name in archive.namelist()
            if not name.endswith("/") and not any(extra in name for extra in _EXTRAS)
        ]
        if member is None and len(names) == 1:
            member = names[0]
        if member not in names:
            raise TableError(
                "intake.member_needed",
                'the .zip holds {n_files} files: {names}. Declare member = "..." in '
                "[file], the one to read.",
                n_files=len(names),
                names=format_values(names, 10) or "none",
            )
        return archive.read(member), member


def _refuse(kind: str, stated: str, data: bytes) -> None:
    """Refuse a kind that is not read, by its content or by the name of the file."""
    named = stated if kind == "text" and stated in _TEXTS else kind
    if named == "xls" and kind == "text" and b"\t" in data[:2000]:
        return  # programs save tables with tabs under this name
    if named in _TEXTS:
        raise TableError(f"intake.{named}_refused", _TEXTS[named])
