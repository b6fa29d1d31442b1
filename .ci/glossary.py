"""Write the glossary page of the guide from smartrisk/locale/glossary.toml.

``python .ci/glossary.py`` writes docs/guide/glossary.md; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

from smartrisk.languages import LANGUAGES, glossary

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "guide" / "glossary.md"
_HEAD = """# What do the words mean?

The terms of the library in English, French and Spanish. Messages, reasons and pages
keep to them, and a test compares every translated message with this list. Words of
other administrations are in brackets: yours may name a thing differently, and
`smartrisk.pages.PageTerms` gives channels your names.

Every block of this page runs.

```python
from smartrisk.languages import glossary

terms = {term.id: term for term in glossary("fr")}
print(terms["net_mass"].name, "|", terms["net_mass"].meaning)
```

| English | French | Spanish | meaning | where |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the text of the page."""
    lists = [glossary(lang) for lang in LANGUAGES]
    rows = []
    for terms in zip(*lists, strict=True):
        names = [
            f"{term.name} ({term.regional})" if term.regional else term.name
            for term in terms
        ]
        rows.append(f"| {' | '.join((*names, terms[0].meaning, terms[0].used))} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
