"""The Korean set: canonical frames from its files, clear errors without them."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.datasets import load_kcs
from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.schema import DECLARATIONS, OUTCOMES

ROW = {
    "Declaration ID": "97061800",
    "Date": "2020-01-01",
    "Office ID": "016",
    "Process Type": "B",
    "Import Type": "11",
    "Import Use": "21",
    "Payment Type": "0",
    "Mode of Transport": "10",
    "Declarant ID": "ZZR1LT6",
    "Importer ID": "QLRUBN9",
    "Seller ID": "",
    "Courier ID": "",
    "HS6 Code": "10129",
    "Country of Departure": "NA",
    "Country of Origin": "BE",
    "Tax Rate": "8.0",
    "Tax Type": "FEU1",
    "Country of Origin Indicator": "G",
    "Net Mass": "108.0",
    "Item Price": "372254.4",
    "Fraud": "1",
    "Critical Fraud": "2",
}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes rows, each a change of the first, to a file."""

    def write_rows(*changes, name="df_syn_train_eng.csv"):
        rows = [{**ROW, **change} for change in changes]
        pd.DataFrame(rows).to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return write_rows


def test_codes_stay_text_and_get_their_zeros_back(write):
    items = load_kcs(write({})).declarations
    assert items.loc[0, "tariff_code"] == "010129"
    assert items.loc[0, "office"] == "016"
    assert items.loc[0, "departure"] == "NA"
    assert items.loc[0, "procedure"] == "B-11-21"


def test_percent_becomes_a_fraction_and_the_empty_is_missing(write):
    items = load_kcs(write({}, {"Declaration ID": "2", "Net Mass": ""})).declarations
    assert items["duty_rate"].tolist() == [0.08, 0.08]
    assert items["net_mass_kg"].isna().tolist() == [False, True]
    assert items[["consignor_id", "carrier_id"]].isna().all(axis=None)


def test_a_repeated_declaration_gets_item_numbers(write):
    kcs = load_kcs(write({}, {"Declaration ID": "2"}, {}))
    assert kcs.declarations["item_number"].tolist() == [1, 1, 2]
    assert kcs.outcomes["item_number"].tolist() == [1, 1, 2]


def test_a_folder_takes_a_part_and_a_file_does_not(write):
    train = write({})
    write({"Fraud": "0"}, name="df_syn_valid_eng.csv")
    folder = train.parent
    assert load_kcs(folder).outcomes["illicit"].tolist() == [1]
    assert load_kcs(str(folder), part="valid").outcomes["illicit"].tolist() == [0]
    with pytest.raises(ArgumentError, match="goes with a folder"):
        load_kcs(train, part="valid")
    with pytest.raises(ArgumentError, match="'part' must be one of"):
        load_kcs(folder, part="test")


def test_the_error_for_an_absent_file_states_where_to_get_the_set(tmp_path):
    with pytest.raises(
        ArgumentError, match=r"MIT.*Seondong/Customs-Declaration-Datasets"
    ):
        load_kcs(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Tax Rate": "eight"}, "'Tax Rate' must hold numbers; got 'eight'"),
        ({"Date": "01/02/2020"}, "'Date' must hold dates"),
        ({"Fraud": "2"}, "'Fraud' must be 0 or 1; got '2'"),
    ],
)
def test_an_impossible_value_is_refused(write, change, message):
    with pytest.raises(TableError, match=message):
        load_kcs(write({}, change))


def test_another_file_is_refused_by_its_columns(tmp_path):
    other = tmp_path / "other.csv"
    pd.DataFrame({"sgd.id": ["1"]}).to_csv(other, index=False)
    with pytest.raises(TableError, match="has no column 'Declaration ID'"):
        load_kcs(other)


def test_a_loaded_set_shows_itself(write):
    kcs = load_kcs(write({}))
    assert repr(kcs) == "PublicSet(n_items=1, n_results=1)"
    assert "97061800" in kcs._repr_html_()


# ------------------------------------------------------------------ the real set


@pytest.mark.parametrize(
    ("part", "n_items", "year"), [("train", 37_385, 2020), ("valid", 8_134, 2021)]
)
def test_the_real_set_is_complete(kcs_path, part, n_items, year):
    kcs = load_kcs(kcs_path, part=part)
    items, outcomes = kcs.declarations, kcs.outcomes
    assert len(items) == len(outcomes) == n_items
    assert items["lodged_at"].dt.year.unique().tolist() == [year]
    assert items["tariff_code"].str.fullmatch("[0-9]{6}").all()
    assert (items["item_number"] == 1).all()
    assert items["declaration_id"].is_unique
    assert items["declaration_id"].equals(outcomes["declaration_id"])
    assert outcomes["illicit"].mean() == pytest.approx(0.214, abs=0.005)
    assert "known_at" not in outcomes
    assert set(items) <= set(DECLARATIONS.names)
    assert set(outcomes) <= set(OUTCOMES.names)


def test_the_real_set_passes_validation_as_it_is(kcs_path):
    validation = pytest.importorskip("smartrisk.validation")
    items = load_kcs(kcs_path, part="valid").declarations
    with pytest.warns(DataQualityWarning, match="unknown code in .* 'ZZ'"):
        valid = validation.validate(items, DECLARATIONS)
    pd.testing.assert_frame_equal(valid[list(items)], items)
