"""The plain values of a saved engine, checked before parts are made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from smartrisk.artefact import parse_json
from smartrisk.errors import ArtefactError, SmartRiskError
from smartrisk.items import TARGETS
from smartrisk.lineage import Source
from smartrisk.schema import ColumnMap

_OWNER = "RiskEngine.load"
_VERSION = re.compile(r"[0-9a-f]{16}")
_TABLE_DIGEST = re.compile(r"[0-9a-f]{32}")
#: What a part raises that was made of other values than it was written as.
_WRONG_VALUES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_content(texts: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the plain values of an engine.

    Parameters
    ----------
    texts : mapping of str to str
        File name to text.
    name : str
        Name of the file that holds them.

    Raises
    ------
    ArtefactError
        If it is missing, or its values have other names or types.
    """
    if name not in texts:
        raise odd_content(name, "it is missing")
    content = parse_json(texts[name], name=name, owner=_OWNER)
    if not isinstance(content, dict):
        raise odd_content(name, "it is no mapping")
    missing = set(_NEEDED) - set(content)
    unknown = set(content) - set(_NEEDED) - set(_OPTIONAL)
    if missing or unknown:
        names = sorted(missing | unknown)
        raise odd_content(name, f"keys are missing or unknown: {', '.join(names[:5])}")
    for key, is_right in (_NEEDED | _OPTIONAL).items():
        if key in content and not is_right(content[key]):
            raise odd_content(name, f"{key!r} has a value of another kind")
    return content


@contextmanager
def naming_file(name: str) -> Iterator[None]:
    """Turn whatever a part raises about saved values into an error that names the file.

    Parameters
    ----------
    name : str
        Name of the file that holds the values.
    """
    try:
        yield
    except ArtefactError:
        raise
    except SmartRiskError as error:
        raise odd_content(name, str(error)) from error
    except _WRONG_VALUES as error:
        raise odd_content(name, f"{type(error).__name__}: {error}") from error


def odd_content(name: str, problem: str) -> ArtefactError:
    """Return the error of a file whose values are not those of an engine."""
    return ArtefactError(
        "engine.saved_content_odd",
        "RiskEngine.load: {name!r} does not describe an engine of this version: "
        "{problem}. Restore a copy, or load the folder with the version that wrote it.",
        name=name,
        problem=problem[:300],
    )


def _is_text(value: Any) -> bool:
    """Return whether a value is a text."""
    return isinstance(value, str)


def _is_version(value: Any) -> bool:
    """Return whether a value is the version of an engine."""
    return isinstance(value, str) and _VERSION.fullmatch(value) is not None


def _is_mapping(value: Any) -> bool:
    """Return whether a value is a mapping."""
    return isinstance(value, dict)


def _are_digests(value: Any) -> bool:
    """Return whether a value maps tables to their digests."""
    return isinstance(value, dict) and all(
        isinstance(digest, str) and _TABLE_DIGEST.fullmatch(digest)
        for digest in value.values()
    )


def _are_blocks(value: Any) -> bool:
    """Return whether a value lists the blocks of a history."""
    if not isinstance(value, dict) or set(value) != {"tables", "items", "results"}:
        return False
    counts, tables = (value["items"], value["results"]), value["tables"]
    return (
        all(type(n) is int and 0 <= n <= _MOST_BLOCKS for n in counts)
        and isinstance(tables, dict)
        and all(
            isinstance(levels, list)
            and 0 < len(levels) <= _MOST_BLOCKS
            and all(map(_is_level, levels))
            for levels in tables.values()
        )
    )


def _is_level(value: Any) -> bool:
    """Return whether a value describes a level of a table."""
    if not isinstance(value, dict) or not _are_digests({"": value.get("digest")}):
        return False
    rest = set(value) - {"digest"}
    if rest == {"index", "counted", "more"}:
        counted = value["counted"]
        return (
            isinstance(value["index"], str)
            and type(value["more"]) is bool
            and isinstance(counted, list)
            and all(isinstance(name, str) for name in counted)
            and len(set(counted)) == len(counted)
        )
    return not rest or (rest == {"same"} and isinstance(value["same"], str))


def _are_own_fields(value: Any) -> bool:
    """Return whether a value maps own fields to their kinds."""
    try:
        ColumnMap(own_fields=value)
    except (SmartRiskError, AttributeError, TypeError, ValueError):
        return False
    return isinstance(value, dict)


def _is_target(value: Any) -> bool:
    """Return whether a value is what a model can be fitted to find."""
    return isinstance(value, str) and value in TARGETS


def _are_sources(value: Any) -> bool:
    """Return whether a value lists from which files the items came."""
    return isinstance(value, list) and all(map(_is_source, value))


def _is_source(value: Any) -> bool:
    """Return whether a value describes a file, in the types that it is written in."""
    if not isinstance(value, dict):
        return False
    counts = [value.get(key) for key in ("rows_in", "rows_out", "set_aside")]
    repairs = value.get("repairs", {})
    if not isinstance(repairs, dict):
        return False
    counts += repairs.values()
    texts = [v for k, v in value.items() if k not in ("repairs", *_COUNTS)]
    try:
        Source.from_dict(value)
    except (SmartRiskError, TypeError, ValueError):
        return False
    return all(n is None or (type(n) is int and n >= 0) for n in counts) and all(
        text is None or isinstance(text, str) for text in texts
    )


#: More levels of a table, or blocks of a register, than updates leave: each has at
#: least twice as many rows as the next.
_MOST_BLOCKS = 64
_COUNTS = ("rows_in", "rows_out", "set_aside")
#: Key of the plain values -> whether a value is of its kind.
_NEEDED: dict[str, Callable[[Any], bool]] = {
    "smartrisk": _is_text,
    "version": _is_version,
    "settings": _is_mapping,
    "features": _is_mapping,
    "digests": _are_digests,
    "classifier": _is_mapping,
    "regressor": _is_mapping,
}
_OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "blocks": _are_blocks,
    "own_fields": _are_own_fields,
    "sources": _are_sources,
    "stage": _is_mapping,
    "stakes": _is_mapping,
    "target": _is_target,
}
