"""Parcels: many small sellers from which consumers and resellers order.

Constants without a source are assumptions. They were chosen so that the figures of
`realism` lie within their published bounds.
"""

from __future__ import annotations

import numpy as np

from smartrisk.worlds._economy import draw_origin
from smartrisk.worlds._random_streams import pick
from smartrisk.worlds._relations import PARCELS, RESALE, Relations
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tariff import Float, Int, Tariff

#: Chapters that are ordered by parcel (assumption).
_CHAPTERS = (33, 39, 42, 49, 61, 62, 63, 64, 71, 73, 84, 85, 90, 91, 94, 95, 96)
#: Share of the relations that are of resellers (assumption).
_RESALE = 0.3
#: Declarants that lodge nearly all parcels (assumption).
_COURIERS = 6
#: Median value of a parcel in dollars, and its spread in logs. In the EU the mean of
#: low-value consignments was below 9 euros in 2024; of those that are declared item
#: by item here, some exceed the threshold (assumption).
MEDIAN, SPREAD = 38.0, 0.95


def make_parcel_relations(
    rng: np.random.Generator,
    tariff: Tariff,
    known: Relations,
    n_items: int,
    scenario: Scenario,
) -> Relations:
    """Draw sellers of parcels with heavy-tailed activity; some sell to resellers.

    A seller has 25 parcels on average.
    """
    expected = n_items * scenario.parcels
    n = max(round(expected / 25), 2) if scenario.parcels > 0 else 0
    ordered = np.isin(tariff.chapter, _CHAPTERS)
    weight: Float = np.where(ordered, tariff.popularity, 1e-12)
    code = pick(rng, weight, n)
    resale = rng.random(n) < _RESALE
    importer = np.full(n, -1)
    importer[resale] = int(known.importer.max()) + 1 + np.arange(int(resale.sum()))
    origin = draw_origin(rng, tariff, code)
    origin[rng.random(n) < 0.4] = 0  # most parcels come from CN (assumption)
    couriers = int(known.declarant.max()) + 1 + np.arange(_COURIERS)
    return Relations(
        kind=np.where(resale, RESALE, PARCELS),
        importer=importer,
        consignor=int(known.consignor.max()) + 1 + np.arange(n),
        declarant=couriers[pick(rng, np.power(0.6, range(_COURIERS)), n)],
        code=code,
        origin=origin,
        size=rng.normal(0, 0.35, n),
        weight=np.exp(rng.normal(0, 1.3, n)) * np.where(resale, 0.5, 1.0),
        first=_draw_births(rng, n, scenario.span),
        last=np.full(n, scenario.span),
        ring=np.full(n, -1),
    )


def _draw_births(rng: np.random.Generator, n: int, span: int) -> Int:
    """Draw the first days of sellers: six in ten are active from the start."""
    return np.where(rng.random(n) < 0.6, 0, rng.integers(0, max(span - 20, 1), n))


def draw_parcel_values(rng: np.random.Generator, size: Float) -> Float:
    """Draw the values of parcels, in dollars."""
    return np.asarray(MEDIAN * np.exp(size + SPREAD * rng.normal(0, 1, len(size))))
