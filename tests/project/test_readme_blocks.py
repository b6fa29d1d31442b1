"""The set-up blocks of the README can be run from what a clone would hold."""

from __future__ import annotations

import importlib.util
import subprocess

import pytest


@pytest.fixture(scope="module")
def readme(root):
    """Return the program that reads and copies for ``.ci/run``."""
    spec = importlib.util.spec_from_file_location("readme", root / ".ci" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = "Text\n\n<!-- ci: demo -->\n```sh\nmake it\nrun it\n```\n\n```sh\nno\n```\n"


def test_a_marked_block_is_returned_as_printed(readme):
    assert readme.read_block(PAGE, "demo") == "make it\nrun it\n"


@pytest.mark.parametrize("page", ["", PAGE + PAGE, PAGE.replace("```sh\nmake", "make")])
def test_a_block_that_is_missing_or_repeated_is_refused(readme, page):
    with pytest.raises(SystemExit, match="not one"):
        readme.read_block(page, "demo")


def test_the_readme_has_the_two_blocks_that_continuous_integration_runs(readme, root):
    page = (root / "README.md").read_text(encoding="utf-8")
    assert readme.read_block(page, "demo").endswith(".venv/bin/smartrisk demo\n")
    assert readme.read_block(page, "tests").endswith(".venv/bin/pytest\n")
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert script.rstrip().endswith("readme tests")


def test_a_copy_holds_new_files_and_neither_ignored_nor_deleted_ones(readme, tmp_path):
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    (tree / "docs").mkdir(parents=True)
    git = [
        "git",
        "-C",
        str(tree),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
    ]
    subprocess.run([*git, "init", "-q"], check=True)
    for name in ("deleted.py", "kept.py", "docs/page.md", "ignored.log"):
        (tree / name).write_text(name)
    (tree / ".gitignore").write_text("*.log\n")
    subprocess.run([*git, "add", "."], check=True)
    (tree / "deleted.py").unlink()
    (tree / "new.py").write_text("new")
    readme.copy_files(tree, copy)
    copied = {p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file()}
    assert copied == {".gitignore", "docs/page.md", "kept.py", "new.py"}


def test_a_tree_without_git_is_copied_without_its_environments(readme, tmp_path):
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    for name in (".venv", "smartrisk"):
        (tree / name).mkdir(parents=True)
        (tree / name / "a.py").write_text("x = 1\n")
    readme.copy_files(tree, copy)
    assert sorted(p.name for p in copy.iterdir()) == ["smartrisk"]
