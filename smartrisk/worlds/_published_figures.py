"""Published figures of real declarations, and bounds around them."""

from __future__ import annotations

from typing import NamedTuple

_KOREA = "Korean declarations of 2020, Jeong et al. (2022)"
_NATIONAL = "four African administrations, as in Kim et al. (2020) and its successors"
_POLICY = "reported policy: 8 % targeted with a hit rate of 14 %, 2 % at random"


class Anchor(NamedTuple):
    """A published figure, and the bounds within which a world resembles it.

    The figure has a source; the bounds are a judgement: wide where the synthesis of the
    published set is known to flatten, or where the set is of one country only.
    """

    group: str
    figure: str
    anchor: float | None
    low: float
    high: float
    source: str


#: Figures by group. A figure without an anchor is shown and not judged.
ANCHORS = (
    Anchor("tails", "value of the top 1 % of items", 0.60, 0.40, 0.75, _KOREA),
    Anchor("tails", "value of the top 10 % of items", 0.945, 0.80, 0.98, _KOREA),
    Anchor("tails", "items of the top 1 % of importers", 0.116, 0.10, 0.40, _KOREA),
    Anchor("tails", "items of the top 10 % of importers", 0.367, 0.35, 0.75, _KOREA),
    Anchor("tails", "importers with one item", 0.33, 0.18, 0.50, _KOREA),
    Anchor("tails", "items of the top 10 % of declarants", 0.517, 0.45, 0.85, _KOREA),
    Anchor("tails", "items of the top 1 % of HS6 codes", 0.21, 0.10, 0.35, _KOREA),
    Anchor("tails", "items of the top 10 % of HS6 codes", 0.587, 0.40, 0.75, _KOREA),
    Anchor("sizes", "mean of log10 value", 4.0, 3.0, 5.0, _KOREA),
    Anchor("sizes", "spread of log10 value", 1.9, 1.0, 2.2, _KOREA),
    Anchor("sizes", "mean of log10 mass", 2.06, 1.5, 2.8, _KOREA),
    Anchor("sizes", "spread of log10 mass", 1.52, 1.0, 1.8, _KOREA),
    Anchor("cold start", "items of importers never seen", 0.133, 0.05, 0.20, _KOREA),
    Anchor("cold start", "items of consignors never seen", 0.134, 0.08, 0.25, _KOREA),
    Anchor("cold start", "items of HS6 codes never seen", 0.009, 0.0, 0.03, _KOREA),
    Anchor("tariff", "items free of duty", 0.37, 0.25, 0.55, _KOREA),
    Anchor("tariff", "99th percentile of the duty rate", 0.50, 0.25, 0.60, _KOREA),
    Anchor("routes", "items from the largest origin", 0.51, 0.38, 0.62, _KOREA),
    Anchor("routes", "departure is not the origin", 0.20, 0.12, 0.28, _KOREA),
    Anchor("routes", "items by sea", 0.57, 0.40, 0.68, _KOREA),
    Anchor("routes", "items by air", 0.41, 0.27, 0.52, _KOREA),
    Anchor("calendar", "items lodged on a Monday", 0.286, 0.24, 0.33, _KOREA),
    Anchor("calendar", "items lodged on a Saturday", 0.033, 0.015, 0.06, _KOREA),
    Anchor("calendar", "items lodged on a Sunday", 0.02, 0.005, 0.04, _KOREA),
    Anchor("calendar", "busiest month to the quietest", None, 1.0, 3.0, ""),
    Anchor("missing", "items without a consignor", 0.096, 0.04, 0.16, _KOREA),
    Anchor("missing", "items without a carrier", 0.82, 0.0, 0.9, _KOREA),
    Anchor("missing", "items of zero mass", 0.007, 0.0005, 0.02, _KOREA),
    Anchor("documents", "items of a declaration", None, 1.0, 5.0, ""),
    Anchor("fraud", "illicit among all items", 0.04, 0.012, 0.082, _NATIONAL),
    Anchor("fraud", "quarter of most fraud to that of least", None, 1.0, 4.0, ""),
    Anchor("control", "items with a result", 0.10, 0.01, 0.20, _POLICY),
    Anchor("control", "hit rate", 0.14, 0.03, 0.22, _POLICY),
    Anchor("control", "office of the highest hit rate", None, 0.0, 1.0, ""),
    Anchor("control", "office of the lowest hit rate", None, 0.0, 1.0, ""),
)
