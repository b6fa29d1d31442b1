"""
Worlds whose truth is known
===========================

A world is made from a seed and a scenario. It holds declarations as lodged, results as
an administration would have them (few, late, sometimes wrong), and the truth. Here we
look at one, see how real it looks, change a law in it, and inspect items that nobody
inspected.
"""

# %%
# A world and what it is like.
from dataclasses import replace

import smartrisk as sr

world = sr.datasets.make_declarations(20_000, scenario="national", random_state=1)
print(world)
print(world.scenario.story)
world.describe()

# %%
# How real it looks
# -----------------
# Dots are the world, ticks what is published, bars the bounds around it.
report = sr.datasets.realism(world)
sr.displays.RealismDisplay.from_realism(report).plot()

# %%
# What it does not show: figures outside of their bounds.
report.outside

# %%
# Another law
# -----------
# An anti-dumping duty on goods of the most common origin: honest importers buy
# elsewhere, others declare another origin. Every change is dated and listed in the
# events.
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
# What others would have found
# ----------------------------
# The past policy of the offices, and a policy that takes the highest duty rates
# instead: both with as many controls, judged by what officers would find.
past = world.decisions()
n_controls = int((past["channel"] != "green").sum())
chosen = world.declarations.nlargest(n_controls, "duty_rate")
mine = chosen[["declaration_id", "item_number"]].assign(channel="red")
for name, decisions in (("offices", past), ("highest duty", mine)):
    found = world.inspect(decisions)
    revenue = found["revenue_adjustment"].sum()
    print(f"{name}: hit rate {found['illicit'].mean():.3f}, revenue {revenue:,.0f}")
