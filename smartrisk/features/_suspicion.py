"""Which features are suspicious by themselves, before any control had a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from smartrisk.features._feature_info import FeatureInfo

#: Who is a peer for the price signals: the same goods, the same goods of that origin,
#: and the same kind of goods of the same importer and of the same consignor.
_PEERS = ("hs6", "hs6_x_origin", "importer_id_x_hs4", "consignor_id_x_hs4")
#: Name of a feature -> weight in the score that needs no results. Low prices are one
#: signal, whatever the peers, and share its weight. The weights were chosen on seven
#: scenarios (national, drift, transshipment, scarce, adversary, independent-stable and
#: independent-scarce); lifts of precision at 5 % are reported on the others.
SUSPICION: Mapping[str, float] = MappingProxyType(
    {
        **{f"{key}__price_per_kg_z": -0.25 for key in _PEERS},
        **{f"{key}__price_per_unit_z": -0.125 for key in _PEERS},
        **{f"{key}__kg_per_unit_z": 0.05 for key in _PEERS},
        "market__price_per_kg_z": -0.5,
        "customs_value__significant_digits": -0.3,
        "hs4__rate_gap": -0.2,
        "hs6__sibling_gap": 0.2,
        "route_differs": 0.2,
        "origin_x_departure__n_items": -0.1,
    }
)


def with_suspicion(infos: Iterable[FeatureInfo]) -> list[FeatureInfo]:
    """Return the features with their weight in the score that needs no results."""
    return [
        replace(info, suspicion=SUSPICION[info.name])
        if info.name in SUSPICION
        else info
        for info in infos
    ]
