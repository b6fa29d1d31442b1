"""JSON without what its readers disagree on: no key twice, no NaN, no endless depth."""

from __future__ import annotations

import json
from typing import Any

from smartrisk.errors import ArtefactError


def parse_json(text: str, *, name: str, owner: str) -> Any:
    """Return the value of a JSON text.

    Parameters
    ----------
    text : str
        The text.
    name : str
        Name of the file, for the message.
    owner : str
        Name of the calling function, for the message.

    Returns
    -------
    value : object
        Texts, numbers, lists and mappings.

    Raises
    ------
    ArtefactError
        If the text is not JSON, names a key twice, or holds NaN or an infinity.

    Examples
    --------
    >>> from smartrisk.artefact import parse_json
    >>> parse_json('{"a": [1, 2.5]}', name="a.json", owner="read_folder")
    {'a': [1, 2.5]}
    """
    try:
        return json.loads(
            text, object_pairs_hook=_without_repeats, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise ArtefactError(
            "artefact.json_damaged",
            "{owner}: {name!r} is damaged: {problem}. Restore a copy.",
            owner=owner,
            name=name,
            problem=str(error),
        ) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return pairs as a mapping, each key once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} occurs twice")
    return found


def _refuse(constant: str) -> float:
    """Refuse NaN and the infinities, which are no JSON."""
    raise ValueError(f"{constant} is no number of JSON")
