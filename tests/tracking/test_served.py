"""The logged model as MLflow loads it, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def model(logged):
    mlflow.set_tracking_uri(logged.tracking_uri)
    yield mlflow.pyfunc.load_model(logged.model_uri)
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def new(past_and_new):
    items = past_and_new[1].head(300)
    assert items["tariff_code"].str.startswith("0").any()
    return items


def check_equal(answer, scores):
    assert list(answer["declaration_id"]) == list(scores["declaration_id"])
    for name in ("risk_score", "expected_revenue"):
        left, right = np.asarray(answer[name], float), scores[name].to_numpy()
        assert left.tobytes() == right.tobytes()


def through_json(model, records):
    """Return the answer to records as MLflow's server reads and checks them."""
    from mlflow.pyfunc.scoring_server import infer_and_parse_data

    text = json.dumps({"dataframe_records": records})
    parsed = infer_and_parse_data(json.loads(text), model.metadata.get_input_schema())
    return model.predict(parsed)


def test_predictions_are_bit_identical_to_the_scores(model, engine, new):
    answer = model.predict(new)
    check_equal(answer, engine.score(new))
    assert {str(t) for t in answer.dtypes} == {"object", "int64", "float64"}


def test_whole_numbers_texts_and_missing_values_are_accepted(model, engine, new):
    items = new.copy()
    items["customs_value"] = items["customs_value"].round() + 1
    items.loc[items.index[3], "trusted_trader"] = pd.NA
    loose = items.astype({"customs_value": "int64", "office": "category"})
    loose["lodged_at"] = items["lodged_at"].astype(str)
    loose["office"] = loose["office"].astype(str)
    check_equal(model.predict(loose), engine.score(items))


def test_records_of_json_keep_zeros_and_give_the_same_scores(model, engine, new):
    rows = new.assign(lodged_at=new["lodged_at"].astype(str)).astype(object)
    records = rows.where(rows.notna(), None).to_dict("records")
    check_equal(through_json(model, records), engine.score(new))


def test_cells_of_a_csv_sent_as_text_give_the_same_scores(model, engine, new, tmp_path):
    new.to_csv(tmp_path / "new.csv", index=False)
    cells = pd.read_csv(tmp_path / "new.csv", dtype=str, keep_default_na=False)
    check_equal(through_json(model, cells.to_dict("records")), engine.score(new))


def test_a_capacity_adds_decisions(model, engine, new):
    answer = model.predict(new, params={"capacity": 0.1})
    assert (answer["channel"] != "green").sum() == 30
    expected = engine.select(new, capacity=0.1)["channel"]
    assert list(answer["channel"]) == list(expected)
    by_number = model.predict(new, params={"capacity": 12.0})
    assert (by_number["channel"] != "green").sum() == 12
    assert by_number["selected_by"].isna().sum() == len(new) - 12
    assert by_number["selected_by"].dtype == object


def test_reasons_come_when_asked_for(model, new):
    answer = model.predict(new.head(5), params={"explain": True})
    assert answer["reasons"].map(type).eq(str).all()
    assert "reasons" not in model.predict(new.head(5))


def test_a_missing_or_misnamed_column_is_an_error_not_a_score(model, new):
    with pytest.raises(Exception, match="customs_value"):
        model.predict(new.rename(columns={"customs_value": "customsvalue"}))


def test_all_columns_are_optional_to_mlflow(model):
    schema = model.metadata.get_input_schema()
    assert schema.required_input_names() == []
    assert "tariff_code" in schema.input_names()


def test_the_example_request_is_answered(model, logged, engine):
    place = Path(logged.tracking_uri.removeprefix("sqlite:///")).parent
    path = next(place.rglob("serving_input_example.json"))
    split = json.loads(path.read_text(encoding="utf-8"))["dataframe_split"]
    records = pd.DataFrame(**split).to_dict("records")
    check_equal(through_json(model, records), engine.score(engine.input_example()))
