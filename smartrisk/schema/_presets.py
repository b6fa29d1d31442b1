"""Column maps of exports whose columns are published."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from smartrisk.errors import ArgumentError, format_values, suggest_nearest
from smartrisk.schema._column_map import ColumnMap

#: The Korean declarations of Jeong et al. (2022), English column names.
KCS = ColumnMap(
    {
        "declaration_id": "Declaration ID",
        "lodged_at": "Date",
        "office": "Office ID",
        "procedure": "Import Type",
        "importer_id": "Importer ID",
        "declarant_id": "Declarant ID",
        "consignor_id": "Seller ID",
        "carrier_id": "Courier ID",
        "tariff_code": "HS6 Code",
        "origin": "Country of Origin",
        "departure": "Country of Departure",
        "transport_mode": "Mode of Transport",
        "customs_value": "Item Price",
        "net_mass_kg": "Net Mass",
        "duty_rate": "Tax Rate",
        "preference": "Tax Type",
        "payment_type": "Payment Type",
        "illicit": "Fraud",
    },
    duty_rate_unit="percent",
    tariff_digits=6,
)

#: Columns of the DATE and customs-selection-simulator exports.
DATE = ColumnMap(
    {
        "declaration_id": "sgd.id",
        "lodged_at": "sgd.date",
        "office": "office.id",
        "importer_id": "importer.id",
        "declarant_id": "declarant.id",
        "tariff_code": "tariff.code",
        "origin": "country",
        "customs_value": "cif.value",
        "gross_mass_kg": "gross.weight",
        "quantity": "quantity",
        "duties_taxes": "total.taxes",
        "illicit": "illicit",
        "revenue_adjustment": "revenue",
    },
    date_format="%y-%m-%d",
    tariff_digits=10,
)

#: Columns of exports in the style of ASYCUDA.
ASYCUDA = ColumnMap(
    {
        "declaration_id": "SGD_NUM",
        "item_number": "ITM_NUM",
        "lodged_at": "SGD_DATE",
        "office": "OFFICE_CODE",
        "procedure": "SGD_MODEL",
        "importer_id": "IMPORTER_TIN",
        "declarant_id": "DECLARANT_CODE",
        "tariff_code": "HSCODE",
        "description": "TARIFF_DESCRIPTION",
        "origin": "ORIGIN_CODE",
        "customs_value": "CIF_VALUE",
        "net_mass_kg": "NET_WEIGHT",
        "gross_mass_kg": "GROSS_WEIGHT",
        "quantity": "QUANTITY",
        "duties_taxes": "TOTAL_TAXES",
        "illicit": "ILLICIT",
        "revenue_adjustment": "RAISED_TAX_AMOUNT",
    },
)

_IN_CODE: Mapping[str, ColumnMap] = MappingProxyType(
    {"kcs": KCS, "date": DATE, "asycuda": ASYCUDA}
)
_IN_FILES = ("chile_din", "peru_sunat", "asycuda_sheet", "french_export")

#: Names of the maps that come with the library, as `ColumnMap.preset` takes them.
PRESETS = (*_IN_CODE, *_IN_FILES)


def read_preset(name: str) -> ColumnMap:
    """Return the map of a name; a TOML file of this package holds it."""
    if name in _IN_CODE:
        return _IN_CODE[name]
    if name not in _IN_FILES:
        raise ArgumentError(
            "schema.unknown_preset",
            "ColumnMap.preset: {name!r} is none of {names}.{hint}",
            name=name,
            names=format_values(PRESETS, len(PRESETS)),
            hint=suggest_nearest(str(name), PRESETS),
        )
    folder = resources.files("smartrisk.schema") / "_maps"
    return ColumnMap.from_toml((folder / f"{name}.toml").read_text(encoding="utf-8"))
