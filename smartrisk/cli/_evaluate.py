"""The command ``evaluate``: an engine judged by results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.cli._chunks import score_in_chunks, split_chunks
from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._files import (
    DataFiles,
    load_declarations,
    load_outcomes,
    write_table,
)
from smartrisk.cli._messages import print_message
from smartrisk.cli._stage import print_stage
from smartrisk.cli._table_words import print_table, word
from smartrisk.cli._terminal import (
    current_language,
    format_table,
    localise,
    percent,
    print_line,
)
from smartrisk.engine import RiskEngine
from smartrisk.evaluation import Evaluation
from smartrisk.evaluation import evaluate as evaluate_scores
from smartrisk.items import join_by_key, label_outcomes, stage_of
from smartrisk.languages import has_decimal_point

#: The feature that counts earlier items of the same goods line.
_SEEN = "goods_line__n_items"
_MEASURES = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "brier": "Brier",
    "calibration_error": "calibration error",
}
#: Measures that compare probabilities with results: without results to learn from a
#: score is none.
_OF_PROBABILITIES = ("brier", "calibration_error")


def evaluate(
    data: DataFiles,
    *,
    engine: EngineAddress,
    rates: tuple[float | int, ...],
    out: str | None,
) -> int:
    """Judge an engine by results, known and new goods lines separately."""
    loaded = load_engine(engine)
    items = load_declarations(data)
    outcomes = label_outcomes(load_outcomes(data, items), loaded.target_)
    scores = score_in_chunks(loaded, items)
    result = evaluate_scores(scores, outcomes, rates=rates)
    overall = result.overall()
    print_message(
        "cli.evaluated",
        "{n_items} items with a result, {n_unlabelled} without (left out); hit rate "
        "{rate}",
        n_items=int(overall["n_items"]),
        n_unlabelled=int(overall["n_unlabelled"]),
        rate=percent(overall["base_rate"]),
    )
    print_stage(loaded)
    print_line()
    print_table(make_rates_table(result))
    measures = [
        f"{word(text)} {localise(f'{overall[name]:.3f}')}"
        for name, text in _MEASURES.items()
        if name not in _OF_PROBABILITIES or stage_of(scores) != "no results"
    ]
    separator = ", " if has_decimal_point(current_language.get()) else "; "
    print_line("\n" + separator.join(measures))
    _print_goods_lines(split_by_goods_line(loaded, items, scores), outcomes, rates)
    if out is not None:
        print_line()
        print_message(
            "cli.table", "table: {path}", path=write_table(result.frame(), out)
        )
    return 0


def split_by_goods_line(
    engine: RiskEngine, items: pd.DataFrame, scores: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return scores of items whose goods line was declared before, and the others'.

    A model can memorise goods lines; only new ones show what it learned of risk.
    """
    names = list(engine.features_.get_feature_names_out())
    if _SEEN not in names:
        return {}
    column = names.index(_SEEN)
    is_seen = np.concatenate(
        [
            np.asarray(engine.features_.transform(chunk))[:, column] > 0
            for chunk in split_chunks(items)
        ]
    )
    return {"seen": scores[is_seen], "unseen": scores[~is_seen]}


def make_rates_table(result: Evaluation) -> pd.DataFrame:
    """Return the main columns of an evaluation, ranked by risk."""
    frame = result.frame()
    by_risk = frame[frame["rank_by"] == "risk_score"]
    by_revenue = frame.loc[frame["rank_by"] == "expected_revenue", "revenue_share"]
    table = pd.DataFrame(
        {
            "inspected": [format_rate(rate) for rate in by_risk["rate"]],
            "items": by_risk["n_inspected"].to_numpy(),
            "precision": by_risk["precision"].to_numpy(),
            "recall": by_risk["recall"].to_numpy(),
            "lift": by_risk["lift"].to_numpy(),
        }
    )
    if by_revenue.notna().any():
        table["revenue"] = by_revenue.to_numpy()
    return table


def format_rate(rate: float) -> str:
    """Return an inspection rate as a share in percent, or as a number of items."""
    return f"{int(rate)}" if rate > 1 or isinstance(rate, int) else f"{100 * rate:g}%"


def _print_goods_lines(
    parts: dict[str, pd.DataFrame],
    outcomes: pd.DataFrame,
    rates: tuple[float | int, ...],
) -> None:
    """Show precision on goods lines of the history and on new ones."""
    rows = [
        [word(name), *_make_part_row(part, outcomes, rates)]
        for name, part in parts.items()
        if len(part)
    ]
    if not rows:
        return
    precisions = [f"{word('precision')}@{format_rate(rate)}" for rate in rates]
    names = [word(name) for name in ("goods line", "items", "hit rate")]
    print_line()
    print_message(
        "cli.goods_lines",
        "Goods lines that the engine's history knows, and new ones:",
    )
    print_line()
    print_line(format_table(rows, [*names, *precisions, "ROC AUC"]))


def _make_part_row(
    part: pd.DataFrame, outcomes: pd.DataFrame, rates: tuple[float | int, ...]
) -> list[Any]:
    """Return number, hit rate, precisions and ROC AUC of some items.

    With one class only, nothing but the number can be given.
    """
    known = join_by_key(part, outcomes, ["illicit"], how="inner")
    if known["illicit"].nunique() != 2:
        return [len(known), *[None] * (2 + len(rates))]
    result = evaluate_scores(part, outcomes, rates=rates, n_bootstrap=0)
    frame, overall = result.frame(), result.overall()
    precision = frame.loc[frame["rank_by"] == "risk_score", "precision"]
    return [
        int(overall["n_items"]),
        float(overall["base_rate"]),
        *precision.tolist(),
        float(overall["roc_auc"]),
    ]
