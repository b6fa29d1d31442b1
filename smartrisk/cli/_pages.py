"""Pages that a command writes besides what it prints."""

from __future__ import annotations

from pathlib import Path

from smartrisk.cli._messages import render_message
from smartrisk.cli._terminal import print_line
from smartrisk.errors import ArgumentError, Message


def check_page(path: str | None) -> None:
    """Refuse a file that is no page, before anything is read."""
    if path is not None and Path(path).suffix.lower() != ".html":
        raise ArgumentError(
            "cli.page_not_html", "--out: {path!r} must end in .html.", path=path
        )


def print_page(path: Path) -> None:
    """Print where a page was written."""
    message = Message("cli.page", "page: {path}", path=str(path))
    print_line(f"\n{render_message(message)}")
