"""Changes of a scenario: what changes in a world, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smartrisk.errors import ArgumentError, check_choice, check_number
from smartrisk.worlds._tariff import COUNTRIES


@dataclass(frozen=True)
class _Kind:
    """A kind of change: what `size` means, the usual size, and its bounds."""

    meaning: str
    usual: float
    low: float
    high: float
    needs_origin: bool = False


#: Kinds of changes. The usual sizes are assumptions of the order that is reported.
KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "tariff step": _Kind("points added to the duty rates", 0.08, -0.4, 0.4),
        "trade agreement": _Kind(
            "an origin joins an agreement", 0.0, 0.0, 0.0, needs_origin=True
        ),
        "anti-dumping": _Kind(
            "duty added to the goods of the origin", 0.35, 0.0, 2.0, needs_origin=True
        ),
        "sourcing shift": _Kind(
            "share of the relations that move", 0.5, 0.0, 1.0, needs_origin=True
        ),
        "exchange rate": _Kind("rise of the foreign currency", 0.2, -0.6, 2.0),
        "nomenclature": _Kind("share of the codes that are renumbered", 0.06, 0.0, 0.5),
        "policy": _Kind("share of the items targeted from then on", 0.08, 0.0, 1.0),
        "phoenix wave": _Kind(
            "factor on phoenix importers for six months", 4.0, 0.0, 20.0
        ),
        "adaptation": _Kind(
            "probability that a trader reacts to a finding, old ones included",
            0.8,
            0.0,
            1.0,
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of law, trade, control or fraud on a day of a world.

    Parameters
    ----------
    kind : str
        "tariff step", "trade agreement", "anti-dumping", "sourcing shift",
        "exchange rate", "nomenclature", "policy", "phoenix wave" or "adaptation".
    month : float
        Months after the start of the extract.
    goods : tuple of str, default=()
        HS chapters that it affects, such as ``("61", "62")``; empty for all, or, for a
        tariff step, for headings that are drawn.
    origin : str, default=""
        Country that it affects: the one that joins an agreement, pays the anti-dumping
        duty, takes over a market, or whose currency rises; empty for all currencies.
    size : float, default=None
        Size of the change: points of duty, a share, or a factor, by kind; None for the
        usual size.

    Raises
    ------
    ArgumentError
        If the kind is unknown, or a value is outside what the kind allows.

    Examples
    --------
    >>> from smartrisk.datasets import Change
    >>> Change(kind="anti-dumping", month=9, goods=("61",), origin="CN").size
    0.35
    """

    kind: str
    month: float
    goods: tuple[str, ...] = ()
    origin: str = ""
    size: float | None = None

    def __post_init__(self) -> None:
        check_choice("Change", "kind", self.kind, KINDS)
        check_number("Change", "month", self.month, low=0.0)
        kind = KINDS[self.kind]
        if self.size is None:
            object.__setattr__(self, "size", kind.usual)
        check_number("Change", "size", self.size, low=kind.low, high=kind.high)
        object.__setattr__(self, "goods", tuple(self.goods))
        for chapter in self.goods:
            if not re.fullmatch(r"\d\d", str(chapter)):
                raise ArgumentError(
                    "worlds.goods_not_chapters",
                    "Change: 'goods' must be HS chapters of two digits, such as '62'; "
                    "got {chapter!r}.",
                    chapter=str(chapter),
                )
        if self.origin:
            check_choice("Change", "origin", self.origin, COUNTRIES)
        if kind.needs_origin and not self.origin:
            raise ArgumentError(
                "worlds.change_needs_origin",
                "Change: {kind!r} needs an 'origin', such as 'CN'; got ''.",
                kind=self.kind,
            )

    @property
    def story(self) -> str:
        """Description of the change in words."""
        return KINDS[self.kind].meaning

    @property
    def amount(self) -> float:
        """Size of the change as a number."""
        return 0.0 if self.size is None else float(self.size)
