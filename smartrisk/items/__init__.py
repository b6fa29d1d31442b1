"""What an item is: its key, its 64-bit id, and when its result is known.

Reads the tables that carry the key (`declaration_id`, `item_number`); writes ids,
positions, joined tables, days and amounts. Every package that matches rows of two
tables, or needs the day on which a result was known, uses this module.
"""

from smartrisk.items._hashes import (
    GOLDEN,
    UInt,
    mix,
    mix_one,
    scramble,
    text_id,
    text_ids,
)
from smartrisk.items._inspections import (
    are_document_hits,
    clean_amounts,
    moments_known,
)
from smartrisk.items._joins import (
    are_among,
    check_unique,
    join_by_key,
    positions_of,
)
from smartrisk.items._keys import (
    document_hashes,
    item_ids,
    item_keys,
    item_numbers,
    with_item_numbers,
)
from smartrisk.items._learned_marks import are_learned, mark_learned
from smartrisk.items._shares import share_totals
from smartrisk.items._stages import stage_of
from smartrisk.items._targets import (
    ANY_HIT,
    TARGETS,
    count_targets,
    label_outcomes,
    require_target,
)
from smartrisk.items._unnumbered import NO_ITEM_NUMBER, check_numbered

__all__ = [
    "ANY_HIT",
    "GOLDEN",
    "NO_ITEM_NUMBER",
    "TARGETS",
    "UInt",
    "are_among",
    "are_document_hits",
    "are_learned",
    "check_numbered",
    "check_unique",
    "clean_amounts",
    "count_targets",
    "document_hashes",
    "item_ids",
    "item_keys",
    "item_numbers",
    "join_by_key",
    "label_outcomes",
    "mark_learned",
    "mix",
    "mix_one",
    "moments_known",
    "positions_of",
    "require_target",
    "scramble",
    "share_totals",
    "stage_of",
    "text_id",
    "text_ids",
    "with_item_numbers",
]
