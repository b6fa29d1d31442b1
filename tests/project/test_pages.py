"""What the front pages show is what runs."""

from __future__ import annotations

import re

import pandas as pd
import pytest


def blocks(text):
    """Return the Python blocks of a page."""
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("page", "first"), [("README.md", 1), ("docs/quickstart.md", 2)]
)
def test_the_ten_lines_of_a_page_run(root, page, first, capsys):
    code = "\n".join(blocks((root / page).read_text(encoding="utf-8"))[:first])
    assert "make_declarations(50_000" in code
    names = {}
    exec(compile(code.replace("50_000", "6_000"), page, "exec"), names)
    assert isinstance(names["decisions"], pd.DataFrame)
    assert "risk_score" in capsys.readouterr().out


def test_the_two_commands_of_the_readme_are_the_agreed_ones(root):
    page = (root / "README.md").read_text(encoding="utf-8")
    install = "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt"
    assert f"{install} . && .venv/bin/smartrisk demo" in page
    assert f'{install} -e ".[test]" && .venv/bin/pytest' in page


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_the_files_that_a_page_names_are_there(root, page):
    text = (root / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|docs|examples|benchmarks)/[\w./]*\w)/?`", text))
    named |= set(re.findall(r"`(?:python|sphinx-build -W) ([\w/.]+)", text))
    assert [name for name in sorted(named) if not (root / name).exists()] == []
