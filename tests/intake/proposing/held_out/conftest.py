"""Further layouts, in the style of other countries, that no rule was written for."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from smartrisk.schema import ColumnMap

# Loaded by the conftest of the folder above.
_written = sys.modules["smartrisk_tests_flat_layouts"]
Layout, flat = _written.Layout, _written.flat
plain, texts = _written.plain, _written.texts

MEXICO_MAP = ColumnMap(
    {
        "declaration_id": "PEDIMENTO",
        "item_number": "SECUENCIA_FRACCION",
        "lodged_at": "FECHA_PAGO_REAL",
        "office": "SECCION_ADUANERA",
        "procedure": "CLAVE_DOCUMENTO",
        "importer_id": "RFC_IMPORTADOR",
        "declarant_id": "PATENTE",
        "tariff_code": "FRACCION_ARANCELARIA",
        "description": "DESCRIPCION_MERCANCIA",
        "transport_mode": "MEDIO_TRANSPORTE_ENTRADA",
        "customs_value": "VALOR_ADUANA",
        "gross_mass_kg": "PESO_BRUTO",
        "quantity": "CANTIDAD_UMT",
        "quantity_unit": "UMT",
        "duty_rate": "TASA_IGI",
        "departure": "PAIS_VENDEDOR_COMPRADOR",
    },
    day_first=True,
    duty_rate_unit="percent",
    sums={"duties_taxes": ["IMPORTE_IGI", "IMPORTE_IVA"]},
)


def mexico(g: pd.DataFrame) -> Layout:
    """Return items in the style of Mexican customs declarations (pedimentos)."""
    n = len(g)
    percent = (g["duty_rate"] * 100).map(lambda v: f"{v:g}")
    frame = flat(
        {
            "PATENTE": plain(g["declarant_id"]),
            "PEDIMENTO": g["number"].map(lambda v: f"{v:07d}"),
            "SECCION_ADUANERA": plain(g["office"]),
            "TIPO_OPERACION": ["1"] * n,
            "CLAVE_DOCUMENTO": ["A1"] * n,
            "FECHA_PAGO_REAL": g["day"].dt.strftime("%d/%m/%Y"),
            "RFC_IMPORTADOR": plain(g["importer_id"]),
            "MEDIO_TRANSPORTE_ENTRADA": plain(g["transport_mode"]),
            "SECUENCIA_FRACCION": plain(g["item_number"]),
            "FRACCION_ARANCELARIA": plain(g["tariff_code"]),
            "DESCRIPCION_MERCANCIA": g["description"],
            "PRECIO_UNITARIO": texts(g["customs_value"] / g["quantity"].fillna(1)),
            "VALOR_ADUANA": texts(g["customs_value"]),
            "VALOR_COMERCIAL": texts(g["fob"]),
            "CANTIDAD_UMT": texts(g["quantity"]),
            "UMT": plain(g["quantity_unit"]),
            "PAIS_ORIGEN_DESTINO": plain(g["origin"]),
            "PAIS_VENDEDOR_COMPRADOR": plain(g["departure"]),
            "PESO_BRUTO": texts(g["gross_mass_kg"]),
            "TASA_IGI": percent,
            "IMPORTE_IGI": texts(g["duty"]),
            "IMPORTE_IVA": texts(g["vat"]),
        }
    )
    return Layout(frame, MEXICO_MAP)


ARGENTINA_MAP = ColumnMap(
    {
        "declaration_id": "DESTINACION",
        "item_number": "ITEM",
        "lodged_at": "FECHA_OFICIALIZACION",
        "office": "ADUANA",
        "importer_id": "CUIT_IMPORTADOR",
        "tariff_code": "NCM",
        "description": "MERCADERIA",
        "origin": "PAIS_DE_ORIGEN",
        "departure": "PAIS_DE_PROCEDENCIA",
        "transport_mode": "VIA",
        "customs_value": "CIF_ITEM",
        "fob_value": "FOB_ITEM",
        "freight": "FLETE_ITEM",
        "insurance": "SEGURO_ITEM",
        "net_mass_kg": "KILOS_NETOS",
        "gross_mass_kg": "KILOS_BRUTOS",
        "quantity": "CANTIDAD_ESTADISTICA",
        "quantity_unit": "UNIDAD_ESTADISTICA",
        "incoterm": "INCOTERM",
    },
    day_first=True,
)


def argentina(g: pd.DataFrame) -> Layout:
    """Return items in the style of a vendor's file of Argentina, with sub-items."""
    n = len(g)
    total = g.groupby("declaration_id")["customs_value"].transform("sum").round(2)
    frame = flat(
        {
            "DESTINACION": g["number"].map(lambda v: f"24001IC04{v:06d}K"),
            "FECHA_OFICIALIZACION": g["day"].dt.strftime("%d/%m/%Y"),
            "ADUANA": plain(g["office"]),
            "CUIT_IMPORTADOR": plain(g["importer_id"]),
            "RAZON_SOCIAL": "EMPRESA " + plain(g["importer_id"]),
            "ITEM": plain(g["item_number"]),
            "SUBITEM": ["1"] * n,
            "POSICION_SIM": g["tariff_code"] + "000A",
            "NCM": plain(g["tariff_code"]),
            "MARCA": ["S/M"] * n,
            "MERCADERIA": g["description"],
            "PAIS_DE_ORIGEN": plain(g["origin"]),
            "PAIS_DE_PROCEDENCIA": plain(g["departure"]),
            "VIA": plain(g["transport_mode"]),
            "INCOTERM": ["FOB"] * n,
            "TOTAL_CIF": texts(total),
            "FOB_ITEM": texts(g["fob"]),
            "FLETE_ITEM": texts(g["freight"]),
            "SEGURO_ITEM": texts(g["insurance"]),
            "CIF_ITEM": texts(g["customs_value"]),
            "KILOS_NETOS": texts(g["net_mass_kg"]),
            "KILOS_BRUTOS": texts(g["gross_mass_kg"]),
            "CANTIDAD_ESTADISTICA": texts(g["quantity"]),
            "UNIDAD_ESTADISTICA": plain(g["quantity_unit"]),
            "BULTOS": ["4"] * n,
        }
    )
    return Layout(frame, ARGENTINA_MAP)


INDIA_MAP = ColumnMap(
    {
        "declaration_id": "BE_NO",
        "item_number": "ITEM_SNO",
        "lodged_at": "BE_DATE",
        "office": "SITE_ID",
        "procedure": "BE_TYPE",
        "importer_id": "IEC",
        "declarant_id": "CHA_NO",
        "consignor_id": "SUPPLIER",
        "origin": "COO",
        "departure": "COC",
        "tariff_code": "CTH",
        "description": "ITEM_DESC",
        "quantity": "QTY",
        "quantity_unit": "UQC",
        "customs_value": "ASSESSABLE_VALUE",
        "duties_taxes": "TOTAL_DUTY",
    },
    date_format="%d-%b-%Y",
)


def india(g: pd.DataFrame) -> Layout:
    """Return items in the style of India's bills of entry."""
    frame = flat(
        {
            "SITE_ID": plain(g["office"]),
            "BE_NO": plain(g["number"]),
            "BE_DATE": g["day"].dt.strftime("%d-%b-%Y"),
            "BE_TYPE": np.where(g["item_number"] % 3 == 0, "W", "H"),
            "IEC": plain(g["importer_id"]),
            "IMPORTER_NAME": "M/S " + plain(g["importer_id"]),
            "CHA_NO": plain(g["declarant_id"]),
            "SUPPLIER": "SUPPLIER " + plain(g["consignor_id"]),
            "COO": plain(g["origin"]),
            "COC": plain(g["departure"]),
            "INVSNO": ["1"] * len(g),
            "ITEM_SNO": plain(g["item_number"]),
            "CTH": plain(g["tariff_code"]),
            "ITEM_DESC": g["description"],
            "QTY": texts(g["quantity"]),
            "UQC": plain(g["quantity_unit"]),
            "UNIT_PRICE": texts(g["customs_value"] / g["quantity"].fillna(1)),
            "ASSESSABLE_VALUE": texts(g["customs_value"]),
            "BCD_AMT": texts(g["duty"]),
            "IGST_AMT": texts(g["vat"]),
            "TOTAL_DUTY": texts(g["duty"] + g["vat"]),
        }
    )
    return Layout(frame, INDIA_MAP)


CAMEROON_MAP = ColumnMap(
    {
        "declaration_id": "DECLARATION_NUMBER",
        "item_number": "ITEM_NUMBER",
        "lodged_at": "DECLARATION_DATE",
        "office": "CUSTOM_DETAILS",
        "procedure": "REGIME_CODE",
        "importer_id": "IMPORTER_CODE",
        "declarant_id": "DECLARANT_CODE",
        "consignor_id": "SUPPLIER_NAME",
        "departure": "EXPORT_COUNTRY",
        "origin": "ORIGIN_COUNTRY",
        "transport_mode": "FLUX",
        "tariff_code": "HS_CODE",
        "description": "PRODUCT_DESCRIPTION",
        "gross_mass_kg": "GROSS_WEIGHT",
        "net_mass_kg": "NET_WEIGHT",
        "quantity": "QUANTITY",
        "quantity_unit": "UNIT",
        "customs_value": "VAL_STAT_ART",
        "duties_taxes": "TAX_ART",
    },
)


def cameroon(g: pd.DataFrame) -> Layout:
    """Return items in the style of an ASYCUDA World export in two languages."""
    n = len(g)
    thousand = g["customs_value"] * 655.957
    frame = flat(
        {
            "RECORDS_TAG": [f"{k * 7919:032x}" for k in range(n)],
            "DECLARATION_NUMBER": g["number"].map(lambda v: f"C{v}"),
            "DECLARATION_DATE": g["day"].dt.strftime("%Y-%m-%d"),
            "TYPE_DEC": ["IM"] * n,
            "REGIME_CODE": plain(g["procedure"]),
            "STATUS_DAU": ["Paid"] * n,
            "CUSTOM_DETAILS": plain(g["office"]),
            "IMPORTER_CODE": plain(g["importer_id"]),
            "IMPORTER_NAME": "STE " + plain(g["importer_id"]),
            "DECLARANT_CODE": plain(g["declarant_id"]),
            "DECLARANT_NAME": "CAD " + plain(g["declarant_id"]),
            "SUPPLIER_NAME": "SUPPLIER " + plain(g["consignor_id"]),
            "EXPORT_COUNTRY": plain(g["departure"]),
            "ORIGIN_COUNTRY": plain(g["origin"]),
            "DESTINATION_COUNTRY": ["CM"] * n,
            "FLUX": plain(g["transport_mode"]),
            "ITEM_NUMBER": plain(g["item_number"]),
            "HS_CODE": plain(g["tariff_code"]),
            "HS_CODE_2": g["tariff_code"].str[:2],
            "HS_CODE_4": g["tariff_code"].str[:4],
            "HS_CODE_DESCRIPTION": "CHAPTER TEXT " + g["tariff_code"].str[:2],
            "PRODUCT_DESCRIPTION": g["description"],
            "NUMBER_OF_PACKAGES": ["10"] * n,
            "GROSS_WEIGHT": texts(g["gross_mass_kg"]),
            "NET_WEIGHT": texts(g["net_mass_kg"]),
            "QUANTITY": texts(g["quantity"]),
            "UNIT": plain(g["quantity_unit"]),
            "VAL_FACT_DEV": texts(g["fob"]),
            "VAL_FACT_ART": texts(g["fob"] * 655.957),
            "VAL_STAT_ART": texts(thousand),
            "TAX_ART": texts(g["duties_taxes"] * 655.957),
            "TOTAL_VALUE_USD": texts(g["customs_value"]),
        }
    )
    return Layout(frame, CAMEROON_MAP)


CYRILLIC_MAP = ColumnMap(
    {
        "declaration_id": "Номер декларации",
        "item_number": "Номер товара",
        "lodged_at": "Дата регистрации",
        "office": "Код таможенного органа",
        "importer_id": "ИНН получателя",
        "declarant_id": "Декларант",
        "consignor_id": "Отправитель",
        "procedure": "Код процедуры",
        "tariff_code": "Код ТН ВЭД",
        "description": "Описание товара",
        "origin": "Страна происхождения",
        "departure": "Страна отправления",
        "transport_mode": "Вид транспорта на границе",
        "gross_mass_kg": "Вес брутто, кг",
        "net_mass_kg": "Вес нетто, кг",
        "quantity": "Количество",
        "quantity_unit": "Единица измерения",
        "customs_value": "Таможенная стоимость",
        "duty_rate": "Ставка пошлины",
        "preference": "Преференция",
    },
    day_first=True,
    decimal=",",
    duty_rate_unit="percent",
)


def cyrillic(g: pd.DataFrame) -> Layout:
    """Return items in the style of a Russian-language export."""

    def comma(values: pd.Series) -> pd.Series:
        return texts(values).str.replace(".", ",")

    frame = flat(
        {
            "Номер декларации": g["number"].map(lambda v: f"10101/{v}"),
            "Дата регистрации": g["day"].dt.strftime("%d.%m.%Y"),
            "Код таможенного органа": plain(g["office"]),
            "ИНН получателя": plain(g["importer_id"]),
            "Наименование получателя": "ООО " + plain(g["importer_id"]),
            "Декларант": plain(g["declarant_id"]),
            "Отправитель": plain(g["consignor_id"]),
            "Код процедуры": plain(g["procedure"]),
            "Номер товара": plain(g["item_number"]),
            "Код ТН ВЭД": g["tariff_code"].str.ljust(10, "0"),
            "Описание товара": g["description"],
            "Страна происхождения": plain(g["origin"]),
            "Страна отправления": plain(g["departure"]),
            "Вид транспорта на границе": plain(g["transport_mode"]),
            "Вес брутто, кг": comma(g["gross_mass_kg"]),
            "Вес нетто, кг": comma(g["net_mass_kg"]),
            "Количество": comma(g["quantity"]),
            "Единица измерения": plain(g["quantity_unit"]),
            "Таможенная стоимость": comma(g["customs_value"]),
            "Ставка пошлины": (g["duty_rate"] * 100).map(
                lambda v: f"{v:g}".replace(".", ",")
            ),
            "Преференция": plain(g["preference"]),
        }
    )
    return Layout(frame, CYRILLIC_MAP)


TURKEY_MAP = ColumnMap(
    {
        "declaration_id": "Beyanname No",
        "lodged_at": "Tescil Tarihi",
        "office": "Gümrük İdaresi",
        "procedure": "Rejim",
        "importer_id": "Alıcı Vergi No",
        "declarant_id": "Gümrük Müşaviri",
        "consignor_id": "Gönderici",
        "item_number": "Kalem No",
        "tariff_code": "GTİP",
        "description": "Ticari Tanımı",
        "origin": "Menşe Ülke",
        "departure": "Çıkış Ülkesi",
        "transport_mode": "Taşıma Şekli",
        "net_mass_kg": "Net Ağırlık (kg)",
        "gross_mass_kg": "Brüt Ağırlık (kg)",
        "quantity": "Miktar",
        "quantity_unit": "Ölçü Birimi",
        "customs_value": "İstatistiki Kıymet",
        "duties_taxes": "Toplam Vergi",
        "payment_type": "Ödeme Şekli",
    },
    day_first=True,
)


def turkey(g: pd.DataFrame) -> Layout:
    """Return items in the style of a Turkish export."""
    frame = flat(
        {
            "Beyanname No": plain(g["declaration_id"]),
            "Tescil Tarihi": g["day"].dt.strftime("%d.%m.%Y"),
            "Gümrük İdaresi": plain(g["office"]),
            "Rejim": plain(g["procedure"]),
            "Alıcı Vergi No": plain(g["importer_id"]),
            "Alıcı Unvanı": "A.Ş. " + plain(g["importer_id"]),
            "Gümrük Müşaviri": plain(g["declarant_id"]),
            "Gönderici": plain(g["consignor_id"]),
            "Kalem No": plain(g["item_number"]),
            "GTİP": g["tariff_code"].str.ljust(12, "0"),
            "Ticari Tanımı": g["description"],
            "Menşe Ülke": plain(g["origin"]),
            "Çıkış Ülkesi": plain(g["departure"]),
            "Taşıma Şekli": plain(g["transport_mode"]),
            "Net Ağırlık (kg)": texts(g["net_mass_kg"]),
            "Brüt Ağırlık (kg)": texts(g["gross_mass_kg"]),
            "Miktar": texts(g["quantity"]),
            "Ölçü Birimi": plain(g["quantity_unit"]),
            "Fatura Tutarı": texts(g["fob"]),
            "İstatistiki Kıymet": texts(g["customs_value"]),
            "Toplam Vergi": texts(g["duties_taxes"]),
            "Ödeme Şekli": plain(g["payment_type"]),
        }
    )
    return Layout(frame, TURKEY_MAP)


UNITED_STATES_MAP = ColumnMap(
    {
        "declaration_id": "Entry Number",
        "lodged_at": "Entry Date",
        "office": "Port of Entry",
        "importer_id": "Importer of Record",
        "declarant_id": "Filer Code",
        "consignor_id": "Manufacturer ID",
        "carrier_id": "Carrier SCAC",
        "item_number": "Line No.",
        "tariff_code": "HTSUS",
        "description": "Description of Merchandise",
        "origin": "Country of Origin",
        "departure": "Exporting Country",
        "transport_mode": "MOT Code",
        "customs_value": "Entered Value",
        "gross_mass_kg": "Gross Weight (kg)",
        "quantity": "Net Quantity",
        "quantity_unit": "UOM",
        "duty_rate": "HTS Rate",
        "duties_taxes": "Duty Amount",
    },
    day_first=False,
    duty_rate_unit="percent",
)


def united_states(g: pd.DataFrame) -> Layout:
    """Return entries in the style of a US filer's export, months first."""
    frame = flat(
        {
            "Entry Number": plain(g["declaration_id"]),
            "Entry Date": g["day"].dt.strftime("%m/%d/%Y"),
            "Port of Entry": plain(g["office"]),
            "Importer of Record": plain(g["importer_id"]),
            "Filer Code": plain(g["declarant_id"]),
            "Manufacturer ID": plain(g["consignor_id"]),
            "Carrier SCAC": plain(g["carrier_id"]),
            "Line No.": plain(g["item_number"]),
            "HTSUS": plain(g["tariff_code"]),
            "Description of Merchandise": g["description"],
            "Country of Origin": plain(g["origin"]),
            "Exporting Country": plain(g["departure"]),
            "MOT Code": plain(g["transport_mode"]),
            "Entered Value": texts(g["customs_value"]),
            "Charges": texts(g["freight"]),
            "Gross Weight (kg)": texts(g["gross_mass_kg"]),
            "Net Quantity": texts(g["quantity"]),
            "UOM": plain(g["quantity_unit"]),
            "HTS Rate": (g["duty_rate"] * 100).map(lambda v: f"{v:g}"),
            "Duty Amount": texts(g["duty"]),
        }
    )
    return Layout(frame, UNITED_STATES_MAP)


LAYOUTS = {
    "mexico": mexico,
    "argentina": argentina,
    "india": india,
    "cameroon": cameroon,
    "cyrillic": cyrillic,
    "turkey": turkey,
    "united states": united_states,
}


@pytest.fixture(scope="session")
def held_out(goods):
    """Return a function that writes the goods in a layout."""
    return lambda name: LAYOUTS[name](goods)
