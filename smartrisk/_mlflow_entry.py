"""What MLflow runs when it loads a logged engine: code and a checked folder, no pickle.

MLflow copies this file next to the model and executes it. The code of the library comes
with the model as one archive and is what runs, whatever is installed. The engine's
folder is read by `RiskEngine.load`, which refuses a folder that was edited.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

#: Columns of DECISIONS that are added when a capacity is asked for.
_DECISION_COLUMNS = ("channel", "selected_by", "propensity", "rank")
#: Up to so many items are scored one by one, without a table: with more, a batch is
#: quicker.
_FEW_ITEMS = 8


def _use_logged_code() -> None:
    """Make the code that was logged with the model the one that is imported."""
    archive = next(Path(__file__).parent.glob("code/smartrisk-*.zip"), None)
    if archive is None:
        return
    if "smartrisk" in sys.modules:
        _compare_code(archive)
        return
    folder = tempfile.mkdtemp(prefix="smartrisk-code-")
    atexit.register(_remove_code, folder, os.getpid())
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    sys.path.insert(0, folder)


def _remove_code(folder: str, owner: int) -> None:
    """Remove the unpacked code; a forked worker that ends leaves it to the others."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _compare_code(archive: Path) -> None:
    """Warn where this process already runs other code than was logged."""
    running = Path(sys.modules["smartrisk"].__file__ or "").parent.parent
    with zipfile.ZipFile(archive) as content:
        other = [
            name
            for name in content.namelist()
            if name.endswith(".py") and _content(running / name) != content.read(name)
        ]
    if other:
        warnings.warn(
            f"This process runs the smartrisk of {running}, of which {len(other)} "
            f"files differ from {archive.name}, the code that was logged with the "
            f"model, such as {other[0]}. Load the model before you import smartrisk, "
            "or in a process of its own, to run the logged code.",
            stacklevel=2,
        )


def _content(path: Path) -> bytes:
    """Return the content of a file, empty where there is none."""
    return path.read_bytes() if path.is_file() else b""


_use_logged_code()

from smartrisk.clock import read_clock  # noqa: E402
from smartrisk.engine import RiskEngine  # noqa: E402 - of the code chosen above
from smartrisk.schema import DECLARATIONS, KEY, SCORES  # noqa: E402
from smartrisk.validation import UNDECIDED, canonical_value  # noqa: E402

#: Columns of SCORES that the score of one item has only where they are known.
_BOUNDS = ("score_lower", "score_upper")


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
        self.deciding = sorted(self.engine.features_.deciding_fields())

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
            DECLARATIONS, as `RiskEngine.score` takes them.
        params : dict, default=None
            ``capacity`` above 0 adds decisions: up to 1 it is a share of the items,
            above 1 a number of them. ``explain`` adds the sentences of each item.

        Returns
        -------
        scores : DataFrame
            One row per item; missing values are None. Where the items lack fields that
            the scores use, ``absent_fields`` names them: whoever asks by HTTP does not
            see the warning.
        """
        asked = params or {}
        items = model_input.reset_index(drop=True)
        scores = score(self.engine, items)
        answer = scores[[n for n in SCORES.names if n in scores]].copy()
        absent = [name for name in self.deciding if name not in items]
        if absent:
            answer["absent_fields"] = ", ".join(absent)
        capacity = float(asked.get("capacity") or 0.0)
        if capacity:
            share = capacity if capacity <= 1 else int(capacity)
            decisions = self.engine.select(items, capacity=share)
            for name in _DECISION_COLUMNS:
                answer[name] = decisions[name].to_numpy()
        if asked.get("explain"):
            sentences = explain(self.engine, items)
            answer["reasons"] = [" | ".join(lines) for lines in sentences]
        return plain_frame(answer)


def score(engine: RiskEngine, items: pd.DataFrame) -> pd.DataFrame:
    """Return SCORES of items: few that need no check one by one, others as a batch."""
    records = _canonical_records(engine, items) if len(items) <= _FEW_ITEMS else []
    if not records:
        return engine.score(items)
    key = [name for name in KEY if name in items]
    rows = [
        {**{name: record[name] for name in key}, **engine.score_one(record)}
        for record in records
    ]
    found = pd.DataFrame(rows).assign(scored_at=read_clock("score", engine.clock))
    return found.reindex(columns=[n for n in SCORES.names if n in {*found, *_BOUNDS}])


def explain(engine: RiskEngine, items: pd.DataFrame) -> list[list[str]]:
    """Return the sentences of items: of few one by one, of others as a batch."""
    records = _canonical_records(engine, items) if len(items) <= _FEW_ITEMS else []
    if not records:
        return engine.explain(items).sentences()
    return [engine.explain_one(record).sentences()[0] for record in records]


def _canonical_records(engine: RiskEngine, items: pd.DataFrame) -> list[dict[str, Any]]:
    """Return items whose every value is canonical; none where one needs a check."""
    names = [name for name in items.columns if not str(name).startswith("dq_")]
    learned = {n for n in engine.features_.feature_names_in_ if n[:3] != "dq_"}
    # A missing field, one of its own or a repeated key is for the engine to judge.
    if learned - set(names) or set(names) - set(DECLARATIONS.names):
        return []
    if items.duplicated([name for name in KEY if name in items]).any():
        return []
    columns = {
        name: [
            canonical_value(DECLARATIONS[name], _read(DECLARATIONS[name].kind, value))
            for value in items[name].tolist()
        ]
        for name in names
    }
    if any(value is UNDECIDED for values in columns.values() for value in values):
        return []
    if any(isinstance(f, str) and f != "import" for f in columns.get("flow", ())):
        return []
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _read(kind: str, value: Any) -> Any:
    """Return a value as JSON and numpy write it: missing as None, numbers as floats."""
    if value is None or value is pd.NA or value != value:
        return None
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if kind == "number" and is_whole else value


def plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return columns of numpy types: numbers as they are, all else as objects.

    Moments become texts by ISO 8601, as JSON has them.
    """
    columns = {}
    for name, values in frame.items():
        if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iufb":
            columns[name] = values.reset_index(drop=True)
        else:
            if values.dtype.kind == "M":
                values = values.map(pd.Timestamp.isoformat, na_action="ignore")
            objects = values.astype(object).to_list()
            columns[name] = pd.Series(
                [None if pd.isna(v) else v for v in objects], dtype=object
            )
    return pd.DataFrame(columns)


set_model(RiskModel())
