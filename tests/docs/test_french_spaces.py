"""French pages keep their punctuation on the line of its word, as the messages do."""

from __future__ import annotations

import re

import pytest

from tests.docs.test_translations import PROGRAM, ROOT

PAGES = sorted(path.name for path in (ROOT / "docs" / "fr").glob("*.md"))


@pytest.mark.parametrize("name", PAGES)
def test_no_line_of_a_french_page_can_break_before_its_punctuation(name):
    text = (ROOT / "docs" / "fr" / name).read_text(encoding="utf-8")
    prose = PROGRAM.FENCE.split(text)
    loose = [
        line
        for part in prose
        for line, kept in zip(
            part.splitlines(), PROGRAM.keep_together(part).splitlines(), strict=True
        )
        if line != kept
    ]
    assert loose == []


def test_pages_have_narrow_spaces_where_they_belong():
    pages = [(ROOT / "docs" / "fr" / name).read_text("utf-8") for name in PAGES]
    assert sum(len(re.findall("\u202f[;:?!»%]", page)) for page in pages) > 80


def test_code_links_and_pictures_keep_their_spaces():
    assert PROGRAM.keep_together("« a » : 3 %") == "«\u202fa\u202f»\u202f: 3\u202f%"
    for text in ("`x : y`", "[a](b :c)", "vu ![a](b)", "<!-- a : b -->"):
        assert PROGRAM.keep_together(text) == text
