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

split = sr.windows.time_split(declarations, outcomes, later_share=0.25)
new = split.later

engine = sr.RiskEngine().fit(split.past, split.known)
engine.update(split.later)  # an item sees what was lodged before its day
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
# The same numbers as a picture: what the first inspections find and recover, against
# inspecting at random.

rates = tuple(k / 100 for k in range(1, 21))
curve = sr.evaluation.evaluate(scores, world.full_outcomes(), rates=rates)
sr.displays.RateCurveDisplay.from_evaluations(curve).plot()
plt.show()
