"""The front pages keep their promises; tests/docs runs the blocks of all pages."""

from __future__ import annotations

import re
import tomllib
from datetime import date

import pytest

import smartrisk

BLOCK = r"```{language}\n(.*?)```"
NAMED = r"`((?:tests|docs|examples|benchmarks|\.github)/[\w./-]*\w)/?`"


def read(root, page):
    """Return the text of a page."""
    return (root / page).read_text(encoding="utf-8")


def blocks(text, language):
    """Return the blocks of a language."""
    return re.findall(BLOCK.format(language=language), text, flags=re.DOTALL)


def portable(command):
    """Return a shell line without what differs between Unix and Windows."""
    command = re.sub(r"\.venv[/\\](?:bin|Scripts)[/\\]", "", command)
    return re.sub(r"^(?:python3|py) -m venv", "python -m venv", command.strip())


def set_ups(text):
    """Return (name, Unix block, Windows block) of the set-up blocks of a page."""
    pattern = r"<!-- ci: (\w+) -->\n```sh\n(.*?)```.*?```(?:bat|powershell)\n(.*?)```"
    return re.findall(pattern, text, flags=re.DOTALL)


def test_the_readme_has_two_marked_set_ups_of_one_line_each(root):
    found = set_ups(read(root, "README.md"))
    assert [name for name, _, _ in found] == ["demo", "tests"]
    assert [len(unix.splitlines()) for _, unix, _ in found] == [1, 1]


def test_the_two_commands_of_the_readme_are_the_agreed_ones(root):
    page = read(root, "README.md")
    install = "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt"
    assert f"{install} . && .venv/bin/smartrisk demo\n" in page
    assert f'{install} -e ".[test]" && .venv/bin/pytest\n' in page


def test_the_quickstart_has_the_set_up_of_the_readme(root):
    pattern = r"<!-- ci: demo -->\n```sh\n(.*?)```"
    (ours,) = re.findall(pattern, read(root, "docs/quickstart.md"), flags=re.DOTALL)
    (run,) = re.findall(pattern, read(root, "README.md"), flags=re.DOTALL)
    assert ours == run


def test_windows_blocks_run_the_commands_of_the_unix_block_beside_them(root):
    page = read(root, "README.md")
    found = set_ups(page)
    assert len(found) == len(blocks(page, "(?:bat|powershell)"))
    for _, unix, windows in found:
        assert [portable(c) for c in windows.split("&&")] == [
            portable(c) for c in unix.split("&&")
        ]


def test_a_windows_block_with_another_command_is_found():
    assert portable(".venv\\Scripts\\pip install .") == portable(
        ".venv/bin/pip install ."
    )
    assert portable(".venv\\Scripts\\pip install -e .") != portable(
        ".venv/bin/pip install ."
    )


@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md"])
def test_the_front_pages_start_from_fifty_thousand_items(root, page):
    first = blocks(read(root, page), "python")[0]
    assert "make_declarations(50_000" in first


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/compatibility.md"],
)
def test_the_files_that_a_page_names_are_there(root, page):
    text = read(root, page)
    named = set(re.findall(NAMED, text))
    named |= set(re.findall(r"`(?:python|sphinx-build -W) ([\w/.]+)", text))
    named |= {name for name in re.findall(r"\]\(([\w/.-]+)\)", text) if "." in name}
    folder = (root / page).parent
    missing = [
        n for n in named if not (root / n).exists() and not (folder / n).exists()
    ]
    assert sorted(missing) == []


def test_the_changelog_is_dated_and_its_latest_version_is_this_one(root):
    heads = re.findall(
        r"^## (.+)$", read(root, "docs/changelog.md"), flags=re.MULTILINE
    )
    version, day = re.fullmatch(r"(\S+) \((.+)\)", heads[0]).groups()
    assert version == smartrisk.__version__
    assert day == "unreleased" or date.fromisoformat(day)
    dated = re.findall(
        r"^### (\d{4}-\d{2}-\d{2})", read(root, "docs/changelog.md"), re.M
    )
    assert dated == sorted(dated, reverse=True)
    assert dated


def test_the_citation_has_the_version_and_the_licence(root):
    page = read(root, "CITATION.cff")
    project = tomllib.loads(read(root, "pyproject.toml"))["project"]
    assert f"\nversion: {smartrisk.__version__}\n" in page
    assert f"\nlicense: {project['license']}\n" in page
    assert page.startswith("cff-version: 1.2.0\n")


def test_the_workflow_of_a_forge_calls_the_same_program(root):
    workflow = read(root, ".github/workflows/ci.yml")
    assert "run: .ci/run" in workflow


def test_the_reference_lists_every_package(root):
    page = read(root, "docs/reference/index.md")
    packages = set(smartrisk._PACKAGES) - {"cli"}
    assert [name for name in sorted(packages) if f"[`{name}`]" not in page] == []


def test_the_guide_lists_every_page_once(root):
    index = read(root, "docs/guide/index.md")
    listed = re.findall(r"^([\w-]+)$", index, flags=re.MULTILINE)
    there = {p.stem for p in (root / "docs/guide").glob("*.md")} - {"index"}
    assert sorted(listed) == sorted(there)


def test_the_map_has_the_layers_of_the_contract(root):
    contracts = tomllib.loads(read(root, "pyproject.toml"))["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    entry = {"__main__", "_mlflow_entry"}  # what Python and MLflow start, not packages
    named = [set(re.findall(r"\w+", layer)) - entry for layer in layers]
    wanted = {
        (package, height)
        for height, packages in enumerate(reversed([n for n in named if n]))
        for package in packages
    }
    rows = re.findall(r"^\| (\d+) \| `(\w+)`", read(root, "docs/architecture.md"), re.M)
    assert {(package, int(layer)) for layer, package in rows} == wanted
