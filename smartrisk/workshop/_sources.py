"""The sources of the labs: Markdown in English, translated paragraph by paragraph.

A source has text and fenced code. The word after ``python`` says what a fence is::

    ```python            a cell to run as it is
    ```python task 4.2   the learner's cell: its name, empty
    ```python solution 4.2   what the trainer's copy has instead

A cell that checks the answer follows each task by itself. A message of the catalogue is
a paragraph, a heading, an item of a list, a row of a table, or a line of code that is a
comment, so a change of one sentence touches one message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from smartrisk.errors import ArgumentError
from smartrisk.languages import catalogue

FOLDER = Path(__file__).parent / "labs"
_FENCE = re.compile(r"```python(?: (?P<kind>task|solution) (?P<task>\d+\.\d+))?$")
#: What opens a line that is a message of its own, and is not translated itself.
_MARK = re.compile(r"(?P<mark>#{1,6} |\s*[-*] |\s*\d+\. )(?P<text>.*)")
_COMMENT = re.compile(r"(?P<mark>\s*# )(?P<text>.*)")
#: A part without a letter is the rule of a table, or a line or cells to write on.
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A part of a source: text, code to run, the place of an answer, or a solution."""

    kind: str
    text: str
    task: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source in one language."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def title(self) -> str:
        """The first heading."""
        return self.cells[0].text.partition("\n")[0].removeprefix("# ")


def list_labs() -> tuple[str, ...]:
    """Return the names of the labs in their order, such as "lab-01"."""
    return tuple(sorted(file.stem for file in FOLDER.glob("lab-*.md")))


def list_sources() -> tuple[str, ...]:
    """Return the names of all sources: labs, and what a class has besides."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.md")))


@cache
def read_source(name: str, lang: str = "en") -> Source:
    """Return a source in a language.

    Parameters
    ----------
    name : str
        Such as "lab-01".
    lang : str, default="en"
        One of `smartrisk.languages.LOCALES`.
    """
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    translate = catalogue(name, lang).gettext
    cells = tuple(
        Cell(kind=c.kind, text=_translate(c, translate), task=c.task)
        for c in _split(text, name)
    )
    return Source(name=name, cells=cells)


def list_messages(name: str) -> list[str]:
    """Return the English messages of a source, in their order, each once."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    for cell in _split(text, name):
        _translate(cell, note)
    return list(dict.fromkeys(found))


def _split(text: str, name: str) -> Iterator[Cell]:
    """Yield the cells of a source."""
    lines: list[str] = []
    fence: re.Match[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None and line.startswith("```python"):
            if any(lines):
                yield Cell(kind="text", text="\n".join(lines).strip("\n"))
            lines, fence = [], _FENCE.match(line)
            if fence is None:
                raise ArgumentError(
                    "workshop.unknown_fence",
                    "{name}.md, line {number}: {line!r} is no kind of cell.",
                    name=name,
                    number=number,
                    line=line,
                )
        elif fence is not None and line == "```":
            kind, task = fence["kind"] or "code", fence["task"] or ""
            yield Cell(kind=kind, text="\n".join(lines), task=task)
            lines, fence = [], None
        else:
            lines.append(line)
    if any(lines):
        yield Cell(kind="text", text="\n".join(lines).strip("\n"))


def _translate(cell: Cell, translate: Callable[[str], str]) -> str:
    """Return a cell's text in another language."""
    if cell.kind == "text":
        blocks = re.split(r"\n{2,}", cell.text)
        return "\n\n".join(_translate_block(block, translate) for block in blocks)
    return "\n".join(
        _translate_after_mark(line, _COMMENT, translate)
        for line in cell.text.splitlines()
    )


def _translate_block(block: str, translate: Callable[[str], str]) -> str:
    """Return a block of text in another language, its lines joined where they wrap."""
    if block.startswith("```"):  # what a terminal shows
        return block
    parts: list[str] = []
    for line in block.splitlines():
        starts = not parts or _MARK.match(line) or line.startswith("|")
        if starts:
            parts.append(line)
        else:
            parts[-1] += f" {line.strip()}"
    return "\n".join(_translate_part(part, translate) for part in parts)


def _translate_part(part: str, translate: Callable[[str], str]) -> str:
    """Return a paragraph, a heading, an item or a row in another language."""
    if not _LETTER.search(part):
        return part
    return _translate_after_mark(part, _MARK, translate) or part


def _translate_after_mark(
    text: str, mark: re.Pattern[str], translate: Callable[[str], str]
) -> str:
    """Return a text with its mark kept; a code line without a mark stays as it is."""
    found = mark.match(text)
    if found and found["text"]:
        return found["mark"] + translate(found["text"])
    return translate(text) if mark is _MARK and text.strip() else text
