"""State which text of an English page its translation was made from.

``python .ci/translations.py docs/fr/faq.md`` copies the code of the English page into
the translation, keeps French punctuation on the line of its word, and writes the
digest of the English text into the first line. Do it
after you have compared the two: the tests fail while an English page has changed since.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from smartrisk.languages import _BEFORE

ROOT = Path(__file__).resolve().parents[1]
#: English page -> its name in the folder of a language.
PAGES = {
    "README.md": "readme.md",
    "docs/quickstart.md": "quickstart.md",
    "docs/guide/faq.md": "faq.md",
}
LANGUAGES = ("fr", "es")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
#: Code of a line, links and the beginning of a picture stay as they are.
FIXED = re.compile(r"(`[^`]*`|<[^>]*>|\]\([^)]*\)| !\[)")
STAMP = re.compile(r"\A<!-- translated from (?P<page>\S+), (?P<digest>\w+) -->\n\n")


def translations() -> dict[Path, Path]:
    """Return the English page of each translation."""
    return {
        ROOT / "docs" / lang / name: ROOT / page
        for lang in LANGUAGES
        for page, name in PAGES.items()
    }


def stamp_of(page: Path) -> str:
    """Return the first line of a translation of an English page as it is now."""
    text = page.read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"<!-- translated from {page.relative_to(ROOT).as_posix()}, {digest} -->"


def keep_together(text: str) -> str:
    """Return French text whose punctuation stays on the line of its word."""
    parts = FIXED.split(text)
    # Odd places hold what stays; a space at the end of a part may precede it.
    return "".join(
        part if place % 2 else _BEFORE.sub("\u202f", part)
        for place, part in enumerate(parts)
    )


def main(paths: list[str]) -> None:
    """Bring the code and the first line of translations up to date."""
    known = translations()
    for path in map(Path, paths):
        page = known[path.resolve()]
        code = FENCE.findall(page.read_text(encoding="utf-8"))
        text = STAMP.sub("", path.read_text(encoding="utf-8"))
        rest = FENCE.split(text)
        if len(rest) != len(code) + 1:
            sys.exit(f"{path}: {len(rest) - 1} blocks of code, not {len(code)}")
        if path.resolve().parent.name == "fr":
            rest = [keep_together(part) for part in rest]
        parts = [part for pair in zip(rest, [*code, ""], strict=True) for part in pair]
        path.write_text(f"{stamp_of(page)}\n\n{''.join(parts)}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
