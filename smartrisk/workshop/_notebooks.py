"""Notebooks, generated from the sources in the language of the class."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from smartrisk.artefact import write_file
from smartrisk.errors import MissingExtraError
from smartrisk.workshop._sources import Cell, Source, read_source

#: Longest part of a file name that comes from a title.
_LONGEST_NAME = 48


def make_notebook(name: str, lang: str, *, solved: bool = False) -> Any:
    """Return a source as a notebook.

    Parameters
    ----------
    name : str
        Name of the source, such as "lab-04".
    lang : str
        Its language.
    solved : bool, default=False
        Whether the cells of the answers hold the solutions: the trainer's copy.

    Returns
    -------
    notebook : nbformat.NotebookNode
        The same cells with the same ids every time.

    Raises
    ------
    MissingExtraError
        If nbformat is not installed.
    """
    v4 = _load_nbformat().v4
    source = read_source(name, lang)
    cells: list[Any] = []
    for cell in _arrange(source, solved):
        make = v4.new_markdown_cell if cell.kind == "text" else v4.new_code_cell
        cells.append(make(cell.text, id=f"{name}-{len(cells):02}"))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return v4.new_notebook(cells=cells, metadata=metadata)


def _load_nbformat() -> Any:
    """Return the library that writes notebooks, or name the extra that installs it."""
    try:
        import nbformat
    except ImportError as error:
        raise MissingExtraError("nbformat", extra="workshop") from error
    return nbformat


def _arrange(source: Source, solved: bool) -> list[Cell]:
    """Return the cells of a notebook: answers empty or solved, each with its check."""
    left_out = "task" if solved else "solution"
    cells = []
    for cell in source.cells:
        if cell.kind == left_out:
            continue
        cells.append(cell)
        if cell.task:
            text = f'sr.workshop.check("{cell.task}")'
            if not solved:
                text = f'# sr.workshop.hint("{cell.task}")\n{text}'
            cells.append(Cell(kind="code", text=text))
    return cells


def name_file(name: str, lang: str) -> str:
    """Return the file name of a notebook: its number and its title, in ASCII."""
    import unicodedata

    title = read_source(name, lang).title.partition(". ")[2]
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return f"{name}-{words[:_LONGEST_NAME].strip('-')}.ipynb"


def write_notebook(name: str, folder: Path, lang: str, *, solved: bool = False) -> Path:
    """Write a source as a notebook; return its file."""
    text = _load_nbformat().writes(make_notebook(name, lang, solved=solved))
    path = folder / name_file(name, lang)
    return write_file(path, lambda draft: draft.write_text(text + "\n", "utf-8"))
