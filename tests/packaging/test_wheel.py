"""The built wheel holds what the library needs, and runs outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import smartrisk

pytestmark = pytest.mark.slow
#: Folders that tools leave among the sources.
SKIPPED = {"__pycache__", ".mypy_cache", ".ruff_cache"}


def run(words, **options):
    """Run a command; return its output, or fail with what it wrote."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, root):
    """Return the wheel, built by the installed hatchling: no index is asked."""
    pytest.importorskip("hatchling", reason="pip install -e '.[test]' installs it")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder]
    run([*pip, "wheel", *options, root])
    return next(folder.glob("smartrisk-*.whl"))


@pytest.fixture(scope="module")
def target(wheel, tmp_path_factory):
    """Return a folder with the installed wheel and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "install", "--no-deps", "--no-index", "--target", folder, wheel])
    return folder


@pytest.fixture
def outside(target, tmp_path, root):
    """Return a function that runs Python on the wheel, in a foreign folder."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "MLFLOW_"))
    }
    environment = kept | {"PYTHONPATH": str(target), "MLFLOW_DISABLE_TELEMETRY": "true"}

    def run_python(*words):
        # -P: the working folder is not searched for modules.
        return run([sys.executable, "-P", *words], cwd=tmp_path, env=environment)

    code = "import smartrisk; print(smartrisk.__file__)"
    assert not Path(run_python("-c", code).strip()).is_relative_to(root)
    return run_python


def test_the_wheel_holds_the_files_beside_the_code(wheel, root):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = root / "smartrisk"
    kinds = {".css", ".html", ".js", ".json", ".mo", ".po", ".toml", ".typed"}
    beside = {
        path.relative_to(root).as_posix()
        for path in package.rglob("*")
        if path.is_file()
        and path.suffix in kinds | {""}
        and not SKIPPED & set(path.parts)
    }
    assert "smartrisk/py.typed" in names
    for kind in (".css", ".html", ".mo"):
        assert any(name.endswith(kind) for name in names), kind
    assert beside - names == set()


def test_the_wheel_holds_the_code_and_nothing_else_of_the_project(wheel, root):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"smartrisk", f"smartrisk-{smartrisk.__version__}.dist-info"}
    sources = list((root / "smartrisk").rglob("*.py"))
    assert sum(name.endswith(".py") for name in names) == len(sources)


def test_the_wheel_states_the_licence_the_command_and_the_extras(wheel):
    with zipfile.ZipFile(wheel) as archive:
        info = f"smartrisk-{smartrisk.__version__}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
        commands = archive.read(f"{info}/entry_points.txt").decode()
        assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Provides-Extra: xlsx" in metadata
    assert "smartrisk = smartrisk.cli:main" in commands


def test_the_installed_command_line_shows_its_help(outside):
    assert "--items" in outside("-m", "smartrisk", "demo", "--help")


def test_the_installed_wheel_runs_the_demo(outside, tmp_path):
    out = outside("-m", "smartrisk", "demo", "--items", "4000", "--out", "shown")
    assert "smartrisk" in out
    assert "done in" in out
    files = {path.name for path in (tmp_path / "shown").iterdir()}
    assert {"rate_curve.png", "model-card.html", "watch-list.html", "engine"} <= files


def test_the_installed_wheel_speaks_every_language(outside):
    code = "from smartrisk.languages import LANGUAGES, catalogue\n"
    code += (
        "for lang in LANGUAGES: print(catalogue('pages', lang).gettext('Case sheet'))"
    )
    assert outside("-c", code).split("\n")[:3] == [
        "Case sheet",
        "Fiche d'analyse",
        "Ficha de análisis",
    ]
