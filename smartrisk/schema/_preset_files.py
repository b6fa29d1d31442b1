"""The TOML files of the column maps that come with the library."""

from __future__ import annotations

from importlib import resources

from smartrisk.errors import ArgumentError, format_values, suggest_nearest

#: Names of the maps that come with the library, as `ColumnMap.preset` takes them.
PRESETS = (
    *("kcs", "date", "asycuda"),
    *("chile_din", "peru_sunat", "asycuda_sheet", "french_export"),
)


def read_preset(name: str) -> str:
    """Return the TOML text of the map of a name."""
    if name not in PRESETS:
        raise ArgumentError(
            "schema.unknown_preset",
            "ColumnMap.preset: {name!r} is none of {names}.{hint}",
            name=name,
            names=format_values(PRESETS, len(PRESETS)),
            hint=suggest_nearest(str(name), PRESETS),
        )
    file = resources.files("smartrisk.schema") / "_maps" / f"{name}.toml"
    return file.read_text(encoding="utf-8")
