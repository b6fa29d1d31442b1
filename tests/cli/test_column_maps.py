"""A map of the library, and a map with its own tables, on the command line."""

from __future__ import annotations

import pandas as pd

TAXES = ("ADV", "IGV", "ISC", "IPM", "DES", "IPA", "SAD")


def peru(path):
    """Write two items in the layout of Peru."""
    frame = pd.DataFrame(
        {
            "CODI_ADUAN": [17, 18],
            "ANO_PRESE": 2024,
            "NUME_CORRE": [1, 2],
            "NUME_SERIE": 1,
            "FECH_INGSI": "20240301",
            "LIBR_TRIBU": ["A", "B"],
            "PART_NANDI": "6403990000",
            "FOB_DOLPOL": [10, 20],
            "FLE_DOLAR": 1,
            "SEG_DOLAR": 1,
            **{f"{tax}_DOLAR": 1 for tax in TAXES},
            "PESO_NETO": 3,
            "PAIS_ORIGE": "CN",
            "VIA_TRANSP": 1,
            "NOTA": "x",
        }
    )
    frame.to_csv(path, index=False)


def test_a_map_of_the_library_is_named_by_its_name(run, tmp_path):
    peru("ma.csv")
    status, out, _ = run(
        "validate", "ma.csv", "--columns", "peru_sunat", "--out", "c.csv"
    )
    assert status == 0
    assert "the optional columns 'CODI_AGENT'" in out
    assert "no field takes the columns 'NOTA'" in out
    found = pd.read_csv("c.csv")
    assert found["declaration_id"].tolist() == ["017-2024-000001", "018-2024-000002"]
    assert found["customs_value"].tolist() == [12.0, 22.0]
    assert found["duties_taxes"].tolist() == [7.0, 7.0]


def test_a_reference_is_read_from_the_folder_of_the_map(run, tmp_path):
    peru("ma.csv")
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "traders.csv").write_text(
        "ruc,estado,desde,registrado\nA,bueno,2024-01-01,2024-01-01\n"
        "A,malo,2024-02-01,2024-03-02\n"
    )
    text = """
date_format = {lodged_at = "%Y%m%d"}
own_fields = {standing = "code"}
[mapping]
declaration_id = "NUME_CORRE"
lodged_at = "FECH_INGSI"
tariff_code = "PART_NANDI"
importer_id = "LIBR_TRIBU"
[[references]]
name = "traders"
file = "traders.csv"
key = {importer_id = "ruc"}
take = {standing = "estado"}
valid_from = "desde"
recorded_at = "registrado"
"""
    (folder / "map.toml").write_text(text)
    status, out, _ = run(
        "validate", "ma.csv", "--columns", "maps/map.toml", "--out", "c.csv"
    )
    assert status == 0
    assert pd.read_csv("c.csv")["standing"].fillna("").tolist() == ["BUENO", ""]
    assert "'traders' has no row for 1 of 2 items, by 'importer_id': 'B'" in out
