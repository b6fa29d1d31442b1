"""Sums behind the figures by cell and trader, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError
from smartrisk.statistics._definitions import Definition
from smartrisk.statistics._grammar import Expression
from smartrisk.statistics._measures import Engine
from smartrisk.statistics._population import CODES, Population
from smartrisk.statistics._reading import Bool, Float, Reading

#: Field of the parts of a split.
PART = "part"
#: Measures whose figures are sums over units.
ADDITIVE = ("amount", "share", "ratio", "split")


@dataclass(frozen=True, eq=False)
class Quantity:
    """A sum over units in the cells of a table.

    Attributes
    ----------
    key : str
        What is added, as a text.
    parts : DataFrame
        Fields of the table, ``trader`` (a code) and ``value``; a row of value 0 for
        each cell.
    count : bool
        Whether it counts units.
    """

    key: str
    parts: pd.DataFrame
    count: bool


class Kept:
    """What `publish` needs of a result: its units; it is never saved with the result.

    Parameters
    ----------
    engine : Engine or None
        The engine that made the figures; None after loading a saved result.
    reading : Reading or None
        The items.
    definitions : mapping of str to Definition
        The indicators.
    by : tuple of str
        Fields of the groups.
    """

    def __init__(
        self,
        engine: Engine | None,
        reading: Reading | None,
        definitions: Mapping[str, Definition],
        by: tuple[str, ...],
    ) -> None:
        self._engine, self._reading = engine, reading
        self._definitions, self._by = definitions, by
        self._trader: dict[str, NDArray[np.int64]] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """Leave the units out: a saved result must not carry what traders did."""
        return Kept, (None, None, dict(self._definitions), self._by)

    def __deepcopy__(self, memo: dict[int, object]) -> Kept:
        """Return itself: it is not changed."""
        return self

    @property
    def engine(self) -> Engine:
        """The engine; raise where the result was loaded."""
        if self._engine is None:
            raise ArgumentError(
                "statistics.result_loaded",
                "publish: this result was loaded or sent, without what each trader "
                "did. Call `enforcement` and `publish` in one go.",
            )
        return self._engine

    def quantities(self, one: Definition) -> dict[str, Quantity]:
        """Return the sums behind an indicator: "lower", "upper", "parts", "n"."""
        units = self.engine.population(one)
        counted = np.ones(units.n, bool)
        if units.is_late(self.engine.names(one)):
            counted = units.closed
        late = "known" if units.is_late(self.engine.names(one)) else "lodged"
        above, below = one.upper, one.lower
        base = f"{one.unit}, {late}: "
        if below is None:
            return {
                "upper": self._make_from(base + one.numerator, units, above, counted)
            }
        whole = units.mask(below.where) & counted
        out = {"lower": self._make_from(base + one.denominator, units, below, counted)}
        if one.measure == "ratio":
            out["upper"] = self._make_from(base + one.numerator, units, above, counted)
            if below.kind == "sum":
                key = f"{base}units of {one.denominator}"
                out["n"] = self._make(key, units, whole, None)
            return out
        among = units.mask(above.where) & whole
        key = f"{base}{one.numerator} / {one.denominator}"
        if one.measure == "share":
            out["upper"] = self._make(key, units, among, None)
        else:
            out["parts"] = self._split(key, one.split, units, among)
        return out

    def _make_from(
        self, key: str, units: Population, expression: Expression, counted: Bool
    ) -> Quantity:
        """Return the sums of an expression."""
        among = units.mask(expression.where) & counted
        if expression.kind == "count":
            return self._make(key, units, among, None)
        # To hundredths, as the figures themselves are added.
        cents = np.rint(100 * np.nan_to_num(units.number(expression.name)))
        return self._make(key, units, among, cents)

    def _make(
        self, key: str, units: Population, among: Bool, cents: Float | None
    ) -> Quantity:
        """Return sums by cell and trader, with a row of 0 for each cell."""
        rows = np.flatnonzero(among if cents is None else among & (cents != 0))
        trader = self._traders(units)
        width = int(trader.max(initial=0)) + 1
        place, present = pd.factorize(units.cell[rows] * width + trader[rows])
        amount = None if cents is None else cents[rows]
        value = np.bincount(place, amount, minlength=len(present)).astype(np.float64)
        every = np.arange(units.n_cells)
        parts = _labels(units, self._by).iloc[np.append(present // width, every)]
        parts = parts.assign(
            trader=np.append(present % width, np.zeros(len(every), np.int64)),
            value=np.append(value, np.zeros(len(every)))
            / (1 if cents is None else 100),
        )
        return Quantity(key, parts.reset_index(drop=True), cents is None)

    def _split(self, key: str, name: str, units: Population, among: Bool) -> Quantity:
        """Return counts by cell, code and trader."""
        code, values = units.code(name)
        tables = []
        for text in CODES.get(name, tuple(sorted(values))):
            own = among & (code == list(values).index(text))
            tables.append(self._make(key, units, own, None).parts.assign(part=text))
        return Quantity(key, pd.concat(tables, ignore_index=True), True)

    def _traders(self, units: Population) -> NDArray[np.int64]:
        """Return the trader of each unit: the importer of its first item."""
        if units.unit not in self._trader:
            reading = self._reading
            if reading is None or "importer_id" not in reading.declarations:
                raise ArgumentError(
                    "statistics.traders_missing",
                    "publish: the declarations lack 'importer_id', so nobody can count "
                    "how many traders stand behind a figure. Add the column.",
                )
            code, _ = pd.factorize(reading.column("importer_id"), sort=True)
            code = np.asarray(code, np.int64) + 1  # one trader for all without a name
            first = reading.first if units.unit == "declaration" else slice(None)
            self._trader[units.unit] = code[first]
        return self._trader[units.unit]


def _labels(units: Population, by: tuple[str, ...]) -> pd.DataFrame:
    """Return the groups of each cell; one field for all where there are none."""
    level = units.levels[0]
    if not by:
        return pd.DataFrame({"all": ["all"] * units.n_cells})
    columns = zip(by, level.labels, strict=True)
    return pd.DataFrame({name: label[level.of_cell] for name, label in columns})


__all__ = ["ADDITIVE", "PART", "Kept", "Quantity"]
