"""The commands on files: generate, validate, fit, score, select."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from smartrisk import schema
from smartrisk.cli._chunks import score_in_chunks
from smartrisk.cli._doubts import doubts_shown, print_doubts
from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._files import (
    DataFiles,
    add_header,
    load_column_map,
    load_declarations,
    load_outcomes,
    write_table,
)
from smartrisk.cli._fix_list import reasons_in_words, write_fix_list
from smartrisk.cli._messages import (
    account_for_rows,
    naming_file,
    print_message,
    render_message,
)
from smartrisk.cli._stage import print_stage
from smartrisk.cli._table_words import code_in_words, print_table
from smartrisk.cli._terminal import percent, print_line
from smartrisk.datasets import make_declarations
from smartrisk.engine import Guard, RiskEngine
from smartrisk.errors import ArgumentError, Message
from smartrisk.intake import describe_file
from smartrisk.progress import track_steps
from smartrisk.quality import judge_items, plausibility
from smartrisk.validation import ValidationReport, check


def generate(
    *, items: int, scenario: str, seed: int, out: str, file_format: str
) -> int:
    """Write a synthetic world: declarations, outcomes and, separately, the truth."""
    folder = Path(out)
    with track_steps(["making the world", "writing"]) as finish_step:
        world = make_declarations(items, random_state=seed, scenario=scenario)
        finish_step()
        frames = {
            folder / f"declarations.{file_format}": world.declarations,
            folder / f"outcomes.{file_format}": world.outcomes,
            folder / f"truth.{file_format}": world.truth,
        }
        for path, frame in frames.items():
            write_table(frame, str(path), escape=False)
        finish_step()
    for path, frame in frames.items():
        print_message("cli.file_rows", "{path}: {n} rows", path=path, n=len(frame))
    print_message("cli.truth", "The truth is for judging, never for fitting.")
    return 0


def validate(
    *,
    file: str,
    table: str,
    columns: str | None,
    header: str | None,
    on: str | None,
    report: str | None,
    fix_list: str | None,
    out: str | None,
) -> int:
    """Check a file and report every failure; return 1 when rows cannot be used."""
    wanted = schema.OUTCOMES if table == "outcomes" else schema.DECLARATIONS
    column_map = load_column_map(columns)
    described = describe_file(file, file=column_map.file if column_map else None)
    for message in described.messages():
        print_line(render_message(message))
    frame = add_header(described.table, header, on, column_map)
    with naming_file(file):
        checked = check(frame, wanted, columns=column_map)
    print_line(render_message(account_for_rows(wanted.name, len(frame), checked)))
    for note in checked.notes():
        print_line(render_message(note))
    summary = checked.summary()
    if len(summary):
        print_line()
        print_table(reasons_in_words(summary))
    if not checked.ok:
        print_line()
        print_line(" ".join(render_message(text) for text in checked.messages()))
    _print_remarks(checked)
    if wanted is schema.DECLARATIONS and len(checked.table):
        print_doubts(judge_items(checked.table))
    if report is not None:
        written = write_table(checked.frame(), report)
        failures = Message("cli.failures_written", "all failures: {path}", path=written)
        print_line(f"\n{render_message(failures)}")
    if fix_list is not None:
        path, n_rows = write_fix_list(described, checked, fix_list, frame)
        fixes = Message(
            "cli.fix_list_written",
            "to correct: {path} ({n_rows} rows)",
            path=path,
            n_rows=n_rows,
        )
        print_line(render_message(fixes))
    if out is not None:
        path = write_table(checked.table, out, escape=False)
        table_written = Message(
            "cli.table_written", "canonical table: {path}", path=path
        )
        print_line(render_message(table_written))
    return 0 if checked.ok and described.ok else 1


def _print_remarks(report: ValidationReport) -> None:
    """Print what is doubtful, and what was repaired."""
    remarks = report.remarks()
    if remarks:
        print_line()
    for remark in remarks:
        print_line(render_message(remark))


def fit(
    data: DataFiles, *, out: str, label_delay: int, seed: int, track: str | None
) -> int:
    """Fit an engine, to declarations alone where there are no results, and save it."""
    _check_engine_folder(Path(out))
    with track_steps(["reading", "fitting", "saving"]) as finish_step:
        declarations = load_declarations(data)
        outcomes = load_outcomes(data, declarations) if data.has_outcomes else None
        finish_step()
        engine = RiskEngine(label_delay=label_delay, random_state=seed)
        if outcomes is None:
            doubts = judge_items(declarations)
        else:
            doubts = plausibility(declarations, outcomes, label_delay=label_delay)
        with doubts_shown():
            engine.fit(declarations, outcomes)
        finish_step()
        folder = engine.save(out)
        finish_step()
    _print_learned(engine, declarations, outcomes)
    print_stage(engine)
    print_message("cli.saved", "saved in {folder}", folder=folder)
    print_doubts(doubts)
    if track is not None:
        from smartrisk.tracking import log_run

        # `--track` without an address is an empty text: the local store.
        run = log_run(engine, tracking_uri=track or None, declarations=declarations)
        print_line(render_message(run.message))
    return 0


def _print_learned(
    engine: RiskEngine, declarations: pd.DataFrame, outcomes: pd.DataFrame | None
) -> None:
    """Print what an engine learned from."""
    named = {"version": engine.version_, "n_items": len(declarations)}
    if outcomes is None or not len(outcomes):
        print_message(
            "cli.engine_of_items",
            "engine {version}: {n_items} items, no results",
            **named,
        )
        return
    print_message(
        "cli.engine_of_results",
        "engine {version}: {n_items} items, {n_results} results ({rate} hits)",
        n_results=len(outcomes),
        rate=percent(outcomes["illicit"].mean()),
        **named,
    )


def score(
    data: DataFiles, *, engine: EngineAddress, guard: Guard, out: str | None, show: int
) -> int:
    """Score items, write all scores, show the riskiest."""
    loaded = load_engine(engine)
    scores = score_in_chunks(loaded, load_declarations(data), guard)
    print_stage(loaded)
    if out is not None:
        print_message(
            "cli.scores_written",
            "{n} scores: {path}",
            n=len(scores),
            path=write_table(scores, out),
        )
    _print_first(scores.sort_values("risk_score", ascending=False, kind="stable"), show)
    return 0


def select(
    data: DataFiles,
    *,
    engine: EngineAddress,
    capacity: float,
    guard: Guard,
    out: str | None,
    show: int,
) -> int:
    """Choose what to inspect, write all decisions, show the first."""
    loaded = load_engine(engine)
    decisions = loaded.select(load_declarations(data), capacity, guard=guard)
    counts = decisions["channel"].value_counts()
    print_message(
        "cli.channels",
        "{n} items: {parts}",
        n=len(decisions),
        parts=", ".join(
            f"{counts[name]} {code_in_words('channel', name)}"
            for name in schema.CHANNELS
            if name in counts
        ),
    )
    print_stage(loaded)
    if out is not None:
        path = write_table(decisions, out)
        print_message("cli.decisions_written", "decisions: {path}", path=path)
    selected = decisions[decisions["selected_by"].notna()]
    _print_first(selected.sort_values("rank", kind="stable"), show)
    return 0


def _check_engine_folder(folder: Path) -> None:
    """Refuse a folder with other files before the fit, which takes long."""
    is_used = folder.is_dir() and any(folder.iterdir())
    if folder.is_file() or (is_used and not (folder / "manifest.json").is_file()):
        raise ArgumentError(
            "cli.folder_holds_other_files",
            "--out: {folder!r} contains other files. Choose a new folder.",
            folder=str(folder),
        )


def _print_first(frame: pd.DataFrame, n_rows: int) -> None:
    """Show the first rows without columns that are empty in them."""
    first = frame.head(n_rows)
    if len(first):
        print_line()
        print_table(first.dropna(axis="columns", how="all"))
