"""Polars frames and Arrow tables give what frames of pandas give, everywhere."""

from __future__ import annotations

import importlib
import inspect
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import smartrisk
from smartrisk import RiskEngine
from smartrisk.datasets import breakdown, join_labels, make_declarations, realism
from smartrisk.errors import TableError
from smartrisk.evaluation import (
    audit,
    backtest,
    best_look_up,
    by_period,
    by_segment,
    compare_policies,
    effort_curve,
    evaluate,
    inspection_integrity,
    judge_overrides,
    off_policy,
    paired_gain,
    prove_leak_free,
    standard_segments,
    whole_flow,
)
from smartrisk.explanations import counterfactuals, explain, removal
from smartrisk.features import DeclarationFeatures, join_results
from smartrisk.intake import join_documents, profile, propose_map
from smartrisk.items import (
    are_among,
    check_unique,
    count_targets,
    document_hashes,
    item_ids,
    item_keys,
    item_numbers,
    join_by_key,
    label_outcomes,
    positions_of,
    stage_of,
    with_item_numbers,
)
from smartrisk.ledger import Ledger
from smartrisk.models import RevenueRegressor, RiskClassifier, SmoothedRateSum
from smartrisk.monitoring import drift
from smartrisk.pages import (
    CaseSheet,
    DataCard,
    ModelCard,
    WatchList,
)
from smartrisk.quality import plausibility, scorecard
from smartrisk.readiness import assess
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, OUTCOMES
from smartrisk.selectivity import (
    Condition,
    Policy,
    Rule,
    RuleSet,
    compile_rules,
    mark_undecided,
    novelty,
    releases_in_a_row,
    select,
)
from smartrisk.statistics import cases, enforcement
from smartrisk.tables import is_foreign_table, read_table
from smartrisk.validation import check, validate
from smartrisk.windows import (
    as_of,
    known_at,
    rolling_origin,
    seen_before,
    time_split,
    unlabelled_months,
)

KINDS = {"polars": pl.from_pandas, "arrow": pa.Table.from_pandas}
EXPORTED = ("features", "models")


@pytest.fixture(scope="module")
def made():
    """Return an engine, a world, and tables of its earlier and later items."""
    world = make_declarations(1600, random_state=1, scenario="small")
    items = validate(world.declarations, DECLARATIONS)
    results = validate(world.outcomes, OUTCOMES)
    split = time_split(items, results, later_share=0.3)
    engine = RiskEngine(random_state=0).fit(split.past, split.known)
    scores = engine.score(split.later)
    decided = select(scores, policy=Policy(capacity=0.1, random_share=0.5))
    tables = {
        "past": split.past,
        "known": split.known,
        "later": split.later,
        "found": results[are_among(results, split.later)],
        "results": world.outcomes[are_among(world.outcomes, split.later)],
        "full": world.full_outcomes(),
        "truth": world.truth.merge(items[["declaration_id", "item_number"]]),
        "scores": scores,
        "value": scores.assign(risk_score=split.later["customs_value"].rank(pct=True)),
        "decided": decided,
        "milestones": world.milestones().drop(columns="amount"),
        "cases": world.cases(),
        "seizures": world.seizures(),
        "overrides": decided.head(5).assign(channel="red"),
        "model": scores.assign(revenue=1.0),
        "labelled": join_by_key(split.past, split.known, ["illicit"], how="inner"),
        "matrix": DeclarationFeatures(n_jobs=1)
        .set_output(transform="pandas")
        .fit_transform(split.past),
        "world_decisions": world.decisions(),
        "header": split.later[["declaration_id", "office"]].drop_duplicates(
            "declaration_id"
        ),
        "lines": split.later.drop(columns="office"),
    }
    tables = {name: t.reset_index(drop=True) for name, t in tables.items()}
    return engine, world, tables


def make_rules():
    """Return two rules, one of which compares prices."""
    costly = Rule(
        rule_id="costly",
        when=(Condition(field="customs_value", operator=">", value=5000.0),),
    )
    origin = Rule(
        rule_id="one",
        when=(Condition(field="origin", operator="in", value=("CN", "TR")),),
    )
    return RuleSet(rules=(costly, origin))


def make_reasons(engine, t):
    """Return the reasons of some items, from their matrix."""
    matrix = engine.features_.transform_matrix(t.later)
    return explain(
        t.later,
        matrix,
        engine.classifier_.contributions(matrix),
        engine.features_.feature_info_,
    )


def record(t, tmp_path):
    """Return what a ledger holds after decisions and results."""
    path = tmp_path / f"{type(t.later).__module__}.sqlite"
    with Ledger(path) as ledger:
        ledger.record(t.decided, declarations=t.later, scores=t.scores)
        ledger.result(t.results)
        entries = ledger.frame()
    return entries[[c for c in ("kind", "declaration_id") if c in entries]]


def fit_again(engine, t):
    """Return the scores of an engine fitted and updated with the tables."""
    again = RiskEngine(random_state=0).fit(t.past, t.known)
    return again.update(t.later, t.found).score(t.later)


def fit_features(t):
    """Return the features after every way to learn."""
    features = DeclarationFeatures(n_jobs=1)
    at_once = features.fit_transform(t.past, outcomes=t.known)
    features.update(t.later).update_results(t.later, t.found)
    return [at_once, features.transform(t.later), features.transform_matrix(t.later)]


def fit_classifier(t):
    """Return the predictions of models on features and on declarations."""
    y = np.arange(len(t.matrix)) % 7 == 0
    model = RiskClassifier(n_estimators=5).fit(t.matrix, y)
    share = RevenueRegressor(n_estimators=5).fit(t.matrix, y * 10.0)
    hits = np.arange(len(t.past)) % 7 == 0
    baseline = SmoothedRateSum().fit(t.past, hits)
    return [
        model.predict_proba(t.matrix),
        share.predict(t.matrix),
        baseline.predict_proba(t.later),
    ]


def fit_in_pieces(tools, t):
    """Fit on a file with results of another library, and update with results."""
    folder = Path(tempfile.mkdtemp(dir=tools.folder))
    tools.read(t.past).to_parquet(folder / "past.parquet", index=False)
    engine = smartrisk.scale.fit(
        smartrisk.RiskEngine(),
        folder / "past.parquet",
        t.known,
        folder=folder / "history",
    )
    again = smartrisk.scale.update(engine, outcomes=t.known)
    return [engine.version_, repr(again.last_update_)]


#: One call of every public function that takes a table, by the names that it covers.
CALLS = {
    "check": lambda m, t: check(t.past, DECLARATIONS).frame(),
    "validate": lambda m, t: validate(t.known, OUTCOMES),
    "scorecard": lambda m, t: scorecard(t.past, t.known),
    "RiskEngine.has_learned": lambda m, t: m.engine.has_learned(t.past),
    "RiskEngine.check_batch": lambda m, t: m.engine.check_batch(t.later),
    "plausibility": lambda m, t: plausibility(t.past, t.known),
    "RiskEngine.fit RiskEngine.update RiskEngine.score": lambda m, t: fit_again(
        m.engine, t
    ),
    "fit update": lambda m, t: fit_in_pieces(m, t),
    "fit_learned": lambda m, t: fit_in_pieces(m, t),
    "RiskEngine.explain": lambda m, t: m.engine.explain(t.later).frame(),
    "RiskEngine.select": lambda m, t: m.engine.select(t.later, capacity=0.1),
    "features": lambda m, t: fit_features(t),
    "join_results": lambda m, t: join_results(t.past, t.known).rows,
    "models": lambda m, t: fit_classifier(t),
    "as_of": lambda m, t: list(as_of(t.past, t.known, "2024-03-01")),
    "known_at": lambda m, t: known_at(t.known, t.past),
    "rolling_origin": lambda m, t: [
        fold.known for fold in rolling_origin(t.past, t.known, n_folds=2)
    ],
    "seen_before": lambda m, t: seen_before(t.later, t.past),
    "time_split": lambda m, t: time_split(t.past, t.known).later,
    "unlabelled_months": lambda m, t: unlabelled_months(t.past, t.known),
    "are_among": lambda m, t: are_among(t.known, t.past),
    "check_unique": lambda m, t: check_unique("a test", "the items", t.past),
    "document_hashes": lambda m, t: document_hashes(t.past),
    "item_ids": lambda m, t: item_ids(t.past),
    "item_keys": lambda m, t: item_keys(t.past),
    "item_numbers": lambda m, t: item_numbers(t.past),
    "with_item_numbers": lambda m, t: with_item_numbers(t.past),
    "join_by_key": lambda m, t: join_by_key(t.past, t.known),
    "positions_of": lambda m, t: positions_of(t.known, t.past),
    "audit": lambda m, t: audit(
        t.past, t.known, later_declarations=t.later, later_outcomes=t.found
    ),
    "backtest": lambda m, t: (
        backtest(
            {"value": lambda past, known, new: new["customs_value"]},
            t.past,
            t.known,
            judge=t.full,
            n_folds=2,
        )
        .frame()
        .drop(columns="seconds")
    ),
    "best_look_up": lambda m, t: pd.Series(best_look_up(t.labelled, 2)),
    "by_period": lambda m, t: by_period(
        t.scores, t.full, m.read(t.later)["lodged_at"], rate=0.1
    ),
    "by_segment": lambda m, t: by_segment(
        t.scores, t.full, standard_segments(t.later, past=t.past), rate=0.1
    ),
    "compare_policies": lambda m, t: compare_policies(
        {"engine": t.scores, "value": t.value}, t.full, n_bootstrap=5
    ),
    "effort_curve": lambda m, t: effort_curve({"engine": t.scores}, t.full),
    "evaluate": lambda m, t: evaluate(t.scores, t.full, n_bootstrap=5),
    "inspection_integrity": lambda m, t: inspection_integrity(
        t.found, t.scores, min_cases=1
    ),
    "assess": lambda m, t: assess(t.later, t.results, t.decided).frame(),
    "cases": lambda m, t: cases(t.cases, t.seizures, as_of="2030-01-01").frame(),
    "join_labels": lambda m, t: join_labels(t.past, t.known),
    "label_outcomes": lambda m, t: label_outcomes(t.known, "offence:undervaluation"),
    "count_targets": lambda m, t: pd.Series(count_targets(t.known)),
    "enforcement": lambda m, t: enforcement(
        t.later,
        t.results,
        t.decided,
        milestones=t.milestones,
        overrides=t.overrides,
        by=("office",),
    ).frame(),
    "judge_overrides": lambda m, t: judge_overrides(
        t.decided, t.overrides, t.full, scores=t.scores
    ),
    "off_policy": lambda m, t: off_policy(
        t.decided, t.full, t.decided, min_effective=1.0
    ),
    "paired_gain": lambda m, t: paired_gain(
        t.scores, t.value, t.full, n_bootstrap=20, groups=m.read(t.later)["importer_id"]
    ),
    "join_documents": lambda m, t: (
        join_documents(t.header, t.lines, on="declaration_id").declarations
    ),
    "profile": lambda m, t: profile(t.later),
    "propose_map": lambda m, t: propose_map(t.later),
    "prove_leak_free": lambda m, t: prove_leak_free(
        DeclarationFeatures(parts=("item",)), t.later, t.found, n_moments=1
    ),
    "standard_segments": lambda m, t: standard_segments(t.later, past=t.past),
    "whole_flow": lambda m, t: whole_flow(t.decided, t.full, source="all"),
    "counterfactuals": lambda m, t: counterfactuals(
        m.head(t.later), m.engine, t.past, top=1
    ),
    "explain": lambda m, t: make_reasons(m.engine, t),
    "removal": lambda m, t: removal(
        m.engine.explain(m.head(t.later)),
        m.engine.classifier_.raw_score,
        t.matrix,
        n_background=3,
    ),
    "Condition.holds": lambda m, t: make_rules().rules[0].when[0].holds(t.later),
    "Rule.matches": lambda m, t: make_rules().rules[1].matches(t.later),
    "RuleSet.decide": lambda m, t: make_rules().decide(t.later),
    "RuleSet.draw": lambda m, t: make_rules().draw(t.later).priority,
    "RuleSet.report": lambda m, t: make_rules().report(t.later, t.full),
    "RuleSet.with_price_ratio": lambda m, t: make_rules().with_price_ratio(t.later),
    "Policy.select": lambda m, t: Policy(capacity=0.1).select(t.scores, t.later),
    "select": lambda m, t: select(t.scores, t.later, capacity=0.1, rules=make_rules()),
    "compile_rules": lambda m, t: compile_rules(
        t.later, t.scores, outcomes=t.found, max_rules=2
    ),
    "novelty": lambda m, t: novelty(t.later, t.past),
    "releases_in_a_row": lambda m, t: releases_in_a_row(
        t.later, t.later, t.decided, by="importer_id"
    ),
    "stage_of": lambda m, t: stage_of(t.scores),
    "mark_undecided": lambda m, t: mark_undecided(t.scores, t.decided),
    "drift": lambda m, t: drift(t.past, t.later),
    "Ledger.record Ledger.result": lambda m, t: record(t, m.folder),
    "World.inspect": lambda m, t: m.world.inspect(t.world_decisions),
    "breakdown": lambda m, t: breakdown(t.past, reference=t.later),
    "realism": lambda m, t: realism(t.past, reference=t.later),
    "CaseSheet.from_engine": lambda m, t: CaseSheet.from_engine(
        m.engine, m.head(t.later, 1), past=t.past, outcomes=t.known
    ),
    "DataCard.from_tables": lambda m, t: DataCard.from_tables(t.past, t.known),
    "ModelCard.from_engine": lambda m, t: ModelCard.from_engine(
        m.engine, decisions=t.decided
    ),
    "WatchList.from_engine": lambda m, t: WatchList.from_engine(
        m.engine, m.head(t.later, 30), decisions=m.head(t.decided, 30)
    ),
}
#: Their tables go through the functions above: they are slow, or parts of others.
ELSEWHERE = {
    "write_pages",
    "log_run",
    "notebook_table",
    "InputProfile.learn",
    "InputProfile.learn_rows",
    "InputProfile.check",
    "FitPlan.label",
    "require_target",
    "are_document_hits",
    "check_numbered",
    "judge_items",
    "read_declarations",
    "register",
    "write_book",
    "write_table",
    # Parts of traders are made by the caller, as a frame of pandas.
    "suppress",
    # Marks and sources are attributes of frames of pandas.
    "mark_learned",
    "are_learned",
    "read_sources",
    "set_sources",
    # The items of a game are its own: tests/workshop/test_game.py.
    "Game.play",
    # Frames of pandas that the library itself returned or read.
    "Lab.make_table",
    "LeaderBoard.from_tables",
    "table_from_words",
}


def to_plain(result):
    """Return a result as something that compares: frames, arrays, texts."""
    if isinstance(result, list):
        return [to_plain(part) for part in result]
    if isinstance(result, (CaseSheet, DataCard, ModelCard, WatchList)):
        return result.to_html()
    if isinstance(result, Result):
        return result.frame()
    return result


def check_equal(found, expected):
    """Raise unless two results are the same, flags of either type equal."""
    if isinstance(expected, list):
        for left, right in zip(found, expected, strict=True):
            check_equal(left, right)
    elif isinstance(expected, pd.DataFrame):
        # A column of flags without a missing one has no missing ones in Arrow either.
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected, check_dtype=False)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


@pytest.fixture(scope="module")
def expected():
    """Return the results of frames of pandas, kept as they are made."""
    return {}


def head(table, n=5):
    """Return the first rows of a table of any library."""
    return table.slice(0, n) if is_foreign_table(table) else table.head(n)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_a_table_of_another_library_gives_the_same(
    name, kind, made, expected, tmp_path
):
    engine, world, tables = made
    tools = SimpleNamespace(
        engine=engine.copy(),
        world=world,
        folder=tmp_path,
        head=head,
        read=lambda table: read_table("a test", "a table", table),
    )
    if name not in expected:
        expected[name] = to_plain(CALLS[name](tools, SimpleNamespace(**tables)))
    convert = KINDS[kind]
    other = SimpleNamespace(**{key: convert(t) for key, t in tables.items()})
    check_equal(to_plain(CALLS[name](tools, other)), expected[name])


def list_takers():
    """Return every public function and method that is annotated to take a table."""
    found = set()
    for package in (*smartrisk._PACKAGES, "engine"):
        module = importlib.import_module(f"smartrisk.{package}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing):
                members = inspect.getmembers(thing, callable)
                public = [(f"{name}.{k}", f) for k, f in members if k[0] != "_"]
            else:
                public = [(name, thing)] if callable(thing) else []
            for label, function in public:
                if takes_a_table(function):
                    found.add(package if package in EXPORTED else label)
    return found


def takes_a_table(function):
    """Return whether a parameter of a function is annotated as a table."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        word in str(p.annotation)
        for p in parameters
        for word in ("TableInput", "DataFr")
    )


def test_every_public_function_that_takes_a_table_is_called_above():
    covered = {name for names in CALLS for name in names.split()} | ELSEWHERE
    assert list_takers() - covered == set()
    assert {"evaluate", "features", "RiskEngine.fit", "World.inspect"} <= list_takers()


# -------------------------------------------------------------- conversion


def test_flags_and_dates_are_read_as_flags_and_dates():
    table = pl.DataFrame(
        {"flag": [True, None], "day": pd.to_datetime(["2024-01-01"] * 2), "text": "x"}
    ).with_columns(pl.col("day").cast(pl.Date))
    frame = read_table("a test", "a table", table)
    assert frame["flag"].dtype == "boolean"
    assert frame["day"].dtype.kind == "M"
    assert read_table("a test", "a table", frame) is frame
    assert read_table("a test", "a table", None) is None
    assert read_table("a test", "a table", {"a": [1]})["a"].tolist() == [1]


@pytest.mark.parametrize(
    "table", [[1, 2], "items", pl.Series([1]), {"a": [1], "b": []}]
)
def test_what_is_no_table_is_refused_with_its_type(table):
    with pytest.raises(TableError, match=r"a test.*scores"):
        read_table("a test", "'scores'", table)
