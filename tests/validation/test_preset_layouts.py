"""Maps that come with the library read published layouts, written from a world."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import TableError
from smartrisk.intake import read_table
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap
from smartrisk.validation import check, validate


@pytest.fixture(scope="module")
def goods(world):
    """Return items of a world with amounts in cents, and their results."""
    items = world.declarations.head(400).reset_index(drop=True).copy()
    for name in ("customs_value", "net_mass_kg", "gross_mass_kg", "duties_taxes"):
        items[name] = items[name].round(2)
    number = pd.factorize(items["declaration_id"])[0] + 1001
    day = items["lodged_at"].dt.normalize()
    freight = (items["customs_value"] * 0.07).round(2)
    return (
        items.assign(
            number=number.astype(str),
            day=day,
            freight=freight,
            insurance=1.25,
            fob=(items["customs_value"] - freight - 1.25).round(2),
            tariff8=items["tariff_code"].str.ljust(8, "0"),
        )
        .query("fob > 0", engine="python")
        .reset_index(drop=True)
    )


def comma(values, thousands=""):
    """Return amounts with a decimal comma, and a sign between thousands."""
    text = values.map("{:,.2f}".format).str.replace(",", "\0")
    return text.str.replace(".", ",").str.replace("\0", thousands)


def money(values):
    """Return amounts with two decimals."""
    return values.map("{:.2f}".format)


def write_text(frame, path, columns, **options):
    """Write a frame as an administration's text file."""
    columns_file = columns.file
    frame.to_csv(
        path,
        sep=columns_file.separator,
        encoding=columns_file.encoding,
        index=False,
        lineterminator="\r\n",
        **options,
    )


def test_chile(goods, tmp_path):
    columns = ColumnMap.preset("chile_din")
    numbers = {v: k for k, v in columns.values["origin"].items() if v}
    items = goods[goods["origin"].isin(list(numbers))].reset_index(drop=True)
    departure = items["departure"].where(items["departure"].isin(list(numbers)), "CN")
    total = items.groupby("number")["gross_mass_kg"].transform("sum").round(2)
    duty = (items["duties_taxes"] + 3).round(2)
    filled = pd.DataFrame(
        {
            "NUMENCRIPTADO": items["number"],
            "NUMITEM": items["item_number"],
            "FECTRA": items["day"].dt.strftime("%d%m%Y").str.lstrip("0"),
            "ADU": items["office"],
            "TIPO_DOCTO": "101",
            "NUM_UNICO_IMPORTADOR": items["importer_id"],
            "GNOM_CIA_T": "NAVIERA Ñ",
            "ARANC-NAC": items["tariff8"].str.lstrip("0"),
            "DNOMBRE": "BOTAS; NIÑO".replace(";", ","),
            "PA_ORIG": items["origin"].map(numbers),
            "PA_ADQ": departure.map(numbers),
            "VIA_TRAN": items["transport_mode"],
            "CIF-ITEM": comma(items["customs_value"]),
            "TOT_PESO": comma(total),
            "CANT-MERC": "2,00",
            "MEDIDA": items["quantity_unit"],
            "ADVAL": "6,00",
            "REG_IMP": "1",
            "FORM_PAGO": "1",
            "VALAD": comma(duty),
            "SIGVAL1": "-",
            "VAL1": "4,00",
            "SIGVAL2": "+",
            "VAL2": "1,00",
        }
    )
    frame = pd.DataFrame("", index=items.index, columns=list(columns.file.names))
    frame[filled.columns] = filled
    path = tmp_path / "din.txt"
    write_text(frame, path, columns, header=False)
    report = check(read_table(path, file=columns.file), DECLARATIONS, columns=columns)
    assert report.ok, report.message()
    found = report.table
    assert found["lodged_at"].tolist() == items["day"].tolist()
    assert found["tariff_code"].tolist() == items["tariff8"].tolist()
    assert found["origin"].tolist() == items["origin"].tolist()
    assert found["departure"].tolist() == departure.tolist()
    np.testing.assert_allclose(found["customs_value"], items["customs_value"])
    np.testing.assert_allclose(found["duties_taxes"], items["duties_taxes"], atol=1e-9)
    shares = found.groupby("declaration_id")["gross_mass_kg"].sum().round(2)
    assert shares.to_dict() == total.groupby(items["number"]).first().to_dict()
    assert (found["duty_rate"] == 0.06).all()
    assert "'VAL3'" in " ".join(map(str, report.notes()))


def test_countries_of_chile_that_are_not_listed_are_reported():
    columns = ColumnMap.preset("chile_din")
    frame = pd.DataFrame("", index=[0, 1], columns=list(columns.file.names))
    frame["NUMENCRIPTADO"], frame["NUMITEM"] = ["1", "2"], "1"
    frame["FECTRA"], frame["ARANC-NAC"] = "1032024", "64039900"
    frame["PA_ORIG"] = ["112", "999"]  # 112 is South Africa here, Belarus in ISO 3166
    report = check(frame, DECLARATIONS, columns=columns)
    assert report.table["origin"].fillna("?").tolist() == ["ZA", "?"]
    reported = report.failures[report.failures["reason"] == "not in the value map"]
    assert reported[["source_column", "value"]].to_numpy().tolist() == [
        ["PA_ORIG", "999"]
    ]


def test_peru(goods, tmp_path):
    columns = ColumnMap.preset("peru_sunat")
    duty = (goods["duties_taxes"] * 0.4).round(2)
    frame = pd.DataFrame(
        {
            "CODI_ADUAN": goods["office"],
            "ANO_PRESE": goods["day"].dt.year,
            "NUME_CORRE": goods["number"],
            "NUME_SERIE": goods["item_number"],
            "FECH_INGSI": goods["day"].dt.strftime("%Y%m%d"),
            "LIBR_TRIBU": goods["importer_id"],
            "PART_NANDI": goods["tariff_code"].str.ljust(10, "0").str.lstrip("0"),
            "FOB_DOLPOL": money(goods["fob"]),
            "FLE_DOLAR": money(goods["freight"]),
            "SEG_DOLAR": money(goods["insurance"]),
            "ADV_DOLAR": money(duty),
            "IGV_DOLAR": money(goods["duties_taxes"] - duty),
            **dict.fromkeys(
                [f"{t}_DOLAR" for t in ("ISC", "IPM", "DES", "IPA", "SAD")], "0"
            ),
            "PESO_NETO": money(goods["net_mass_kg"]),
            "UNID_FIDES": goods["quantity_unit"],
            "PAIS_ORIGE": goods["origin"],
            "VIA_TRANSP": goods["transport_mode"],
            "TRAT_PREFE": goods["preference"],
        }
    )
    path = tmp_path / "ma.csv"
    frame.to_csv(path, index=False)
    report = check(read_table(path), DECLARATIONS, columns=columns)
    assert report.ok, report.message()
    found = report.table
    key = (
        "0"
        + goods["office"]
        + "-"
        + goods["day"].dt.strftime("%Y")
        + "-00"
        + goods["number"]
    )
    assert found["declaration_id"].tolist() == key.tolist()
    assert found["item_number"].tolist() == goods["item_number"].tolist()
    assert (
        found["tariff_code"].tolist()
        == goods["tariff_code"].str.ljust(10, "0").tolist()
    )
    for name in ("customs_value", "duties_taxes", "net_mass_kg"):
        np.testing.assert_allclose(found[name], goods[name], atol=1e-9, err_msg=name)
    assert found["lodged_at"].tolist() == goods["day"].tolist()
    assert found["origin"].tolist() == goods["origin"].tolist()
    assert found.attrs["smartrisk.currency"] == "USD"


def test_workbook_of_an_asycuda_country(goods, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    items = goods.head(120)
    currency = np.where(np.arange(len(items)) % 3 == 0, "EUR", "USD")
    rate = np.where(currency == "EUR", 2.0, 1.0)
    names = {"CN": "China", "KR": "Korea, Republic of", "US": "United States"}
    origin = items["origin"].map(names).fillna("China")
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["IMPORTS"], ["Extract"], [], ["Unit of mass: kg"], []):
        sheet.append(row)
    heads = "DECLARATION_NUMBER ITEM IMP_DATE TAX_IDENTIFICATION_NUMBER HS_CODE"
    heads += " ORIGIN_COUNTRY FREE_ON_BOARD FREIGHT INSURANCE CURRENCY GROSS_WEIGHT"
    sheet.append(heads.split())
    for k, item in enumerate(items.itertuples()):
        code = item.tariff_code[:8].ljust(8, "0")
        sheet.append(
            [
                int(item.number),
                int(item.item_number),
                item.day.strftime("%d/%m/%y"),
                float(500_000_000 + k),
                f"{code[:4]}.{code[4:6]}.{code[6:]}",
                origin.iloc[k],
                f"{item.fob:,.2f}",
                f"{item.freight:,.2f}",
                f"{item.insurance:,.2f}",
                str(currency[k]),
                float(item.gross_mass_kg),
            ]
        )
    path = tmp_path / "imports.xlsx"
    book.save(path)
    rates = {"currency": ["EUR"], "valid_from": ["2000-01-01"], "rate": [2.0]}
    columns = ColumnMap.preset("asycuda_sheet", frames={"rates": rates})
    report = check(read_table(path, file=columns.file), DECLARATIONS, columns=columns)
    assert report.ok, report.message()
    found = report.table
    assert found["importer_id"].tolist() == [str(500_000_000 + k) for k in range(120)]
    np.testing.assert_allclose(
        found["customs_value"], items["customs_value"] * rate, atol=1e-6
    )
    assert found["lodged_at"].tolist() == items["day"].tolist()
    assert found["tariff_code"].tolist() == items["tariff8"].str[:8].tolist()
    codes = {name: code for code, name in names.items()}
    assert found["origin"].tolist() == origin.map(codes).tolist()


@pytest.mark.parametrize("year", ["%Y", "%y"])
def test_french_export(goods, world, tmp_path, year):
    columns = ColumnMap.preset("french_export")
    results = world.outcomes[["declaration_id", "item_number", "illicit", "channel"]]
    items = goods.merge(results, how="left", on=["declaration_id", "item_number"])
    frame = pd.DataFrame(
        {
            "N° déclaration": items["declaration_id"],
            "Article": items["item_number"],
            "Date d'enregistrement": items["day"].dt.strftime(f"%d/%m/{year}"),
            "Bureau": items["office"],
            "NIF importateur": items["importer_id"],
            "Espèce tarifaire": items["tariff_code"],
            "Pays d'origine": items["origin"],
            "Valeur en douane": comma(items["customs_value"], "\xa0"),
            "Poids net (kg)": comma(items["net_mass_kg"], " "),
            "Taux DD": comma(items["duty_rate"] * 100),
            "Opérateur agréé": items["trusted_trader"].map({True: "Oui", False: "Non"}),
            "Circuit": items["channel"].map(
                {"red": "Rouge", "yellow": "Jaune", "green": "Vert"}
            ),
            "Irrégularité": items["illicit"].map({1: "Oui", 0: "Non"}),
        }
    )
    path = tmp_path / "export.csv"
    write_text(frame, path, columns)
    table = read_table(path, file=columns.file)
    report = check(table, DECLARATIONS, columns=columns)
    assert report.ok, report.message()
    found = report.table
    assert found["office"].tolist() == ("0" + items["office"]).tolist()
    assert found["lodged_at"].tolist() == items["day"].tolist()
    np.testing.assert_allclose(found["customs_value"], items["customs_value"])
    np.testing.assert_allclose(found["net_mass_kg"], items["net_mass_kg"])
    assert found["trusted_trader"].tolist() == items["trusted_trader"].tolist()
    outcomes = validate(table, OUTCOMES, columns=columns)
    known = items[items["illicit"].notna()]
    assert outcomes["illicit"].tolist() == known["illicit"].tolist()
    assert (
        outcomes["channel"].fillna("").tolist()
        == frame.loc[known.index, "Circuit"]
        .map({"Rouge": "red", "Jaune": "yellow", "Vert": "green"})
        .fillna("")
        .tolist()
    )


def test_monthly_aggregates_of_brazil_are_refused_with_the_reason():
    names = (
        "CO_ANO CO_MES CO_NCM CO_UNID CO_PAIS CO_VIA CO_URF QT_ESTAT KG_LIQUIDO VL_FOB"
    )
    frame = pd.DataFrame({name: ["1"] for name in names.split()})
    with pytest.raises(
        TableError, match=r"monthly aggregates.*no document and no trader"
    ):
        check(frame, DECLARATIONS)
    columns = ColumnMap(
        {"declaration_id": "CO_URF", "tariff_code": "CO_NCM", "lodged_at": "CO_ANO"}
    )
    with pytest.raises(TableError, match="monthly aggregates"):
        check(frame, DECLARATIONS, columns=columns)
