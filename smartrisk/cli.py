"""The command line: demo, generate, validate, fit, score, explain, select, evaluate.

Reads files of declarations and results (CSV or Parquet); writes files, an engine
folder, and short tables on the terminal. A user's mistake gives one sentence and the
exit code 2, never a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartrisk import __version__, schema
from smartrisk.errors import SmartRiskError, SmartRiskWarning, TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["main"]

_BUILT_IN = {"kcs": "KCS", "date": "DATE", "asycuda": "ASYCUDA"}
_GOODS_LINE = [
    "tariff_code",
    "departure",
    "origin",
    "duty_rate",
    "preference",
    "net_mass_kg",
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None for those of the process.

    Returns
    -------
    code : int
        0 when done, 2 when the input was refused.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.cli import main
    >>> main(["generate", "--items", "50", "--out", tempfile.mkdtemp()])
    wrote ...
    0
    """
    arguments = _parser().parse_args(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.simplefilter("ignore", SmartRiskWarning)
    try:
        arguments.run(arguments)
    except (SmartRiskError, OSError, ValueError) as error:
        sys.stderr.write(f"smartrisk {arguments.command}: {error}\n")
        return 2
    except BrokenPipeError:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smartrisk", description="Customs risk scoring of import declarations."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    demo = commands.add_parser("demo", help="make a world, fit, judge, explain, track")
    demo.add_argument("--items", type=int, default=30_000)
    demo.add_argument("--seed", type=int, default=0)
    demo.add_argument("--out", type=Path, default=Path("smartrisk-demo"))
    demo.set_defaults(run=_demo)

    generate = commands.add_parser("generate", help="write a made world")
    generate.add_argument("--items", type=int, default=10_000)
    generate.add_argument("--scenario", default="national")
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument("--format", choices=["parquet", "csv"], default="parquet")
    generate.add_argument("--out", type=Path, required=True)
    generate.set_defaults(run=_generate)

    check = commands.add_parser("validate", help="say everything wrong with a file")
    check.add_argument("file", type=Path)
    check.add_argument(
        "--table", choices=["declarations", "outcomes"], default="declarations"
    )
    check.add_argument("--report", type=Path, help="CSV with every failure")
    _column_options(check)
    check.set_defaults(run=_validate)

    fit = commands.add_parser("fit", help="fit an engine and save it")
    _data_options(fit, outcomes=True)
    fit.add_argument("--label-delay", type=int, default=30)
    fit.add_argument("--seed", type=int, default=0)
    fit.add_argument("--out", type=Path, required=True)
    fit.set_defaults(run=_fit)

    for name, run, about in (
        ("score", _score, "write SCORES"),
        ("explain", _explain, "write reasons of the riskiest items"),
        ("select", _select, "write DECISIONS under a capacity"),
        ("evaluate", _evaluate, "judge an engine by results"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--engine", type=Path, required=True)
        _data_options(command, outcomes=name == "evaluate")
        command.add_argument("--out", type=Path, default=None)
        if name == "explain":
            command.add_argument("--items", type=int, default=10)
            command.add_argument("--top", type=int, default=3)
            command.add_argument("--lang", default="en")
        if name == "select":
            command.add_argument("--capacity", type=float, default=0.05)
        command.set_defaults(run=run)
    return parser


def _column_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--columns", help="column map: a TOML file, or kcs, date, asycuda"
    )


def _data_options(parser: argparse.ArgumentParser, *, outcomes: bool) -> None:
    parser.add_argument("--declarations", type=Path)
    if outcomes:
        parser.add_argument("--outcomes", type=Path)
    parser.add_argument("--kcs", type=Path, help="the Korean set: folder or file")
    parser.add_argument("--part", choices=["train", "valid"])
    _column_options(parser)


def _say(text: str = "") -> None:
    """Write a line to the terminal."""
    sys.stdout.write(text + "\n")


def _table(frame: pd.DataFrame) -> None:
    """Write a frame as a plain table."""
    _say(frame.to_string(float_format=lambda v: f"{v:.3f}"))


def _column_map(name: str | None) -> schema.ColumnMap | None:
    if name is None:
        return None
    if name.lower() in _BUILT_IN:
        built_in: schema.ColumnMap = getattr(schema, _BUILT_IN[name.lower()])
        return built_in
    return schema.ColumnMap.from_toml(Path(name))


def _read(path: Path) -> pd.DataFrame:
    """Read a file without guessing types: codes stay text."""
    import pandas as pd

    if not path.is_file():
        raise TableError(f"no file {str(path)!r}.")
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    with path.open(encoding="utf-8-sig") as file:
        head = file.readline()
    separator = max(",;|\t", key=head.count)
    return pd.read_csv(
        path, dtype=str, keep_default_na=False, sep=separator, encoding="utf-8-sig"
    )


def _write(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    _say(f"wrote {path} ({len(frame)} rows)")


def _load(arguments: Any, *, outcomes: bool) -> tuple[pd.DataFrame, Any]:
    """Load what the options name, validated."""
    from smartrisk.validation import validate

    if arguments.kcs is not None:
        from smartrisk.datasets import load_kcs

        found = load_kcs(arguments.kcs, part=arguments.part)
        return validate(found.declarations, schema.DECLARATIONS), found.outcomes
    if arguments.declarations is None:
        raise TableError("give --declarations FILE, or --kcs FOLDER.")
    columns = _column_map(arguments.columns)
    raw = _read(arguments.declarations)
    items = validate(raw, schema.DECLARATIONS, columns=columns)
    if not outcomes:
        return items, None
    source = raw if arguments.outcomes is None else _read(arguments.outcomes)
    return items, validate(source, schema.OUTCOMES, columns=columns)


def _generate(arguments: Any) -> None:
    from smartrisk.datasets import make_declarations

    world = make_declarations(
        arguments.items, random_state=arguments.seed, scenario=arguments.scenario
    )
    for name in ("declarations", "outcomes", "truth"):
        _write(getattr(world, name), arguments.out / f"{name}.{arguments.format}")


def _validate(arguments: Any) -> None:
    from smartrisk.validation import check

    table = getattr(schema, arguments.table.upper())
    report = check(_read(arguments.file), table, columns=_column_map(arguments.columns))
    _say(f"{len(report.table)} rows are good, {len(report.set_aside)} are not.")
    if len(report.failures):
        _table(report.summary().set_index("field"))
    if report.ignored:
        _say(f"columns not used: {', '.join(report.ignored)}")
    if arguments.report is not None:
        _write(report.frame(), arguments.report)
    if not report.ok:
        raise TableError(report.message(), report.failures)


def _fit(arguments: Any) -> None:
    from smartrisk.engine import RiskEngine

    items, outcomes = _load(arguments, outcomes=True)
    engine = RiskEngine(
        label_delay=arguments.label_delay, random_state=arguments.seed
    ).fit(items, outcomes)
    engine.save(arguments.out)
    _say(
        f"fitted on {len(items)} items, {len(outcomes)} results; engine "
        f"{engine.version_} saved in {arguments.out}"
    )


def _score(arguments: Any) -> None:
    from smartrisk.engine import RiskEngine

    engine = RiskEngine.load(arguments.engine)
    items, _ = _load(arguments, outcomes=False)
    scores = engine.score(items)
    _write(scores, arguments.out or Path("scores.csv"))


def _select(arguments: Any) -> None:
    from smartrisk.engine import RiskEngine

    engine = RiskEngine.load(arguments.engine)
    items, _ = _load(arguments, outcomes=False)
    capacity = arguments.capacity
    decisions = engine.select(items, int(capacity) if capacity > 1 else capacity)
    _write(decisions, arguments.out or Path("decisions.csv"))


def _explain(arguments: Any) -> None:
    from smartrisk.engine import RiskEngine

    engine = RiskEngine.load(arguments.engine)
    items, _ = _load(arguments, outcomes=False)
    scores = engine.score(items)
    top = scores["risk_score"].nlargest(arguments.items).index
    reasons = engine.explain(items.loc[top], top=arguments.top)
    if arguments.out is not None:
        _write(reasons.frame(), arguments.out)
        return
    _say_reasons(scores.loc[top], reasons.sentences(lang=arguments.lang))


def _say_reasons(scores: pd.DataFrame, sentences: Any) -> None:
    for row, texts in zip(scores.to_dict("records"), sentences, strict=True):
        _say(
            f"{row['declaration_id']} item {row['item_number']}: "
            f"risk {row['risk_score']:.2f}, "
            f"expected revenue {row['expected_revenue']:,.0f}"
        )
        for text in texts:
            _say(f"  - {text}")


def _evaluate(arguments: Any) -> None:
    from smartrisk.engine import RiskEngine
    from smartrisk.evaluation import evaluate

    engine = RiskEngine.load(arguments.engine)
    items, outcomes = _load(arguments, outcomes=True)
    scores = engine.score(items)
    result = evaluate(scores, outcomes)
    _say("all items")
    _table(result.frame().set_index(["rank_by", "rate"])[_SHOWN])
    _say(result.overall().round(4).to_string())
    if arguments.kcs is not None:
        _seen_and_unseen(engine, items, scores, outcomes)
    if arguments.out is not None:
        _write(result.frame(), arguments.out)


_SHOWN = ["n_inspected", "precision", "recall", "revenue_share", "lift"]


def _seen_and_unseen(
    engine: Any, items: pd.DataFrame, scores: pd.DataFrame, outcomes: pd.DataFrame
) -> None:
    """Report items whose goods line was seen in training apart from the others."""
    import numpy as np

    from smartrisk.evaluation import evaluate

    matrix = np.asarray(engine.features_.transform(items))
    names = list(engine.features_.get_feature_names_out())
    seen = matrix[:, names.index("goods_line__n_items")] > 0
    for label, rows in (("seen goods lines", seen), ("unseen goods lines", ~seen)):
        if rows.any():
            part = evaluate(scores[rows], outcomes)
            _say(f"{label}: {int(rows.sum())} items")
            _table(part.frame().set_index(["rank_by", "rate"])[_SHOWN])


def _demo(arguments: Any) -> None:
    """Run the whole line on a made world."""
    from tqdm import tqdm

    steps = tqdm(total=6, disable=not sys.stderr.isatty(), leave=False)
    from smartrisk.datasets import make_declarations
    from smartrisk.engine import RiskEngine
    from smartrisk.evaluation import compare, evaluate
    from smartrisk.windows import time_split

    world = make_declarations(arguments.items, random_state=arguments.seed)
    items = world.declarations
    split = time_split(items, world.outcomes)
    cut, past, known, later = split.at, split.past, split.known, split.later
    steps.update()
    _say(
        f"A made world: {len(past)} items before {cut:%Y-%m-%d} with {len(known)} "
        f"results known then, {len(later)} items to decide on after."
    )
    engine = RiskEngine(random_state=arguments.seed).fit(past, known)
    steps.update()
    truth = world.full_outcomes()
    scores = engine.score(later)
    results = {"smartrisk": evaluate(scores, truth, n_bootstrap=100)}
    steps.update()
    for name, made in _baselines(past, known, later, arguments.seed).items():
        results[name] = evaluate(made, truth, n_bootstrap=0)
    steps.update()
    _say("\nJudged by the truth of all later items, 5 % inspected:")
    _table(compare(results))
    decisions = engine.select(later, capacity=0.05)
    chosen = decisions[decisions["selected_by"] == "model"].nsmallest(5, "rank").index
    _say("\nFive selections and why:")
    _say_reasons(
        scores.loc[chosen], engine.explain(later.loc[chosen], top=3).sentences()
    )
    steps.update()
    _keep(arguments.out, engine, results, later)
    steps.close()


def _keep(out: Path, engine: Any, results: dict[str, Any], later: pd.DataFrame) -> None:
    """Save the engine, the picture and the run of the demo."""
    from smartrisk.reports import RateCurveDisplay
    from smartrisk.tracking import log_run

    out.mkdir(parents=True, exist_ok=True)
    engine.save(out / "engine")
    picture = out / "rates.png"
    display = RateCurveDisplay.from_evaluations(results)
    display.plot()
    display.save(picture)
    store = f"sqlite:///{(out / 'mlruns' / 'mlflow.db').resolve()}"
    run = log_run(
        engine,
        evaluation=results["smartrisk"],
        declarations=later,
        figures={"rates": picture},
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI", store),
    )
    _say(f"\nengine   {out / 'engine'}")
    _say(f"picture  {picture}")
    _say(f"run      {run.run_id} in {run.tracking_uri}")
    _say(f"look     mlflow ui --backend-store-uri {run.tracking_uri}")


def _baselines(
    past: pd.DataFrame, known: pd.DataFrame, later: pd.DataFrame, seed: int
) -> dict[str, pd.DataFrame]:
    """Score the later items by the field's baselines."""
    from smartrisk.models import (
        DateFeaturesClassifier,
        ImporterRateBaseline,
        RandomBaseline,
        SmoothedRateSum,
        ValueBaseline,
    )

    labelled = past.merge(
        known[["declaration_id", "item_number", "illicit"]],
        on=["declaration_id", "item_number"],
    )
    y = labelled.pop("illicit").to_numpy()
    made = {}
    for name, model in {
        "smoothed-rate sum": SmoothedRateSum(),
        "DATE features + GBDT": DateFeaturesClassifier(random_state=seed),
        "importer's rate": ImporterRateBaseline(),
        "value": ValueBaseline(),
        "random": RandomBaseline(random_state=seed),
    }.items():
        risk = model.fit(labelled, y).predict_proba(later)[:, 1]
        made[name] = later[["declaration_id", "item_number"]].assign(risk_score=risk)
    return made


if __name__ == "__main__":
    sys.exit(main())
