"""What a run states about its data and its evaluation: counts and shares, no row.

It is what a use case is described with. No party, no declaration, no value of a field
that could name one is among it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.engine import RiskEngine
from smartrisk.evaluation import Evaluation
from smartrisk.schema import DECLARATIONS
from smartrisk.tables import to_pandas
from smartrisk.tracking._contents import to_jsonable

FACTS_FILE = "facts.json"
#: Items, hits or controls below which a count is left out.
LEAST = 10
#: Segments whose values name a country, a class of goods or a class of size; the values
#: of any other segment are an administration's own and are left out.
_SHARED_SEGMENTS = {
    "origin": re.compile(r"[A-Z]{2}|other|missing"),
    "section": re.compile(r"[IVX]{1,5}|other|missing"),
    "importer_size": re.compile(r"new|1-9|10-99|100 or more|missing"),
    "importer_novelty": re.compile(r"new|known|missing"),
}
_COLUMNS = ("segment", "value", "rate", "n_items", "n_inspected", "precision")


def find_facts(
    engine: RiskEngine, results: Sequence[Any], declarations: object
) -> dict[str, Any]:
    """Return what is known of the data, the stage and the evaluation."""
    given = declarations if isinstance(declarations, Mapping) else {}
    if declarations is not None and not given:
        given = {"training": declarations}
    evaluation = next((one for one in results if isinstance(one, Evaluation)), None)
    report = engine.stage_report_
    return {
        "data": {
            str(context): _describe(to_pandas(table))
            for context, table in given.items()
            if str(context) in ("training", "evaluation")
        },
        "stage": {"name": engine.stage_}
        if report is None
        else {
            "name": report.stage,
            "n_results": report.n_results,
            "n_hits": report.n_hits,
            "signals_weight": report.signals_weight,
        },
        "members": [
            str(member.name) for member in getattr(engine.classifier_, "members_", ())
        ],
        "evaluation": {} if evaluation is None else _describe_evaluation(evaluation),
    }


def _describe(table: pd.DataFrame) -> dict[str, Any]:
    """Return number, months and fields of some items."""
    fields = [name for name in DECLARATIONS.names if name in table]
    about: dict[str, Any] = {"n_items": len(table), "fields": fields}
    if "lodged_at" in table and len(table):
        days = pd.to_datetime(table["lodged_at"], errors="coerce").dropna()
        if len(days):
            about["first_month"] = f"{days.min():%Y-%m}"
            about["last_month"] = f"{days.max():%Y-%m}"
    return about


def _describe_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an evaluation, its segments and its messages."""
    overall = evaluation.overall()
    table = evaluation.by_segment()
    is_shared = [
        segment in _SHARED_SEGMENTS
        and _SHARED_SEGMENTS[segment].fullmatch(str(value)) is not None
        for segment, value in zip(table["segment"], table["value"], strict=True)
    ]
    kept = table[np.array(is_shared, dtype=bool)]  # an empty list would name columns
    kept = kept[kept["n_inspected"] >= LEAST]
    return {
        "overall": {str(name): float(value) for name, value in overall.items()},
        "revenue": evaluation.revenue,
        "messages": [message.template for message in evaluation.messages],
        "segments": kept[list(_COLUMNS)].to_dict("records"),
    }


def log_facts(client: Any, run: Any, facts: Mapping[str, Any]) -> None:
    """Log the facts as a file of the run."""
    client.log_dict(run.info.run_id, to_jsonable(facts), FACTS_FILE)
