"""Starting up loads no third-party package; heavy ones load where they are used."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

import smartrisk

FOREIGN = (
    "jinja2",
    "joblib",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "shap",
    "sklearn",
    "skops",
    "tqdm",
)

#: Packages below the public ones; ``import smartrisk`` does not offer them.
INNER = {"artefact", "clock", "memory", "page_style", "progress", "tables", "threads"}


def loaded_after(code, root):
    """Return the top-level names in `sys.modules` of a fresh process after `code`."""
    report = "import sys, json; print(json.dumps(sorted({m.split('.')[0] for m in "
    report += "sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_library_loads_nothing_foreign(root):
    assert not loaded_after("import smartrisk", root) & set(FOREIGN)


def test_the_lowest_layers_load_nothing_foreign(root):
    code = "import smartrisk; smartrisk.schema, smartrisk.errors"
    assert not loaded_after(code, root) & set(FOREIGN)


def test_asking_the_command_line_for_help_loads_nothing_foreign(root):
    code = "import contextlib, io\nfrom smartrisk.cli import main\n"
    code += "with contextlib.suppress(SystemExit), "
    code += "contextlib.redirect_stdout(io.StringIO()):\n    main(['--help'])"
    assert not loaded_after(code, root) & set(FOREIGN)


@pytest.mark.slow
def test_the_heavy_packages_wait_until_they_are_used(root):
    code = "import smartrisk\nfor name in smartrisk._PACKAGES: getattr(smartrisk, name)"
    loaded = loaded_after(code + "\nsmartrisk.RiskEngine", root)
    assert not loaded & {"jinja2", "mlflow", "shap"}


@pytest.mark.slow
def test_the_packages_of_data_run_without_lightgbm(root):
    code = "import smartrisk\nfor name in ('validation', 'datasets', 'windows', "
    code += "'features', 'selectivity', 'evaluation'): getattr(smartrisk, name)"
    loaded = loaded_after(code, root)
    assert not loaded & {"jinja2", "lightgbm", "matplotlib", "mlflow", "shap"}


def test_the_library_offers_every_package_and_no_other(root):
    existing = {
        path.stem
        for path in (root / "smartrisk").iterdir()
        if not path.name.startswith("_")
        and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert existing - INNER == set(smartrisk._PACKAGES)


def test_an_unknown_name_of_the_library_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fraud_oracle'"):
        smartrisk.fraud_oracle  # noqa: B018


def test_the_library_lists_what_it_offers():
    assert sorted(smartrisk.__all__) == dir(smartrisk)
    assert smartrisk.RiskEngine is smartrisk.engine.RiskEngine


def test_imports_are_absolute(root):
    relative = [
        f"{path.relative_to(root)}:{node.lineno}"
        for folder in ("smartrisk", "tests", "examples", "benchmarks")
        for path in sorted((root / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
