"""Tables that people hand back: heads and codes in words become those of the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk import schema
from smartrisk.displays import Texts
from smartrisk.errors import TableError
from smartrisk.intake import read_table
from smartrisk.languages import LANGUAGES, catalogue, translator
from smartrisk.lineage import SOURCE_ROW
from smartrisk.pages._exported_table import heads_in_words, stages_in_words
from smartrisk.pages._page import PageTerms, check_kinds
from smartrisk.schema import CHANNELS, STAGES, FileFormat
from smartrisk.spreadsheets import escape_formula

_KEY = ("declaration_id", "item_number")
_FIELDS = {
    field.name: field.kind
    for table in (
        *(schema.DECLARATIONS, schema.OUTCOMES, schema.DECISIONS, schema.SCORES),
    )
    for field in table
}
_KINDS = _FIELDS | {"undecided": "boolean"}
#: Heads of the list of rows to correct, as its catalogue has them.
_CORRECTIONS = {
    "line in the file": "line",
    "column to correct": "column",
    "value found": "value",
    "what is wrong": "reason",
    "what to do": "remedy",
}
#: The sheet of a workbook that holds the figures of `statistics.write`.
_FIGURES = "Figures"


def read_exported(path: str | Path, *, terms: PageTerms | None = None) -> pd.DataFrame:
    """Return a table that the library wrote for people, as it was before.

    Use it for a watch list that an officer completed, a list of rows that were
    corrected, or the figures of a workbook, whatever their language.

    Parameters
    ----------
    path : str or Path
        A ``.csv`` or ``.xlsx`` file that `WatchList.export`, `write_pages`, ``smartrisk
        validate --fix-list`` or `statistics.write` wrote, also one that a spreadsheet
        saved since: semicolons or commas, decimal commas or points.
    terms : PageTerms, default=None
        What the administration calls its channels, where the table has these names.

    Returns
    -------
    table : DataFrame
        Columns and codes of the schema, with numbers, moments and truth values as
        such. Columns that people added keep their names. Sentences stay as they are.

    Raises
    ------
    TableError
        If the file is not there or holds no table, or a cell is no value of its column.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> day = world.declarations.tail(20)
    >>> found = sr.pages.WatchList.from_engine(engine, day, capacity=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = found.export(f"{folder}/liste.csv", lang="fr")
    ...     table = sr.pages.read_exported(path)
    >>> table["channel"].tolist()
    ['red', 'yellow']
    """
    check_kinds("read_exported", {"terms": terms}, {"terms": PageTerms})
    read = _read(path).drop(columns=SOURCE_ROW, errors="ignore")
    table = table_from_words(read, terms=terms)
    # The rows of a list of corrections are those of the administration's own file.
    kinds = {"line": "integer"} if "remedy" in table else _KINDS
    # Spreadsheets in French and Spanish write the day first.
    is_day_first = not table.columns.equals(read.columns)
    return table.apply(
        lambda column: _read_values(column, kinds.get(str(column.name)), is_day_first)
    )


def table_from_words(
    frame: pd.DataFrame, *, terms: PageTerms | None = None
) -> pd.DataFrame:
    """Return a table with the names and codes of the schema for those in words.

    Parameters
    ----------
    frame : DataFrame
        Texts as they were read; a table that has no head in words comes back as it is.
    terms : PageTerms, default=None
        What the administration calls its channels.

    Returns
    -------
    table : DataFrame
        The same rows; numbers are texts with a decimal point.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.pages import table_from_words
    >>> heads = ["Número de declaración", "Número de artículo", "Canal"]
    >>> frame = pd.DataFrame([["A", "1", "rojo (físico)"]], columns=heads)
    >>> table_from_words(frame).iloc[0].to_dict()
    {'declaration_id': 'A', 'item_number': '1', 'channel': 'red'}
    """
    for lang in LANGUAGES:
        translate = translator(lang) or str
        corrections = {translate(head): name for head, name in _CORRECTIONS.items()}
        if set(corrections) <= set(frame.columns):
            return frame.rename(columns=corrections)
    for texts in _languages(terms):
        names = _names_by_head(texts)
        found = {head: names[head] for head in map(str, frame.columns) if head in names}
        if set(_KEY) <= set(found.values()):
            table = frame.rename(columns=found)
            codes = _codes_by_word(texts)
            for name in found.values():
                table[name] = [
                    _from_word(value, name, codes.get(name, {}))
                    for value in table[name].astype(object)
                ]
            return table
    return frame


def _languages(terms: PageTerms | None) -> Iterator[Texts]:
    """Yield the words of each language but English, whose tables have no words."""
    names = None if terms is None else terms.channel_names
    for lang in LANGUAGES:
        if lang != "en":
            yield Texts(lang, channel_names=names)


def _names_by_head(texts: Texts) -> dict[str, str]:
    """Return the name of the column of each head in a language."""
    words = texts.words
    found = {words.capitalise(words.field(name)): name for name in _FIELDS}
    for stage in STAGES:
        found |= {head: name for name, head in heads_in_words(texts, stage).items()}
    return found


def _codes_by_word(texts: Texts) -> dict[str, dict[str, str]]:
    """Return the code of each word, by column."""
    # Names that the administration gives do not hide ours.
    plain = Texts(texts.lang)
    selectors = ("model", "rule", "random", "exploration", "mandatory", "manual")
    say = texts.words.text
    return {
        "channel": {
            by.channel(name): name for by in (plain, texts) for name in CHANNELS
        },
        "selected_by": {
            texts.selected_by(name, stage): name
            for stage in STAGES
            for name in selectors
        },
        "stage": {word: name for name, word in stages_in_words(texts).items()},
        "undecided": {say("yes"): "True", say("no"): "False"},
    }


def _from_word(value: Any, name: str, codes: dict[str, str]) -> Any:
    """Return a cell with the code of its word, and a decimal point."""
    if not isinstance(value, str):
        return value
    if value in codes:
        return codes[value]
    is_number = _KINDS.get(name) == "number"
    return value.replace("\u202f", "").replace(",", ".") if is_number else value


def _read(path: str | Path) -> pd.DataFrame:
    """Return a file as it is written; of a workbook of figures, their sheet."""
    if Path(path).suffix.lower() == ".xlsx":
        for lang in LANGUAGES:
            sheet = catalogue("pages", lang).pgettext("sheet", _FIGURES)
            try:
                return read_table(path, file=FileFormat(sheet=sheet))
            except TableError as error:
                if error.message_id != "intake.no_such_sheet":
                    raise
    return read_table(path)


def _read_values(column: pd.Series, kind: str | None, is_day_first: bool) -> pd.Series:
    """Return the values of a column as what they are; empty cells are missing."""
    texts = [_unescape(value) for value in column.astype(object)]
    cells = pd.Series(texts, column.index, dtype=object, name=column.name)
    cells = cells.where(cells.notna() & (cells != ""), None)
    try:
        if kind in ("number", "integer"):
            numbers = pd.to_numeric(cells)
            is_whole = kind == "integer" and bool(numbers.notna().all())
            return numbers.astype("int64") if is_whole else numbers
        if kind == "datetime":
            return _moments(cells, is_day_first)
    except ValueError as error:
        raise TableError(
            "pages.exported_cell",
            "read_exported: column {column!r} has a cell that is no value of it: "
            "{problem}. Correct the cell in the file.",
            column=str(column.name),
            problem=str(error),
        ) from error
    if kind == "boolean":
        truth = {"True": True, "False": False}
        return cells.map(lambda cell: truth.get(str(cell), cell))
    return cells


def _moments(cells: pd.Series, is_day_first: bool) -> pd.Series:
    """Return moments as they were written, or as a spreadsheet shows them."""
    try:
        return pd.to_datetime(cells, format="ISO8601")
    except ValueError:
        if not is_day_first:
            raise
        return pd.to_datetime(cells, format="mixed", dayfirst=True)


def _unescape(value: Any) -> Any:
    """Return a text without the apostrophe that kept it from being a formula."""
    if isinstance(value, str) and value.startswith("'"):
        return value[1:] if escape_formula(value[1:]) == value else value
    return value
