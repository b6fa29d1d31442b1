"""What may change in a world, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smartrisk.errors import ArgumentError, check_choice, check_number
from smartrisk.worlds._tariff import COUNTRIES

#: What can change; what `size` means, the size by default, and its bounds.
KINDS: dict[str, tuple[str, float, float, float]] = {
    "tariff step": ("points added to the duty rates", 0.08, -0.4, 0.4),
    "trade agreement": ("an origin joins an agreement", 0.0, 0.0, 0.0),
    "anti-dumping": ("duty added to the goods of the origin", 0.35, 0.0, 2.0),
    "sourcing shift": ("share of the relations that move", 0.5, 0.0, 1.0),
    "exchange rate": ("rise of the foreign currency", 0.2, -0.6, 2.0),
    "nomenclature": ("share of the codes that are renumbered", 0.06, 0.0, 0.5),
    "policy": ("share of the items targeted from then on", 0.08, 0.0, 1.0),
    "phoenix wave": ("factor on phoenix importers for six months", 4.0, 0.0, 20.0),
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that changes at a date.

    Parameters
    ----------
    kind : str
        "tariff step", "trade agreement", "anti-dumping", "sourcing shift",
        "exchange rate", "nomenclature", "policy" or "phoenix wave".
    month : float
        Months after the start of the extract.
    goods : tuple of str, default=()
        HS chapters it bears on, as ``("61", "62")``; empty for all, or for some that
        are drawn where it is a tariff step.
    origin : str, default=""
        Country it bears on: the one that joins an agreement, pays the anti-dumping
        duty, takes over a market, or whose currency rises; empty for all currencies.
    size : float, default=None
        How much: points of duty, a share, or a factor, by kind; None for the usual.

    Raises
    ------
    ArgumentError
        If the kind is unknown or a value is outside what it allows.

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
        _, usual, low, high = KINDS[self.kind]
        if self.size is None:
            object.__setattr__(self, "size", usual)
        check_number("Change", "size", self.size, low=low, high=high)
        object.__setattr__(self, "goods", tuple(self.goods))
        for chapter in self.goods:
            if not re.fullmatch(r"\d\d", str(chapter)):
                raise ArgumentError(
                    "worlds.goods_hs_chapters_two",
                    "Change: 'goods' must be HS chapters of two digits, as '62'; got "
                    "{chapter!r}.",
                    chapter=chapter,
                )
        if self.origin:
            check_choice("Change", "origin", self.origin, COUNTRIES)
        if self.kind in _NEED_ORIGIN and not self.origin:
            raise ArgumentError(
                "worlds.needs_origin_such_cn",
                "Change: {kind!r} needs an 'origin', such as 'CN'; got ''.",
                kind=self.kind,
            )

    @property
    def story(self) -> str:
        """What happens, in words."""
        return KINDS[self.kind][0]

    @property
    def amount(self) -> float:
        """The size, never None."""
        return 0.0 if self.size is None else float(self.size)


_NEED_ORIGIN = ("trade agreement", "anti-dumping", "sourcing shift")
