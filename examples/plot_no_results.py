"""
Begin without results
=====================

An administration has declarations and no results of controls. The engine starts with
signals whose direction is known, such as a price far below its peers. The first
controls follow its order, their results arrive, and the model takes over.
"""

# %%
# Declarations alone
# ------------------
#
# The results of this synthetic world are put aside: nobody knows them yet.

import warnings

import matplotlib.pyplot as plt
import pandas as pd

import smartrisk as sr

# The engine warns of months without results; here they are known to have none.
warnings.filterwarnings("ignore", category=sr.errors.DataQualityWarning)

world = sr.datasets.make_declarations(6_000, scenario="small", random_state=1)
truth = world.full_outcomes()
items = world.declarations.sort_values("lodged_at")
month = len(items) // 10
past, last = items.iloc[: 3 * month], items.iloc[8 * month :]


def make_engine():
    """Return an engine with a third of the usual trees: this page builds in seconds."""
    return sr.RiskEngine(classifier=sr.models.RiskClassifier(n_estimators=50))


engine = make_engine().fit(past, None)
print(engine.stage_report_.message())

# %%
# The score is an order and no probability; the reasons read as usual.

first = items.iloc[3 * month : 4 * month]
print(engine.score(first)[["risk_score", "stage"]].describe())
for sentences in engine.explain(first.head(2), top=2).sentences():
    print(*sentences, sep="\n")

# %%
# The first controls
# ------------------
#
# Month by month the office controls five items in a hundred, a fifth of them at random.
# What it finds is the truth of these items. Then the engine is fitted again, with the
# results so far, and judged on the items of the last two months, which it never learns
# from.

policy = sr.selectivity.Policy(capacity=0.05, random_share=0.2)
key = ["declaration_id", "item_number"]
results = []
rows = []


def judge(engine, known):
    """Return stage, counts and precision on the last items."""
    result = sr.evaluation.evaluate(
        engine.score(last, guard="off"), truth, rates=(0.05,)
    )
    report = engine.stage_report_
    return {
        "results": known,
        "hits": report.n_hits,
        "stage": engine.stage_,
        "signals": report.signals_weight,
        "precision": result.frame()["precision"].iloc[0],
    }


rows.append(judge(engine, 0))
for number in range(3, 8):
    current = items.iloc[number * month : (number + 1) * month]
    decisions = engine.select(current, policy=policy)
    controlled = current.loc[decisions["selected_by"].notna(), [*key, "lodged_at"]]
    found = truth.merge(controlled, on=key)
    found["known_at"] = found.pop("lodged_at") + pd.Timedelta(days=10)
    results.append(found)
    seen, known = items.iloc[: (number + 1) * month], pd.concat(results)
    engine = make_engine().fit(seen, known)
    rows.append(judge(engine, len(known)))

table = pd.DataFrame(rows)
print(table.round(2).to_string(index=False))

# %%
# The hand-over
# -------------
#
# No score jumps on a day: the weight of the signals falls with every hit and every
# result without one. The precision of a small world varies by chance; what counts is
# that it starts well above the share of irregular items, the dotted line.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
axes[0].plot(table["results"], table["signals"], marker="o")
axes[0].set(
    xlabel="results", ylabel="share of the signals in the score", ylim=(0, 1.05)
)
axes[1].plot(table["results"], table["precision"], marker="o")
axes[1].axhline(truth["illicit"].mean(), linestyle=":", color="grey")
axes[1].set(xlabel="results", ylabel="precision at 5 % of items", ylim=(0, None))
plt.show()
