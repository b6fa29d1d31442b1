"""What the folds of RollingOrigin lose: the history of the gap and of the test fold.

Prints the mean precision at 5 % of all items of the test folds, by their truth: with
the features that a cross-validation computes, and with those of daily use, where every
item sees what was lodged and known before its day.

    python benchmarks/fold_history.py
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.pipeline import make_pipeline

import smartrisk as sr

RATE = 0.05


def measure(n_items: int, seed: int) -> dict[str, float]:
    """Return the mean precision of the folds of one world, in each way."""
    world = sr.datasets.make_declarations(n_items, random_state=seed)
    X = sr.validation.validate(world.declarations, sr.schema.DECLARATIONS)
    outcomes = sr.validation.validate(world.outcomes, sr.schema.OUTCOMES)
    y = sr.items.join_by_key(X, outcomes, ["illicit"])["illicit"].to_numpy()
    truth = world.truth["illicit"].to_numpy(np.float64)
    found: dict[str, list[float]] = {"cross-validation": [], "daily use": []}
    for train, test in sr.windows.RollingOrigin(n_splits=4, test_days=60).split(X, y):
        pipeline = make_pipeline(
            sr.features.DeclarationFeatures(), sr.models.RiskClassifier()
        ).fit(X.iloc[train], y[train])
        features, classifier = pipeline[0], pipeline[-1]
        longer = features.copy()
        last = X["lodged_at"].iloc[test].max()
        later = X.drop(index=X.index[train])
        later = later[later["lodged_at"] <= last]
        longer.update(later, outcomes=outcomes[sr.items.are_among(outcomes, later)])
        for name, fitted in (("cross-validation", features), ("daily use", longer)):
            risk = classifier.predict_proba(fitted.transform(X.iloc[test]))[:, 1]
            found[name].append(sr.evaluation.precision_at(truth[test], risk, RATE))
    return {name: float(np.mean(values)) for name, values in found.items()}


def main() -> None:
    """Measure some worlds and print their figures and the mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--worlds", type=int, default=4)
    options = parser.parse_args()
    rows = [measure(options.items, seed) for seed in range(options.worlds)]
    for name in rows[0]:
        values = [row[name] for row in rows]
        each = " ".join(f"{value:.3f}" for value in values)
        print(f"{name:17} {each}   mean {np.mean(values):.3f}")


if __name__ == "__main__":
    main()
