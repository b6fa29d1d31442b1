"""
The Korean declarations, from Python
====================================

The synthetic public declarations of Jeong et al. (2022), with default settings. Run
``python examples/korea.py PATH``, with the folder of the set's English CSV files (on
GitHub: Seondong/Customs-Declaration-Datasets). This page shows the code only: the set
is not part of the project.

The engine is fitted on 2020 and judged on the first quarter of 2021. The set repeats
whole goods lines (HS code, route, rate, mass) together with their label; lines seen
before and lines never seen are reported separately.
"""

import sys
import warnings

import pandas as pd

import smartrisk as sr

#: Precision of the paper's LightGBM at 5 % and 10 % (Jeong et al. 2022, table 5).
PAPER = {0.05: 0.762, 0.10: 0.641}


def evaluate_korea(path: str) -> pd.DataFrame:
    """Return precision, recall and ROC AUC on the valid part, one row per group."""
    train = sr.datasets.load_kcs(path, part="train")
    valid = sr.datasets.load_kcs(path, part="valid")
    with warnings.catch_warnings():
        # Every item of the set has a result, which `fit` warns of, and some state no
        # value, which `score` warns of.
        warnings.simplefilter("ignore", sr.errors.DataQualityWarning)
        engine = sr.RiskEngine().fit(train.declarations, train.outcomes)
        scores = engine.score(valid.declarations)
    seen = sr.windows.seen_before(valid.declarations, train.declarations)
    groups = {
        "all items": scores,
        "goods line seen before": scores[seen],
        "goods line never seen": scores[~seen],
    }
    rows = []
    for name, part in groups.items():
        outcomes = valid.outcomes[
            valid.outcomes["declaration_id"].isin(part["declaration_id"])
        ]
        result = sr.evaluation.evaluate(part, outcomes, rates=tuple(PAPER))
        frame = result.frame()
        frame = frame[frame["rank_by"] == "risk_score"].set_index("rate")
        rows.append(
            {
                "": name,
                "items": len(part),
                "fraud rate": result.overall()["base_rate"],
                "precision@5%": frame.loc[0.05, "precision"],
                "precision@10%": frame.loc[0.10, "precision"],
                "recall@10%": frame.loc[0.10, "recall"],
                "ROC AUC": result.overall()["roc_auc"],
            }
        )
    return pd.DataFrame(rows).set_index("")


def main() -> None:
    """Print the table, with the paper's figures next to it."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(evaluate_korea(sys.argv[1]).round(3).to_string())
    print(
        "\nLightGBM in the paper, all items: "
        f"precision@5% {PAPER[0.05]:.3f}, precision@10% {PAPER[0.10]:.3f}"
    )


if __name__ == "__main__":
    main()
