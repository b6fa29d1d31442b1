"""Features of declarations that use only what was known at lodgement.

Reads DECLARATIONS, and OUTCOMES for results known before each item; writes a matrix
of numbers, one column per feature, with a `FeatureInfo` each.
"""

from smartrisk.features._declaration_features import DeclarationFeatures
from smartrisk.features._entity import EntityHistory
from smartrisk.features._incentive import DutyIncentive, Structuring
from smartrisk.features._info import FeatureInfo
from smartrisk.features._item_measures import CodeColumns, ItemMeasures
from smartrisk.features._keys import DEFAULT_KEYS, GOODS_LINE, Key
from smartrisk.features._prices import PRICE_KEYS, PeerPrices
from smartrisk.features._results import item_ids
from smartrisk.features._state import from_tables, to_tables

__all__ = [
    "DEFAULT_KEYS",
    "GOODS_LINE",
    "PRICE_KEYS",
    "CodeColumns",
    "DeclarationFeatures",
    "DutyIncentive",
    "EntityHistory",
    "FeatureInfo",
    "ItemMeasures",
    "Key",
    "PeerPrices",
    "Structuring",
    "from_tables",
    "item_ids",
    "to_tables",
]
