"""Every Python, shell and TOML block of README and documentation runs, in order.

The blocks of a page share one namespace and one empty folder. Most pages start from a
short block that makes their data; it is shown on the page. One test runs one page, so
that neither random order nor several processes part the blocks of a page.
"""

from __future__ import annotations

import collections
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
#: Blocks of translations are those of their English pages: see test_translations.py.
TRANSLATED = ("docs/fr", "docs/es")
GENERATED = ("docs/_build", "docs/gallery", "docs/tables", "docs/reference/generated")
#: Pages whose blocks take more than a second; the README stays quick.
SLOW = {
    "docs/index.md",
    "docs/quickstart.md",
    "docs/guide/benchmark.md",
    "docs/guide/choosing.md",
    "docs/guide/commandline.md",
    "docs/guide/competition.md",
    "docs/guide/evaluation.md",
    "docs/guide/explanations.md",
    "docs/guide/ledger.md",
    "docs/guide/models.md",
    "docs/guide/monitoring.md",
    "docs/guide/off-policy.md",
    "docs/guide/pages.md",
    "docs/guide/pipeline.md",
    "docs/guide/saving.md",
    "docs/guide/selectivity.md",
    "docs/guide/simulation.md",
    "docs/guide/tracking.md",
    "docs/guide/workshop.md",
    "docs/guide/worlds.md",
}
#: Languages of fences that show something else than code to run.
SHOWN = {"bat", "powershell", "text", "bibtex", "yaml"}
#: Languages of fences whose content runs.
RUN = ("python", "sh", "toml")
#: The visible sentence above a block that the tests cannot run.
NOT_RUN = re.compile(r"\*Not run by the tests: (?P<reason>[^*]+)\.\*\n+\Z")
#: The invisible line above the set-up blocks of the README, which `.ci/run` runs.
CI_MARK = re.compile(r"<!-- ci: (?P<name>\w+) -->\n\Z")


def pages():
    """Return the pages that have blocks, as paths relative to the project."""
    found = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    found += sorted((ROOT / "docs").rglob("*.md"))
    names = [path.relative_to(ROOT).as_posix() for path in found if path.exists()]
    return [name for name in names if not name.startswith((*GENERATED, *TRANSLATED))]


def exception_of(example):
    """Return why a block is not run here, None when it is."""
    above = example.document.text[: example.start]
    marked = NOT_RUN.search(above)
    if marked:
        return marked["reason"]
    return "run by .ci/run" if CI_MARK.search(above) else None


def run_shell(example):
    """Run a block as a script in the working directory; the first failure ends it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", str(example.parsed)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, f"{example.parsed}\n{done.stdout}\n{done.stderr}"


def load_toml(example):
    """Parse a block, write it under the name in its first line, load it by kind."""
    import smartrisk as sr

    text = str(example.parsed)
    named = re.match(r"# (\w[\w.-]*\.toml)\n", text)
    assert named, "the first line of a TOML block is a comment with its file name"
    path = Path(named[1])
    path.write_text(text, encoding="utf-8")
    data = tomllib.loads(text)
    if "rules" in data:
        sr.selectivity.RuleSet.from_toml(path)
    elif "mix" in data or "illicit" in data:
        sr.datasets.Scenario.from_toml(path)
    else:
        sr.schema.ColumnMap.from_toml(path)


SYBIL = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        CodeBlockParser("sh", run_shell),
        CodeBlockParser("toml", load_toml),
    ],
    path=str(ROOT),
    patterns=["*.md", "**/*.md"],
)


def parse(page):
    """Return the parsed blocks of a page, in the order of the page."""
    return list(SYBIL.parse(ROOT / page).examples())


def language_of(example):
    """Return the language of a block."""
    opening = example.document.text[example.start : example.end].split("\n", 1)[0]
    return opening.strip().strip("`")


PAGES = pages()


def with_blocks():
    """Return the pages that have a block to run, the long ones marked slow."""
    return [
        pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else [])
        for page in PAGES
        if any(exception_of(e) is None for e in parse(page))
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder; close the figures that the blocks drew."""
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    yield tmp_path
    pyplot.close("all")


@pytest.mark.parametrize("page", with_blocks())
def test_the_blocks_of_a_page_run_in_order(page, folder, request, capsys):
    text = (ROOT / page).read_text(encoding="utf-8")
    if "tracking" in text or "smartrisk demo" in text:
        request.getfixturevalue("tracking_uri")
    for example in parse(page):
        if exception_of(example) is None:
            example.evaluate()


def fences(text):
    """Return the languages of the fences of a page, directives left out."""
    opening = re.findall(r"^ *```+ *([\w{}-]*)", text, flags=re.MULTILINE)
    return [name for name in opening if name and not name.startswith("{")]


def test_every_block_is_run_or_states_why_not(capsys):
    run, excepted, total = collections.Counter(), collections.Counter(), 0
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        total += sum(name in RUN for name in fences(text))
        for example in parse(page):
            reason = exception_of(example)
            if reason is None:
                run[language_of(example)] += 1
            else:
                excepted[reason] += 1
                known = (
                    r"server|Korean set|\.ci/run|the run that `smartrisk demo` names"
                )
                assert re.search(known, reason), (page, reason)
    with capsys.disabled():
        counts = f"blocks run: {dict(run)}; not run: {dict(excepted)}"
        sys.stdout.write(f"\n{counts}\n")
    assert run.total() + excepted.total() == total
    assert run.total() > 60


@pytest.mark.parametrize("page", PAGES)
def test_a_fence_names_a_known_language(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(fences(text)) - {*RUN, *SHOWN} == set()
    # A command outside of a fence would escape the runner.
    assert not re.search(r"^ {4}(?:\$|pip|pytest|python3?|smartrisk) ", text, re.M)


def test_a_failing_block_fails_with_the_line_of_its_page(folder):
    page = folder / "page.md"
    page.write_text("# A page\n\n```python\nx = 1\n1 / 0\n```\n", encoding="utf-8")
    (example,) = SYBIL.parse(page).examples()
    with pytest.raises(ZeroDivisionError) as caught:
        example.evaluate()
    assert caught.traceback[-1].lineno + 1 == 5


@pytest.mark.parametrize(
    "block", ["```sh\nfalse\ntrue\n```\n", "```toml\n# rules.toml\nrules = 3\n```\n"]
)
def test_a_block_of_another_language_can_fail_too(block, folder):
    page = folder / "page.md"
    page.write_text(block, encoding="utf-8")
    (example,) = SYBIL.parse(page).examples()
    with pytest.raises((AssertionError, ValueError)):
        example.evaluate()


@pytest.mark.parametrize("page", sorted(p for p in PAGES if p.startswith("docs/guide")))
def test_a_page_with_python_shows_that_its_blocks_run(page):
    blocks = [e for e in parse(page) if language_of(e) == "python"]
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not blocks or "Every block of this page runs" in text
