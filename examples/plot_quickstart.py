"""
From declarations to decisions
==============================

The whole line on made-up declarations whose truth is known: validate, fit on the past,
score the later items, say why, select within the capacity, and judge the result.
"""

# %%
# A world of declarations
# -----------------------
#
# One row is one goods item. The results of inspections exist for the inspected items
# only, and come late: `known_at` says when.

import matplotlib.pyplot as plt
import numpy as np

import smartrisk as sr

world = sr.datasets.make_declarations(30_000, random_state=0)
declarations = sr.validation.validate(world.declarations, sr.schema.DECLARATIONS)
outcomes = sr.validation.validate(world.outcomes, sr.schema.OUTCOMES)

print(f"{len(declarations)} items, {len(outcomes)} inspected")

# %%
# Past and new
# ------------
#
# The engine learns from the earlier three quarters of the items, and from the results
# that were known by then.

moment = declarations["lodged_at"].quantile(0.75)
past = declarations[declarations["lodged_at"] < moment]
new = declarations[declarations["lodged_at"] >= moment]
known = outcomes[outcomes["known_at"] < moment]

engine = sr.RiskEngine().fit(past, known)
scores = engine.score(new)
scores.head()

# %%
# Why
# ---
#
# Reasons are exact contributions to the score, folded back to what was declared.

riskiest = new.loc[scores["risk_score"].nlargest(3).index]
reasons = engine.explain(riskiest, top=3)
reasons.sentences()

# %%
# What to inspect
# ---------------
#
# Five items in a hundred, exactly.

decisions = engine.select(new, capacity=0.05)
decisions["channel"].value_counts()

# %%
# How good
# --------
#
# This world knows the truth of every item, inspected or not, so the later items can be
# judged against all of it. In real life only the inspected ones have a result.

result = sr.evaluation.evaluate(scores, world.full_outcomes())
result.frame()

# %%
# The share of hits among the first items inspected, against inspecting at random:

truth = world.full_outcomes().set_index(["declaration_id", "item_number"])["illicit"]
ranked = scores.sort_values("risk_score", ascending=False)
key = list(zip(ranked["declaration_id"], ranked["item_number"], strict=True))
hits = truth.loc[key].to_numpy(dtype=float)
inspected = np.arange(1, len(hits) + 1)

fig, ax = plt.subplots(figsize=(6, 3.5))
ax.plot(inspected / len(hits), hits.cumsum() / inspected, label="RiskEngine")
ax.axhline(hits.mean(), color="grey", linestyle="--", label="at random")
ax.set(xlim=(0.005, 0.3), xlabel="share of items inspected", ylabel="hit rate")
ax.legend()
plt.show()
