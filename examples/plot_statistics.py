"""
Figures of a year, for publication
==================================

Enforcement statistics by month and office: what was controlled, what was found, how
sure that is, and which of it can be published without giving a trader away.
"""

# %%
# All figures
# -----------
#
# Each figure has its denominator, its interval and the controls that are still pending.

import pathlib
import tempfile

import matplotlib.pyplot as plt

import smartrisk as sr

world = sr.datasets.make_declarations(6_000, scenario="small", random_state=0)
figures = sr.statistics.enforcement(
    world.declarations,
    world.outcomes,
    world.decisions(),
    milestones=world.milestones(),
    cases=world.cases(),
    by=("month",),
)
table = figures.frame()
total = table[table["month"] == "total"].set_index("indicator")
chosen = ["control_rate", "hit_rate", "hit_rate_random", "non_compliance"]
print(total.loc[chosen, ["numerator", "denominator", "value", "low", "high", "n"]])

# %%
# Every figure says what it is, in three languages.

print(figures.definition("non_compliance"))
print(figures.definition("hit_rate", lang="es"))

# %%
# Month by month
# --------------
#
# Results come late: a month that is younger than 90 days is open and has no rate.

rate = table[(table["indicator"] == "hit_rate") & (table["month"] != "total")]
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
known = rate[rate["value"].notna()]
ax.vlines(known["month"], known["low"], known["high"], color="0.6")
ax.plot(known["month"], known["value"], "o")
ax.tick_params(axis="x", rotation=90)
ax.set_ylabel("hit rate, interval of 95 %")
print(rate.loc[rate["value"].isna(), ["month", "pending", "reason"]])

# %%
# What can be published
# ---------------------
#
# Figures of few traders, or of one that dominates, are hidden, and others from which
# these could be computed.

by_office = sr.statistics.enforcement(
    world.declarations, world.outcomes, world.decisions(), by=("office",)
)
release = sr.statistics.publish(by_office, indicators=["lodged", "hit_rate"])
print(release)
print(release.report())

# %%
# The file carries its definitions, the moment it is of, and what was hidden.

with tempfile.TemporaryDirectory() as folder:
    sr.statistics.write(release, pathlib.Path(folder) / "year.sdmx.csv", lang="fr")
    print(sorted(file.name for file in pathlib.Path(folder).iterdir()))
