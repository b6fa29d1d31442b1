"""Values are frozen and equal by content; results give tables and cannot be changed."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import smartrisk as sr
from smartrisk.errors import Message
from smartrisk.results import Result, notebook_table

#: Exported classes with `frame` that store things besides their numbers: a ledger is a
#: file, and displays have their own common checks.
NOT_RESULTS = {"Ledger", "WatchList", "Result"}
#: The longest line that reads well in a notebook or a log.
LONGEST_REPR = 200


def exported_classes():
    """Yield (name, class) of every class that a package exports."""
    for package in pkgutil.iter_modules(sr.__path__):
        if package.name.startswith("_"):
            continue
        module = importlib.import_module(f"smartrisk.{package.name}")
        for name in sorted(getattr(module, "__all__", ())):
            thing = getattr(module, name)
            if inspect.isclass(thing):
                yield name, thing


CLASSES = dict(exported_classes())
RESULTS = {
    name: thing
    for name, thing in CLASSES.items()
    if callable(getattr(thing, "frame", None))
    and name not in NOT_RESULTS
    and not callable(getattr(thing, "plot", None))
}
VALUES = {
    name: thing
    for name, thing in CLASSES.items()
    if dataclasses.is_dataclass(thing) and name not in RESULTS
}


# ------------------------------------------------------------------ values


def can_be_made_without_arguments(thing):
    return (
        all(
            f.default is not dataclasses.MISSING
            or f.default_factory is not dataclasses.MISSING
            for f in dataclasses.fields(thing)
            if f.init
        )
        and thing.__name__ != "Conversion"
    )  # one of its options must be given


DEFAULTS = [
    pytest.param(thing, id=name)
    for name, thing in VALUES.items()
    if can_be_made_without_arguments(thing)
]


@pytest.mark.parametrize("thing", DEFAULTS)
def test_a_value_is_equal_by_content_and_cannot_be_changed(thing):
    value = thing()
    assert value == thing()
    assert repr(value).startswith(thing.__name__)
    name = dataclasses.fields(thing)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


@pytest.mark.parametrize("thing", DEFAULTS)
def test_the_settings_of_a_value_are_passed_by_keyword(thing):
    # The subject of a value may come first: the mapping of a column map.
    _, *settings = (f for f in dataclasses.fields(thing) if f.init)
    assert all(f.kw_only for f in settings)


# ----------------------------------------------------------------- results


class Inputs:
    """What results are made from: one small world, its engine and its decisions."""

    def __init__(self, engine, world, past, new, outcomes, folder):
        self.folder = folder
        (folder / "SHA256SUMS").write_text("0f numpy-2.1.whl\n", encoding="utf-8")
        self.engine, self.world, self.past, self.new = engine, world, past, new
        self.outcomes = outcomes
        self.truth = world.full_outcomes()
        self.scores = engine.score(new)
        self.few = new.iloc[:200]
        self.decisions = engine.select(new, capacity=0.2)
        self.reasons = engine.explain(self.few, top=3)
        self.evaluation = sr.evaluation.evaluate(self.scores, self.truth, n_bootstrap=5)

    def segments(self):
        office = self.new["office"].to_numpy()
        return sr.evaluation.by_segment(self.scores, self.truth, {"office": office})

    def backtest(self):
        contenders = {"random": RandomScores()}
        return sr.evaluation.backtest(
            contenders, self.past, self.outcomes, n_folds=2, judge=self.truth
        )

    def leaks(self):
        features = sr.features.DeclarationFeatures()
        return sr.evaluation.prove_leak_free(
            features, self.past.head(400), self.outcomes, n_moments=1
        )

    def officers(self):
        by_officer = self.outcomes.assign(officer_id="O1")
        scores = self.engine.score(self.past)
        return sr.evaluation.inspection_integrity(by_officer, scores)

    def removal(self):
        others = self.engine.features_.transform(self.past.head(50))
        raw_score = self.engine.classifier_.raw_score
        return sr.explanations.removal(self.reasons, raw_score, others)

    def benchmark(self):
        names = ("smartrisk", "<b>other</b>")
        table = pd.DataFrame({"task": "small", "seed": 0, "contender": names})
        table = table.assign(precision=0.2, revenue=0.3, roc_auc=0.7)
        table = table.assign(fit_seconds=1.0, score_seconds=0.1)
        return sr.benchmark.BenchmarkResult(_table=table, _verdicts={"small": "fine"})

    def documents(self):
        header = self.few.drop_duplicates("declaration_id")
        header = header[["declaration_id", "office"]]
        lines = self.few.drop(columns="office")
        return sr.intake.join_documents(header, lines, on="declaration_id")

    def gain(self):
        other = self.scores.assign(risk_score=self.scores["risk_score"] ** 2)
        return sr.evaluation.paired_gain(
            other, self.scores, self.truth, n_bootstrap=20, groups=None
        )

    def registration(self):
        judgement = SimpleNamespace(
            gate=sr.tracking.Gate(),
            champion=None,
            challenger=0.25,
            gain=None,
            passed=True,
            table=pd.DataFrame({"metric": ["<b>lift</b>"], "challenger": [0.25]}),
            data=SimpleNamespace(n_items=3, message=Message("a.d", "three items")),
        )
        return sr.tracking.Registration(name="demo", version="1", judgement=judgement)

    def rules(self):
        high_duty = sr.selectivity.Condition(
            field="duty_rate", operator=">=", value=0.1
        )
        rule = sr.selectivity.Rule(rule_id="duty", when=(high_duty,))
        return sr.selectivity.RuleSet(rules=(rule,))

    def policies(self):
        policies = {"a": self.decisions, "b": self.engine.select(self.new, 0.1)}
        return sr.evaluation.compare_policies(policies, self.truth, n_bootstrap=5)

    def closed_loop(self):
        world = sr.datasets.make_declarations(3_000, random_state=0, scenario="small")
        arm = sr.simulation.Arm(contender=RandomScores())
        return sr.simulation.close_loop({"random": arm}, [world], start=20)

    def verification(self):
        message = sr.errors.Message("test.gap", "entry {seq} is missing", seq=3)
        return sr.ledger.Verification(n_entries=4, messages=(message,))

    def erasure(self):
        return sr.ledger.Erasure(n_identities=1, n_items=2, is_done=False)

    def replay(self):
        score = {"score": {"risk_score": 0.5}, "reasons": ["<b>high</b>"]}
        return sr.ledger.Replay(seq=1, recorded=score, again=score)


class RandomScores:
    """A contender without a model."""

    def fit(self, declarations, outcomes):
        return self

    def score(self, declarations):
        values = np.random.default_rng(len(declarations)).random(len(declarations))
        keys = declarations[["declaration_id", "item_number"]]
        return keys.assign(risk_score=values, expected_revenue=values)


def publish_few(inputs):
    """Return figures of one indicator that are safe to publish."""
    figures = sr.statistics.enforcement(inputs.past, inputs.outcomes, by=("office",))
    return sr.statistics.publish(figures, indicators=["lodged"])


#: A maker for every result that is exported: a new one fails here until it is added.
def play_a_round():
    """Return the standings after the first round of a small game."""
    game = sr.workshop.Game(n_items=1_000, capacity=5, random_state=0)
    return game.play(game.items.head(5))


def wheel(name, megabytes):
    """Return what a stick notes of a wheel."""
    return {
        "name": name,
        "version": "2.1",
        "file": f"{name}-2.1.whl",
        "megabytes": megabytes,
        "sha256": name,
    }


MAKERS = {
    "Audit": lambda i: sr.evaluation.audit(i.past, i.outcomes),
    "Backtest": Inputs.backtest,
    "BenchmarkResult": Inputs.benchmark,
    "Breakdown": lambda i: sr.datasets.breakdown(i.world),
    "Calibration": lambda i: sr.evaluation.calibration(
        i.scores["risk_score"], i.new["duty_rate"] > 0.1
    ),
    "Champions": lambda i: sr.tracking.Champions(name="demo", moves=()),
    "ClosedLoop": Inputs.closed_loop,
    "Comparison": lambda i: sr.evaluation.compare(
        {"one": i.evaluation, "two": i.evaluation}
    ),
    "CaseStatistics": lambda i: sr.statistics.cases(
        i.world.cases(), i.world.seizures()
    ),
    "CompiledRules": lambda i: sr.selectivity.compile_rules(i.new, i.scores),
    "Counterfactuals": lambda i: sr.explanations.counterfactuals(
        i.few.head(5), i.engine.score, i.past
    ),
    "Dependence": lambda i: sr.explanations.dependence(i.reasons, "duty_rate"),
    "Drift": lambda i: sr.monitoring.drift(i.past, i.new),
    "EffortCurve": lambda i: sr.evaluation.effort_curve({"engine": i.scores}, i.truth),
    "EnforcementStatistics": lambda i: sr.statistics.enforcement(
        i.past, i.outcomes, by=("office",)
    ),
    "Erasure": Inputs.erasure,
    "Evaluation": lambda i: i.evaluation,
    "FileDescription": lambda i: sr.intake.describe_file(i.few),
    "GuardReport": lambda i: i.engine.profile_.check(
        i.new.assign(net_mass_kg=1000 * i.new["net_mass_kg"])
    ),
    "Importance": lambda i: sr.explanations.importance(i.reasons, n_bootstrap=5),
    "JoinedDocuments": Inputs.documents,
    "LeakReport": Inputs.leaks,
    "MachineCheck": lambda i: sr.workshop.MachineCheck(
        [
            sr.workshop.Finding(
                part="memory", state="ok", found=Message("a.b", "8 GB")
            ),
            sr.workshop.Finding(
                part="python", state="ok", found=Message("a.c", "3.12")
            ),
        ],
        "en",
    ),
    "OffPolicy": lambda i: sr.evaluation.off_policy(
        i.decisions, i.world.inspect(i.decisions), i.decisions
    ),
    "OfficerReport": Inputs.officers,
    "PairedGain": Inputs.gain,
    "Periods": lambda i: sr.evaluation.by_period(i.scores, i.truth, i.new),
    "PolicyComparison": Inputs.policies,
    "Plausibility": lambda i: sr.quality.plausibility(i.past, i.outcomes),
    "Profile": lambda i: sr.intake.profile(i.few),
    "Progress": lambda i: sr.workshop.Progress({"4.1": {"status": "right"}}),
    "Proposal": lambda i: sr.intake.propose_map(i.few),
    "Realism": lambda i: sr.datasets.realism(i.world),
    "Readiness": lambda i: sr.readiness.assess(i.past, i.outcomes),
    "Reasons": lambda i: i.reasons,
    "Registration": Inputs.registration,
    "Release": lambda i: publish_few(i),
    "ReleaseComparison": lambda i: sr.statistics.compare(
        publish_few(i), publish_few(i)
    ),
    "Removal": Inputs.removal,
    "Replay": Inputs.replay,
    "RuleDraw": lambda i: i.rules().draw(i.new),
    "RuleReport": lambda i: i.rules().report(i.past, i.outcomes),
    "Scorecard": lambda i: sr.quality.scorecard(i.past, i.outcomes),
    "SegmentProfile": lambda i: sr.explanations.segment_profile(i.reasons, "office"),
    "Segments": Inputs.segments,
    "Split": lambda i: sr.windows.time_split(i.world.declarations, i.world.outcomes),
    "Stability": lambda i: sr.explanations.stability(i.reasons),
    "StageReport": lambda i: i.engine.stage_report_,
    "Standings": lambda i: play_a_round(),
    "Stick": lambda i: sr.workshop.Stick(
        i.folder, {"megabytes": 1}, [wheel("numpy", 16.0), wheel("pandas", 12.0)]
    ),
    "Suppression": lambda i: sr.disclosure.suppress(
        pd.DataFrame({"office": ["A"] * 3, "trader": [1, 2, 3], "value": 1.0}),
        ["office"],
    ),
    "UpdateReport": lambda i: i.engine.copy().update(i.new).last_update_,
    "ValidationReport": lambda i: sr.validation.check(
        i.past.head(50).assign(customs_value=-1.0), sr.schema.DECLARATIONS
    ),
    "Verification": Inputs.verification,
    "WholeFlow": lambda i: sr.evaluation.whole_flow(
        i.decisions, i.world.inspect(i.decisions)
    ),
}


@pytest.fixture(scope="module")
def inputs(engine, world, past_and_new, outcomes, tmp_path_factory):
    past, new = past_and_new
    folder = tmp_path_factory.mktemp("stick")
    return Inputs(engine, world, past, new, outcomes, folder)


@pytest.fixture(scope="module")
def results(inputs):
    """Return a function that makes each result once, by the name of its class."""
    made = {}

    def make(name):
        if name not in made:
            made[name] = MAKERS[name](inputs)
            assert type(made[name]).__name__ == name
        return made[name]

    return make


def spoil(frame):
    """Change a table in place: its first row, and a new column."""
    for place in range(frame.shape[1] if len(frame) else 0):
        frame.iloc[0, place] = frame.iloc[-1, place]
    frame["added"] = 0


def test_every_exported_result_has_a_maker():
    assert sorted(RESULTS) == sorted(MAKERS)
    assert all(issubclass(thing, Result) for thing in RESULTS.values())


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_keeps_its_tables_private_and_compares_by_identity(name):
    thing = RESULTS[name]
    assert "__eq__" not in vars(thing)
    if dataclasses.is_dataclass(thing):
        assert thing.__dataclass_params__.frozen
        public = [f for f in dataclasses.fields(thing) if not f.name.startswith("_")]
        tables = {f.name for f in public if re.search("DataFrame|dict|NDArray", f.type)}
        # A split hands tables on to fit and score; copies would double the memory.
        allowed = {"past", "known", "later"} if name == "Split" else set()
        assert tables <= allowed


@pytest.mark.parametrize("name", MAKERS)
def test_a_result_gives_its_numbers_as_a_frame_that_is_a_copy(name, results):
    result = results(name)
    frame = result.frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.is_unique
    before = frame.copy(deep=True)
    spoil(frame)
    pd.testing.assert_frame_equal(result.frame(), before)


@pytest.mark.parametrize("name", MAKERS)
def test_a_property_of_a_result_cannot_be_set_and_returns_a_copy(name, results):
    result = results(name)
    properties = inspect.getmembers(type(result), lambda m: isinstance(m, property))
    for attribute, _ in properties:
        value = getattr(result, attribute)
        with pytest.raises(AttributeError):
            setattr(result, attribute, value)
        if isinstance(value, pd.DataFrame) and len(value):
            before = value.copy(deep=True)
            spoil(value)
            pd.testing.assert_frame_equal(getattr(result, attribute), before)


@pytest.mark.parametrize("name", MAKERS)
def test_a_result_shows_itself_in_one_short_line(name, results):
    text = repr(results(name))
    assert text.startswith(name)
    assert len(text) < LONGEST_REPR
    assert text.isprintable()


@pytest.mark.parametrize("name", MAKERS)
def test_a_result_shows_a_table_in_a_notebook(name, results):
    html = results(name)._repr_html_()
    assert "<table" in html
    assert "<script" not in html


class Hostile(Result):
    """A result whose texts try to leave their cells."""

    def frame(self):
        text = "<script>alert(1)</script>\u202egnp.exe\x00"
        return pd.DataFrame({text: [text], "share": [0.12345678], "n": [3]})

    def __repr__(self):
        return "Hostile(<i>)"


def test_the_notebook_view_of_a_result_is_clean_and_escaped():
    html = Hostile()._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "Hostile(&lt;i&gt;)" in html
    assert not set("\u202e\x00") & set(html)


def test_texts_are_left_aligned_and_numbers_right_aligned_with_equal_decimals():
    frame = pd.DataFrame({"office": ["A"], "share": [0.5]}).iloc[[0, 0]]
    frame["share"] = [0.5, 0.12345]
    html = notebook_table(frame, "demo")
    assert '<td style="text-align:left">A</td>' in html
    assert '<td style="text-align:right">0.5000</td>' in html
    assert '<td style="text-align:right">0.1235</td>' in html


def test_every_exported_class_is_of_a_kind_that_has_common_checks():
    known_kinds = (BaseException, BaseEstimator, Result)
    others = [
        name
        for name, thing in CLASSES.items()
        if not issubclass(thing, known_kinds)
        and not dataclasses.is_dataclass(thing)
        and not issubclass(thing, tuple | dict)
        and not callable(getattr(thing, "plot", None))
        and not getattr(thing, "_is_protocol", False)
        and name not in {"Ledger", "Message", "RiskEngine", "SumTable", "Texts"}
        and name not in {"ClassifierAdapter", "RegressorAdapter", "TomlSettings"}
        and name not in {"Game", "Hit", "KeptFile", "Lab", "TablesOnDemand"}
    ]
    assert others == []
