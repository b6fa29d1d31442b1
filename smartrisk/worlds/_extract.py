"""What scenarios of both families share: the days of the extract, and the notebook."""

from __future__ import annotations

from dataclasses import asdict, fields
from html import escape
from typing import Any, ClassVar

import numpy as np

from smartrisk.settings import TomlSettings


class Extract(TomlSettings):
    """Base of the scenarios: frozen dataclasses with a story and months.

    Attributes
    ----------
    story : str
        A paragraph that describes the world and its use.
    start : str
        First month, such as ``"2023-01"``.
    n_months : int
        Months of declarations.

    Examples
    --------
    >>> from smartrisk.worlds._extract import Extract
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Quarter(Extract):
    ...     story: str = "A quarter."
    ...     start: str = "2024-01"
    ...     n_months: int = 3
    >>> Quarter().span
    91
    """

    story: str
    start: str
    n_months: int

    #: Fields that a notebook does not show as a row of settings as they are.
    _not_in_table: ClassVar[tuple[str, ...]] = ("story",)

    @property
    def first(self) -> np.datetime64:
        """First day of the extract."""
        first: np.datetime64 = np.datetime64(self.start, "M").astype("datetime64[D]")
        return first

    @property
    def end(self) -> np.datetime64:
        """First day after the extract."""
        month = np.datetime64(self.start, "M") + self.n_months
        end: np.datetime64 = month.astype("datetime64[D]")
        return end

    @property
    def span(self) -> int:
        """Number of days of the extract."""
        return int((self.end - self.first) / np.timedelta64(1, "D"))

    def _further_rows(self) -> list[tuple[str, str]]:
        """Return the rows of a notebook after those of the plain fields."""
        return []

    def _repr_html_(self) -> str:
        """Return the story and the settings as HTML for a notebook."""
        plain = [f.name for f in fields(self) if f.name not in self._not_in_table]  # type: ignore[arg-type]
        settings = [(name, str(getattr(self, name))) for name in plain]
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th>'
            f'<td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in (*settings, *self._further_rows())
        )
        return (
            f"<p><code>{escape(repr(self))}</code></p>\n"
            f"<p>{escape(self.story)}</p>\n<table>{rows}</table>"
        )


def list_shares(mix: Any) -> str:
    """Return the shares of a mix in one line."""
    return ", ".join(f"{name} {share:g}" for name, share in asdict(mix).items())
