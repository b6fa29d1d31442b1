"""
A table of illicit trade
========================

Cases and seizures of a year by area, as an administration would report them: counts by
area, quantities by kind of goods and unit, and what led to each case.
"""

# %%
# Cases and what was seized
# -------------------------
#
# A synthetic world replaces the case register. A case has one or more seizures, a
# seizure has a quantity with its unit.

import matplotlib.pyplot as plt

import smartrisk as sr

world = sr.datasets.make_declarations(12_000, random_state=0)
cases, seizures = world.cases(), world.seizures()
print(seizures.head())

# %%
# Counts by area
# --------------
#
# The areas are those of an edition of the Illicit Trade Report. A case with goods of
# two areas counts in each, and once in the total.

figures = sr.statistics.cases(cases, seizures, by=("year", "detection"))
table = figures.frame()
everywhen = (table["year"] == "total") & (table["detection"] == "total")
by_area = table[everywhen & (table["category"] == "total") & (table["unit"] == "total")]
counts = by_area.pivot(index="area", columns="indicator", values="value")
print(counts[["cases", "seizures"]])

# %%
# Quantities keep their unit: nothing is added across units or kinds of goods.

quantity = table[everywhen & (table["indicator"] == "quantity")]
print(quantity[["area", "category", "unit", "value", "n"]].to_string(index=False))

# %%
# What an area contains, and what no public text confirms:

print(figures.definition("environment"))
print(figures.definition("drugs", lang="fr"))

# %%
# What led to the cases
# ---------------------

led = table[
    (table["indicator"] == "cases")
    & (table["area"] == "total")
    & (table["unit"] == "total")
    & (table["year"] == "total")
    & (table["detection"] != "total")
].sort_values("value")
fig, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
ax.barh(led["detection"], led["value"])
ax.set_xlabel("cases")

# %%
# The earlier edition has other areas: the same seizures, counted in them.

earlier = sr.statistics.cases(cases, seizures, edition="ITR-2015").frame()
whole = (earlier["category"] == "total") & (earlier["unit"] == "total")
print(earlier[whole & (earlier["indicator"] == "seizures")][["area", "value"]])
