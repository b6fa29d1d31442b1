"""The list for the clerk who corrects a table: each failure beside its own row."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from smartrisk.cli._messages import translator
from smartrisk.errors import Message
from smartrisk.intake import FileDescription
from smartrisk.lineage import SOURCE_ROW
from smartrisk.pages import write_table
from smartrisk.validation import ValidationReport, reason_template

#: Headings of the list; the columns of the administration follow.
_TEXTS: dict[str, str] = {
    "line": "line in the file",
    "column": "column to correct",
    "value": "value found",
    "reason": "what is wrong",
    "remedy": "what to do",
}
#: Rows that a sheet of a workbook has at most, its heading left out.
_MOST_ROWS = 1_048_575
#: What stands between a reason and its counts, also after French narrow blanks.
_PUNCTUATION = " :,\u202f\xa0"
#: Lines of the item and of its document in ``source_row``.
_FIRST_LINE, _LAST_LINE = re.compile(r"^\S*:(\d+)"), re.compile(r".*:(\d+)")


def make_fix_list(
    described: FileDescription,
    checked: ValidationReport,
    joined: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row per failure: line, column, value, reason, remedy, and its row.

    Parameters
    ----------
    described : FileDescription
        The file, with the lines that are no rows.
    checked : ValidationReport
        What the check of its table found.
    joined : DataFrame, default=None
        The table that was checked, where the file was joined to that of its documents.
        A column that only the documents have is named with its line there.

    Returns
    -------
    failures : DataFrame
        Sorted by file and line; headings and reasons in the language of the command.
    """
    table = described.table if joined is None else joined
    table = table.reset_index(drop=True)
    failures = checked.failures
    failures = failures[failures["severity"] == "error"].reset_index(drop=True)
    texts = {name: _reason_texts(name) for name in failures["reason"].unique()}
    rows = table.iloc[failures["row"].astype(int)].reset_index(drop=True)
    places = rows.pop(SOURCE_ROW).astype(str)
    is_own = failures["source_column"].isin(described.table.columns)
    lines = places.str.extract(_FIRST_LINE, expand=False).where(
        is_own, places.str.extract(_LAST_LINE, expand=False)
    )
    found = pd.DataFrame(
        {
            "line": pd.to_numeric(lines),
            "column": failures["source_column"].astype(str),
            "value": failures["value"].astype(str),
            "reason": [texts[name][0] for name in failures["reason"]],
            "remedy": [texts[name][1] for name in failures["reason"]],
        }
    )
    whole = pd.concat([found, rows.add_prefix(" ")], axis=1)
    whole = pd.concat([_unusable_lines(described), whole], ignore_index=True)
    whole = whole.sort_values("line", kind="stable", ignore_index=True)
    translate = translator() or str
    headings = {name: translate(text) for name, text in _TEXTS.items()}
    own = [str(name)[1:] for name in whole.columns[len(_TEXTS) :]]
    whole.columns = pd.Index([*headings.values(), *own])
    return whole


def write_fix_list(
    described: FileDescription,
    checked: ValidationReport,
    path: str,
    joined: pd.DataFrame | None = None,
) -> tuple[Path, int]:
    """Write the list as .xlsx or .csv; return the file and its number of rows."""
    found = make_fix_list(described, checked, joined)
    if path.lower().endswith(".xlsx"):
        found = found.head(_MOST_ROWS)
    return write_table(found, path, "--fix-list"), len(found)


def reasons_in_words(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its reasons in words; English keeps the codes."""
    if translator() is None:
        return summary
    return summary.assign(reason=[_reason_texts(name)[0] for name in summary["reason"]])


def _reason_texts(reason: str) -> tuple[str, str]:
    """Return what is wrong and what to do, in the language of the command."""
    translate = translator() or str
    template = translate(reason_template(reason))
    before, _, remedy = template.partition("{values}")
    # What is wrong stands before "in {n_rows} rows"; here there is one row.
    what = before.partition("{n_rows}")[0].rstrip().rpartition(" ")[0]
    return what.strip(_PUNCTUATION) or reason, remedy.lstrip(". ")


def _unusable_lines(described: FileDescription) -> pd.DataFrame:
    """Return the lines of the file that are no rows, as rows of the list."""
    found = described.findings
    found = found[found["severity"] == "error"]
    parts = [
        {
            "line": line,
            "column": "",
            "value": value,
            "reason": _line_texts(described, reason)[0],
            "remedy": _line_texts(described, reason)[1],
        }
        for line, reason, value in zip(
            found["line"], found["reason"], found["value"], strict=True
        )
    ]
    return pd.DataFrame(parts, columns=list(_TEXTS))


def _line_texts(described: FileDescription, reason: str) -> tuple[str, str]:
    """Return what is wrong with lines and what to do, in the current language."""
    translate = translator() or str
    for message in described.messages():
        if message.message_id == f"intake.{reason.replace(' ', '_').lower()}":
            return _split_message(message, translate(message.template))
    return reason, ""


def _split_message(message: Message, template: str) -> tuple[str, str]:
    """Return what stands before the counts and after the values of a template."""
    what, remedy = template, ""
    for place in ("{values}.", "{lines}."):
        if place in template:
            what, _, remedy = template.partition(place)
            break
    values = dict.fromkeys(message.values, "") | {
        "width": message.values.get("width", "")
    }
    what = what.partition("{n}")[0].partition("{lines}")[0].format(**values)
    return what.strip(_PUNCTUATION), remedy.strip().format(**message.values)
