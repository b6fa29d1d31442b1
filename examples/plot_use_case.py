"""
Use cases to share
==================

An administration presents its use case to others on two pages: question, data without
identities, method, figures with intervals, what it achieved and cost, what failed, and
how to repeat it on a made-up world. Three cases, filled in, on synthetic worlds; the
administration in them does not exist.
"""

# %%
# A run of each case
# ------------------
#
# A sheet is made from a logged run. The tag names the world, so that the sheet states
# how to make it again.
import json
import warnings
from pathlib import Path
from tempfile import mkdtemp

import smartrisk as sr

folder = Path(mkdtemp())
# Small worlds, to build this page in seconds; the engine warns of few results.
warnings.filterwarnings("ignore", category=sr.errors.SmartRiskWarning)


def log_case(name, *, n_items, scenario="national", target="hit"):
    """Fit, judge and log an engine on a synthetic world, and return the run."""
    world = sr.datasets.make_declarations(n_items, scenario=scenario, random_state=0)
    split = sr.windows.time_split(world.declarations, world.outcomes)
    engine = sr.RiskEngine(target=target).fit(split.past, split.known)
    engine.update(split.later)
    truth = world.full_outcomes()
    if target != "hit":  # the kind of offence is known of controlled items only
        truth = sr.items.label_outcomes(world.outcomes, target)
    result = sr.evaluation.evaluate(
        engine.score(split.later),
        truth,
        rates=(0.05, 0.1),
        segments=sr.evaluation.standard_segments(split.later, past=split.past),
    )
    stated = {"scenario": scenario, "n_items": n_items, "seed": 0}
    return sr.tracking.log_run(
        engine,
        evaluation=result,
        declarations={"training": split.past, "evaluation": split.later},
        tracking_uri=folder / "store",
        run_name=name,
        tags={sr.tracking.WORLD_TAG: json.dumps(stated)},
    )


# %%
# First case: undervaluation
# --------------------------
#
# The engine looks for one kind of offence. What only a person can say is passed as
# `answers`; here, everything is filled in.
run = log_case("undervaluation", n_items=20_000, target="offence:undervaluation")
case = sr.workshop.UseCase.from_run(
    run,
    title="Undervaluation of consumer goods",
    capacity=0.1,
    cost_per_control=60.0,
    answers={
        "question": "Which items are declared far below their usual value, so that "
        "the valuation unit asks for the contract?",
        "achieved": "The unit asks for half as many contracts as before; traders with "
        "usual prices wait less.",
        "cost": "One analyst for four months, two days of training for ten officers.",
        "failed": "Prices per piece were useless until the units were cleaned: the "
        "first two months went into that.",
        "contact": "Valuation unit",
    },
)
print(case.to_markdown())

# %%
# Second case: few results
# ------------------------
#
# A young risk unit has few results; signals carry most of the score. Two places are
# left open: they are marked on the sheet.
run = log_case("few results", n_items=6_000)
case = sr.workshop.UseCase.from_run(
    run,
    title="A start with few results",
    capacity=0.1,
    answers={
        "question": "Can a new risk unit order its controls before it has results?",
        "cost": "A laptop, and one officer for six weeks.",
        "failed": "The first column map took the wrong date: scores were useless "
        "until the readiness report showed it.",
    },
)
print(case.sheet)
print(case.save(folder / "few-results", lang="es")["html"].name)

# %%
# Third case: a small office
# --------------------------
#
# Every irregularity, in a country with few offices. The sheet is a page, and Markdown.
run = log_case("small office", n_items=8_000, scenario="small")
case = sr.workshop.UseCase.from_run(
    run,
    title="The controls of a small office",
    cost_per_control=25.0,
    answers={
        "question": "Which items are examined when two officers are there?",
        "achieved": "Twice the findings, with the same two officers.",
        "cost": "One officer for three months, and a computer.",
        "failed": "Express consignments are still ranked badly.",
        "contact": "Risk unit",
    },
)
print(case.save(folder / "small-office", lang="fr"))
case.sheet
