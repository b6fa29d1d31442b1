"""
The whole flow as a scikit-learn pipeline
=========================================

Features and model in one pipeline, on inspected and uninspected items; folds in
time with the gap in which results are not known yet; searches; and other classifiers
behind the same features.
"""

# %%
# Items and labels
# ----------------
#
# Every declared item is a row. Its label is 1 for a hit, 0 for none, and NaN where it
# was not inspected: such items have a history too, but nothing is learned from them as
# a label.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import smartrisk as sr

world = sr.datasets.make_declarations(12_000, random_state=1, scenario="small")
X = sr.validation.validate(world.declarations, sr.schema.DECLARATIONS)
outcomes = sr.validation.validate(world.outcomes, sr.schema.OUTCOMES)
joined = sr.items.join_by_key(X, outcomes, ["illicit", "revenue_adjustment"])
y, revenue = joined["illicit"], joined["revenue_adjustment"]

print(f"{len(X)} items, {y.notna().sum()} inspected, {y.sum():.0f} hits")

# %%
# One pipeline
# ------------
#
# The features state to the classifier which of them are codes, which may only raise the
# score, and when each item was lodged. So the pipeline needs no settings.

pipeline = make_pipeline(
    sr.features.DeclarationFeatures(), sr.models.RiskClassifier(n_estimators=100)
)
clone(pipeline).fit(X, y).predict_proba(X.tail(3)).round(3)

# %%
# Folds in time
# -------------
#
# Each fold is judged on four months that follow what it was trained on, with thirty
# days between: the results of items lodged in these days are not known yet.

folds = sr.windows.RollingOrigin(n_splits=3, test_days=120, label_delay=30)
pd.DataFrame(
    {
        "trained until": X["lodged_at"].iloc[train].max().date(),
        "judged from": X["lodged_at"].iloc[test].min().date(),
        "judged until": X["lodged_at"].iloc[test].max().date(),
        "labels trained on": y.iloc[train].notna().sum(),
        "labels judged by": y.iloc[test].notna().sum(),
    }
    for train, test in folds.split(X, y)
)

# %%
# The score of a fold is the share of hits among the tenth of the labelled items that
# ranks highest.

best_tenth = sr.evaluation.precision_at(0.1)
found = {
    "RiskClassifier": cross_val_score(pipeline, X, y, cv=folds, scoring=best_tenth)
}
found["RiskClassifier"].round(3)

# %%
# Searches
# --------
#
# A search over the same folds, here for what the history adds to the declared fields.

parts = sr.features.DeclarationFeatures().parts
grid = {"declarationfeatures__parts": [("item", "codes", "incentive"), parts]}
search = GridSearchCV(pipeline, grid, cv=folds, scoring=best_tenth).fit(X, y)
results = pd.DataFrame(search.cv_results_)
by_fold = results.filter(regex="^split.*_test_score$").to_numpy()
found["declared fields only"] = by_fold[
    results["param_declarationfeatures__parts"].map(len).lt(len(parts))
].max(axis=0)
search.best_params_

# %%
# Halving must not thin the items, of which each is part of the history of the others.
# It can spend a parameter, here the number of trees.

halving = HalvingGridSearchCV(
    pipeline,
    {"riskclassifier__num_leaves": [4, 15]},
    cv=folds,
    scoring=best_tenth,
    resource="riskclassifier__n_estimators",
    min_resources=30,
    max_resources=90,
    refit=False,
).fit(X, y)
pd.DataFrame(halving.cv_results_)[["n_resources", "mean_test_score"]]

# %%
# Results, weights and amounts
# ----------------------------
#
# Metadata routing brings each argument to the step that asks for it: the dates of the
# results to the features, weights to the classifier, amounts to the scorer.

sklearn.set_config(enable_metadata_routing=True)
routed = make_pipeline(
    sr.features.DeclarationFeatures().set_fit_request(outcomes=True),
    sr.models.RiskClassifier(n_estimators=100).set_fit_request(sample_weight=True),
)
weights = np.where(revenue > revenue.median(), 2.0, 1.0)
passed = {"outcomes": outcomes, "sample_weight": weights, "revenue": revenue}
share = cross_val_score(
    routed, X, y, cv=folds, scoring=sr.evaluation.revenue_at(0.1), params=passed
)
sklearn.set_config(enable_metadata_routing=False)
print("share of the revenue:", share.round(2))

# %%
# Other classifiers
# -----------------
#
# `RiskEngine` takes any classifier with `predict_proba`, and adds revenue, reasons and
# decisions. The same folds judge it.


def score_engine(classifier):
    """Return the scores of the folds of an engine with this classifier."""
    scores = []
    for train, test in folds.split(X, y):
        engine = sr.RiskEngine(classifier=clone(classifier))
        past = X.iloc[train]
        engine.fit(past, outcomes[sr.items.are_among(outcomes, past)])
        risk = engine.score(X.iloc[test])["risk_score"].to_numpy()
        judged = y.iloc[test].notna().to_numpy()
        labels = y.iloc[test].to_numpy()[judged]
        scores.append(sr.evaluation.precision_at(labels, risk[judged], 0.1))
    return np.array(scores)


found["HistGradientBoosting"] = score_engine(
    HistGradientBoostingClassifier(max_iter=60, random_state=0)
)
found["LGBMClassifier"] = score_engine(
    LGBMClassifier(n_estimators=60, n_jobs=1, verbose=-1, random_state=0)
)

# %%
# Fold by fold, so that the spread between months is seen next to the difference between
# classifiers.

table = pd.DataFrame(found, index=[f"fold {k + 1}" for k in range(3)])
axes = table.plot.bar(figsize=(8, 4), rot=0)
axes.set_ylabel("precision at 10 % of the labelled items")
axes.axhline(y.mean(), color="grey", linestyle="--", label="inspected at random")
axes.set_ylim(top=1.35 * table.to_numpy().max())  # the legend stands above the bars
axes.legend(frameon=False, ncols=2)
plt.tight_layout()
plt.show()
