"""Layouts of published import data; values are those of a made-up world."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.schema import DECLARATIONS, ColumnMap


@dataclasses.dataclass
class Layout:
    """A table as an administration writes it, and the map that reads it."""

    frame: pd.DataFrame
    truth: ColumnMap
    table: Any = DECLARATIONS


def texts(values: pd.Series, digits: int = 2) -> pd.Series:
    """Return numbers as texts with a point; missing ones are empty."""
    written = values.map(lambda v: "" if pd.isna(v) else f"{v:.{digits}f}")
    return written.astype(object)


def plain(values: pd.Series) -> pd.Series:
    """Return values as texts; missing ones are empty."""
    return values.map(lambda v: "" if pd.isna(v) else str(v)).astype(object)


def flat(columns: dict[str, Any]) -> pd.DataFrame:
    """Return a table of texts."""
    return pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in columns.items()})


_TAXES = ("ADV", "IGV", "ISC", "IPM", "DES", "IPA", "SAD")
PERU_MAP = ColumnMap(
    {
        "item_number": "NUME_SERIE",
        "lodged_at": "FECH_INGSI",
        "office": "CODI_ADUAN",
        "importer_id": "LIBR_TRIBU",
        "declarant_id": "CODI_AGENT",
        "carrier_id": "EMPR_TRANS",
        "tariff_code": "PART_NANDI",
        "description": "DESC_COMER",
        "origin": "PAIS_ORIGE",
        "departure": "PAIS_ADQUI",
        "transport_mode": "VIA_TRANSP",
        "net_mass_kg": "PESO_NETO",
        "gross_mass_kg": "PESO_BRUTO",
        "quantity": "UNID_FIQTY",
        "quantity_unit": "UNID_FIDES",
        "preference": "TRAT_PREFE",
        "payment_type": "TIPO_CANCE",
        "fob_value": "FOB_DOLPOL",
        "freight": "FLE_DOLAR",
        "insurance": "SEG_DOLAR",
    },
    date_format="%Y%m%d",
    currency="USD",
    join={"declaration_id": {"columns": ["CODI_ADUAN", "ANO_PRESE", "NUME_CORRE"]}},
    sums={
        "customs_value": ["FOB_DOLPOL", "FLE_DOLAR", "SEG_DOLAR"],
        "duties_taxes": [f"{t}_DOLAR" for t in _TAXES],
    },
)


def peru(g: pd.DataFrame) -> Layout:
    """Return items in the layout of Peru's SUNAT."""
    frame = flat(
        {
            "CODI_ADUAN": g["office"].map(lambda v: f"{int(v):03d}"),
            "ANO_PRESE": g["day"].dt.strftime("%Y"),
            "NUME_CORRE": g["number"].map(lambda v: f"{v:06d}"),
            "FECH_INGSI": g["day"].dt.strftime("%Y%m%d"),
            "TIPO_DOCUM": ["4"] * len(g),
            "LIBR_TRIBU": plain(g["importer_id"]),
            "DNOMBRE": "IMPORTER " + plain(g["importer_id"]),
            "CODI_AGENT": plain(g["declarant_id"]),
            "FECH_LLEGA": (g["day"] - pd.Timedelta(days=3)).dt.strftime("%Y%m%d"),
            "VIA_TRANSP": plain(g["transport_mode"]),
            "EMPR_TRANS": ["0012"] * len(g),
            "FECH_CANCE": (g["day"] + pd.Timedelta(days=2)).dt.strftime("%Y%m%d"),
            "TIPO_CANCE": plain(g["payment_type"]),
            "PAIS_ORIGE": plain(g["origin"]),
            "PAIS_ADQUI": plain(g["departure"]),
            "PUER_EMBAR": plain(g["departure"]) + "SHA",
            "NUME_SERIE": plain(g["item_number"]),
            "PART_NANDI": g["tariff_code"].str.ljust(10, "0"),
            "DESC_COMER": g["description"],
            "DESC_MATCO": [""] * len(g),
            "FOB_DOLPOL": texts(g["fob"]),
            "FLE_DOLAR": texts(g["freight"]),
            "SEG_DOLAR": texts(g["insurance"]),
            "PESO_NETO": texts(g["net_mass_kg"]),
            "PESO_BRUTO": texts(g["gross_mass_kg"]),
            "UNID_FIQTY": texts(g["quantity"]),
            "UNID_FIDES": plain(g["quantity_unit"]),
            "ADV_DOLAR": texts(g["duty"]),
            "IGV_DOLAR": texts(g["vat"]),
            "ISC_DOLAR": ["0.00"] * len(g),
            "IPM_DOLAR": ["0.00"] * len(g),
            "DES_DOLAR": ["0.00"] * len(g),
            "IPA_DOLAR": ["0.00"] * len(g),
            "SAD_DOLAR": ["0.00"] * len(g),
            "CANT_BULTO": ["3"] * len(g),
            "CLASE": ["CT"] * len(g),
            "TRAT_PREFE": plain(g["preference"]),
        }
    )
    return Layout(frame, PERU_MAP)


FRENCH_MAP = ColumnMap(
    {
        "declaration_id": "N° déclaration",
        "item_number": "Article",
        "lodged_at": "Date d'enregistrement",
        "office": "Bureau",
        "procedure": "Régime",
        "importer_id": "NIF importateur",
        "declarant_id": "Code déclarant",
        "consignor_id": "Expéditeur",
        "tariff_code": "Espèce tarifaire",
        "description": "Désignation commerciale",
        "origin": "Pays d'origine",
        "departure": "Pays de provenance",
        "transport_mode": "Mode de transport",
        "customs_value": "Valeur en douane",
        "net_mass_kg": "Poids net (kg)",
        "gross_mass_kg": "Poids brut (kg)",
        "quantity": "Quantité",
        "quantity_unit": "Unité",
        "duty_rate": "Taux DD",
        "duties_taxes": "Droits et taxes",
        "preference": "Code préférence",
        "payment_type": "Mode de paiement",
        "trusted_trader": "Opérateur agréé",
    },
    day_first=True,
    decimal=",",
    thousands=" ",
    duty_rate_unit="percent",
)


def french(g: pd.DataFrame) -> Layout:
    """Return items as a French export: cp1252, commas, blanks as thousands sign."""

    def money(values: pd.Series) -> pd.Series:
        written = values.map(
            lambda v: "" if pd.isna(v) else f"{v:,.2f}".replace(",", " ")
        )
        return written.str.replace(".", ",").astype(object)

    day = g["day"].dt.strftime("%d/%m/%Y")
    frame = flat(
        {
            "N° déclaration": plain(g["declaration_id"]),
            "Article": plain(g["item_number"]),
            "Date d'enregistrement": day,
            "Date de paiement": (g["day"] + pd.Timedelta(days=20)).dt.strftime(
                "%d/%m/%Y"
            ),
            "Bureau": g["office"].map(lambda v: f"{int(v)}"),
            "Régime": plain(g["procedure"]),
            "NIF importateur": plain(g["importer_id"]),
            "Nom importateur": "SOCIETE " + plain(g["importer_id"]),
            "Code déclarant": plain(g["declarant_id"]),
            "Expéditeur": plain(g["consignor_id"]),
            "Espèce tarifaire": plain(g["tariff_code"]),
            "Désignation commerciale": g["description"],
            "Pays d'origine": plain(g["origin"]),
            "Pays de provenance": plain(g["departure"]),
            "Mode de transport": plain(g["transport_mode"]),
            "Valeur en douane": money(g["customs_value"]),
            "Poids net (kg)": money(g["net_mass_kg"]),
            "Poids brut (kg)": money(g["gross_mass_kg"]),
            "Quantité": money(g["quantity"]),
            "Unité": plain(g["quantity_unit"]),
            "Taux DD": (g["duty_rate"] * 100).map(lambda v: f"{v:g}".replace(".", ",")),
            "Droits et taxes": money(g["duties_taxes"]),
            "Code préférence": plain(g["preference"]),
            "Mode de paiement": plain(g["payment_type"]),
            "Opérateur agréé": g["trusted_trader"].map({True: "Oui", False: "Non"}),
        }
    )
    return Layout(frame, FRENCH_MAP)


_DIN = (
    "NUMENCRIPTADO TIPO_DOCTO ADU FORM FECVENCI CODCOMUN NUM_UNICO_IMPORTADOR"
    " CODPAISCON DESDIRALM CODCOMRS ADUCTROL NUMPLAZO INDPARCIAL NUMHOJINS TOTINSUM"
    " CODALMA NUM_RS FEC_RS ADUA_RS NUMHOJANE NUM_SEC PA_ORIG PA_ADQ VIA_TRAN TRANSB"
    " PTO_EMB PTO_DESEM TPO_CARGA ALMACEN FEC_ALMAC FECRETIRO NU_REGR ANO_REG"
    " CODVISBUEN NUMREGLA NUMANORES CODULTVB PAGO_GRAV FECTRA FECACEP GNOM_CIA_T"
    " CODPAISCIA NUMRUTCIA DIGVERCIA NUM_MANIF NUM_MANIF1 NUM_MANIF2 FEC_MANIF"
    " NUM_CONOC FEC_CONOC NOMEMISOR NUMRUTEMI DIGVEREMI GREG_IMP REG_IMP BCO_COM"
    " CODORDIV FORM_PAGO NUMDIAS VALEXFAB MONEDA MONGASFOB CL_COMPRA TOT_ITEMS FOB"
    " TOT_HOJAS COD_FLE FLETE TOT_BULTOS COD_SEG SEGURO TOT_PESO CIF NUM_AUT FEC_AUT"
    " GBCOCEN ID_BULTOS TPO_BUL1 CANT_BUL1 TPO_BUL2 CANT_BUL2 TPO_BUL3 CANT_BUL3"
    " TPO_BUL4 CANT_BUL4 TPO_BUL5 CANT_BUL5 TPO_BUL6 CANT_BUL6 TPO_BUL7 CANT_BUL7"
    " TPO_BUL8 CANT_BUL8 CTA_OTRO MON_OTRO CTA_OTR1 MON_OTR1 CTA_OTR2 MON_OTR2 CTA_OTR3"
    " MON_OTR3 CTA_OTR4 MON_OTR4 CTA_OTR5 MON_OTR5 CTA_OTR6 MON_OTR6 CTA_OTR7 MON_OTR7"
    " MON_178 MON_191 FEC_501 VAL_601 FEC_502 VAL_602 FEC_503 VAL_603 FEC_504 VAL_604"
    " FEC_505 VAL_605 FEC_506 VAL_606 FEC_507 VAL_607 TASA NCUOTAS ADU_DI NUM_DI FEC_DI"
    " MON_699 MON_199 NUMITEM DNOMBRE DMARCA DVARIEDAD DOTRO1 DOTRO2 ATR-5 ATR-6"
    " SAJU-ITEM AJU-ITEM CANT-MERC MERMAS MEDIDA PRE-UNIT ARANC-ALA NUMCOR NUMACU"
    " CODOBS1 DESOBS1 CODOBS2 DESOBS2 CODOBS3 DESOBS3 CODOBS4 DESOBS4 ARANC-NAC"
    " CIF-ITEM ADVAL-ALA ADVAL VALAD OTRO1 CTA1 SIGVAL1 VAL1 OTRO2 CTA2 SIGVAL2 VAL2"
    " OTRO3 CTA3 SIGVAL3 VAL3 OTRO4 CTA4 SIGVAL4 VAL4"
)
DIN_NAMES = _DIN.split()


CHILE_TAXES = [{"column": "VALAD", "missing_is_zero": True}] + [
    {"column": f"VAL{k}", "sign": f"SIGVAL{k}", "missing_is_zero": True}
    for k in (1, 2, 3, 4)
]


CHILE_MAP = ColumnMap(
    {
        "declaration_id": "NUMENCRIPTADO",
        "item_number": "NUMITEM",
        "lodged_at": "FECTRA",
        "office": "ADU",
        "procedure": "REG_IMP",
        "importer_id": "NUM_UNICO_IMPORTADOR",
        "carrier_id": "GNOM_CIA_T",
        "tariff_code": "ARANC-NAC",
        "description": "DNOMBRE",
        "origin": "PA_ORIG",
        "departure": "PA_ADQ",
        "transport_mode": "VIA_TRAN",
        "customs_value": "CIF-ITEM",
        "gross_mass_kg": "TOT_PESO",
        "quantity": "CANT-MERC",
        "quantity_unit": "MEDIDA",
        "duty_rate": "ADVAL",
        "payment_type": "FORM_PAGO",
        "currency": "MONEDA",
        "incoterm": "CL_COMPRA",
    },
    date_format="%d%m%Y",
    widths={"lodged_at": 8},
    decimal=",",
    duty_rate_unit="percent",
    tariff_digits=8,
    shared={"gross_mass_kg": "customs_value"},
    sums={"duties_taxes": CHILE_TAXES},
)


def comma(values: pd.Series) -> pd.Series:
    """Return numbers as texts with a comma."""
    return texts(values).str.replace(".", ",")


def _chile_document(g: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of documents."""

    def per_document(values: pd.Series) -> pd.Series:
        return comma(values.groupby(g["declaration_id"]).transform("sum").round(2))

    numbers = {c: str(200 + k) for k, c in enumerate(sorted(g["origin"].unique()))}
    numbers |= {
        c: str(500 + k)
        for k, c in enumerate(sorted(set(g["departure"]) - set(numbers)))
    }
    n = len(g)
    day = g["day"].dt.strftime("%d%m%Y").str.lstrip("0")
    return {
        "NUMENCRIPTADO": g["number"].map(lambda v: f"{v * 7919}"),
        "TIPO_DOCTO": ["101"] * n,
        "ADU": g["office"].map(lambda v: str(int(v))),
        "CODCOMUN": ["13101"] * n,
        "NUM_UNICO_IMPORTADOR": plain(g["importer_id"]),
        "CODPAISCON": g["departure"].map(numbers),
        "PA_ORIG": g["origin"].map(numbers),
        "PA_ADQ": g["departure"].map(numbers),
        "VIA_TRAN": plain(g["transport_mode"]),
        "PTO_EMB": ["411"] * n,
        "PTO_DESEM": ["906"] * n,
        "TPO_CARGA": ["C"] * n,
        "PAGO_GRAV": ["1"] * n,
        "FECTRA": day,
        "GNOM_CIA_T": g["origin"].map(lambda c: f"LINEA {c}"),
        "CODPAISCIA": ["997"] * n,
        "FEC_MANIF": (g["day"] - pd.Timedelta(days=9)).dt.strftime("%d%m%Y"),
        "FEC_CONOC": (g["day"] - pd.Timedelta(days=30)).dt.strftime("%d%m%Y"),
        "REG_IMP": plain(g["procedure"]),
        "FORM_PAGO": plain(g["payment_type"]),
        "MONEDA": ["13"] * n,
        "CL_COMPRA": ["5"] * n,
        "TOT_ITEMS": plain(g.groupby("declaration_id")["number"].transform("size")),
        "FOB": per_document(g["fob"]),
        "FLETE": per_document(g["freight"]),
        "SEGURO": per_document(g["insurance"]),
        "TOT_BULTOS": ["2"] * n,
        "TOT_PESO": per_document(g["gross_mass_kg"]),
        "CIF": per_document(g["customs_value"]),
    }


def _chile_item(g: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of items."""
    n = len(g)
    minus = g["item_number"] % 5 == 0
    return {
        "NUMITEM": plain(g["item_number"]),
        "DNOMBRE": g["description"],
        "DMARCA": ["SIN MARCA"] * n,
        "CANT-MERC": comma(g["quantity"]),
        "MEDIDA": plain(g["quantity_unit"]),
        "PRE-UNIT": comma((g["fob"] / g["quantity"].fillna(1)).round(2)),
        "ARANC-NAC": g["tariff_code"].str.lstrip("0"),
        "CIF-ITEM": comma(g["customs_value"]),
        "ADVAL": (g["duty_rate"] * 100).map(lambda v: f"{v:g}".replace(".", ",")),
        "VALAD": comma(g["duty"]),
        "OTRO1": ["19"] * n,
        "CTA1": ["178"] * n,
        "SIGVAL1": np.where(minus, "-", "+"),
        "VAL1": comma(g["vat"]),
        "SIGVAL2": ["+"] * n,
        "VAL2": ["0,00"] * n,
    }


def chile(g: pd.DataFrame) -> Layout:
    """Return items in the layout of Chile's DIN: 178 fields."""
    filled = {**_chile_document(g), **_chile_item(g)}
    frame = flat({c: filled.get(c, [""] * len(g)) for c in DIN_NAMES})
    return Layout(frame, CHILE_MAP)


SPREADSHEET_MAP = ColumnMap(
    {
        "declaration_id": "DECLARATION_NUMBER",
        "item_number": "ITEM",
        "lodged_at": "IMP_DATE",
        "office": "CUSTOMS_OFFICE",
        "importer_id": "TAX_IDENTIFICATION_NUMBER",
        "consignor_id": "SUPPLIER_NAME",
        "tariff_code": "HS_CODE",
        "description": "PRODUCT_DESCRIPTION",
        "origin": "ORIGIN_COUNTRY",
        "customs_value": "CIF_VALUE",
        "fob_value": "FREE_ON_BOARD",
        "freight": "FREIGHT",
        "insurance": "INSURANCE",
        "currency": "CURRENCY",
        "quantity": "QUANTITY",
        "quantity_unit": "UNIT",
        "gross_mass_kg": "GROSS_WEIGHT",
        "duties_taxes": "TAX_AMOUNT",
    },
    day_first=True,
    thousands=",",
)


def spreadsheet(g: pd.DataFrame) -> Layout:
    """Return items as the spreadsheet of an ASYCUDA country."""

    def thousands(values: pd.Series) -> pd.Series:
        return values.map(lambda v: "" if pd.isna(v) else f"{v:,.2f}").astype(object)

    number = g["importer_id"].astype("str").str[1:].astype(float)
    code = g["tariff_code"]
    frame = flat(
        {
            "RECORD_ID": [f"{k:08x}-aa" for k in range(len(g))],
            "DECLARATION_NUMBER": g["number"].map(lambda v: f"C {v}"),
            "ITEM": plain(g["item_number"]),
            "IMP_DATE": g["day"].dt.strftime("%d/%m/%y"),
            "CUSTOMS_OFFICE": plain(g["office"]),
            "TAX_IDENTIFICATION_NUMBER": number.astype(object),
            "IMPORTER_NAME": "COMPANY " + plain(g["importer_id"]),
            "IMPORTER_ADDRESS": ["P.O. BOX 1"] * len(g),
            "SUPPLIER_NAME": "SUPPLIER " + plain(g["consignor_id"]),
            "HS_CODE": code.str[:4] + "." + code.str[4:6] + "." + code.str[6:],
            "PRODUCT_DESCRIPTION": g["description"],
            "ORIGIN_COUNTRY": plain(g["origin"]),
            "FREE_ON_BOARD": thousands(g["fob"]),
            "FREIGHT": thousands(g["freight"]),
            "INSURANCE": thousands(g["insurance"]),
            "CIF_VALUE": thousands(g["customs_value"]),
            "CURRENCY": np.where(g["item_number"] % 2 == 0, "USD", "EUR"),
            "QUANTITY": thousands(g["quantity"]),
            "UNIT": plain(g["quantity_unit"]),
            "GROSS_WEIGHT": thousands(g["gross_mass_kg"]),
            "NET_WEIGHT": ["0"] * len(g),
            "TAX_AMOUNT": thousands(g["duties_taxes"]),
        }
    )
    return Layout(frame, SPREADSHEET_MAP)


RENAMED_MAP = ColumnMap(
    {
        "declaration_id": "Entry No",
        "item_number": "Line",
        "lodged_at": "Lodgement date",
        "office": "Customs station",
        "procedure": "CPC",
        "importer_id": "Consignee TIN",
        "declarant_id": "Broker licence",
        "consignor_id": "Shipper",
        "tariff_code": "Commodity code",
        "description": "Goods",
        "origin": "Ctry orig",
        "departure": "Ctry export",
        "transport_mode": "MOT",
        "customs_value": "Statistical value",
        "net_mass_kg": "Net wt",
        "gross_mass_kg": "Gross wt",
        "quantity": "Suppl. units",
        "quantity_unit": "UOM",
        "duty_rate": "Duty %",
        "duties_taxes": "Total duties",
        "preference": "Pref",
        "trusted_trader": "AEO",
    },
    duty_rate_unit="percent",
)


def renamed(g: pd.DataFrame) -> Layout:
    """Return items under English synonyms, with results beside them."""
    frame = flat(
        {
            "Entry No": plain(g["declaration_id"]),
            "Line": plain(g["item_number"]),
            "Lodgement date": g["lodged_at"].dt.strftime("%Y-%m-%d %H:%M:%S"),
            "Arrival date": (g["day"] - pd.Timedelta(days=2)).dt.strftime("%Y-%m-%d"),
            "Customs station": plain(g["office"]),
            "CPC": plain(g["procedure"]),
            "Consignee TIN": plain(g["importer_id"]),
            "Broker licence": plain(g["declarant_id"]),
            "Shipper": plain(g["consignor_id"]),
            "Commodity code": plain(g["tariff_code"]),
            "Goods": g["description"],
            "Ctry orig": plain(g["origin"]),
            "Ctry export": plain(g["departure"]),
            "MOT": plain(g["transport_mode"]),
            "Statistical value": texts(g["customs_value"]),
            "Net wt": texts(g["net_mass_kg"]),
            "Gross wt": texts(g["gross_mass_kg"]),
            "Suppl. units": texts(g["quantity"]),
            "UOM": plain(g["quantity_unit"]),
            "Duty %": (g["duty_rate"] * 100).map(lambda v: f"{v:g}"),
            "Total duties": texts(g["duties_taxes"]),
            "Pref": plain(g["preference"]),
            "AEO": g["trusted_trader"].map({True: "Y", False: "N"}),
        }
    )
    return Layout(frame, RENAMED_MAP)


REORDERED_MAP = ColumnMap(
    {
        "declaration_id": "Número de declaración",
        "item_number": "Serie",
        "lodged_at": "Fecha de numeración",
        "office": "Aduana",
        "procedure": "Régimen",
        "importer_id": "RUC importador",
        "declarant_id": "Agente de aduanas",
        "consignor_id": "Proveedor",
        "tariff_code": "Subpartida nacional",
        "description": "Descripción de la mercancía",
        "origin": "País de origen",
        "departure": "País de procedencia",
        "transport_mode": "Vía de transporte",
        "customs_value": "Valor en aduana",
        "net_mass_kg": "Peso neto",
        "gross_mass_kg": "Peso bruto",
        "quantity": "Cantidad",
        "quantity_unit": "Unidad de medida",
        "duties_taxes": "Total tributos",
        "preference": "Trato preferencial",
        "payment_type": "Forma de pago",
    },
    day_first=True,
)


def reordered(g: pd.DataFrame) -> Layout:
    """Return a Spanish export in another order, with documents' totals beside."""
    order = np.random.default_rng(3).permutation(24)
    total = g.groupby("declaration_id")["customs_value"].transform("sum").round(2)
    columns = {
        "Número de declaración": plain(g["declaration_id"]),
        "Serie": plain(g["item_number"]),
        "Fecha de numeración": g["day"].dt.strftime("%d-%m-%Y"),
        "Fecha de levante": (g["day"] + pd.Timedelta(days=3)).dt.strftime("%d-%m-%Y"),
        "Aduana": plain(g["office"]),
        "Régimen": plain(g["procedure"]),
        "RUC importador": plain(g["importer_id"]),
        "Razón social": "EMPRESA " + plain(g["importer_id"]),
        "Agente de aduanas": plain(g["declarant_id"]),
        "Proveedor": plain(g["consignor_id"]),
        "Subpartida nacional": plain(g["tariff_code"]),
        "Descripción de la mercancía": g["description"],
        "País de origen": plain(g["origin"]),
        "País de procedencia": plain(g["departure"]),
        "Vía de transporte": plain(g["transport_mode"]),
        "Valor CIF total": texts(total),
        "Valor en aduana": texts(g["customs_value"]),
        "Peso neto": texts(g["net_mass_kg"]),
        "Peso bruto": texts(g["gross_mass_kg"]),
        "Cantidad": texts(g["quantity"]),
        "Unidad de medida": plain(g["quantity_unit"]),
        "Total tributos": texts(g["duties_taxes"]),
        "Trato preferencial": plain(g["preference"]),
        "Forma de pago": plain(g["payment_type"]),
    }
    names = list(columns)
    frame = flat({names[k]: columns[names[k]] for k in order})
    return Layout(frame, REORDERED_MAP)


def unnamed(g: pd.DataFrame) -> Layout:
    """Return items without a header line."""
    columns = {
        "declaration_id": plain(g["declaration_id"]),
        "item_number": plain(g["item_number"]),
        "lodged_at": g["day"].dt.strftime("%d/%m/%Y"),
        "office": plain(g["office"]),
        "importer_id": plain(g["importer_id"]),
        "tariff_code": plain(g["tariff_code"]),
        "description": g["description"],
        "origin": plain(g["origin"]),
        "customs_value": texts(g["customs_value"]),
        "fob_value": texts(g["fob"]),
        "freight": texts(g["freight"]),
        "insurance": texts(g["insurance"]),
        "net_mass_kg": texts(g["net_mass_kg"]),
        "gross_mass_kg": texts(g["gross_mass_kg"]),
        "duty_rate": texts(g["duty_rate"], 3),
        "duties_taxes": texts(g["duties_taxes"]),
    }
    frame = flat({f"column_{k}": v for k, v in enumerate(columns.values(), 1)})
    mapping = {name: f"column_{k}" for k, name in enumerate(columns, 1)}
    return Layout(frame, ColumnMap(mapping, day_first=True))


LAYOUTS = {
    "chile": chile,
    "peru": peru,
    "spreadsheet": spreadsheet,
    "french": french,
    "renamed": renamed,
    "reordered": reordered,
    "unnamed": unnamed,
}
