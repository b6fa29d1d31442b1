"""
From declarations to decisions
==============================

All steps on synthetic declarations whose truth is known: validate, fit on the past,
score the later items, explain, select within the capacity, and evaluate the result.
"""

# %%
# A synthetic world
# -----------------
#
# One row is one goods item. Results exist for inspected items only, and they arrive
# late: `known_at` is the day.

import matplotlib.pyplot as plt

import smartrisk as sr

world = sr.datasets.make_declarations(30_000, random_state=0)
declarations = sr.validation.validate(world.declarations, sr.schema.DECLARATIONS)
outcomes = sr.validation.validate(world.outcomes, sr.schema.OUTCOMES)

print(f"{len(declarations)} items, {len(outcomes)} inspected")

# %%
# Fit on the past
# ---------------
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
# Reasons
# -------
#
# Reasons are exact contributions to the score, grouped by what was declared.

riskiest = new.loc[scores["risk_score"].nlargest(3).index]
reasons = engine.explain(riskiest, top=3)
reasons.sentences()

# %%
# What to inspect
# ---------------
#
# Exactly five items in a hundred: red items get an inspection of the goods, yellow ones
# a check of the documents. The others are green.

decisions = engine.select(new, capacity=0.05)
decisions["channel"].value_counts()

# %%
# How good is the engine?
# -----------------------
#
# A synthetic world has the truth of every item, inspected or not, so all later items
# can be judged. In real data only the inspected ones have a result.

result = sr.evaluation.evaluate(scores, world.full_outcomes())
result.frame()

# %%
# The same numbers as a picture: what inspections find and recover at every inspection
# rate, and what random inspections would.

rates = tuple(k / 100 for k in range(1, 21))
curve = sr.evaluation.evaluate(scores, world.full_outcomes(), rates=rates)
sr.displays.RateCurveDisplay.from_evaluations(curve).plot()
plt.show()
