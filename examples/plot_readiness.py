"""
Are our data ready for this?
============================

An administration hands over a first export, then the results of its controls, then its
decisions. After each step it asks which use cases are possible, what blocks the others,
and what to do next.
"""

# %%
# Three hand-overs
# ----------------
#
# The world is synthetic. Its decisions say who selected an item and with what
# probability it was controlled, and some controls are drawn at random.

import matplotlib.pyplot as plt
import numpy as np

import smartrisk as sr

world = sr.datasets.make_declarations(8_000, scenario="small", random_state=0)
steps = {
    "declarations": (world.declarations,),
    "and results": (world.declarations, world.outcomes),
    "and decisions": (world.declarations, world.outcomes, world.decisions()),
}
answers = {name: sr.readiness.assess(*tables) for name, tables in steps.items()}
for name, ready in answers.items():
    print(f"{name}: {ready}")

# %%
# What each of them makes possible
# --------------------------------
#
# There is no overall score: a use case is possible or it is blocked.

cases = [ready.use_cases() for ready in answers.values()]
possible = np.array([table["possible"] for table in cases]).T
figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
axes.imshow(possible, cmap="YlGn", vmin=0, vmax=2.2, aspect="auto")
for (row, column), is_possible in np.ndenumerate(possible):
    text = "possible" if is_possible else "blocked"
    axes.text(column, row, text, ha="center", va="center")
axes.set_yticks(range(len(possible)), cases[0]["name"])
axes.set_xticks(range(len(answers)), answers)
axes.xaxis.tick_top()
axes.spines[:].set_visible(False)
axes.tick_params(length=0)

# %%
# What blocks the rest
# --------------------
#
# Each block names the field, what is there, what is needed, and one step.

for row in answers["declarations"].blocks().to_dict("records"):
    print(f"{row['name']}\n  {row['missing']}\n  {row['next_step']}")

# %%
# The page for those who decide
# -----------------------------
#
# In English, French or Spanish, one file that loads nothing.

sr.pages.ReadinessReport.from_readiness(answers["and results"])
