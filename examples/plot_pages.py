"""
Reasons and pages for officers
==============================

An officer acts on reasons, not on a score. This example explains the riskiest items of
a synthetic world and writes the pages of a day.
"""

# %%
# A world, and an engine that is fitted on the first three quarters of it.
from pathlib import Path
from tempfile import mkdtemp

import smartrisk as sr

world = sr.datasets.make_declarations(12_000, random_state=1)
split = sr.windows.time_split(world.declarations, world.outcomes)
engine = sr.RiskEngine().fit(split.past, split.known)
# An item still sees only what was lodged, and known, before its own day.
engine.update(world.declarations, world.outcomes)
today = split.later.tail(400)

# %%
# Why the first items were selected, what to check, and how strong that is.
decisions = engine.select(today, capacity=10)
first = decisions.sort_values("rank").index[:3]
reasons = engine.explain(today.loc[first])
for sentences, checks, strength in zip(
    reasons.sentences(), reasons.checks(), reasons.statements(), strict=True
):
    print(strength)
    print("  because:", *sentences, sep="\n  - ")
    print("  so:", *checks, sep="\n  - ")

# %%
# The contributions of each concept, from the base to the score of the first item, in
# French.
sr.displays.ReasonsDisplay.from_reasons(reasons[0]).plot(lang="fr")

# %%
# What moves the scores of all items, and why one office scores above another.
everyone = engine.explain(today)
importance = sr.explanations.importance(everyone, "field")
sr.displays.ImportanceDisplay.from_importance(importance).plot()

# %%
# Why one office scores above another.
profile = sr.explanations.segment_profile(everyone, "office")
sr.displays.SegmentProfileDisplay.from_profile(profile).plot()

# %%
# Two pages of the day and the table of the watch list, in French. They work offline,
# and print. The case sheet gets all items and results that the history of the engine
# holds; what is later than the item is left out. `sr.pages.write_pages` writes all
# pages at once.
folder = Path(mkdtemp())
sheet = sr.pages.CaseSheet.from_engine(
    engine,
    today.loc[[first[0]]],
    past=world.declarations,
    outcomes=world.outcomes,
)
watch_list = sr.pages.WatchList.from_engine(engine, today, decisions=decisions)
print(sheet.save(folder / "case.html", lang="fr"))
print(watch_list.save(folder / "watch-list.html", lang="fr"))
print(watch_list.export(folder / "watch-list.csv", lang="fr"))
watch_list.frame(lang="fr")[["declaration_id", "risk_score", "reasons"]]
