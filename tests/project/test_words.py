"""No banned word in code, tests or documentation; the list is data.

The list: docs/contributing/banned_words.toml. The rules in words: writing.md beside it.
Check one package with ``pytest tests/project/test_words.py -k features``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "contributing" / "banned_words.toml"
RULES = tomllib.loads(LIST.read_text(encoding="utf-8"))
TOP = ("smartrisk", "tests", "docs", "examples", "benchmarks", ".ci", ".github")
SUFFIXES = {".cff", ".html", ".j2", ".js", ".md", ".py", ".rst", ".toml", ".yml", ""}
# The catalogues and the style sheets are not English prose; what is generated is not
# written by anyone; three files must quote the words.
SKIPPED_FOLDERS = {"locale", "__pycache__", "_build", "_static", "gallery", "results"}
SKIPPED_FOLDERS |= {"generated", "tables"}
QUOTING = {
    "docs/contributing/banned_words.toml",
    "docs/contributing/writing.md",
    "tests/project/test_words.py",
}
# Between two words of a phrase: white space, the marker of a comment line, the quotes
# of a text that goes on in the next line.
GAP = r"""\s*["']?\s+(?:\#:?\s*)?(?:f?["'])?\s*"""


def files_of(area):
    """Return the files of a package or a top-level file, in order of name."""
    path = ROOT / area
    if path.is_file():
        return [path]
    return [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and file.suffix in SUFFIXES
        and not SKIPPED_FOLDERS & set(file.relative_to(ROOT).parts)
        and not file.name.startswith(".")
        and file.relative_to(ROOT).as_posix() not in QUOTING
    ]


def areas():
    """Return what is checked one by one: packages, folders and single files."""
    found = []
    for top in TOP:
        folder = ROOT / top
        if not folder.is_dir():
            continue
        for child in sorted(folder.iterdir()):
            inside = child.is_dir() and child.name not in SKIPPED_FOLDERS
            if inside or (child.is_file() and child.suffix in SUFFIXES):
                found.append(child.relative_to(ROOT).as_posix())
    found += [p.name for p in sorted(ROOT.glob("*.md"))]
    found += [p.name for p in sorted(ROOT.glob("*.cff"))]
    return [area for area in found if files_of(area) and area not in QUOTING]


def compiled(word):
    """Return the pattern of a word and the patterns of its allowed contexts."""
    pattern = re.compile(word["pattern"].replace(" ", GAP), re.IGNORECASE)
    return pattern, [re.compile(p, re.IGNORECASE) for p in word.get("except", ())]


WORDS = [(word, *compiled(word)) for word in RULES["word"]]


def split_identifiers(text):
    """Return the text with identifiers split; the number of lines stays."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text.replace("_", " "))


def breaches_of_words(text):
    """Yield (line, what was found, replacement) of every banned word of a text."""
    for word, pattern, contexts in WORDS:
        rest = text
        for context in contexts:
            rest = context.sub("", rest)
        rest = split_identifiers(rest)
        for match in pattern.finditer(rest):
            line = rest.count("\n", 0, match.start()) + 1
            yield line, " ".join(match.group().split()), word["write"]


def is_property(node):
    """Return whether a function is an accessor that reads like a noun."""
    names = [getattr(d, "attr", getattr(d, "id", "")) for d in node.decorator_list]
    return bool({"property", "cached_property", "setter"} & set(names))


def is_banned_name(name):
    """Return whether a function must not be named so."""
    rules = RULES["functions"]
    name = name.strip("_")
    if name in rules["fine"]:
        return False
    participle = re.fullmatch(rules["participle"], name) is not None
    return participle or name in rules["banned"] or name in rules["irregular"]


def breaches_of_functions(text):
    """Yield (line, name, replacement) of every function with a banned name."""
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.FunctionDef)
            and not is_property(node)
            and is_banned_name(node.name)
        ):
            yield node.lineno, f"def {node.name}", RULES["functions"]["write"]


def breaches(path):
    """Return the breaches of a file as lines that an editor can open."""
    text = path.read_text(encoding="utf-8")
    inside = path.is_relative_to(ROOT)
    where = path.relative_to(ROOT) if inside else Path(*path.parts[-2:])
    found = list(breaches_of_words(text))
    if path.suffix == ".py" and where.parts[0] == "smartrisk":
        found += breaches_of_functions(text)
    return [
        f"{where}:{line}: {what!r}; write: {write}"
        for line, what, write in sorted(found)
    ]


@pytest.mark.parametrize("area", areas())
def test_no_banned_word_is_used(area):
    found = [line for path in files_of(area) for line in breaches(path)]
    assert not found, f"{len(found)} banned words\n" + "\n".join(found)


@pytest.mark.parametrize("word", RULES["word"], ids=lambda word: word["name"])
def test_a_banned_word_is_found_with_its_line_and_replacement(word, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{word['example']}\n", encoding="utf-8")
    (found,) = breaches(page)
    assert "/page.md:3: " in found
    assert found.endswith(word["write"])


@pytest.mark.parametrize("word", RULES["word"], ids=lambda word: word["name"])
def test_an_allowed_text_is_not_found(word, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("\n".join(word["fine"]), encoding="utf-8")
    assert breaches(page) == []


def test_a_phrase_is_found_across_lines_in_identifiers_and_in_comments(tmp_path):
    module = tmp_path / "smartrisk" / "module.py"
    module.parent.mkdir()
    code = 'MESSAGE = (\n    "whose rates stand "\n    "in"\n)\nnumber_told = 1\n'
    code += "ToldItems = 2\n# with what hangs\n# on it\n"
    module.write_text(code, encoding="utf-8")
    lines = [int(found.split(":")[1]) for found in breaches(module)]
    assert lines == [2, 5, 6, 7]


def test_a_function_is_not_named_by_a_participle(tmp_path):
    module = tmp_path / "smartrisk" / "module.py"
    module.parent.mkdir()
    code = "def _sorted(): ...\ndef make_seed(): ...\ndef seed(): ...\n"
    code += (
        "class A:\n    @property\n    def failed(self): ...\n    def shown(self): ...\n"
    )
    module.write_text(code, encoding="utf-8")
    lines = [int(found.split(":")[1]) for found in breaches(module)]
    assert lines == [1, 7]


def test_every_package_and_page_is_checked():
    checked = set(areas())
    packages = {p.parent for p in (ROOT / "smartrisk").glob("*/__init__.py")}
    assert {p.relative_to(ROOT).as_posix() for p in packages} <= checked
    assert {"README.md", "docs/guide", "smartrisk/errors.py"} <= checked


def test_the_page_on_writing_shows_every_banned_word():
    page = (LIST.parent / "writing.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| ([^|]+?) +\| ", page, flags=re.MULTILINE))
    assert {word["name"] for word in RULES["word"]} - rows == set()
