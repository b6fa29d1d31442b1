"""An export as customs houses have it: a file of text cells with usual defects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.schema import KEY

if TYPE_CHECKING:
    from smartrisk.workshop._lab import Lab

#: The file, in the folder ``data`` of a class.
EXPORT_FILE = "export.csv"
#: Declarations of the export.
_N_DOCUMENTS = 150
#: Rows that each defect takes, at least and at most.
_FEWEST, _MOST = 4, 15
_COLUMNS = (
    *KEY,
    "lodged_at",
    "office",
    "importer_id",
    "tariff_code",
    "origin",
    "customs_value",
    "net_mass_kg",
    "duties_taxes",
)
_AMOUNTS = ("customs_value", "net_mass_kg", "duties_taxes")
#: What each defect makes of a cell, by the column that it is in.
_DEFECTS: dict[str, Callable[[str], str]] = {
    "item_number": lambda cell: "",
    "tariff_code": lambda cell: "",
    "lodged_at": lambda cell: f"31/02/{cell[-4:]}",
    "customs_value": lambda cell: f"{cell} ?",
}


def make_export(lab: Lab) -> pd.DataFrame:
    """Return past declarations as the clearance system of the lab exports them.

    Parameters
    ----------
    lab : Lab
        Whose declarations they are.

    Returns
    -------
    export : DataFrame
        Every cell a text: days before months, a decimal comma, some item numbers
        missing, some rows unusable, some rows twice.
    """
    rng = np.random.default_rng(lab.seat.derive("export"))
    names = lab.past["declaration_id"].drop_duplicates().to_numpy()
    chosen = rng.choice(names, size=_N_DOCUMENTS, replace=False)
    items = lab.past[lab.past["declaration_id"].isin(chosen)]
    items = items.sort_values(["lodged_at", *KEY], kind="stable")
    table = items[list(_COLUMNS)].reset_index(drop=True)
    table["lodged_at"] = table["lodged_at"].dt.strftime("%d/%m/%Y")
    for name in _AMOUNTS:
        table[name] = [f"{value:.2f}".replace(".", ",") for value in table[name]]
    table = table.astype(object).where(table.notna(), "").astype(str)
    sizes = rng.integers(_FEWEST, _MOST, size=len(_DEFECTS) + 1, endpoint=True)
    rows = rng.choice(len(table), size=int(sizes.sum()), replace=False)
    *parts, twice = np.split(rows, np.cumsum(sizes)[:-1])
    for (name, spoil), part in zip(_DEFECTS.items(), parts, strict=True):
        cells = table[name].to_numpy(object).copy()
        cells[part] = [spoil(cell) for cell in cells[part]]
        table[name] = cells
    return pd.concat([table, table.iloc[np.sort(twice)]], ignore_index=True)


def write_export(lab: Lab, path: Path) -> Path:
    """Write the export of a lab as a file with semicolons; return the file."""
    table = make_export(lab)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_file(
        path,
        lambda draft: table.to_csv(draft, index=False, sep=";", encoding="utf-8-sig"),
    )
