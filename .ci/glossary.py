"""Write the glossary pages of the documentation from smartrisk/locale/glossary.toml.

``python .ci/glossary.py`` writes docs/guide/glossary.md, and the pages in French and
Spanish; tests compare them.
"""

from __future__ import annotations

from pathlib import Path

from smartrisk.languages import _BEFORE, LANGUAGES, glossary

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
_CODE = _HEAD[_HEAD.index("```") : _HEAD.rindex("```") + 3]
#: The same in other languages, with the meanings in them; where the library has a term
#: is in the English page.
_TRANSLATED_HEADS = {
    "fr": f"""# Que veulent dire les mots ?

Les termes de la bibliothèque en français, en anglais et en espagnol. Les messages, les
motifs et les pages s'y tiennent, et un test compare chaque message traduit à cette
liste. Les mots d'autres administrations sont entre parenthèses : la vôtre peut nommer
une chose autrement, et `smartrisk.pages.PageTerms` donne vos noms aux circuits.

{_CODE}

| français | anglais | espagnol | sens |
|---|---|---|---|
""",
    "es": f"""# ¿Qué significan las palabras?

Los términos de la biblioteca en español, inglés y francés. Los mensajes, los motivos y
las páginas los respetan, y una prueba compara cada mensaje traducido con esta lista.
Las palabras de otras administraciones están entre paréntesis: la suya puede llamar a
una cosa de otro modo, y `smartrisk.pages.PageTerms` da sus nombres a los canales.

{_CODE}

| español | inglés | francés | significado |
|---|---|---|---|
""",
}


def page(lang: str = "en") -> str:
    """Return the text of the page in a language, whose terms stand first."""
    languages = [lang, *(other for other in LANGUAGES if other != lang)]
    rows = []
    for terms in zip(*map(glossary, languages), strict=True):
        cells = [
            f"{term.name} ({term.regional})" if term.regional else term.name
            for term in terms
        ]
        cells.append(terms[0].meaning)
        if lang == "en":
            cells.append(terms[0].used)
        rows.append(f"| {' | '.join(cells)} |\n")
    text = _TRANSLATED_HEADS.get(lang, _HEAD) + "".join(rows)
    return _BEFORE.sub("\u202f", text) if lang == "fr" else text


def path(lang: str) -> Path:
    """Return the file of the page in a language."""
    return PAGE if lang == "en" else ROOT / "docs" / lang / PAGE.name


if __name__ == "__main__":
    for lang in LANGUAGES:
        path(lang).write_text(page(lang), encoding="utf-8")
