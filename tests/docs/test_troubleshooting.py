"""The page on troubleshooting explains messages that the code does print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guide" / "troubleshooting.md"
CATALOGUE = ROOT / "smartrisk" / "locale" / "fr" / "LC_MESSAGES" / "messages.po"
#: What stands for a value, on the page.
GAP = "…"


def headings(text):
    """Return the messages that are headings of the page."""
    return re.findall(r"^### `(.+)`$", text, re.MULTILINE)


def show_gaps(template):
    """Return a template with the sign of the page for each of its values."""
    gaps = re.sub(r"(?<!\{)\{[^{}]+\}(?!\})", GAP, template)
    return gaps.replace("{{", "{").replace("}}", "}")


@pytest.fixture(scope="module")
def messages():
    """Return all messages that a person can meet, with gaps."""
    with CATALOGUE.open(encoding="utf-8") as stream:
        catalogue = read_po(stream)
    ids = (message.id for message in catalogue if message.id)
    return [show_gaps(one if isinstance(one, str) else one[0]) for one in ids]


def test_the_page_has_headings():
    assert len(headings(PAGE.read_text(encoding="utf-8"))) > 15


@pytest.mark.parametrize("heading", headings(PAGE.read_text(encoding="utf-8")))
def test_a_heading_is_the_beginning_of_a_message(heading, messages):
    begin = heading.removesuffix(GAP).rstrip()
    assert any(message.startswith(begin) for message in messages), heading


def test_a_heading_of_no_message_is_found(messages):
    assert not any(message.startswith("the moon is full") for message in messages)
