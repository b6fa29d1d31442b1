"""A sample of the export of the class: columns as its own system would name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smartrisk.artefact import write_file
from smartrisk.languages import language_of
from smartrisk.workshop._export import make_export

if TYPE_CHECKING:
    from smartrisk.workshop._lab import Lab

#: The file, in the folder ``data`` of a class.
SAMPLE_FILE = "class-export.csv"
#: Columns that resemble a field and are another thing.
PAID, INVOICE = "paid_at", "invoice_amount"
#: Kilograms of the unit of mass in the file: it is in tonnes.
KG = 1000.0
#: Name of each column in the file, by language.
HEADERS = {
    "en": {
        "declaration_id": "DECL_NO",
        "item_number": "ITEM",
        "lodged_at": "REG_DATE",
        PAID: "PAYMENT_DATE",
        "office": "OFFICE",
        "importer_id": "IMPORTER_TIN",
        "tariff_code": "HS_CODE",
        "origin": "ORIGIN_COUNTRY",
        INVOICE: "INVOICE_AMOUNT",
        "customs_value": "CUSTOMS_VALUE",
        "net_mass_kg": "NET_MASS_T",
        "duties_taxes": "DUTIES_TAXES",
    },
    "fr": {
        "declaration_id": "NO_DECL",
        "item_number": "ART",
        "lodged_at": "DATE_ENREG",
        PAID: "DATE_PAIEMENT",
        "office": "BUREAU",
        "importer_id": "NIF_IMPORTATEUR",
        "tariff_code": "ESPECE",
        "origin": "PAYS_ORIG",
        INVOICE: "MONTANT_FACTURE",
        "customs_value": "VAL_DOUANE",
        "net_mass_kg": "POIDS_NET_T",
        "duties_taxes": "DROITS_TAXES",
    },
    "es": {
        "declaration_id": "NUM_DECL",
        "item_number": "ITEM",
        "lodged_at": "FECHA_ACEPT",
        PAID: "FECHA_PAGO",
        "office": "ADUANA",
        "importer_id": "RUC_IMPORTADOR",
        "tariff_code": "PARTIDA",
        "origin": "PAIS_ORIGEN",
        INVOICE: "MONTO_FACTURA",
        "customs_value": "VALOR_ADUANA",
        "net_mass_kg": "PESO_NETO_T",
        "duties_taxes": "DERECHOS_IMPUESTOS",
    },
}


def name_columns(lab: Lab) -> dict[str, str]:
    """Return the name of each column in the language of the class."""
    return HEADERS[language_of(lab.lang)]


def make_class_export(lab: Lab) -> pd.DataFrame:
    """Return an export as the system of the class may write it.

    Parameters
    ----------
    lab : Lab
        Whose declarations they are, and in which language the columns are named.

    Returns
    -------
    export : DataFrame
        The cells of the export of lab 1 under other names: the mass is in tonnes, and
        the day of payment and the amount of the invoice stand beside the fields that
        they resemble.
    """
    rng = np.random.default_rng(lab.seat.derive("class export"))
    table = make_export(lab)
    mass = table["net_mass_kg"].str.replace(",", ".").replace("", "nan").astype(float)
    table["net_mass_kg"] = _write_numbers(mass / KG, 5)
    days = pd.to_datetime(table["lodged_at"], format="%d/%m/%Y", errors="coerce")
    days = days.fillna(days.min())
    delays = pd.to_timedelta(rng.integers(1, 10, len(table)), unit="D")
    table[PAID] = (days + delays).dt.strftime("%d/%m/%Y")
    value = table["customs_value"].str.rstrip(" ?").str.replace(",", ".").astype(float)
    table[INVOICE] = _write_numbers(value * rng.uniform(0.7, 0.95, len(table)), 2)
    names = name_columns(lab)
    return table[list(names)].rename(columns=names)


def _write_numbers(numbers: pd.Series, digits: int) -> list[str]:
    """Return numbers as texts with a decimal comma; empty where one is missing."""
    return [
        "" if np.isnan(number) else f"{number:.{digits}f}".replace(".", ",")
        for number in numbers
    ]


def write_class_export(lab: Lab, path: Path) -> Path:
    """Write the sample as a file with semicolons; return the file."""
    table = make_class_export(lab)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_file(
        path,
        lambda draft: table.to_csv(draft, index=False, sep=";", encoding="utf-8-sig"),
    )
