"""
Worlds whose truth is known
===========================

A world is generated from a seed and a scenario. It holds declarations as lodged,
results as an administration would have them (few, late, sometimes wrong), and the
truth. This example describes a world, compares it with published figures, changes a
law in it, and inspects items that nobody inspected.
"""

# %%
# A world and its description.
from dataclasses import replace

import smartrisk as sr

world = sr.datasets.make_declarations(20_000, scenario="national", random_state=1)
print(world)
print(world.scenario.story)
world.describe()

# %%
# How realistic is the world?
# ---------------------------
# Dots are the world, ticks are published figures, bars are the bounds around them.
report = sr.datasets.realism(world)
sr.displays.RealismDisplay.from_realism(report).plot()

# %%
# Figures outside their bounds, if there are any.
report.outside

# %%
# Another law
# -----------
# An anti-dumping duty on goods of the most common origin: some importers buy elsewhere,
# others declare a false origin. Every change has a date and is listed in the events.
duty = sr.datasets.Change(
    kind="anti-dumping", month=12, goods=("84", "85"), origin="CN", size=0.45
)
stable = sr.datasets.SCENARIOS["stable"]
other = sr.datasets.make_declarations(
    20_000, scenario=replace(stable, name="duty", changes=(duty,)), random_state=1
)
machines = other.declarations["tariff_code"].str[:2].isin(["84", "85"])
month = other.declarations["lodged_at"].dt.to_period("Q")
share = (other.declarations["origin"] == "CN")[machines].groupby(month[machines]).mean()
print(share.round(2).to_string())
print(other.events.to_string(max_colwidth=40))

# %%
# What would another policy have found?
# -------------------------------------
# The past policy of the offices, and a policy that selects the highest duty rates: both
# with the same number of inspections, judged by what officers would find.
past = world.decisions()
n_controls = int((past["channel"] != "green").sum())
chosen = world.declarations.nlargest(n_controls, "duty_rate")
by_duty = chosen[["declaration_id", "item_number"]].assign(channel="red")
for name, decisions in (("offices", past), ("highest duty", by_duty)):
    found = world.inspect(decisions)
    revenue = found["revenue_adjustment"].sum()
    print(f"{name}: hit rate {found['illicit'].mean():.3f}, revenue {revenue:,.0f}")
