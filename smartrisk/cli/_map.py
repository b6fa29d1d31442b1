"""The command `map`: propose the column map of a file, ask what is unsure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote

import pandas as pd

from smartrisk import schema
from smartrisk.artefact import write_file
from smartrisk.cli._files import add_header
from smartrisk.cli._messages import naming_file, render_message
from smartrisk.cli._terminal import print_line
from smartrisk.errors import ArgumentError, Message, SmartRiskError, TableError
from smartrisk.intake import FieldProposal, Proposal, propose_map, read_table
from smartrisk.schema import FileFormat

#: Values of a column that are shown beside it in a question.
_EXAMPLES = 3
#: Columns to choose from in a question.
_CHOICES = 5


def propose(
    *, files: list[str], header: str | None, on: str | None, out: str, no_ask: bool
) -> int:
    """Propose a map for a file of items, and one for a file of results."""
    if Path(out).suffix.lower() != ".toml":
        raise ArgumentError(
            "cli.map_not_toml", "--out: {path!r} must end in .toml.", path=out
        )
    frames: list[pd.DataFrame] = []
    formats: list[FileFormat | None] = []
    for path in files:
        frame, file = read_file(path)
        if not frames:
            frame = _with_header(frame, header, on)
        frames.append(frame)
        formats.append(file)
    with naming_file(files[0]):
        proposal = propose_map(*frames)
    is_asking = not no_ask and sys.stdin.isatty() and sys.stdout.isatty()
    targets = _targets(proposal, files, out)
    for place, (each, path) in enumerate(targets):
        if is_asking:
            each = ask(each, frames[place])
        _write(each, formats[place], path)
        _show(each, files[place], path)
    joins = f" --header {quote(header)} --on {quote(on)}" if header and on else ""
    _show_next(targets, files, joins)
    return 0


def _with_header(
    items: pd.DataFrame, header: str | None, on: str | None
) -> pd.DataFrame:
    """Return items with their header; the number of an item is found first."""
    if header is None or on is None:
        return add_header(items, header, on)
    try:
        columns = propose_map(items).columns
    except TableError:
        columns = None
    return add_header(items, header, on, columns)


def _write(proposal: Proposal, file: FileFormat | None, path: str) -> None:
    """Write a map, with the format of a file that has no header."""
    text = proposal.to_toml(render_message)
    if file is not None and proposal.columns.file is None:
        text += f"\n[file]\n{file.to_toml()}"
    schema.ColumnMap.from_toml(text)
    write_file(Path(path), lambda draft: draft.write_text(text, "utf-8"))


def read_file(path: str) -> tuple[pd.DataFrame, FileFormat | None]:
    """Return a file as it is written; one without a header gets numbered names."""
    try:
        return read_table(path), None
    except TableError as error:
        if error.message_id not in _NO_HEADER:
            raise
    file = FileFormat(header_row=0)
    return read_table(path, file=file), file


#: Refusals of files whose first line holds values and no names.
_NO_HEADER = ("intake.header_not_found", "intake.header_row_not_found")


def _targets(
    proposal: Proposal, files: Sequence[str], out: str
) -> list[tuple[Proposal, str]]:
    """Return each proposal with the file that it is written to."""
    if proposal.results is None or len(files) < 2:
        return [(proposal, out)]
    path = Path(out)
    other = path.with_name(f"{path.stem}-results{path.suffix}")
    return [(proposal, out), (proposal.results, str(other))]


def ask(
    proposal: Proposal,
    frame: pd.DataFrame,
    read_line: Callable[[], str] = lambda: sys.stdin.readline(),
) -> Proposal:
    """Ask about every part that is unsure; an empty line keeps what is proposed."""
    for part in proposal.questions:
        if part.field == "map" or part.field not in _askable(part):
            continue
        choices = _choices(part, frame)
        _show_question(part, choices, frame)
        line = read_line()
        if not line:
            return proposal
        answer = line.strip()
        if answer:
            proposal = _decide(proposal, part, answer, choices, frame)
    return proposal


def _askable(part: FieldProposal) -> set[str]:
    """Return the parts that one column, or yes and no, can answer."""
    fields = {f.name for table in (schema.DECLARATIONS, schema.OUTCOMES) for f in table}
    return {*fields, "day_first"}


def _choices(part: FieldProposal, frame: pd.DataFrame) -> list[str]:
    """Return what can be chosen by number: the proposed column first."""
    if part.field == "day_first":
        return ["true", "false"]
    own = list(part.columns) if len(part.columns) == 1 else []
    names = dict.fromkeys([*own, *part.alternatives])
    return [n for n in names if n in frame.columns][:_CHOICES]


def _show_question(
    part: FieldProposal, choices: Sequence[str], frame: pd.DataFrame
) -> None:
    """Show what is unsure, and what can be chosen."""
    print_line()
    for doubt in part.doubts:
        print_line(f"{part.field}: {render_message(doubt)}")
    for place, name in enumerate(choices, 1):
        values = []
        if name in frame.columns:
            column = frame[name].dropna().astype(str)
            values = column[column != ""].drop_duplicates().head(_EXAMPLES).tolist()
        shown = ", ".join(map(repr, values))
        print_line(f"  {place}  {name}  {shown}".rstrip())
    print_line(
        render_message(
            Message(
                "cli.map_question",
                "Press Enter to keep the proposal, or give a number, a name, or - for "
                "none:",
            )
        )
    )


def _decide(
    proposal: Proposal,
    part: FieldProposal,
    answer: str,
    choices: Sequence[str],
    frame: pd.DataFrame,
) -> Proposal:
    """Return the proposal with an answer; say when it cannot be used."""
    value: str | bool | None = answer
    if answer.isdigit() and 1 <= int(answer) <= len(choices):
        value = choices[int(answer) - 1]
    if answer == "-":
        value = None
    elif part.field == "day_first":
        value = str(value).lower() in ("true", "1", "yes", "oui", "si", "sí")
    elif value not in frame.columns:
        message = Message(
            "cli.map_unknown_column",
            "there is no column {name!r}; the proposal is kept.",
            name=value,
        )
        print_line(render_message(message))
        return proposal
    try:
        return proposal.answer(part.field, value)
    except SmartRiskError as error:
        print_line(render_message(error))
        return proposal


def _show(proposal: Proposal, file: str, path: str) -> None:
    """Show what was found, what is unsure, and what the file does not have."""
    mapped = [f for f in proposal.fields if f.columns]
    print_line(
        render_message(
            Message(
                "cli.map_written",
                "{file}: {n_fields} fields found, {n_unsure} parts unsure. Map: {path}",
                file=file,
                n_fields=len(mapped),
                n_unsure=len(proposal.questions),
                path=path,
            )
        )
    )
    for part in proposal.questions:
        for doubt in part.doubts:
            print_line(f"  ? {part.field}: {render_message(doubt)}")
        if part.alternatives:
            others = ", ".join(part.alternatives[:_CHOICES])
            text = Message("cli.map_alternatives", "Or: {columns}", columns=others)
            print_line(f"    {render_message(text)}")
    if proposal.not_carried:
        message = Message(
            "intake.not_carried",
            "The file does not have: {fields}.",
            fields=", ".join(proposal.not_carried),
        )
        print_line(f"  {render_message(message)}")
    if proposal.unused:
        message = Message(
            "intake.unused_columns",
            "Columns that no field takes: {columns}. Name one under [own_fields] to "
            "keep it.",
            columns=_shorten(proposal.unused),
        )
        print_line(f"  {render_message(message)}")


def _shorten(names: Sequence[str], most: int = 20) -> str:
    """Return names in one line; a wide extract has hundreds."""
    more = f", ... (+{len(names) - most})" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _show_next(
    targets: Sequence[tuple[Proposal, str]], files: Sequence[str], joins: str
) -> None:
    """Show the next command."""
    proposal, path = targets[0]
    print_line()
    if proposal.table == "outcomes":
        raise_for_items = Message(
            "cli.map_results_only",
            "This file holds results; pass the file of the items first, and this one "
            "second.",
        )
        print_line(render_message(raise_for_items))
        return
    has_results = any(f.field == "illicit" and f.columns for f in proposal.fields)
    results = "RESULTS" if not has_results else quote(files[0])
    other = ""
    if len(targets) > 1:
        results = quote(files[1])
        other = f" --outcome-columns {quote(targets[1][1])}"
        if _are_of_documents(targets):
            other += " --level document"
    print_line(
        render_message(
            Message(
                "cli.map_next",
                "Look at the map, then: {command}",
                command=f"smartrisk fit --declarations {quote(files[0])}{joins} "
                f"--outcomes {results} --columns {quote(path)}{other} --out engine",
            )
        )
    )


def _are_of_documents(targets: Sequence[tuple[Proposal, str]]) -> bool:
    """Return whether items are numbered, and results are not."""
    items, results = targets[0][0].columns, targets[1][0].columns
    names = [{*columns.mapping, *columns.made} for columns in (items, results)]
    return "item_number" in names[0] and "item_number" not in names[1]
