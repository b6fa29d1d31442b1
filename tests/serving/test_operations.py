"""What a service answers: the engine's own results, bit for bit."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from smartrisk.schema import ColumnMap
from tests.serving.conftest import as_records, serve_here

ARROW = "application/vnd.apache.arrow.stream"


def as_arrow(items):
    table = pa.Table.from_pandas(items, preserve_index=False)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_arrow(answer):
    with pa.ipc.open_stream(answer.content) as reader:
        return reader.read_all()


def same_bits(rows, scores):
    for name in ("risk_score", "expected_revenue", "score_lower", "score_upper"):
        found = np.array([row[name] for row in rows], float)
        assert found.tobytes() == scores[name].to_numpy().tobytes(), name


def test_one_item_has_the_score_of_the_engine(client, engine, new, records):
    scores = engine.score(new)
    found = [client.post("/score", json=item).json() for item in records[:10]]
    same_bits(found, scores.head(10))
    assert [row["declaration_id"] for row in found] == list(
        scores["declaration_id"].head(10)
    )
    assert {row["model_version"] for row in found} == {engine.version_}


def test_several_items_have_the_scores_of_the_engine_in_their_order(
    client, engine, new, records
):
    answer = client.post("/score", json=records).json()
    same_bits(answer["scores"], engine.score(new))
    assert [row["position"] for row in answer["scores"]] == list(range(len(new)))


def test_a_stream_of_arrow_is_taken_and_given(client, engine, new):
    body = as_arrow(new[[n for n in new if not n.startswith("dq_")]])
    headers = {"Content-Type": ARROW, "Accept": ARROW}
    answer = client.post("/score", content=body, headers=headers)
    assert answer.headers["content-type"] == ARROW
    table = from_arrow(answer)
    same_bits(table.to_pylist(), engine.score(new))
    assert b"smartrisk.model_version" in table.schema.metadata
    plain = client.post("/score", content=body, headers={"Content-Type": ARROW})
    same_bits(plain.json()["scores"], engine.score(new))


def test_an_empty_list_has_an_empty_answer(client):
    answer = client.post("/score", json=[]).json()
    assert answer["scores"] == []
    assert set(answer) == {"scores", "model_version"}


def test_reasons_of_one_item_are_those_of_the_engine_in_the_language(
    client, engine, new, records
):
    reasons = engine.explain(new.head(1), top=2)
    for lang in ("en", "fr", "es"):
        answer = client.post(
            "/explain?top=2", json=records[0], headers={"Accept-Language": lang}
        ).json()
        assert answer["sentences"] == reasons.sentences(lang=lang)[0]
        assert answer["checks"] == reasons.checks(lang=lang)[0]
        same_bits([answer], engine.score(new.head(1)))


def test_reasons_of_several_items_are_those_of_the_engine(client, engine, new, records):
    answer = client.post("/explain", json=records[:5]).json()
    expected = engine.explain(new.head(5)).sentences()
    assert [row["sentences"] for row in answer["reasons"]] == expected
    same_bits(answer["reasons"], engine.score(new.head(5)))


@pytest.mark.parametrize("capacity", ["0.1", "10%", "6"])
def test_decisions_are_those_of_the_engine(client, engine, new, records, capacity):
    answer = client.post("/select", params={"capacity": capacity}, json=records)
    wanted = engine.select(new, 6 if capacity == "6" else 0.1)
    found = pd.DataFrame(answer.json()["decisions"])
    assert list(found["channel"]) == list(wanted["channel"])
    assert found["propensity"].to_list() == wanted["propensity"].to_list()


@pytest.mark.parametrize("capacity", [None, "", "-1", "0.0", "1.5", "nan", "many"])
def test_a_capacity_that_is_none_is_refused(client, records, capacity):
    params = {} if capacity is None else {"capacity": capacity}
    answer = client.post("/select", params=params, json=records)
    assert answer.status_code == 422


def test_all_refused_values_come_at_once_with_their_positions(client, records):
    items = [dict(item) for item in records[:6]]
    items[1]["customs_value"] = "much"
    items[4]["lodged_at"] = "yesterday"
    answer = client.post("/score", json=items)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "validation.table_invalid"
    found = {(f["position"], f["field"]) for f in problem["failures"]}
    assert found == {(1, "customs_value"), (4, "lodged_at")}
    assert problem["n_failures"] == 2


def test_items_that_are_set_aside_are_named_and_the_others_answered(
    client, engine, new, records
):
    items = [dict(item) for item in records[:6]]
    items[1]["customs_value"] = "much"
    answer = client.post("/score?on_error=set_aside", json=items).json()
    assert answer["set_aside"] == [1]
    assert [row["position"] for row in answer["scores"]] == [0, 2, 3, 4, 5]
    assert [(f["position"], f["field"]) for f in answer["failures"]] == [
        (1, "customs_value")
    ]
    same_bits(answer["scores"], engine.score(new.head(6).drop(new.index[1])))
    reasons = client.post("/explain?on_error=set_aside", json=items).json()
    assert [row["position"] for row in reasons["reasons"]] == [0, 2, 3, 4, 5]


def test_one_item_that_is_refused_is_named(client, records):
    answer = client.post("/score", json={**records[0], "customs_value": "much"})
    assert answer.status_code == 422
    assert answer.json()["failures"][0]["field"] == "customs_value"


def test_fields_that_nobody_reads_or_that_lack_are_named(client, records):
    item = {**records[0], "customsvalue": 5.0}
    del item["customs_value"]
    for body in (item, [item]):
        answer = client.post("/score", json=body).json()
        assert answer["ignored_fields"] == ["customsvalue"]
        assert "customs_value" in answer["absent_fields"]
    assert "ignored_fields" not in client.post("/score", json=records[0]).json()


def test_warnings_of_the_engine_are_in_the_answer(client, records):
    items = [{k: v for k, v in r.items() if k != "customs_value"} for r in records]
    for body in (items, items[:2]):
        found = client.post("/score", json=body, headers={"Accept-Language": "es"})
        (warning,) = found.json()["warnings"]
        assert warning["code"] == "engine.columns_absent"
        assert "'customs_value'" in warning["detail"]
        assert "every value counts as missing" not in warning["detail"]
    assert "warnings" not in client.post("/score", json=records).json()


def test_a_problem_is_in_the_language_that_was_asked_for(client, records):
    items = [{**records[0], "customs_value": "much"}]
    headers = {"Accept-Language": "de, fr;q=0.8, en;q=0.2"}
    french = client.post("/score", json=items, headers=headers)
    english = client.post("/score", json=items)
    assert french.headers["content-language"] == "fr"
    assert french.json()["code"] == english.json()["code"]
    assert french.json()["detail"] != english.json()["detail"]


def test_own_names_of_fields_are_read_by_the_map(saved, engine, new, tmp_path):
    names = {"declaration_id": "no", "lodged_at": "fecha", "customs_value": "valor"}
    path = tmp_path / "map.toml"
    ColumnMap(names, day_first=True, decimal=",").to_toml(path)
    items = new.assign(
        lodged_at=new["lodged_at"].dt.strftime("%d/%m/%Y %H:%M:%S"),
        customs_value=new["customs_value"].map(lambda v: str(v).replace(".", ",")),
    )
    rows = as_records(items.rename(columns=names))
    with serve_here(saved, columns=str(path), poll=3600.0) as client:
        one = client.post("/score", json=rows[0]).json()
        several = client.post("/score", json=rows).json()["scores"]
        reasons = client.post("/explain", json=rows[0]).json()
    scores = engine.score(new)
    same_bits([one, reasons], scores.iloc[[0, 0]])
    same_bits(several, scores)


def test_a_map_that_is_none_is_refused_at_the_start(saved):
    from smartrisk.errors import ArgumentError

    with pytest.raises(ArgumentError, match="neither a file nor one of"):
        serve_here(saved, columns="nowhere")


def test_the_service_describes_itself_with_models_and_examples(client):
    about = client.get("/openapi.json").json()
    assert set(about["paths"]) == {
        *("/score", "/explain", "/select", "/update"),
        *("/health", "/version", "/metrics"),
    }
    body = about["paths"]["/score"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", ARROW}
    assert body["application/json"]["example"]["declaration_id"]
    assert "risk_score" in about["components"]["schemas"]["Score"]["required"]


def test_the_example_of_the_description_is_answered(client):
    about = client.get("/openapi.json").json()
    body = about["paths"]["/score"]["post"]["requestBody"]["content"]
    answer = client.post("/score", json=body["application/json"]["example"])
    assert answer.status_code == 200
    assert 0 < answer.json()["risk_score"] < 1


def test_version_and_counts_are_given(client, engine, records):
    import smartrisk

    client.post("/score", json=records[:3])
    assert client.get("/version").json() == {
        "smartrisk": smartrisk.__version__,
        "model_version": engine.version_,
        "target": "hit",
    }
    lines = client.get("/metrics").text.splitlines()
    counts = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(counts['smartrisk_items_total{path="/score"}']) >= 3
    assert float(counts["smartrisk_engine_loads"]) == 1
