"""The library logs what it does to one logger, and names nobody in a record."""

from __future__ import annotations

import logging
import re
import subprocess
import sys

import pytest

import smartrisk as sr

#: Roles of fields whose values must never appear in a record.
IDENTITIES = ("declaration_id", "importer_id", "declarant_id", "consignor_id")


@pytest.fixture
def records():
    """Return the list that every record of the library is appended to."""
    kept = []

    class Collector(logging.Handler):
        def emit(self, record):
            kept.append(record)

    logger, collector = logging.getLogger("smartrisk"), Collector(logging.DEBUG)
    level = logger.level
    logger.addHandler(collector)
    logger.setLevel(logging.DEBUG)
    yield kept
    logger.removeHandler(collector)
    logger.setLevel(level)


@pytest.fixture(scope="module")
def small():
    """Return a world of its own, small enough to be fitted several times."""
    return sr.datasets.make_declarations(6000, random_state=3)


@pytest.fixture(scope="module")
def split(small):
    """Return the small world cut into past and later items."""
    return sr.windows.time_split(small.declarations, small.outcomes)


@pytest.fixture(scope="module")
def fitted(split):
    """Return an engine fitted on the past of the small world."""
    return sr.RiskEngine(random_state=0).fit(split.past, split.known)


def collect_identities(declarations):
    """Return the identities of a world as texts."""
    columns = [name for name in IDENTITIES if name in declarations]
    values = {str(v) for name in columns for v in declarations[name].dropna().unique()}
    # Short codes would be found in numbers and versions.
    return {value for value in values if len(value) >= 4}


def read_texts(records):
    """Return the records as texts, with all that is attached to them."""
    return [f"{record.getMessage()} {record.args!r}" for record in records]


def find_identities(records, declarations):
    """Return the identities of a world that the records hold."""
    words = set(re.findall(r"[\w./-]+", " ".join(read_texts(records))))
    return words & collect_identities(declarations)


@pytest.mark.slow
def test_the_library_is_silent_until_a_program_configures_it():
    code = "import smartrisk as sr\n"
    code += "w = sr.datasets.make_declarations(1500, random_state=0)\n"
    code += "sr.RiskEngine().fit(w.declarations, w.outcomes).score(w.declarations)\n"
    code += "import logging; print(logging.getLogger('smartrisk').handlers)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "NullHandler" in done.stdout
    assert done.stderr == ""


def test_fitting_and_scoring_are_recorded_and_name_nobody(records, small, split):
    engine = sr.RiskEngine(random_state=0).fit(split.past, split.known)
    engine.update(split.later, split.known)
    engine.score(split.later)
    engine.score_one(split.later.iloc[0].to_dict())
    engine.select(split.later, capacity=0.05)
    text = "\n".join(read_texts(records))
    for step in ("fit", "update", "score", "select"):
        assert re.search(rf"^RiskEngine\.{step}\b", text, re.MULTILINE), step
    assert re.search(rf"fit: {len(split.past)} items, {len(split.known)} results", text)
    assert len(collect_identities(small.declarations)) > 1000
    assert find_identities(records, small.declarations) == set()


def test_saving_and_loading_are_recorded_with_the_version(records, fitted, tmp_path):
    version = sr.RiskEngine.load(fitted.save(tmp_path / "engine")).version_
    texts = [text for text in read_texts(records) if version in text]
    assert re.search(r"RiskEngine\.save\b", texts[0])
    assert re.search(r"RiskEngine\.load\b", texts[1])


@pytest.mark.slow
def test_a_backtest_records_each_fold_and_names_nobody(records, small):
    contenders = {"engine": sr.RiskEngine(random_state=0)}
    sr.evaluation.backtest(contenders, small.declarations, small.outcomes, n_folds=2)
    assert sum("backtest" in text for text in read_texts(records)) >= 2
    assert find_identities(records, small.declarations) == set()


@pytest.mark.slow
def test_a_closed_loop_records_each_month_and_names_nobody(records):
    world = sr.datasets.make_declarations(1500, random_state=0, scenario="small")
    rates = sr.models.SmoothedRateSum()
    arms = {"rates": sr.simulation.Arm(contender=rates, refit_every=6)}
    result = sr.simulation.close_loop(arms, [world])
    months = result.frame()["month"].nunique()
    texts = [text for text in read_texts(records) if "close_loop" in text]
    assert len(texts) >= months > 1
    assert find_identities(records, world.declarations) == set()


def test_a_record_that_names_a_trader_is_found(records, small):
    trader = small.declarations["importer_id"].iloc[0]
    logging.getLogger("smartrisk").debug("importer %s", trader)
    assert find_identities(records, small.declarations) == {str(trader)}


def test_all_modules_share_one_logger(root):
    pattern = re.compile(r"getLogger\(\s*\"(smartrisk.*?)\"")
    named = {
        name
        for path in (root / "smartrisk").rglob("*.py")
        for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    # What LightGBM logs can be filtered and passes through the same logger.
    assert named == {"smartrisk", "smartrisk.lightgbm"}
