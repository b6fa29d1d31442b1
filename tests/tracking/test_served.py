"""The logged model as MLflow loads it, in this process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import zipfile
from pathlib import Path
from typing import ClassVar

import mlflow
import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import DataQualityWarning
from smartrisk.schema import SCORES


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


def test_a_missing_or_misnamed_column_is_stated_in_the_answer(model, new):
    with pytest.warns(DataQualityWarning, match="customs_value"):
        answer = model.predict(new.rename(columns={"customs_value": "customsvalue"}))
    assert set(answer["absent_fields"]) == {"customs_value"}
    assert "absent_fields" not in model.predict(new.head(3))


def test_all_columns_are_optional_to_mlflow(model):
    schema = model.metadata.get_input_schema()
    assert schema.required_input_names() == []
    assert "tariff_code" in schema.input_names()


@pytest.mark.parametrize("n_items", [3, 40])  # one by one, and as a table
def test_the_signature_has_every_column_of_the_answer(model, new, n_items):
    schema = model.metadata.get_output_schema()
    required = set(schema.required_input_names())
    assert set(SCORES.names) == set(schema.input_names())
    answer = model.predict(new.head(n_items))
    assert required <= set(answer) <= set(schema.input_names())
    assert {"score_lower", "score_upper", "scored_at"} <= set(answer)
    types = {"double": "float64", "long": "int64", "string": "object"}
    for column in answer:
        kind = schema.input_dict()[column].type.name
        assert str(answer[column].dtype) == types[kind], column


def test_the_example_request_is_answered(model, logged, engine):
    place = Path(logged.tracking_uri.removeprefix("sqlite:///")).parent
    path = next(place.rglob("serving_input_example.json"))
    split = json.loads(path.read_text(encoding="utf-8"))["dataframe_split"]
    records = pd.DataFrame(**split).to_dict("records")
    check_equal(through_json(model, records), engine.score(engine.input_example()))


# ----------------------------------------------------------- what score takes


def as_integers(items):
    """Return items whose offices are whole numbers, as many systems keep them."""
    numbers, _ = pd.factorize(items["office"])
    return items.assign(office=numbers + 17)


def with_gaps(items):
    """Return items some of whose numbered offices are missing, among objects."""
    offices = as_integers(items)["office"].astype(object)
    offices.iloc[::7] = None
    return items.assign(office=offices)


FORMS = {
    "an office as a whole number": as_integers,
    "numbered offices with gaps": with_gaps,
    "categories": lambda items: items.astype(
        {"office": "category", "origin": "category", "tariff_code": "category"}
    ),
    "numbers as whole numbers": lambda items: items.assign(
        customs_value=items["customs_value"].round().astype("int64") + 1
    ),
    "without a column that was never learned": lambda items: items.drop(
        columns=["item_number"]
    ),
    "more columns": lambda items: items.assign(remark="seen"),
    "another index": lambda items: items.set_axis(items["declaration_id"], axis=0),
}


@pytest.mark.parametrize("n_items", [1, 5, 40])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_model_takes_what_score_takes(model, engine, new, form, n_items):
    items = FORMS[form](new.head(n_items))
    check_equal(model.predict(items), engine.score(items))


def test_records_and_single_items_are_taken_as_they_are(model, engine, new):
    scores = engine.score(new.head(3))
    records = new.head(3).to_dict("records")
    check_equal(model.predict(records), scores)
    check_equal(model.predict(records[:1]), scores.head(1))
    check_equal(through_json(model, as_json(new.head(1))), scores.head(1))


def as_json(items):
    rows = items.assign(lodged_at=items["lodged_at"].astype(str)).astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


@pytest.fixture(scope="module")
def entry(model):
    """Return the module that MLflow runs."""
    return sys.modules[type(model.unwrap_python_model()).__module__]


def test_few_items_are_scored_without_a_table_and_bit_identical(entry, engine, new):
    class OneByOne:
        features_ = engine.features_
        score_one = engine.score_one
        clock = engine.clock

    rows = as_json(new)
    expected = entry.plain_frame(engine.score(new))
    found = [
        entry.score(OneByOne(), pd.DataFrame(rows[start : start + 8]))
        for start in range(0, len(rows), 8)
    ]
    answer = entry.plain_frame(pd.concat(found, ignore_index=True))
    pd.testing.assert_frame_equal(answer, expected, check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "it"},
        {"lodged_at": "14/05/2024"},
        {"lodged_at": "2024-02-31T10:00:00"},
        {"customs_value": -1.0},
        {"own": "field"},
        {"flow": "export"},
    ],
    ids=str,
)
def test_what_needs_a_check_is_left_to_the_engine(entry, engine, new, change):
    class Batch:
        features_ = engine.features_
        own_fields_: ClassVar = {}

        def score(self, items):
            return "checked"

    for items in (pd.DataFrame(as_json(new.head(1))), new.head(1)):
        assert entry.score(Batch(), items.astype(object).assign(**change)) == "checked"
    twice = pd.concat([new.head(1)] * 2)
    assert entry.score(Batch(), twice) == "checked"


def test_moments_with_parts_of_seconds_and_codes_as_numbers_need_no_table(
    entry, engine, new
):
    class OneByOne:
        features_ = engine.features_
        score_one = engine.score_one
        explain_one = engine.explain_one
        clock = engine.clock

    rows = new.head(5).reset_index(drop=True)
    sent = pd.DataFrame(as_json(rows))
    sent["lodged_at"] += ".000"
    sent["office"] = sent["office"].astype(int)
    check_equal(entry.score(OneByOne(), sent), engine.score(rows))
    assert entry.explain(OneByOne(), sent) == engine.explain(rows).sentences()


def test_a_learned_column_may_be_missing_as_for_score(model, engine, new):
    items = new.head(2).drop(columns="consignor_id")
    with pytest.warns(DataQualityWarning, match="'consignor_id'"):
        scores = engine.score(items)
    with pytest.warns(DataQualityWarning, match="'consignor_id'"):
        check_equal(model.predict(items), scores)


def test_an_item_that_cannot_be_read_is_named_on_the_quick_path_too(model, new):
    wrong = new.head(1).astype({"customs_value": object}).assign(customs_value="much")
    with pytest.raises(Exception, match=r"customs_value.*much"):
        model.predict(wrong)


# -------------------------------------------------------------- what is stored


def model_folder(logged):
    return Path(urllib.parse.unquote(urllib.parse.urlsplit(logged.artifact_uri).path))


def test_the_example_is_where_mlflow_looks_for_it(model, logged, engine):
    import mlflow.models

    about = mlflow.models.Model.load(str(model_folder(logged)))
    assert about.saved_input_example_info["artifact_path"] == "input_example.json"
    example = about.load_input_example(str(model_folder(logged)))
    check_equal(model.predict(example), engine.score(engine.input_example()))
    serving = about.get_serving_input(str(model_folder(logged)))
    assert list(json.loads(serving)) == ["dataframe_split"]


def test_the_model_holds_few_files(logged):
    files = [path for path in model_folder(logged).rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".py"]) == 1
    assert len(files) <= 25


def test_the_code_of_a_model_is_the_same_file_for_the_same_code(tmp_path):
    from smartrisk.tracking._archive import write_code

    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = (write_code(tmp_path / name) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_a_process_that_runs_other_code_is_warned(logged, tmp_path):
    folder = shutil.copytree(model_folder(logged), tmp_path / "model")
    archive = next((folder / "code").glob("*.zip"))
    with zipfile.ZipFile(archive, "a") as content:
        content.writestr("smartrisk/newer.py", "NEWER = True\n")
    with pytest.warns(UserWarning, match=r"1 files differ.*smartrisk/newer\.py"):
        mlflow.pyfunc.load_model(str(folder))


SERVE = """
import sys, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
import smartrisk
sys.stdout.write(smartrisk.__file__ + "|" + smartrisk.WHAT_IS_SERVED + "|")
sys.stdout.write(model.predict(model.input_example).to_json(orient="records"))
"""


@pytest.mark.slow
def test_what_is_served_is_the_code_that_was_logged(logged, engine, tmp_path):
    folder = shutil.copytree(model_folder(logged), tmp_path / "model")
    archive = next((folder / "code").glob("*.zip"))
    with zipfile.ZipFile(archive) as content:
        files = {name: content.read(name) for name in content.namelist()}
    files["smartrisk/__init__.py"] += b'\nWHAT_IS_SERVED = "the logged code"\n'
    with zipfile.ZipFile(archive, "w") as content:
        for name, data in files.items():
            content.writestr(name, data)
    # Whatever else is installed: here a package of the same name that does not work.
    (tmp_path / "installed" / "smartrisk").mkdir(parents=True)
    (tmp_path / "installed" / "smartrisk" / "__init__.py").write_text("1 / 0")
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(folder)],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    place, what, answer = done.stdout.split("|", 2)
    assert "smartrisk-code-" in place
    assert what == "the logged code"
    expected = engine.score(engine.input_example())
    found = pd.DataFrame(json.loads(answer))
    assert found["risk_score"].tolist() == pytest.approx(
        expected["risk_score"].tolist(), abs=1e-9
    )


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
def test_a_forked_worker_that_ends_leaves_the_code_to_the_others(tmp_path):
    from smartrisk._mlflow_entry import _remove_code

    _remove_code(str(tmp_path), os.getpid() + 1)
    assert tmp_path.exists()
    _remove_code(str(tmp_path), os.getpid())
    assert not tmp_path.exists()
