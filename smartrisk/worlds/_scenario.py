"""Scenarios: the settings of a synthetic world, as values and as TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from smartrisk.errors import ArgumentError, check_number
from smartrisk.worlds._changes import Change
from smartrisk.worlds._extract import Extract, list_shares


@dataclass(frozen=True, kw_only=True)
class FraudMix:
    """Shares of the typologies among the illicit items.

    The shares are taken in proportion, so they need not sum to one. Undervaluation is
    the most common in the DATE paper, before misclassification and false origin;
    never-seen importers commit 7-10 % of fraud in Tunisia and Nigeria. Within those
    bounds the defaults are assumptions, and a world's own shares scatter around them
    by `Scenario.mix_spread`.

    Parameters
    ----------
    undervaluation : float, default=0.36
        A share of the true value is declared, by habit of a pair.
    misclassification : float, default=0.19
        A neighbour of the tariff code with a lower duty is declared.
    false_origin : float, default=0.12
        A partner of an agreement is declared as origin.
    quantity : float, default=0.10
        Too little mass, or too few pieces.
    phoenix : float, default=0.08
        Short-lived importers that undervalue and are replaced.
    concealment : float, default=0.04
        Other goods lie under the declared ones.
    splitting : float, default=0.03
        One order comes as several parcels below the threshold.
    e_commerce : float, default=0.03
        A seller declares a fraction of the price of its parcels.
    overvaluation : float, default=0.02
        Too much is declared for duty-free goods, to move money; no revenue is evaded.
    procedure : float, default=0.03
        A relief is claimed for goods that stay.

    Examples
    --------
    >>> from smartrisk.datasets import FraudMix
    >>> FraudMix(phoenix=0.3).phoenix
    0.3
    """

    undervaluation: float = 0.36
    misclassification: float = 0.19
    false_origin: float = 0.12
    quantity: float = 0.10
    phoenix: float = 0.08
    concealment: float = 0.04
    splitting: float = 0.03
    e_commerce: float = 0.03
    overvaluation: float = 0.02
    procedure: float = 0.03

    def __post_init__(self) -> None:
        for name, share in asdict(self).items():
            check_number("FraudMix", name, share, low=0.0)
        if sum(asdict(self).values()) <= 0:
            raise ArgumentError(
                "worlds.fraud_mix_empty",
                "FraudMix: at least one share must be above 0; got 0 for all.",
            )


@dataclass(frozen=True, kw_only=True, repr=False)
class Scenario(Extract):
    """The settings of a synthetic world.

    Parameters
    ----------
    name : str, default="own"
        Name of the scenario.
    story : str, default=""
        A paragraph that describes the world and its use.
    start : str, default="2023-01"
        First month, such as ``"2023-01"``.
    n_months : int, default=24
        Months of declarations.
    illicit : float, default=0.035
        Share of the items that are illicit (national administrations report 1.2 to
        8 %).
    swing : float, default=0.0
        Relative amplitude of that share, which rises and falls with a period of 18
        months.
    mix : FraudMix, default=FraudMix()
        Shares of the typologies among the illicit items.
    mix_spread : float, default=0.2
        Spread of these shares between worlds of different seeds, in logs; 0 for the
        same shares in every world.
    targeted : float, default=0.08
        Share of the items that offices control by rough rules.
    random : float, default=0.02
        Share of all items controlled at random.
    adversary : float, default=0.0
        Probability that an importer reacts to a finding: drops the habit, continues
        under another name, or moves to another office.
    collusion : float, default=0.0
        Share of the offices whose officers hide findings against some brokers.
    parcels : float, default=0.05
        Share of the items that are parcels of consumers and resellers.
    threshold : float, default=150.0
        Value, in US dollars, up to which parcels pay no duty.
    currency : float, default=1.0
        Units of the national currency for a US dollar.
    n_codes : int, default=1200
        Number of tariff codes; a small world does not meet all of them.
    traders : float, default=1.0
        Factor on the number of importers, consignors and declarants.
    holidays : tuple of str, default=("01-01", "05-01", "12-25")
        Days of the year on which few items are lodged, as month and day.
    changes : tuple of Change, default=()
        Changes with their month.

    Raises
    ------
    ArgumentError
        If a value is outside its bounds.

    See Also
    --------
    SCENARIOS : The scenarios that have a name.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from smartrisk.datasets import SCENARIOS, Scenario
    >>> scenario = replace(SCENARIOS["national"], name="no targeting", targeted=0.0)
    >>> scenario
    Scenario('no targeting', start='2023-01', n_months=24, n_changes=2)
    >>> Scenario.from_toml(scenario.to_toml()) == scenario
    True
    """

    name: str = "own"
    story: str = ""
    start: str = "2023-01"
    n_months: int = 24
    illicit: float = 0.035
    swing: float = 0.0
    mix: FraudMix = field(default_factory=FraudMix)
    mix_spread: float = 0.2
    targeted: float = 0.08
    random: float = 0.02
    adversary: float = 0.0
    collusion: float = 0.0
    parcels: float = 0.05
    threshold: float = 150.0
    currency: float = 1.0
    n_codes: int = 1200
    traders: float = 1.0
    holidays: tuple[str, ...] = ("01-01", "05-01", "12-25")
    changes: tuple[Change, ...] = ()

    toml_parts: ClassVar[Mapping[str, type[Any]]] = {"mix": FraudMix, "changes": Change}
    _not_in_table = ("name", "story", "mix", "changes")

    def __post_init__(self) -> None:
        for name, low, high in _BOUNDS:
            check_number("Scenario", name, getattr(self, name), low=low, high=high)
        check_number(
            "Scenario", "n_months", self.n_months, low=1, high=240, integer=True
        )
        check_number(
            "Scenario", "n_codes", self.n_codes, low=50, high=5000, integer=True
        )
        if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", str(self.start)):
            raise ArgumentError(
                "worlds.start_not_a_month",
                "Scenario: 'start' must be a month, such as '2023-01'; got {start!r}.",
                start=str(self.start),
            )
        if self.targeted + self.random > 1:
            raise ArgumentError(
                "worlds.control_above_one",
                "Scenario: 'targeted' and 'random' must not exceed 1 together; got "
                "{targeted} and {random}.",
                targeted=self.targeted,
                random=self.random,
            )
        self._check_parts()

    def _check_parts(self) -> None:
        """Check mix, changes and holidays, and store the last two as tuples."""
        object.__setattr__(self, "changes", tuple(self.changes))
        object.__setattr__(self, "holidays", tuple(self.holidays))
        if not isinstance(self.mix, FraudMix):
            raise ArgumentError(
                "worlds.not_a_fraud_mix",
                "Scenario: 'mix' must be a FraudMix; got {type_name}.",
                type_name=type(self.mix).__name__,
            )
        for change in self.changes:
            if not isinstance(change, Change):
                raise ArgumentError(
                    "worlds.not_a_change",
                    "Scenario: 'changes' must hold Change objects; got {type_name}.",
                    type_name=type(change).__name__,
                )
        for day in self.holidays:
            if not re.fullmatch(r"(0[1-9]|1[0-2])-([0-2]\d|3[01])", str(day)):
                raise ArgumentError(
                    "worlds.holiday_not_a_day",
                    "Scenario: 'holidays' must be days of the year, such as '12-25'; "
                    "got {day!r}.",
                    day=str(day),
                )

    def day_of(self, change: Change) -> int:
        """Return the day on which a change takes place, counted from the start."""
        return round(change.month * 365.25 / 12)

    def __repr__(self) -> str:
        return (
            f"Scenario({self.name!r}, start={self.start!r}, "
            f"n_months={self.n_months}, n_changes={len(self.changes)})"
        )

    def _further_rows(self) -> list[tuple[str, str]]:
        """Return the mix and the changes as rows of a notebook."""
        changes = [
            (
                f"month {change.month:g}",
                " ".join(
                    filter(None, (change.kind, change.origin, f"{change.amount:g}"))
                ),
            )
            for change in self.changes
        ]
        return [("mix", list_shares(self.mix)), *changes]


#: Numbers of a scenario and their bounds.
_BOUNDS = (
    ("traders", 0.01, 5.0),
    ("illicit", 0.0, 0.3),
    ("swing", 0.0, 0.9),
    ("mix_spread", 0.0, 1.0),
    ("targeted", 0.0, 1.0),
    ("random", 0.0, 1.0),
    ("adversary", 0.0, 1.0),
    ("collusion", 0.0, 1.0),
    ("parcels", 0.0, 0.95),
    ("threshold", 1.0, 1e6),
    ("currency", 1e-6, 1e6),
)
