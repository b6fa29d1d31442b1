"""What moves the scores, and how far the data moved: as tables and as figures."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd

from smartrisk.displays import Display, DriftDisplay, ImportanceDisplay
from smartrisk.engine import RiskEngine
from smartrisk.errors import SmartRiskError, SmartRiskWarning, TrackingWarning
from smartrisk.explanations import importance
from smartrisk.monitoring import drift
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS
from smartrisk.tables import to_pandas
from smartrisk.tracking._contents import to_jsonable

#: Items whose reasons are computed: the mean size of a contribution is then known to
#: some 5 %, and the reasons take less time than drawing the figure.
_MOST_ITEMS = 300
#: Contexts of data sets: what the engine learned from, and what it is judged by.
_PAST, _LATER = "training", "evaluation"


def find_findings(
    engine: RiskEngine, declarations: object
) -> dict[str, tuple[Result, Display]]:
    """Return the importance of fields and the drift between the data sets, if any.

    Warns
    -----
    TrackingWarning
        If the data cannot be read as DECLARATIONS: the run goes on without.
    """
    if declarations is None:
        return {}
    given = declarations if isinstance(declarations, Mapping) else {_PAST: declarations}
    tables = {str(context): to_pandas(table) for context, table in given.items()}
    found: dict[str, tuple[Result, Display]] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmartRiskWarning)  # of data judged before
            table = tables.get(_LATER, tables.get(_PAST))
            if table is not None and len(table):
                sample = table.sample(min(len(table), _MOST_ITEMS), random_state=0)
                sizes = importance(engine.explain(sample), "field")
                found["importance"] = sizes, ImportanceDisplay.from_importance(sizes)
            if {_PAST, _LATER} <= set(tables):
                moved = drift(_keep_known(tables[_PAST]), _keep_known(tables[_LATER]))
                found["drift"] = moved, DriftDisplay.from_drift(moved)
    except SmartRiskError as error:
        warnings.warn(
            TrackingWarning(
                "tracking.findings_left_out",
                "log_run: importance or drift is not logged: {problem}",
                problem=str(error),
            ),
            stacklevel=3,
        )
    return found


def _keep_known(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are fields of DECLARATIONS."""
    return table[[name for name in DECLARATIONS.names if name in table]]


def log_findings(client: Any, run: Any, found: Mapping[str, tuple[Any, Any]]) -> None:
    """Log each finding as JSON and as a figure."""
    for name, (result, display) in found.items():
        table = result.frame()
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        text = json.dumps(to_jsonable(rows), indent=1)
        client.log_text(run.info.run_id, text, f"{name}/{name}.json")
        figure = display.plot().figure_
        client.log_figure(run.info.run_id, figure, f"{name}/{name}.png")
