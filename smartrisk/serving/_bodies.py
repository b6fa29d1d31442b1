"""Bodies of requests: JSON and Arrow, read without trusting who sent them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd

from smartrisk.schema import DECLARATIONS
from smartrisk.serving._arrow import read_arrow
from smartrisk.serving._problems import RequestError
from smartrisk.serving._settings import MOST_FIELDS, Limits

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"

#: One declared item, as JSON has it.
Item: TypeAlias = dict[str, Any]
#: Types of the values of an item. JSON's lists and objects are no values of a field.
_SCALARS = frozenset((str, int, float, bool, type(None)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Items:
    """The items of a request: one, or a table of them.

    `one` is set where the request is a single object; `table` otherwise.
    """

    one: Item | None = None
    table: pd.DataFrame | None = None
    names: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return 1 if self.table is None else len(self.table)

    def frame(self) -> pd.DataFrame:
        """Return the items as a table."""
        return to_frame([self.one or {}]) if self.table is None else self.table


def read_media_type(header: str | None) -> str:
    """Return the media type of a body, or refuse it.

    Raises
    ------
    RequestError
        If it is neither JSON nor a stream of Arrow.
    """
    kind, _, rest = (header or "").partition(";")
    kind, rest = kind.strip().lower(), rest.strip().lower().replace('"', "")
    is_utf8 = rest in ("", "charset=utf-8", "charset=utf8")
    if (kind == JSON and is_utf8) or kind == ARROW:
        return kind
    raise RequestError(
        415,
        "serving.media_type",
        "the body must be {json} in UTF-8 or {arrow}; state which in the header "
        "Content-Type.",
        json=JSON,
        arrow=ARROW,
    )


def read_items(body: bytes, kind: str, limits: Limits, most: int) -> Items:
    """Return the items of a body.

    Parameters
    ----------
    body : bytes
        What was sent.
    kind : str
        Its media type: `JSON` or `ARROW`.
    limits : Limits
        Limits of the service.
    most : int
        Items that the request may have.

    Raises
    ------
    RequestError
        If the body cannot be read, or has too many items.
    """
    if kind == ARROW:
        table = read_arrow(body, limits.max_bytes, most)
        return Items(table=table, names=frozenset(map(str, table.columns)))
    value = parse(body)
    if isinstance(value, dict):
        _check_fields(len(value))
        check_values([value])
        return Items(one=value, names=frozenset(value))
    return read_records(value, "the body", most)


def read_records(value: Any, where: str, most: int) -> Items:
    """Return the items of a list of objects.

    Parameters
    ----------
    value : object
        What JSON holds there.
    where : str
        Where, for messages.
    most : int
        Items that the list may have.

    Raises
    ------
    RequestError
        If it is no list of objects of plain values, or too long.
    """
    if not isinstance(value, list):
        raise RequestError(
            422,
            "serving.not_items",
            "{where} must be one item, an object of fields and values, or a list of "
            "items.",
            where=where,
        )
    check_count(len(value), most)
    odd = [k for k, item in enumerate(value) if not isinstance(item, dict)]
    if odd:
        raise RequestError(
            422,
            "serving.item_no_object",
            "{n_items} entries of {where} are no objects, the first at position "
            "{position}. An item is an object of fields and values.",
            n_items=len(odd),
            where=where,
            position=odd[0],
            failures=[
                {"position": k, "field": None, "reason": "no object", "value": None}
                for k in odd
            ],
        )
    names = frozenset().union(*value) if value else frozenset(DECLARATIONS.names)
    _check_fields(len(names))
    check_values(value)
    return Items(table=to_frame(value), names=names)


def check_count(n_items: int, most: int) -> None:
    """Refuse more items than a request may have."""
    if n_items > most:
        raise RequestError(
            413,
            "serving.too_many_items",
            "{n_items} items in one request; at most {most} are allowed. Send several "
            "requests.",
            n_items=n_items,
            most=most,
        )


def _check_fields(n_fields: int) -> None:
    """Refuse items that together name more fields than any administration has."""
    if n_fields > MOST_FIELDS:
        raise RequestError(
            413,
            "serving.too_many_fields",
            "the items of one request have {n_fields} fields; at most {most} are "
            "allowed. Send the fields of the items only.",
            n_fields=n_fields,
            most=MOST_FIELDS,
        )


def to_frame(records: list[Item]) -> pd.DataFrame:
    """Return items as a table whose cells are what JSON had."""
    if not records:  # a table without columns is no table of items
        return pd.DataFrame(columns=list(DECLARATIONS.names), dtype=object)
    return pd.DataFrame(records, dtype=object)


def parse(body: bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    RequestError
        If it is none, names a key twice, holds NaN or an infinity, a number too long to
        be read, half a character, or is too deep.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse,
        )
        if b"\\u" in body:  # half of a pair cannot be written anywhere
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        known = isinstance(error, (_RefusedJsonError, json.JSONDecodeError))
        place = getattr(error, "pos", None)
        raise RequestError(
            400,
            "serving.not_json",
            "the body is no JSON that can be read: {problem}.",
            problem=_problem_of(error, known=known, place=place),
        ) from error
    return value


class _RefusedJsonError(ValueError):
    """JSON that its readers disagree on."""


def _problem_of(error: BaseException, *, known: bool, place: int | None) -> str:
    """Return what is wrong with a text, without repeating it."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at position {place}"
    if known:
        return str(error)
    if isinstance(error, RecursionError):
        return "it is too deep"
    if isinstance(error, UnicodeError):
        return "a text is no UTF-8, or half of a character"
    return "a number is too long"


def _without_repeats(pairs: list[tuple[str, Any]]) -> Item:
    """Return pairs as a mapping, each key once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedJsonError("an object names a key twice")
    return found


def _refuse(constant: str) -> float:
    """Refuse NaN and the infinities, which are no JSON."""
    raise _RefusedJsonError(f"{constant} is no number of JSON")


def check_values(items: list[Item]) -> None:
    """Refuse items some of whose values are lists or objects."""
    odd = [
        (k, name)
        for k, item in enumerate(items)
        if not _SCALARS.issuperset(map(type, item.values()))
        for name, value in item.items()
        if type(value) not in _SCALARS
    ]
    if odd:
        raise RequestError(
            422,
            "serving.value_no_scalar",
            "{n_values} values are lists or objects, the first at position {position} "
            "in field {field!r}. A value is a text, a number, true, false or null.",
            n_values=len(odd),
            position=odd[0][0],
            field=odd[0][1][:40],
            failures=[
                {
                    "position": k,
                    "field": name[:40],
                    "reason": "no plain value",
                    "value": None,
                }
                for k, name in odd
            ],
        )
