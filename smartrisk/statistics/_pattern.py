"""Which sums of a result are hidden: one pattern per sum, whoever uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from smartrisk.disclosure import Rules, Suppression, suppress
from smartrisk.errors import SmartRiskError
from smartrisk.statistics._population import TOTAL
from smartrisk.statistics._quantities import PART, Quantity

#: Units from which on a rate of 0 or 1 says little about one of them.
_MANY = 50


@dataclass(kw_only=True, eq=False)
class Patterns:
    """Suppression of sums that refer to each other.

    Attributes
    ----------
    rules : Rules
        Rules of secrecy.
    earlier : sequence of DataFrame
        Published sums of earlier releases: ``quantity``, fields, ``value``.
    quantities, done : dict
        Sums by key, and what was decided on each; None where it cannot be protected.
    why : dict of str to str
        Why a sum is withheld as a whole.
    """

    rules: Rules
    earlier: Sequence[pd.DataFrame]
    quantities: dict[str, Quantity] = field(default_factory=dict)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    done: dict[str, Suppression | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    _same: dict[bytes, str] = field(default_factory=dict)

    def add(self, quantities: Mapping[str, Quantity]) -> dict[str, str]:
        """Take in the sums of an indicator; return the key of each."""
        keys = {role: self._add(one) for role, one in quantities.items()}
        for role in ("upper", "parts"):
            if role in keys and "lower" in keys:
                self.pairs.add((keys["lower"], keys[role]))
        return keys

    def _add(self, one: Quantity) -> str:
        """Take in a sum; the same numbers of the same traders are one sum."""
        fields = [str(name) for name in one.parts if name not in ("trader", "value")]
        content = one.parts.sort_values([*fields, "trader", "value"])
        digest = pd.util.hash_pandas_object(content, index=False).to_numpy().tobytes()
        key = self._same.setdefault(digest, one.key)
        self.quantities.setdefault(key, one)
        return key

    def settle(self) -> None:
        """Decide on all sums, until what is hidden below is hidden above too."""
        uppers = {upper for _, upper in self.pairs}
        waiting = sorted(self.quantities, key=lambda key: (key in uppers, key))
        named: dict[str, pd.DataFrame] = {}
        while waiting:
            key = waiting.pop(0)
            self._decide(key, named.get(key))
            for lower, upper in sorted(self.pairs):
                if key not in (lower, upper) or lower == upper:
                    continue
                if lower not in self.done or upper not in self.done:
                    continue
                more = self._find_uncovered(lower, upper)
                if more is not None:
                    before = named.get(upper)
                    named[upper] = more if before is None else pd.concat([before, more])
                    waiting = [upper, *(k for k in waiting if k != upper)]

    def _decide(self, key: str, named: pd.DataFrame | None) -> None:
        """Decide on one sum."""
        one = self.quantities[key]
        by = [str(name) for name in one.parts if name not in ("trader", "value")]
        if (one.parts["value"] < 0).any():
            self.done[key] = None
            self.why[key] = "withheld: it adds numbers below 0"
            return
        lower = [a for a, b in sorted(self.pairs) if b == key and one.count]
        public = None
        if PART in by and lower and self.done.get(lower[0]) is not None:
            shown = self.frame(lower[0])
            public = shown[shown["status"] == "F"].assign(part=TOTAL)
        try:
            self.done[key] = suppress(
                one.parts,
                by,
                rules=self.rules,
                count=one.count,
                secret=named,
                public=public,
                most=self._most(lower, one, by),
                known=known_sums(self.earlier, one, by),
            )
        except SmartRiskError as error:
            if getattr(error, "code", "") != "disclosure.given_away":
                raise
            self.done[key] = None
            self.why[key] = "withheld: hiding single figures could not protect it"

    def _most(
        self, lower: Sequence[str], one: Quantity, by: list[str]
    ) -> pd.DataFrame | None:
        """Return the published denominators of cells, which no numerator exceeds."""
        bounds = []
        for key in lower:
            if not self.quantities[key].count or self.done.get(key) is None:
                continue
            shown = self.frame(key)
            shared = [name for name in by if name != PART]
            shown = shown[(shown[shared] != TOTAL).all(axis=1) & shown["value"].notna()]
            if PART in by:
                names = pd.DataFrame({PART: one.parts[PART].unique()})
                shown = shown[[*shared, "value"]].merge(names, how="cross")
            bounds.append(shown[[*by, "value"]])
        if not bounds:
            return None
        return pd.concat(bounds).groupby(by)["value"].min().reset_index()

    def frame(self, key: str) -> pd.DataFrame:
        """Return the table of a sum."""
        found = self.done[key]
        if found is None:
            raise KeyError(key)
        return found.frame()

    def _find_uncovered(self, lower: str, upper: str) -> pd.DataFrame | None:
        """Return numerators that must be hidden and are not; None where all are."""
        if self.done[upper] is None:
            return None
        above = self.frame(upper)
        by = [str(name) for name in above if name not in ("value", "status", "reason")]
        shared = [name for name in by if name != PART]
        if self.done[lower] is None:
            hidden = above["value"].notna()
        else:
            below = self.frame(lower)[[*shared, "value"]]
            both = above.merge(below, on=shared, suffixes=("", "_below"), how="left")
            hits, n = both["value"], both["value_below"]
            few = (n > 0) & (n < _MANY) & ((hits == 0) | (hits == n))
            if not (self.quantities[upper].count and self.quantities[lower].count):
                few[:] = False
            if PART in by:
                few &= both[PART] != TOTAL
            hidden = hits.notna() & (n.isna() | few)
        rows = hidden.to_numpy(bool)
        return above.loc[rows, by] if rows.any() else None


def known_sums(
    earlier: Sequence[pd.DataFrame], one: Quantity, by: list[str]
) -> list[tuple[pd.DataFrame, float]]:
    """Return which cells each published figure of earlier releases adds up."""
    cells = one.parts[by].drop_duplicates()
    found = []
    for release in earlier:
        rows = release[release["quantity"] == one.key]
        shared = [name for name in by if name in rows]
        if not len(rows):
            continue
        is_cell = (rows[shared] != TOTAL).all(axis=1)
        then = cells.merge(rows.loc[is_cell, shared].drop_duplicates(), on=shared)
        shown = rows[rows["value"].notna()]
        values = shown["value"].to_numpy(np.float64)
        for row, value in zip(shown.itertuples(index=False), values, strict=True):
            own = np.ones(len(then), bool)
            for name in shared:
                label = getattr(row, name)
                if label != TOTAL:
                    own &= (then[name] == label).to_numpy(bool)
            if own.any():
                found.append((then.loc[own, by], float(value)))
    return found


__all__ = ["Patterns"]
