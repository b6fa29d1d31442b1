"""Settings of the independent worlds, and the presets that have a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from smartrisk.errors import ArgumentError, check_number
from smartrisk.worlds._extract import Extract, list_shares

#: Numbers of a scenario and their bounds.
_BOUNDS = (
    ("illicit", 0.0, 0.3),
    ("inspected", 0.0, 1.0),
    ("chance", 0.0, 1.0),
    ("noise", 0.05, 10.0),
    ("detection", 0.0, 1.0),
    ("entry", 0.001, 0.5),
    ("inflation", -0.05, 0.1),
    ("devaluation", -0.5, 2.0),
    ("shift", 0.0, 1.0),
)


@dataclass(frozen=True, kw_only=True)
class TrickMix:
    """Shares of the tricks among the illicit items of an independent world.

    The shares are taken in proportion, so they need not sum to one. They are
    assumptions: a wider range than any one administration reports.

    Parameters
    ----------
    underpricing : float, default=0.30
        A share of the price, a remembered price, an invented amount, or the price of
        a lower quality.
    code_swap : float, default=0.22
        A code of the same chapter that saves duty.
    origin_swap : float, default=0.15
        An origin with a preference.
    weights : float, default=0.13
        Less mass or fewer pieces than there are, and the value with them.
    concealment : float, default=0.08
        Other goods under the declared ones.
    short_lived : float, default=0.12
        A trader that declares too little under a new name every few weeks.

    Examples
    --------
    >>> from smartrisk.datasets import TrickMix
    >>> TrickMix(concealment=0.5).concealment
    0.5
    """

    underpricing: float = 0.30
    code_swap: float = 0.22
    origin_swap: float = 0.15
    weights: float = 0.13
    concealment: float = 0.08
    short_lived: float = 0.12

    def __post_init__(self) -> None:
        for name, share in asdict(self).items():
            check_number("TrickMix", name, share, low=0.0)
        if sum(asdict(self).values()) <= 0:
            raise ArgumentError(
                "worlds.trick_mix_empty",
                "TrickMix: at least one share must be above 0; got 0 for all.",
            )


@dataclass(frozen=True, kw_only=True, repr=False)
class IndependentScenario(Extract):
    """The settings of a world of the independent family.

    Parameters
    ----------
    family : str, default="independent"
        Family of the generator, which a TOML file names; no other value is allowed.
    name : str, default="independent-own"
        Name of the scenario.
    story : str, default=""
        A paragraph that describes the world and its use.
    start : str, default="2023-01"
        First month, such as ``"2023-01"``.
    n_months : int, default=24
        Months of declarations.
    illicit : float, default=0.04
        Share of the items that are illicit, up to rounding by the traders that commit
        it.
    tricks : TrickMix, default=TrickMix()
        Shares of the tricks among the illicit items.
    inspected : float, default=0.1
        Share of the items that are inspected.
    chance : float, default=0.2
        Share of the inspections that fall on items drawn at random.
    noise : float, default=1.0
        Spread of what officers prefer without a reason, relative to their reasons.
    detection : float, default=0.85
        Factor on the probability that an inspection finds what is there.
    entry : float, default=0.08
        Share of the consignments that are the first of an importer.
    inflation : float, default=0.003
        Rise of all prices in a month, in logs.
    devaluation : float, default=0.0
        Jump of all prices in national currency after six tenths of the months, in
        logs.
    shift : float, default=0.0
        Share of the illicit items of the last 45 % of the time that are committed by
        other traders, with a reversed order of the tricks' shares.

    Raises
    ------
    ArgumentError
        If a value is outside its bounds.

    See Also
    --------
    INDEPENDENT_SCENARIOS : The presets that have a name.

    Examples
    --------
    >>> from smartrisk.datasets import IndependentScenario, make_declarations
    >>> scenario = IndependentScenario(illicit=0.05)
    >>> scenario
    IndependentScenario('independent-own', start='2023-01', n_months=24)
    >>> IndependentScenario.from_toml(scenario.to_toml()) == scenario
    True
    >>> len(make_declarations(500, scenario=scenario).declarations)
    500
    """

    family: str = "independent"
    name: str = "independent-own"
    story: str = ""
    start: str = "2023-01"
    n_months: int = 24
    illicit: float = 0.04
    tricks: TrickMix = field(default_factory=TrickMix)
    inspected: float = 0.1
    chance: float = 0.2
    noise: float = 1.0
    detection: float = 0.85
    entry: float = 0.08
    inflation: float = 0.003
    devaluation: float = 0.0
    shift: float = 0.0

    toml_parts: ClassVar[Mapping[str, type[Any]]] = {"tricks": TrickMix}
    _not_in_table = ("family", "name", "story", "tricks")

    def __post_init__(self) -> None:
        if self.family != "independent":
            raise ArgumentError(
                "worlds.other_family",
                "IndependentScenario: 'family' must be 'independent'; got {family!r}.",
                family=str(self.family),
            )
        for name, low, high in _BOUNDS:
            check_number(
                "IndependentScenario", name, getattr(self, name), low=low, high=high
            )
        check_number(
            "IndependentScenario",
            "n_months",
            self.n_months,
            low=1,
            high=240,
            integer=True,
        )
        if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", str(self.start)):
            raise ArgumentError(
                "worlds.independent_start_not_a_month",
                "IndependentScenario: 'start' must be a month, such as '2023-01'; got "
                "{start!r}.",
                start=str(self.start),
            )
        if not isinstance(self.tricks, TrickMix):
            raise ArgumentError(
                "worlds.not_a_trick_mix",
                "IndependentScenario: 'tricks' must be a TrickMix; got {type_name}.",
                type_name=type(self.tricks).__name__,
            )

    def __repr__(self) -> str:
        return (
            f"IndependentScenario({self.name!r}, start={self.start!r}, "
            f"n_months={self.n_months})"
        )

    def _further_rows(self) -> list[tuple[str, str]]:
        """Return the tricks as a row of a notebook."""
        return [("tricks", list_shares(self.tricks))]


_NAMED = (
    IndependentScenario(
        name="independent-stable",
        story="Prices rise slowly, the same traders commit the same tricks, and the "
        "offices do not change. The first world of this family to look at.",
    ),
    IndependentScenario(
        name="independent-drift",
        story="Prices rise by more than one percent a month and by a third at once "
        "when the currency falls; in the last 45 % of the time, two thirds of the "
        "fraud is of other traders and of other tricks.",
        inflation=0.012,
        devaluation=0.3,
        shift=0.65,
    ),
    IndependentScenario(
        name="independent-concealed",
        story="Most fraud leaves little in the declaration: goods under other goods, "
        "and less mass or fewer pieces than there are. Officers find two thirds of "
        "what is there, and documents show less than that.",
        tricks=TrickMix(
            underpricing=0.12,
            code_swap=0.1,
            origin_swap=0.08,
            weights=0.3,
            concealment=0.36,
            short_lived=0.04,
        ),
        detection=0.68,
    ),
    IndependentScenario(
        name="independent-scarce",
        story="Few results and few hits: 2.6 % of the items are inspected, more than "
        "half of them at random, and 1.5 % of the items are illicit.",
        illicit=0.015,
        inspected=0.026,
        chance=0.6,
        noise=2.0,
    ),
    IndependentScenario(
        name="independent-newcomers",
        story="One consignment in six is the first of an importer, and more than a "
        "third of the fraud is of traders that take a new name every few weeks.",
        entry=0.16,
        tricks=TrickMix(
            underpricing=0.22,
            code_swap=0.14,
            origin_swap=0.1,
            weights=0.1,
            concealment=0.06,
            short_lived=0.38,
        ),
    ),
)

#: The presets of the independent family that have a name.
INDEPENDENT_SCENARIOS: Mapping[str, IndependentScenario] = MappingProxyType(
    {s.name: s for s in _NAMED}
)
