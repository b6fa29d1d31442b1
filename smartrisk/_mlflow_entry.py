"""The served model, as code: MLflow runs this file, nothing is unpickled."""

from __future__ import annotations

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class ServedEngine(PythonModel):
    """A saved engine behind MLflow's pyfunc interface."""

    def load_context(self, context: Any) -> None:
        """Load the engine from the folder that was logged with the model."""
        from smartrisk.engine import RiskEngine

        self.engine = RiskEngine.load(context.artifacts["engine"])

    def predict(
        self,
        context: Any,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return SCORES; with ``explain`` a sentence, with ``capacity`` a channel."""
        asked = params or {}
        present = model_input.dropna(axis="columns", how="all")
        scores = self.engine.score(present)
        scores["item_number"] = scores["item_number"].astype("int64")
        if asked.get("capacity", 0.0):
            decisions = self.engine.select(present, float(asked["capacity"]))
            scores["channel"] = decisions["channel"].astype(object)
        if asked.get("explain", False):
            sentences = self.engine.explain(present, top=1).sentences()
            scores["reason"] = [s[0] if len(s) else "" for s in sentences]
        texts = scores.select_dtypes(exclude=["number"]).columns
        return scores.astype(dict.fromkeys(texts, object)).reset_index(drop=True)


set_model(ServedEngine())
