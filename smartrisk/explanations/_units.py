"""Units of quantity in words: symbols and names of UN/ECE Recommendation 20."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Code -> symbol, which is the same in every language.
_SYMBOLS: Mapping[str, str] = MappingProxyType(
    {
        "KGM": "kg",
        "GRM": "g",
        "MGM": "mg",
        "LTR": "l",
        "MLT": "ml",
        "CLT": "cl",
        "HLT": "hl",
        "MTR": "m",
        "CMT": "cm",
        "MMT": "mm",
        "KMT": "km",
        "MTK": "m²",
        "CMK": "cm²",
        "MTQ": "m³",
        "CMQ": "cm³",
        "KWH": "kWh",
        "MWH": "MWh",
    }
)
#: Code -> end of the name of a message. What is counted one by one is a piece, whatever
#: the code of the administration.
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("NMB", "H87", "PCE", "C62", "EA", "NAR"), "piece"),
        **dict.fromkeys(("PR", "NPR"), "pair"),
        "DZN": "dozen",
        "DPR": "dozen_pairs",
        "CEN": "hundred",
        **dict.fromkeys(("MIL", "T3"), "thousand"),
        "SET": "set",
        **dict.fromkeys(("PK", "PA", "NMP"), "pack"),
        **dict.fromkeys(("BX", "CT"), "box"),
        "BG": "bag",
        "BO": "bottle",
        **dict.fromkeys(("RO", "NRL"), "roll"),
        "ST": "sheet",
        "LPA": "pure_alcohol",
        "CTM": "carat",
        "TNE": "tonne",
        "LBR": "pound",
        "GLL": "gallon",
        "BLL": "barrel",
        "HUR": "hour",
    }
)


def unit_symbol(code: str) -> str | None:
    """Return the symbol of a unit, None where it has none."""
    return _SYMBOLS.get(code)


def unit_name(code: str) -> str | None:
    """Return the end of the name of the message of a unit, None where it has none."""
    return _NAMES.get(code)
