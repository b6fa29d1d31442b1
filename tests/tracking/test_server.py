"""Against MLflow's own processes: a tracking server, and a served model."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request

import numpy as np
import pandas as pd
import pytest

from smartrisk.tracking import load, log_run, promote

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX"),
]


def test_a_run_goes_to_a_server_and_the_engine_comes_back(
    engine, judged, past_and_new, mlflow_server
):
    uri = mlflow_server
    run = log_run(
        engine,
        evaluation=judged[1],
        declarations=past_and_new[0],
        tracking_uri=uri,
        registered_model_name="customs-risk",
    )
    champion = promote(run, "customs-risk", at_least={"roc_auc": 0.5})
    for named in (run, run.run_id, champion):
        again = load(named, tracking_uri=uri)
        pd.testing.assert_frame_equal(again.score(past_and_new[1]), judged[0])
    assert uri in str(run)


def post(url, body, kind="application/json"):
    request = urllib.request.Request(
        url, data=body.encode(), headers={"Content-Type": kind}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())["predictions"]


def test_a_served_engine_answers_with_the_same_scores(
    logged, engine, past_and_new, tmp_path, mlflow_process
):
    run_mlflow, free_port = mlflow_process
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    assert f"mlflow models serve -m {logged.serve_uri} " in str(logged)
    words = ["models", "serve", "-m", logged.serve_uri]  # no address of a store
    words += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    new = past_and_new[1]
    new = pd.concat([new[new["tariff_code"].str.startswith("0")].head(5), new.head(35)])
    new = new.drop_duplicates(["declaration_id", "item_number"])
    assert new["tariff_code"].str.startswith("0").any()
    expected = engine.score(new)
    rows = new.assign(lodged_at=new["lodged_at"].astype(str)).astype(object)
    rows = rows.where(rows.notna(), None)
    new.to_csv(tmp_path / "new.csv", index=False)
    cells = pd.read_csv(tmp_path / "new.csv", dtype=str, keep_default_na=False)
    split = rows.to_dict("split")
    bodies = {
        "records": {"dataframe_records": rows.to_dict("records")},
        "split": {"dataframe_split": {k: split[k] for k in ("columns", "data")}},
        "cells of a csv": {"dataframe_records": cells.to_dict("records")},
    }
    with run_mlflow(words, tmp_path, f"{url}/ping", {}):
        for name, body in bodies.items():
            answer = pd.DataFrame(post(f"{url}/invocations", json.dumps(body)))
            for column in ("risk_score", "expected_revenue"):
                left, right = answer[column].to_numpy(), expected[column].to_numpy()
                assert np.array_equal(left, right), name
        one = json.dumps({"dataframe_records": rows.head(1).to_dict("records")})
        answer = pd.DataFrame(post(f"{url}/invocations", one))
        assert answer["risk_score"].tolist() == expected["risk_score"].head(1).tolist()
        body = {**bodies["records"], "params": {"capacity": 4.0, "explain": True}}
        answer = pd.DataFrame(post(f"{url}/invocations", json.dumps(body)))
        assert (answer["channel"] != "green").sum() == 4
        assert answer["reasons"].str.len().gt(0).any()
        item = {"declaration_id": "A", "tariff_code": "010121", "customs_value": 1.0}
        broken = {"dataframe_records": [item]}
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(f"{url}/invocations", json.dumps(broken))
        assert caught.value.code == 400
        assert "lodged_at" in caught.value.read().decode()
