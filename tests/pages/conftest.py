"""Pages of an ordinary and of a hostile world, and a browser to open them."""

from __future__ import annotations

import contextlib
import functools
import warnings

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import DataQualityWarning, Message
from smartrisk.pages import (
    CaseSheet,
    CompetitionRules,
    DataCard,
    EvaluationReport,
    LeaderBoard,
    ModelCard,
    PolicyReport,
    ReadinessReport,
    StatisticsReport,
    WatchList,
)

#: What must neither run, nor be loaded, nor break a layout.
HOSTILE = (
    "<script>window.hacked=1</script>",
    "\"><img src=x onerror='window.hacked=1'>",
    "'><svg/onload=window.hacked=1>",
    "<iframe src='https://example.org/x'></iframe>",
    "<link rel=stylesheet href='https://example.org/x.css'>",
    "</style></script><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% for x in y %}",
    "%(n)s %s %% {0} {importer_id}",
    "\u202egnp.exe\u2066\u200b\ufeff",
    '=HYPERLINK("https://example.org","x")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "x" * 10_000,
    "word " * 2_000,
    "$\\frac{$",
)
TEXTS = (
    "declaration_id",
    "importer_id",
    "declarant_id",
    "consignor_id",
    "carrier_id",
    "description",
    "office",
    "procedure",
    "payment_type",
    "preference",
)


@pytest.fixture(scope="session")
def html_of():
    """Return a function that renders a page once for each language."""
    return functools.cache(lambda page, lang="en": page.to_html(lang=lang))


@pytest.fixture(scope="session")
def corpus():
    """Return what is hostile, and the fields that it is put into."""
    return HOSTILE, TEXTS


@pytest.fixture(scope="session")
def hostile():
    """Return a function that makes items hostile."""
    return make_hostile


def make_hostile(items):
    """Return items with something hostile in every text that may hold it."""
    rng = np.random.default_rng(0)
    worse = items.copy().assign(description="plain")
    for name in TEXTS:
        worse[name] = worse[name].astype(object)
        for place in range(len(worse)):
            text = HOSTILE[(place + int(rng.integers(len(HOSTILE)))) % len(HOSTILE)]
            end = str(place) if name == "declaration_id" else ""
            worse.iloc[place, worse.columns.get_loc(name)] = text + end
    return worse


@contextlib.contextmanager
def warned_of_hostile_items():
    """Expect that hostile items do not fit; let their other warnings pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        with pytest.warns(DataQualityWarning, match="does not fit"):
            yield


@pytest.fixture(scope="session")
def warned():
    """Return the context in which hostile items are scored."""
    return warned_of_hostile_items


def make_pages(engine, past, new, outcomes, truth, name=""):
    """Return one page of each kind."""
    scores = engine.score(new)
    first = new.loc[[scores["risk_score"].idxmax()]]
    full = truth[["declaration_id", "item_number"]].assign(
        illicit=truth["illicit"].astype(int), revenue_adjustment=truth["evaded_revenue"]
    )
    full["declaration_id"] = new["declaration_id"].to_numpy()
    evaluation = sr.evaluation.evaluate(scores, full, n_bootstrap=20)
    groups = {"office": new["office"].astype(str).str[:50], "origin": new["origin"]}
    segments = sr.evaluation.by_segment(scores, full, groups, rate=0.2, min_items=5)
    decisions = engine.select(new, 0.1)
    data = DataCard.from_tables(pd.concat([past, new]), outcomes, name=name)
    policies = {f"{name} a": decisions, f"{name} b": engine.select(new, 0.2)}
    everything = pd.concat([past, new])
    figures = sr.statistics.enforcement(everything, outcomes, decisions)
    ready = sr.readiness.assess(everything, outcomes, decisions)
    compared = sr.evaluation.compare_policies(policies, full, n_bootstrap=20)
    return {
        "case": CaseSheet.from_engine(
            engine, first, past=pd.concat([past, new]), outcomes=outcomes
        ),
        "watch": WatchList.from_engine(engine, new, 0.2),
        "model": ModelCard.from_engine(
            engine,
            evaluation=evaluation,
            segments=segments,
            data=data,
            reasons=engine.explain(new),
            decisions=decisions,
            ledger=sr.ledger.Verification(n_entries=3),
            intended_use=name or None,
            oversight=name or "An officer decides on every control.",
            answers={"RKC 6.6": name} if name else None,
        ),
        "data": data,
        "evaluation": EvaluationReport.from_evaluation(
            evaluation,
            name=name,
            calibration=sr.evaluation.calibration(
                scores["risk_score"], full["illicit"], n_groups=5
            ),
            effort=sr.evaluation.effort_curve({name or "engine": scores}, full),
            segments=segments,
            drift=sr.monitoring.drift(past, new),
            reasons=engine.explain(new),
        ),
        "policy": PolicyReport.from_comparison(compared),
        "readiness": ReadinessReport.from_readiness(ready, name=name),
        "statistics": StatisticsReport.from_statistics(
            figures, name=name, currency=name or None
        ),
        "leaders": make_leader_board(name),
        "rules": CompetitionRules(
            capacity=50,
            cost=400.0,
            n_items=(1_200, 900, 1_000),
            days=tuple(pd.date_range("2024-01-01", periods=4, freq="MS")),
            commitment="0123456789abcdef" * 4,
        ),
    }


def make_leader_board(name=""):
    """Return a leader board of teams with a name."""
    players = [(f"{name} {n}", "team") for n in range(1, 4)]
    players += [(one, "reference") for one in ("random", "duty", "rates", "oracle")]
    figures = {
        "net_benefit": 123_456.0,
        "net_benefit_low": -98_765.0,
        "net_benefit_high": 345_678.0,
        "precision": 0.25,
        "precision_low": 0.1,
        "precision_high": 0.4,
        "controls": 150,
    }
    rows = [{"player": one, "kind": kind, **figures} for one, kind in players]
    total = pd.DataFrame(rows).assign(equal_to="", rank=pd.NA)
    total.loc[:2, "rank"] = [1, 1, 3]
    total.loc[0, "equal_to"] = ", ".join(f"{name} {n}" for n in range(2, 12))
    files = pd.DataFrame(
        {
            "path": [f"{name}_round1.csv", "b_round2.csv"],
            "team": [f"{name} 1", "b"],
            "round": pd.array([1, None], "Int64"),
            "version": 1,
            "digest": "0123456789ab",
            "counts": [True, False],
            "problem": ["", name or "is empty."],
        }
    )
    problem = Message(
        "workshop.file_problems",
        "{path}: {problems}",
        **{"path": f"{name}_round1.csv", "problems": name or "the file is empty."},
    )
    return LeaderBoard.from_tables(
        total,
        pd.concat([pd.DataFrame(rows).assign(round=n) for n in (1, 2, 3)]),
        files=files,
        problems=[problem],
        capacity=50,
        cost=400.0,
        commitment="0123456789abcdef" * 4,
    )


@pytest.fixture(scope="session")
def pages(engine, past_and_new, world):
    """Return a page of each kind."""
    past, new = past_and_new
    new = new.head(200)
    return make_pages(engine, past, new, world.outcomes, world.truth.loc[new.index])


@pytest.fixture(scope="session")
def hostile_pages(engine, past_and_new, world):
    """Return a page of each kind, made of a hostile corpus."""
    past, new = past_and_new
    new = make_hostile(new.head(200))
    truth = world.truth.loc[new.index]
    name = HOSTILE[0] + HOSTILE[1]
    with warned_of_hostile_items():
        return make_pages(engine, past, new, world.outcomes, truth, name=name)
