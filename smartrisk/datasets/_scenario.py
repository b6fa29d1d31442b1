"""What kind of world to make, and the ones that have a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from smartrisk.errors import ArgumentError, check_number


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What kind of world to make.

    Parameters
    ----------
    name : str, default="own"
        Its name.
    story : str, default=""
        What it is like and what it is for, in a sentence or two.
    start : str, default="2023-01"
        First month, as ``"2023-01"``.
    n_months : int, default=24
        Months of declarations.
    illicit : float, default=0.035
        Share of the items that are illicit (national administrations report 1.2 to
        8 %).
    targeted : float, default=0.08
        Share of the items that offices control by their rough rules.
    random : float, default=0.02
        Share of all items controlled at random.
    n_codes : int, default=1200
        Tariff codes; fewer are met among few items.
    traders : float, default=1.0
        Factor on the number of importers, consignors and declarants.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from smartrisk.datasets import SCENARIOS
    >>> replace(SCENARIOS["national"], name="no targeting", targeted=0.0).random
    0.02
    """

    name: str = "own"
    story: str = ""
    start: str = "2023-01"
    n_months: int = 24
    illicit: float = 0.035
    targeted: float = 0.08
    random: float = 0.02
    n_codes: int = 1200
    traders: float = 1.0

    def __post_init__(self) -> None:
        check_number("Scenario", "n_months", self.n_months, low=1, integer=True)
        check_number(
            "Scenario", "n_codes", self.n_codes, low=50, high=5000, integer=True
        )
        check_number("Scenario", "traders", self.traders, low=0.01, high=5.0)
        check_number("Scenario", "illicit", self.illicit, low=0.0, high=0.3)
        for name in ("targeted", "random"):
            check_number("Scenario", name, getattr(self, name), low=0.0, high=1.0)
        if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", str(self.start)):
            raise ArgumentError(
                f"Scenario: 'start' must be a month as '2023-01'; got {self.start!r}."
            )
        if self.targeted + self.random > 1:
            raise ArgumentError(
                "Scenario: 'targeted' and 'random' must not exceed 1 together; "
                f"got {self.targeted} and {self.random}."
            )

    @property
    def first(self) -> Any:
        """First day of the extract, as a numpy date."""
        return np.datetime64(self.start, "M").astype("datetime64[D]")

    @property
    def end(self) -> Any:
        """First day after the extract, as a numpy date."""
        last = np.datetime64(self.start, "M") + np.timedelta64(self.n_months, "M")
        return last.astype("datetime64[D]")


_NAMED = (
    Scenario(
        name="national",
        story="A national administration: its offices target 8 % of the items by "
        "rough rules, 2 % are drawn at random, 3.5 % of all are illicit.",
    ),
    Scenario(
        name="small",
        story="A small administration, for teaching: few traders and codes, more "
        "fraud and more control, so that little data show much.",
        illicit=0.06,
        targeted=0.12,
        random=0.05,
        n_codes=300,
        traders=0.5,
    ),
    Scenario(
        name="scarce",
        story="Few results: 1.5 % of the items are targeted and 0.5 % drawn at "
        "random; most of what is illicit was never seen.",
        targeted=0.015,
        random=0.005,
    ),
)

#: The scenarios that have a name.
SCENARIOS: Mapping[str, Scenario] = MappingProxyType({s.name: s for s in _NAMED})
