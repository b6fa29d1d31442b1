"""Features of declarations that use only what was known at lodgement.

Reads DECLARATIONS, and OUTCOMES for results known before each item; writes a matrix
of numbers, one column per feature, with a `FeatureInfo` each.
"""

from smartrisk.features._declaration_features import DeclarationFeatures
from smartrisk.features._digit_features import DigitFeatures
from smartrisk.features._duty_incentive import DutyIncentive
from smartrisk.features._entity_history import EntityHistory
from smartrisk.features._feature_info import FeatureInfo
from smartrisk.features._item_measures import CodeColumns, ItemMeasures
from smartrisk.features._item_results import ItemResults, join_results
from smartrisk.features._keys import DEFAULT_KEYS, GOODS_LINE_KEY, REPEAT_KEYS, Key
from smartrisk.features._learned_history import LearnedHistory, OnKnown
from smartrisk.features._market_prices import MarketPrices
from smartrisk.features._packing import (
    from_settings,
    from_tables,
    to_settings,
    to_tables,
)
from smartrisk.features._partial_tables import (
    PartialHistory,
    add_tables,
    index_entries,
    plan_of,
    recode_items,
    with_tables,
    without_items,
)
from smartrisk.features._peer_amounts import peer_rates, peer_values
from smartrisk.features._peer_prices import PRICE_KEYS, PeerPrices
from smartrisk.features._register_packing import (
    FEATURE_REVISION,
    feature_plan,
    pack_history,
    unpack_history,
)
from smartrisk.features._sibling_codes import SiblingCodes
from smartrisk.features._stored_history import (
    HistoryBlocks,
    restore_history,
    store_history,
)
from smartrisk.features._structuring import Structuring
from smartrisk.features._table_checks import check_learned

__all__ = [
    "DEFAULT_KEYS",
    "FEATURE_REVISION",
    "GOODS_LINE_KEY",
    "PRICE_KEYS",
    "REPEAT_KEYS",
    "CodeColumns",
    "DeclarationFeatures",
    "DigitFeatures",
    "DutyIncentive",
    "EntityHistory",
    "FeatureInfo",
    "HistoryBlocks",
    "ItemMeasures",
    "ItemResults",
    "Key",
    "LearnedHistory",
    "MarketPrices",
    "OnKnown",
    "PartialHistory",
    "PeerPrices",
    "SiblingCodes",
    "Structuring",
    "add_tables",
    "check_learned",
    "feature_plan",
    "from_settings",
    "from_tables",
    "index_entries",
    "join_results",
    "pack_history",
    "peer_rates",
    "peer_values",
    "plan_of",
    "recode_items",
    "restore_history",
    "store_history",
    "to_settings",
    "to_tables",
    "unpack_history",
    "with_tables",
    "without_items",
]
