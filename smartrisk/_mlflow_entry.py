"""What MLflow runs when it loads a logged engine: code and a checked folder, no pickle.

MLflow copies this file next to the model and executes it. The engine's folder is read
by `RiskEngine.load`, which refuses a folder that was edited.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from smartrisk.engine import RiskEngine
from smartrisk.schema import SCORES

#: Columns of DECISIONS that are added when a capacity is asked for.
_DECISION_COLUMNS = ("channel", "selected_by", "propensity", "rank")


class RiskModel(PythonModel):
    """A logged engine that answers with SCORES in plain types."""

    def load_context(self, context: Any) -> None:
        """Load the engine from the artefacts.

        Parameters
        ----------
        context : PythonModelContext
            Holds the paths to which MLflow copied the artefacts.
        """
        self.engine = RiskEngine.load(context.artifacts["engine"])

    def predict(
        self,
        context: Any,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return SCORES of declared items, in their order.

        Parameters
        ----------
        context : PythonModelContext
            Not used.
        model_input : DataFrame
            DECLARATIONS.
        params : dict, default=None
            ``capacity`` above 0 adds decisions: up to 1 it is a share of the items,
            above 1 a number of them. ``explain`` adds the sentences of each item.

        Returns
        -------
        scores : DataFrame
            One row per item; missing values are None.
        """
        asked = params or {}
        items = model_input.reset_index(drop=True)
        scores = self.engine.score(items)
        answer = scores[[n for n in SCORES.names if n in scores]].copy()
        capacity = float(asked.get("capacity") or 0.0)
        if capacity:
            share = capacity if capacity <= 1 else int(capacity)
            decisions = self.engine.select(items, capacity=share)
            for name in _DECISION_COLUMNS:
                answer[name] = decisions[name].to_numpy()
        if asked.get("explain"):
            sentences = self.engine.explain(items).sentences()
            answer["reasons"] = [" | ".join(lines) for lines in sentences]
        return plain_frame(answer)


def plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return columns of numpy types: numbers as they are, all else as objects."""
    columns = {}
    for name, values in frame.items():
        if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iufb":
            columns[name] = values.reset_index(drop=True)
        else:
            objects = values.astype(object).to_list()
            columns[name] = pd.Series(
                [None if pd.isna(v) else v for v in objects], dtype=object
            )
    return pd.DataFrame(columns)


set_model(RiskModel())
