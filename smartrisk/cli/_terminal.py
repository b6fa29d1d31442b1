"""What is written to the terminal: text, tables, progress, complaints."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_PLAIN = str.maketrans({"×": "x", "–": "-", "—": "-", "−": "-", "’": "'", "…": "..."})


def say(text: str = "") -> None:
    """Write a line to standard output."""
    sys.stdout.write(encodable(text, sys.stdout) + "\n")


def complain(text: str) -> None:
    """Write a line to standard error, with no control character of the data in it."""
    clean = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    sys.stderr.write(encodable(f"smartrisk: {clean}", sys.stderr) + "\n")


def encodable(text: str, stream: Any) -> str:
    """Return a text that the stream's encoding can write."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", text.translate(_PLAIN))
        return plain.encode(encoding, "ignore").decode(encoding)


def table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> str:
    """Return rows as a table of plain characters, numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [
        max([len(name), *(len(row[k]) for row in cells)])
        for k, name in enumerate(header)
    ]
    right = [
        bool(rows) and all(_is_number(row[k]) for row in rows)
        for k in range(len(header))
    ]
    lines = [header, ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def show(frame: Any) -> None:
    """Write a frame as a table."""
    say(table(frame.to_numpy(dtype=object).tolist(), [str(c) for c in frame.columns]))


@contextmanager
def steps(names: Sequence[str]) -> Iterator[Any]:
    """Show which of several long steps is under way, when a person is watching."""
    from tqdm import tqdm

    with tqdm(
        total=len(names),
        disable=_quiet(),
        bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}]",
        leave=False,
    ) as bar:
        waiting = iter(names)
        bar.set_description(next(waiting, ""))

        def done() -> None:
            bar.update()
            bar.set_description(next(waiting, ""))

        yield done


def progress(parts: Iterable[Any], total: int, about: str) -> Iterator[Any]:
    """Yield parts, showing how many are done when a person is watching."""
    from tqdm import tqdm

    yield from tqdm(parts, total=total, desc=about, disable=_quiet(), leave=False)


def note(text: str) -> None:
    """Say on standard error what has been done, when a person is watching."""
    if not _quiet():
        complain(text)


def _quiet() -> bool:
    return not sys.stderr.isatty()


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float))
        or value is None
        or type(value).__name__
        in (
            "float64",
            "int64",
            "NAType",
        )
    )


def _cell(value: Any) -> str:
    """Return a value as a cell: four digits that matter, nothing for the missing."""
    if value is None or value != value or type(value).__name__ == "NAType":
        return ""
    if isinstance(value, float) and not isinstance(value, bool):
        if value == int(value) and abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
