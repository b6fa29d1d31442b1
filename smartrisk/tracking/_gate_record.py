"""Where a comparison is kept: metrics and a table of the run, tags of the version."""

from __future__ import annotations

import math
import time
from typing import Any

from smartrisk.tracking._champions import now
from smartrisk.tracking._contents import describe_data
from smartrisk.tracking._gate import Judgement
from smartrisk.tracking._steps import log_inputs
from smartrisk.tracking._store import import_mlflow

#: Start of the metrics; MLflow shows those before a slash as a group.
_GROUP = "gate/"


def record_judgement(
    client: Any,
    model: Any,
    name: str,
    version: str,
    judgement: Judgement,
    by: str,
    reason: str,
) -> None:
    """Log a comparison to the run of the challenger and to its version."""
    _log_to_run(client, model, version, judgement)
    gate = judgement.gate
    tags = {
        "by": by,
        "reason": reason,
        "at": now(),
        "gate": f"{gate.metric} > {gate.min_gain:g} at {gate.confidence:g}",
        "judged_on": str(judgement.data),
        "judged_against": f"version {judgement.champion}"
        if judgement.champion
        else "no champion",
        "passed": str(judgement.passed).lower(),
    }
    tags |= {k: f"{v:.6g}" for k, v in _figures(judgement).items()}
    for key, value in tags.items():
        client.set_model_version_tag(name, version, f"smartrisk.{key}", value)


def _figures(judgement: Judgement) -> dict[str, float]:
    """Return the figures of the metric of the gate by short names."""
    figures = {"challenger": judgement.challenger}
    gain = judgement.gain
    if gain is not None:
        figures |= {"champion": gain.champion, "gain": gain.gain}
        figures |= {"gain_low": gain.low, "gain_high": gain.high}
    return figures


def _log_to_run(client: Any, model: Any, version: str, judgement: Judgement) -> None:
    """Log metrics, the digest of the judged items, and the table of all metrics."""
    run_id = model.source_run_id
    if run_id is None:
        return
    data = describe_data({"gate": judgement.data.judged})["gate"]
    log_inputs(client, client.get_run(run_id), {"gate": data})
    names = {
        f"{_GROUP}{judgement.gate.metric}_{k}": v
        for k, v in _figures(judgement).items()
    }
    names[f"{_GROUP}n_items"] = float(len(judgement.data.judged))
    make_metric = import_mlflow().entities.Metric
    at = int(time.time() * 1000)
    batch = [
        make_metric(
            key,
            value,
            at,
            0,
            model_id=model.model_id,
            dataset_name=data.name,
            dataset_digest=data.digest,
            run_id=run_id,
        )
        for key, value in names.items()
        if math.isfinite(value)
    ]
    client.log_batch(run_id, metrics=batch)
    table = judgement.table.to_csv(index=False, lineterminator="\n")
    client.log_text(run_id, table, f"gate/version-{version}.csv")
