"""Example items with every field of DECLARATIONS, of no real trader."""

from __future__ import annotations

from typing import Any

import pandas as pd

_ITEM: dict[str, Any] = {
    "declaration_id": "EXAMPLE-1",
    "item_number": 1,
    "lodged_at": pd.Timestamp("2024-01-15"),
    "office": "01",
    "procedure": "4000",
    "importer_id": "EXAMPLE-IMPORTER",
    "declarant_id": "EXAMPLE-DECLARANT",
    "consignor_id": "EXAMPLE-CONSIGNOR",
    "carrier_id": "EXAMPLE-CARRIER",
    "tariff_code": "010121",
    "description": "example",
    "origin": "VN",
    "departure": "CN",
    "transport_mode": "1",
    "customs_value": 1000.0,
    "net_mass_kg": 100.0,
    "gross_mass_kg": 110.0,
    "quantity": 10.0,
    "quantity_unit": "NMB",
    "duty_rate": 0.1,
    "duties_taxes": 100.0,
    "preference": "100",
    "payment_type": "A",
    "trusted_trader": False,
}


def example_declarations(n_items: int = 2) -> pd.DataFrame:
    """Return example items with every field of DECLARATIONS.

    Parameters
    ----------
    n_items : int, default=2
        Number of items; they differ only in their key.

    Returns
    -------
    declarations : DataFrame of shape (n_items, n_fields)
        Types and values as a hand-written table would have them; no real trader is in
        it.

    Examples
    --------
    >>> from smartrisk.datasets import example_declarations
    >>> example_declarations()["declaration_id"].tolist()
    ['EXAMPLE-1', 'EXAMPLE-2']
    """
    rows = [
        _ITEM | {"declaration_id": f"EXAMPLE-{number}"}
        for number in range(1, n_items + 1)
    ]
    return pd.DataFrame(rows)
