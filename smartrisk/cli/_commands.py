"""The commands on files: generate, validate, fit, score, explain, select, evaluate."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smartrisk import schema
from smartrisk.artefact import write_file
from smartrisk.cli._files import (
    check,
    columns_of,
    declarations_of,
    outcomes_of,
    read,
    write,
)
from smartrisk.cli._terminal import progress, say, show, steps, table
from smartrisk.datasets import make_declarations
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError
from smartrisk.evaluation import Evaluation
from smartrisk.evaluation import evaluate as judge
from smartrisk.explanations import Wording

_CHUNK = 50_000
_SEEN = "goods_line__n_items"


def generate(asked: argparse.Namespace) -> int:
    """Write a world: declarations, outcomes, and the truth apart."""
    with steps(["making the world", "writing"]) as done:
        world = make_declarations(
            asked.items, random_state=asked.seed, scenario=asked.scenario
        )
        done()
        folder = Path(asked.out)
        parts = {
            "declarations": world.declarations,
            "outcomes": world.outcomes,
            "truth": world.truth,
        }
        for name, frame in parts.items():
            write(frame, str(folder / f"{name}.{asked.format}"), safe=False)
        done()
    for name, frame in parts.items():
        say(f"{folder / f'{name}.{asked.format}'}: {len(frame)} rows")
    say("The truth is for judging, never for fitting.")
    return 0


def validate(asked: argparse.Namespace) -> int:
    """Check a file and report every failure; 1 when rows cannot be used."""
    wanted = schema.OUTCOMES if asked.table == "outcomes" else schema.DECLARATIONS
    frame = read(asked.file)
    report = check(frame, wanted, columns=columns_of(asked.columns))
    say(
        f"{wanted.name}: {len(frame)} rows = {len(report.table)} usable + "
        f"{len(report.set_aside)} set aside"
    )
    if report.ignored:
        say(f"columns not used: {', '.join(map(str, report.ignored[:20]))}")
    summary = report.summary()
    if len(summary):
        say()
        show(summary)
    if not report.ok:
        say()
        say(report.message())
    if asked.report is not None:
        say(f"\nall failures: {write(report.frame(), asked.report)}")
    if asked.out is not None:
        say(f"canonical table: {write(report.table, asked.out, safe=False)}")
    return 0 if report.ok else 1


def fit(asked: argparse.Namespace) -> int:
    """Learn an engine and save it."""
    _check_free(Path(asked.out))
    with steps(["reading", "learning", "saving"]) as done:
        declarations, outcomes = declarations_of(asked), outcomes_of(asked)
        done()
        engine = RiskEngine(label_delay=asked.label_delay, random_state=asked.seed)
        engine.fit(declarations, outcomes)
        done()
        folder = engine.save(asked.out)
        done()
    say(
        f"engine {engine.version_}: {len(declarations)} items, {len(outcomes)} results "
        f"({outcomes['illicit'].mean():.1%} hits)"
    )
    say(f"saved in {folder}")
    if asked.track is not None:
        from smartrisk.tracking import log_run

        uri = asked.track or None
        say(str(log_run(engine, tracking_uri=uri, declarations=declarations)))
    return 0


def score(asked: argparse.Namespace) -> int:
    """Score items; write all, show the riskiest."""
    engine = RiskEngine.load(asked.engine)
    scores = scored(engine, declarations_of(asked))
    if asked.out is not None:
        say(f"{len(scores)} scores: {write(scores, asked.out)}")
    _show_first(scores, "risk_score", asked.show)
    return 0


def explain(asked: argparse.Namespace) -> int:
    """Say why the riskiest items are risky."""
    engine = RiskEngine.load(asked.engine)
    items = declarations_of(asked)
    scores = scored(engine, items).reset_index(drop=True)
    order = np.argsort(-scores["risk_score"].to_numpy(), kind="stable")[: asked.show]
    reasons = engine.explain(items.iloc[order], top=asked.top)
    rows = scores.to_dict("records")
    for position, said in zip(order, reasons.sentences(lang=asked.lang), strict=True):
        say_item(rows[position], said)
    if reasons.until is not None:
        words = Wording(asked.lang)
        say(f"\n{words.text('page.history', day=f'{reasons.until:%Y-%m-%d}')}")
    if asked.out is not None:
        _write_reasons(reasons, asked.out, asked.lang)
    return 0


def select(asked: argparse.Namespace) -> int:
    """Choose what to inspect; write all decisions, show the first."""
    engine = RiskEngine.load(asked.engine)
    items = declarations_of(asked)
    decisions = engine.select(items, asked.capacity)
    counts = decisions["channel"].value_counts()
    say(
        f"{len(decisions)} items: "
        + ", ".join(
            f"{counts[name]} {name}" for name in schema.CHANNELS if name in counts
        )
    )
    if asked.out is not None:
        say(f"decisions: {write(decisions, asked.out)}")
    _show_first(decisions[decisions["selected_by"].notna()], "rank", asked.show)
    return 0


def evaluate(asked: argparse.Namespace) -> int:
    """Judge an engine by results, seen and unseen goods lines apart."""
    engine = RiskEngine.load(asked.engine)
    items, outcomes = declarations_of(asked), outcomes_of(asked)
    scores = scored(engine, items)
    result = judge(scores, outcomes, rates=asked.rates)
    overall = result.overall()
    say(
        f"{int(overall['n_items'])} items with a result, "
        f"{int(overall['n_unlabelled'])} without (left out); "
        f"hit rate {overall['base_rate']:.1%}"
    )
    say()
    show(rates_table(result))
    say(_measures(overall))
    parts = by_goods_line(engine, items, scores)
    rows = []
    for name, part in parts.items():
        if part.empty:
            continue
        known = part.merge(outcomes[[*schema.KEY, "illicit"]], on=list(schema.KEY))
        if known["illicit"].nunique() == 2:
            apart = judge(part, outcomes, rates=asked.rates, n_bootstrap=0)
            rows.append([name, *_apart(apart)])
        else:
            rows.append([name, len(known), *[None] * (2 + len(asked.rates))])
    if rows:
        at = [f"precision@{rate_text(rate)}" for rate in asked.rates]
        say("\nGoods lines that the engine's history knows, and new ones:\n")
        say(table(rows, ["goods line", "items", "hit rate", *at, "ROC AUC"]))
    if asked.out is not None:
        say(f"\ntable: {write(result.frame(), asked.out)}")
    return 0


def scored(engine: RiskEngine, items: pd.DataFrame) -> pd.DataFrame:
    """Return SCORES, part by part: items do not see each other."""
    starts = range(0, len(items), _CHUNK)
    parts = [
        engine.score(items.iloc[start : start + _CHUNK])
        for start in progress(starts, len(starts), "scoring")
    ]
    return pd.concat(parts) if parts else engine.score(items)


def by_goods_line(
    engine: RiskEngine, items: pd.DataFrame, scores: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return scores of items whose goods line was declared before, and the others'."""
    if _SEEN not in engine.features_.get_feature_names_out():
        return {}
    known = np.concatenate([_known(engine, part) for part in _parts(items)])
    return {"seen": scores[known], "unseen": scores[~known]}


def rates_table(result: Evaluation) -> pd.DataFrame:
    """Return the main columns of an evaluation, by risk."""
    frame = result.frame()
    at = frame[frame["rank_by"] == "risk_score"]
    by_revenue = frame.loc[frame["rank_by"] == "expected_revenue", "revenue_share"]
    shown = pd.DataFrame(
        {
            "inspected": [rate_text(rate) for rate in at["rate"]],
            "items": at["n_inspected"].to_numpy(),
            "precision": at["precision"].to_numpy(),
            "recall": at["recall"].to_numpy(),
            "lift": at["lift"].to_numpy(),
        }
    )
    if by_revenue.notna().any():
        shown["revenue"] = by_revenue.to_numpy()
    return shown


def rate_text(rate: float) -> str:
    """Return an inspection rate as people write it."""
    return f"{int(rate)}" if rate > 1 or isinstance(rate, int) else f"{100 * rate:g}%"


def say_item(row: Any, sentences: list[str]) -> None:
    """Say what one item scored, and why."""
    say(
        f"{row['declaration_id']}/{row['item_number']}  risk {row['risk_score']:.3f}  "
        f"expected revenue {row['expected_revenue']:,.0f}"
    )
    for sentence in sentences or ["nothing raises its score"]:
        say(f"  - {sentence}")


def _check_free(place: Path) -> None:
    """Refuse a taken place before learning, not after."""
    foreign = place.is_dir() and any(place.iterdir())
    if place.is_file() or (foreign and not (place / "manifest.json").is_file()):
        raise ArgumentError(
            "cli.out_other_files_choose",
            "--out: {place!r} holds other files. Choose a new folder.",
            place=str(place),
        )


def _known(engine: RiskEngine, items: pd.DataFrame) -> Any:
    matrix = np.asarray(engine.features_.transform(items))
    place = list(engine.features_.get_feature_names_out()).index(_SEEN)
    return matrix[:, place] > 0


def _parts(items: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, max(len(items), 1), _CHUNK):
        yield items.iloc[start : start + _CHUNK]


def _apart(result: Evaluation) -> list[Any]:
    frame, overall = result.frame(), result.overall()
    precision = frame.loc[frame["rank_by"] == "risk_score", "precision"]
    return [
        int(overall["n_items"]),
        float(overall["base_rate"]),
        *precision.tolist(),
        float(overall["roc_auc"]),
    ]


def _measures(overall: pd.Series) -> str:
    names = {
        "roc_auc": "ROC AUC",
        "average_precision": "average precision",
        "brier": "Brier",
        "calibration_error": "calibration error",
    }
    return "\n" + ", ".join(f"{said} {overall[n]:.3f}" for n, said in names.items())


def _show_first(frame: pd.DataFrame, by: str, most: int) -> None:
    """Show the first rows in the order of a column."""
    first = frame.sort_values(by, ascending=by == "rank", kind="stable").head(most)
    if len(first):
        say()
        show(first.dropna(axis="columns", how="all"))


def _write_reasons(reasons: Any, path: str, lang: str) -> None:
    if path.lower().endswith((".html", ".htm")):
        page = reasons.to_html(lang=lang)
        say(f"reasons: {write_file(Path(path), lambda d: d.write_text(page, 'utf-8'))}")
    elif path.lower().endswith((".csv", ".parquet")):
        say(f"reasons: {write(reasons.frame(lang=lang), path)}")
    else:
        raise ArgumentError(
            "cli.end_csv_parquet_html",
            "{path!r} must end in .csv, .parquet or .html.",
            path=path,
        )
