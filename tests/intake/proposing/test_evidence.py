"""Names propose and values decide: what a proposal takes, leaves out, and doubts."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, TableError
from smartrisk.intake import propose_map
from smartrisk.intake._headers import rate_header
from smartrisk.schema import OUTCOMES
from smartrisk.validation import validate


def goods(n=120, **columns):
    """Return items of two-item documents, and further columns."""
    frame = pd.DataFrame(
        {
            "DECL_NO": [f"D{k // 2}" for k in range(n)],
            "ITEM_NO": [str(1 + k % 2) for k in range(n)],
            "REG_DATE": [
                f"2024-0{1 + k // 40}-{1 + k // 2 % 20:02d}" for k in range(n)
            ],
            "HS_CODE": [f"{8401 + k % 13}1000" for k in range(n)],
            "CIF_VALUE": [f"{100.5 + 7 * k}" for k in range(n)],
        }
    )
    return frame.assign(**{k: list(v)[:n] for k, v in columns.items()})


def part(proposal, field):
    """Return the part of a field, or None."""
    return next((p for p in proposal.fields if p.field == field), None)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("TAX_IDENTIFICATION_NUMBER", "importer_id"),
        ("Numéro de déclaration", "declaration_id"),
        ("FECH_INGSI", "lodged_at"),
        ("PART_NANDI", "tariff_code"),
        ("Страна происхождения", "origin"),
        ("Menşe Ülke", "origin"),
        ("ValorAduana", "customs_value"),
        ("PESONETO", "net_mass_kg"),
        ("Taux DD (%)", "duty_rate"),
    ],
)
def test_a_header_in_another_language_names_its_field(header, field):
    assert rate_header(header, field) >= 0.7
    others = ("carrier_id", "gross_mass_kg", "departure", "quantity_unit")
    assert all(rate_header(header, other) < 0.5 for other in others)


def test_a_column_that_is_all_zero_is_left_out_under_the_best_name():
    frame = goods(
        NET_WEIGHT=["0"] * 120, NET_WT_KG=[str(1 + k % 50) for k in range(120)]
    )
    proposal = propose_map(frame)
    assert proposal.columns.mapping["net_mass_kg"] == "NET_WT_KG"


def test_the_total_of_a_document_is_not_the_value_of_an_item():
    frame = goods().rename(columns={"CIF_VALUE": "AMOUNT_ITEM"})
    frame["CIF_VALUE"] = [str(1000.5 * (1 + k // 2 % 50)) for k in range(120)]
    proposal = propose_map(frame)
    assert proposal.columns.mapping["customs_value"] == "AMOUNT_ITEM"


def test_names_that_mean_something_else_give_way_to_values():
    frame = goods(FLUX=["1", "4", "3"] * 40, PAYMENT_DATE=["2024-06-01"] * 120)
    proposal = propose_map(frame)
    assert proposal.columns.mapping["transport_mode"] == "FLUX"
    assert proposal.columns.mapping["lodged_at"] == "REG_DATE"
    assert "flow" not in proposal.columns.mapping


def test_two_columns_that_fit_equally_are_reported():
    usd = [str(10.25 + k * k) for k in range(120)]
    frame = goods().rename(columns={"CIF_VALUE": "CIF_NGN"}).assign(CIF_USD=usd)
    doubtful = part(propose_map(frame), "customs_value")
    assert doubtful.columns == ("CIF_NGN",)
    assert doubtful.alternatives == ("CIF_USD",)
    assert not doubtful.sure


def test_parts_of_the_value_are_summed_where_no_column_is_their_sum():
    fob = [str(100 + k) for k in range(120)]
    freight = [f"{3.25 + k % 7}" for k in range(120)]
    frame = goods(FOB=fob, FREIGHT=freight, INSURANCE=["1"] * 120)
    frame = frame.drop(columns="CIF_VALUE")
    sums = propose_map(frame).columns.sums["customs_value"]
    assert [amount.column for amount in sums] == ["FOB", "FREIGHT", "INSURANCE"]


def test_a_number_that_an_office_gives_again_is_joined_with_office_and_year():
    frame = goods().drop(columns="DECL_NO")
    frame.insert(0, "OFFICE", ["011", "020"] * 60)
    frame.insert(1, "YEAR", ["2024"] * 120)
    frame.insert(2, "SERIAL_NO", [f"{k // 2:05d}" for k in range(120)])
    frame["OFFICE"] = [["011", "020"][k // 2 % 2] for k in range(120)]
    join = propose_map(frame).columns.join["declaration_id"]
    assert join.columns == ("OFFICE", "YEAR", "SERIAL_NO")


def test_number_and_item_in_one_field_are_split():
    frame = goods().drop(columns="ITEM_NO")
    frame["DECL_NO"] = [f"00{k // 2 + 1000} | {1 + k % 2}" for k in range(120)]
    split = propose_map(frame).columns.split[0]
    assert (split.fields, split.separator) == (("declaration_id", "item_number"), "|")


def test_days_and_months_that_nothing_distinguishes_are_asked():
    dates = [f"{1 + k // 2 % 12:02d}/{1 + k // 2 % 9:02d}/2024" for k in range(120)]
    proposal = propose_map(goods(REG_DATE=dates))
    asked = part(proposal, "day_first")
    assert "no day is past the 12th" in str(asked.doubts[0])
    answered = proposal.answer("day_first", False)
    assert answered.columns.day_first is False
    assert part(answered, "day_first").sure
    with pytest.raises(ArgumentError, match="'origine'"):
        proposal.answer("origine", "HS_CODE")


def test_a_vendors_number_of_rows_stands_for_the_declaration_with_a_doubt():
    frame = goods().drop(columns=["DECL_NO", "ITEM_NO"])
    frame["RECORD_ID"] = [f"{k:08x}" for k in range(120)]
    key = part(propose_map(frame), "declaration_id")
    assert key.columns == ("RECORD_ID",)
    assert "stands for the declaration" in " ".join(map(str, key.doubts))


def test_values_that_validation_refuses_are_marked():
    frame = goods()
    frame.loc[::10, "CIF_VALUE"] = "see invoice"
    doubts = part(propose_map(frame), "customs_value").doubts
    assert any("validation refuses 12 rows" in str(doubt) for doubt in doubts)


def test_results_of_a_further_table_get_a_map_that_reads_them():
    results = pd.DataFrame(
        {
            "N° DECL": [f"D{k}" for k in range(40)],
            "CIRCUIT": ["Rouge", "Jaune"] * 20,
            "DATE CONTROLE": [f"{1 + k % 28:02d}/03/2024" for k in range(40)],
            "INFRACTION CONSTATEE": ["Oui", "Non", "Non", "Non"] * 10,
            "MONTANT REDRESSE": ["1 200,50", "0", "0", "0"] * 10,
            "MATRICULE VERIFICATEUR": [f"V{k % 5}" for k in range(40)],
        }
    )
    proposal = propose_map(goods(), results).results
    read = validate(results, OUTCOMES, columns=proposal.columns)
    assert read["illicit"].sum() == 10
    assert read["revenue_adjustment"].max() == 1200.5
    assert set(read["channel"]) == {"red", "yellow"}
    assert {"inspected_at", "officer_id"} <= set(read)


def test_columns_that_no_field_takes_and_fields_without_a_column_are_named():
    proposal = propose_map(goods(SHOE_SIZE=["41"] * 120))
    assert "SHOE_SIZE" in proposal.unused
    assert "origin" in proposal.not_carried
    text = proposal.to_toml()
    assert "SHOE_SIZE" in text
    assert "origin" in text


def test_a_table_without_anything_of_declarations_is_refused():
    frame = pd.DataFrame(
        {"song": ["a", "b"] * 20, "plays": [str(k) for k in range(40)]}
    )
    with pytest.raises(TableError, match="no column looks like one of declarations"):
        propose_map(frame)


def test_a_known_layout_is_proposed_its_map(layouts):
    proposal = propose_map(layouts("peru").frame)
    assert proposal.questions == ()
    assert "peru_sunat" in str(part(proposal, "lodged_at").evidence[0])


def test_amounts_beside_several_currencies_are_doubted():
    several = goods(CUR=["USD", "EUR"] * 60)
    doubts = " ".join(map(str, part(propose_map(several), "customs_value").doubts))
    assert "'CUR' names several currencies" in doubts
    assert (
        'currency = your own, and [convert.customs_value] with currency_column = "CUR"'
        in doubts
    )
    one = goods(CUR=["USD"] * 120)
    assert part(propose_map(one), "customs_value").sure


def test_the_only_day_is_proposed_and_marked_and_one_of_a_payment_is_not():
    days = goods()["REG_DATE"]
    only = goods().drop(columns="REG_DATE").assign(XQZ=days)
    found = part(propose_map(only), "lodged_at")
    assert (found.columns, found.sure) == (("XQZ",), False)
    paid = goods().drop(columns="REG_DATE").assign(DATE_PAIEMENT=days)
    assert part(propose_map(paid), "lodged_at").columns != ("XQZ",)
    two = only.assign(WVU=days.str.replace("2024", "2023"))
    found = part(propose_map(two), "lodged_at")
    assert (found.columns, found.alternatives) == ((), ("XQZ", "WVU"))


def test_words_of_results_that_validation_does_not_know_are_marked():
    marked = goods(EXAM_RESULT=["xx", "yy"] * 60)
    assert "(not true or false)" in " ".join(
        map(str, part(propose_map(marked), "illicit").doubts)
    )


def test_french_comments_hold_no_escapes():
    text = propose_map(goods()).to_toml(lambda message: f"oui\u202f: {message}")
    assert "oui\u202f: " in text
    assert "u202f" not in text
