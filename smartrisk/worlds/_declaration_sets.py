"""What `realism` and `breakdown` can describe: worlds, public sets, bare tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pandas as pd

from smartrisk.errors import ArgumentError
from smartrisk.tables import to_pandas


class DeclarationSet(Protocol):
    """Anything with declarations and their results, such as a `World`."""

    @property
    def declarations(self) -> pd.DataFrame:
        """DECLARATIONS."""

    @property
    def outcomes(self) -> pd.DataFrame:
        """OUTCOMES of some or all of them."""


def declarations_of(
    owner: str, subject: DeclarationSet | pd.DataFrame, required: Sequence[str]
) -> pd.DataFrame:
    """Return the declarations of a set or table; raise unless they have the fields."""
    items = to_pandas(getattr(subject, "declarations", subject))
    if not isinstance(items, pd.DataFrame) or not set(required) <= set(items):
        raise ArgumentError(
            "worlds.not_declarations",
            "{owner}: 'subject' and 'reference' must be a World, a PublicSet or a "
            "frame of DECLARATIONS with {required}; got {type_name}.",
            owner=owner,
            required=", ".join(map(repr, required)),
            type_name=type(subject).__name__,
        )
    return items
