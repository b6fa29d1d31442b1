"""Results as files for reuse: tidy CSV, workbooks and SDMX-CSV, each with metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk import __version__
from smartrisk.artefact import write_file
from smartrisk.errors import ArgumentError, check_choice
from smartrisk.languages import LANGUAGES, N_, catalogue
from smartrisk.spreadsheets import write_book, write_table
from smartrisk.statistics._cases import CaseStatistics
from smartrisk.statistics._enforcement import EnforcementStatistics
from smartrisk.statistics._layout import Layout
from smartrisk.statistics._publishing import Release
from smartrisk.statistics._sdmx import check_agency, structure_of, to_sdmx_rows
from smartrisk.statistics._words import translate_sentence

_OWNER = "write"
_ENDINGS = (".sdmx.csv", ".csv", ".xlsx")
_OURS = N_(
    "The definitions are those of the office that publishes, not of another "
    "organisation."
)
_ESCAPED = N_(
    "A text that begins like a formula has an apostrophe in front of it, which is not "
    "part of the text."
)


def write(
    result: EnforcementStatistics | Release | CaseStatistics,
    path: str | Path,
    *,
    lang: str = "en",
    agency: str = "SMARTRISK",
) -> Path:
    """Write a result for reuse, with its metadata.

    Use it to hand figures to a statistical office, another administration or the
    public: who reads the file learns what each figure means, as of when it holds and
    what was left out.

    Parameters
    ----------
    result : EnforcementStatistics, Release or CaseStatistics
        What `enforcement`, `publish` or `cases` returned.
    path : str or Path
        File whose ending says the form: ".xlsx", ".csv" or ".sdmx.csv". The folder is
        created when absent.
    lang : {"en", "fr", "es"}, default="en"
        Language of the metadata. Names of columns and codes are the same in each.
    agency : str, default="SMARTRISK"
        Identifier of the office that maintains the structure of an SDMX file.

    Returns
    -------
    path : Path
        The file, written as a whole or not at all; no text in it acts as a formula.

    Raises
    ------
    ArgumentError
        If the ending, the language or the agency is not one of those allowed, or the
        result is of another kind.
    MissingExtraError
        If openpyxl is not installed, and the file is a workbook.

    See Also
    --------
    publish : Figures that give no trader away; write these for the public.

    Notes
    -----
    - ``.xlsx`` has the sheets Figures, Metadata, Definitions and Left out, named in
      the language.
    - ``.csv`` has one row per figure; beside it lies ``NAME.csv-metadata.json``, as
      the standard of the W3C for tables on the web has it.
    - ``.sdmx.csv`` is SDMX-CSV 2.0; beside it lies ``NAME.sdmx.json``, its structure
      in SDMX-JSON 2.0: concepts, code lists in three languages, dimensions, measures
      and attributes. A total has the code "_T"; a total of periods is the range of
      time from the first to the last one.

    References
    ----------
    SDMX Technical Working Group (2021). SDMX 3.0: SDMX-CSV field guide.

    Tennison, J., Kellogg, G. (2015). Metadata vocabulary for tabular data. W3C
    Recommendation.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.statistics import enforcement, write
    >>> world = make_declarations(2_000, random_state=0)
    >>> figures = enforcement(world.declarations, world.outcomes, by=("office",))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write(figures, f"{folder}/figures.sdmx.csv", lang="fr")
    ...     sorted(one.name for one in file.parent.iterdir())
    ['figures.sdmx.csv', 'figures.sdmx.json']
    """
    target = Path(path)
    name = target.name.lower()
    ending = next((x for x in _ENDINGS if name.endswith(x)), target.suffix.lower())
    check_choice(_OWNER, "path ending", ending, _ENDINGS)
    check_choice(_OWNER, "lang", lang, LANGUAGES)
    check_agency(agency)
    if not isinstance(result, EnforcementStatistics | Release | CaseStatistics):
        raise ArgumentError(
            "statistics.result_not_writable",
            "{owner}: {type_name} cannot be written. Pass what `enforcement`, "
            "`publish` or `cases` returned.",
            owner=_OWNER,
            type_name=type(result).__name__,
        )
    layout = result._layout()
    if ending == ".xlsx":
        return write_book(_sheets(layout, lang), target)
    if ending == ".csv":
        beside = target.with_name(f"{target.name}-metadata.json")
        _write_json(_describe(layout, lang, target.name), beside)
        return write_table(layout.table, target, _OWNER)
    beside = target.with_name(f"{target.name[: -len('.csv')]}.json")
    structure, codes = structure_of(layout, lang, agency)
    rows = to_sdmx_rows(layout, codes)
    _write_json(structure, beside)
    form: dict[str, Any] = {"index": False, "lineterminator": "\r\n"}
    return write_file(
        target, lambda draft: rows.to_csv(draft, encoding="utf-8", **form)
    )


def _sheets(layout: Layout, lang: str) -> dict[str, pd.DataFrame]:
    """Return the sheets of a workbook."""
    found = catalogue("pages", lang)
    figures = layout.table.copy()
    if "reason" in figures:
        texts = {x: translate_sentence(x, lang) for x in figures["reason"].unique()}
        figures["reason"] = figures["reason"].map(texts)
    about = [*layout.facts_in(lang), *_notes(lang), ("", "")]
    about += [(x, layout.describe_column(x, lang)) for x in map(str, layout.table)]
    first, second = (
        found.pgettext("head: of a fact", "what"),
        found.pgettext("head: of a fact", "text"),
    )
    return {
        found.pgettext("sheet", "Figures"): figures,
        found.pgettext("sheet", "Metadata"): pd.DataFrame(
            about, columns=[first, second]
        ),
        found.pgettext("sheet", "Definitions"): layout.definitions_in(lang),
        found.pgettext("sheet", "Left out"): layout.left_out_in(lang),
    }


def _notes(lang: str) -> list[tuple[str, str]]:
    """Return what holds for every file."""
    found = catalogue("pages", lang)
    say = found.gettext
    return [
        (found.pgettext("file", "made with"), f"smartrisk {__version__}"),
        (say(_OURS), ""),
        (say(_ESCAPED), ""),
    ]


def _describe(layout: Layout, lang: str, name: str) -> dict[str, Any]:
    """Return the description of a CSV file, as CSV on the Web has it."""
    numbers = set(layout.numbers)
    columns = [
        {
            "name": column,
            "titles": column,
            "dc:description": layout.describe_column(column, lang),
            "datatype": "number" if column in numbers else "string",
        }
        for column in map(str, layout.table)
    ]
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": lang}],
        "url": name,
        "dc:title": layout.facts_in(lang)[0][0],
        "dc:language": lang,
        "notes": [
            {
                "facts": dict(layout.facts_in(lang)[1:]) | dict(_notes(lang)),
                "definitions": _records(layout.definitions_in(lang)),
                "left_out": _records(layout.left_out_in(lang)),
            }
        ],
        "tableSchema": {"columns": columns, "primaryKey": list(layout.keys)},
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table; what is missing is null."""
    plain = table.astype(object).where(table.notna(), None)
    return [
        {str(name): value for name, value in row.items()}
        for row in plain.to_dict("records")
    ]


def _write_json(content: dict[str, Any], path: Path) -> None:
    """Write a file of JSON as a whole."""
    text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    write_file(path, lambda draft: draft.write_text(f"{text}\n", encoding="utf-8"))


__all__ = ["write"]
