"""Every check of ``.ci/run`` is seen to fail once: a gate that cannot fail is no gate.

Each step is read out of ``.ci/run`` and run as it stands there, in a small project:
green as it is, red with a deliberate breach, for the right reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = SETTINGS["tool"]["importlinter"]["contracts"]
#: Steps that run the linters, and those that run tests which need the whole package.
LINTERS = ("ruff", "typos", "import contracts", "numpydoc", "mypy")
CHECKS = ("words", "catalogues", "private names")


def read_steps():
    """Return the commands of each step of ``.ci/run`` by its name."""
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    found = re.findall(
        r'^step "([^"]+)"\n(.*?)(?=^step |\Z)', text, re.DOTALL | re.MULTILINE
    )
    return {name: commands.strip() for name, commands in found}


def make_package():
    """Return the files of the smallest package that the contracts accept."""
    required = {"smartrisk.__init__"}
    for contract in CONTRACTS:
        required |= set(contract.get("source_modules", ()))
        layers = contract.get("layers", ())
        parts = {part.strip() for layer in layers for part in layer.split("|")}
        required |= {f"smartrisk.{part}" for part in parts if part.isidentifier()}
    modules = sorted(required - {"smartrisk", "smartrisk.**"})
    return {name.replace(".", "/") + ".py": '"""Doc."""\n' for name in modules}


STEPS = read_steps()


def write_files(folder, files):
    """Write files by their names."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run_step(name, folder):
    """Run the commands of a step in a folder; return its status and its output."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    keep = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", STEPS[name]],
        cwd=folder,
        env=keep | {"PATH": tools, "PYTHONPATH": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path):
    """Return the folder of a small project that every linter accepts."""
    for tool in ("ruff", "typos", "lint-imports", "numpydoc", "mypy"):
        near = Path(sys.executable).with_name(tool)
        if not near.exists() and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here: pip install -e '.[lint]'")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    write_files(tmp_path, make_package())
    return tmp_path


@pytest.fixture
def copied(tmp_path):
    """Return a copy of what the checks of words, catalogues and names read."""
    for name in ("smartrisk", "docs/contributing", ".ci"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    (tmp_path / "tests" / "project").mkdir(parents=True)
    for name in ("words", "catalogues", "private_names"):
        test = f"tests/project/test_{name}.py"
        shutil.copy(ROOT / test, tmp_path / test)
    for name in ("pyproject.toml", "README.md", "tests/conftest.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


MANY = ", ".join(f"a{k}" for k in range(13))
BRANCHES = "".join(f"    if x == {k}:\n        return {k}\n" for k in range(11))
#: What each linter must refuse: rule, step, file, text.
BREACHES = [
    ("F401", "ruff", "smartrisk/windows.py", '"""Doc."""\n\nimport os\n'),
    ("TID252", "ruff", "smartrisk/windows.py", '"""Doc."""\n\nfrom . import schema\n'),
    ("TID253", "ruff", "smartrisk/windows.py", '"""Doc."""\n\nimport mlflow\n'),
    ("T201", "ruff", "smartrisk/windows.py", '"""Doc."""\n\nprint(1)\n'),
    ("S101", "ruff", "smartrisk/windows.py", '"""Doc."""\n\nassert True\n'),
    ("D100", "ruff", "smartrisk/windows.py", "X = 1\n"),
    (
        "PLR0913",
        "ruff",
        "smartrisk/windows.py",
        f'"""Doc."""\n\n\ndef cut({MANY}):\n    """Cut."""\n',
    ),
    (
        "C901",
        "ruff",
        "smartrisk/windows.py",
        f'"""Doc."""\n\n\ndef cut(x):\n    """Cut."""\n{BRANCHES}    return x\n',
    ),
    (
        "would be reformatted",
        "ruff",
        "smartrisk/windows.py",
        '"""Doc."""\n\nX = [1,2]\n',
    ),
    ("reci" + "eve", "typos", "docs/page.md", "You reci" + "eve a table.\n"),
    (
        "GL08",
        "numpydoc",
        "smartrisk/features/_history.py",
        '"""Doc."""\n\n\ndef _sum_results(items):\n    return items\n',
    ),
    (
        "SS03",
        "numpydoc",
        "smartrisk/features/_history.py",
        '"""Doc."""\n\n\nclass _History:\n    """Sums of results"""\n',
    ),
    (
        "PR10",
        "numpydoc",
        "smartrisk/features/_history.py",
        '"""Doc."""\n\n\nclass History:\n    """Sums of results.\n\n    Parameters\n'
        '    ----------\n    prior: float\n        Weight.\n    """\n\n'
        "    def __init__(self, prior):\n        self.prior = prior\n",
    ),
    (
        "return-value",
        "mypy",
        "smartrisk/windows.py",
        '"""Doc."""\n\n\ndef cut(x: int) -> str:\n    """Cut."""\n    return x\n',
    ),
    (
        "no-untyped-def",
        "mypy",
        "smartrisk/windows.py",
        '"""Doc."""\n\n\ndef cut(x):\n    """Cut."""\n    return x\n',
    ),
]
#: Imports that a contract forbids: its name, the file that imports, the module.
FORBIDDEN_IMPORTS = [
    ("layers", "errors.py", "smartrisk.schema"),
    ("layers", "features.py", "smartrisk.engine"),
    ("layers", "features.py", "smartrisk.models"),
    ("layers", "new_package.py", "smartrisk.errors"),
    ("the lowest layers need the standard library only", "errors.py", "pandas"),
    ("mlflow is imported in tracking only", "engine.py", "mlflow"),
    ("shap is imported in explanations only", "engine.py", "shap"),
    ("lightgbm is imported in models only", "engine.py", "lightgbm"),
    ("skops is imported in models only", "engine.py", "skops"),
    ("cryptography is imported in artefact only", "engine.py", "cryptography"),
    ("matplotlib is imported in displays only", "pages.py", "matplotlib"),
    ("jinja2 is imported in pages only", "displays.py", "jinja2"),
    ("a server of HTTP is imported in serving only", "engine.py", "uvicorn"),
    ("distributed is imported in scale only", "engine.py", "distributed"),
    ("markdown_it is imported in pages only", "engine.py", "markdown_it"),
    ("nbformat is imported in workshop only", "engine.py", "nbformat"),
    (
        "sqlite3 is imported in intake, ledger and tracking only",
        "engine.py",
        "sqlite3",
    ),
    (
        "the driver of a server is imported in intake and ledger only",
        "engine.py",
        "sqlalchemy",
    ),
]


@pytest.mark.parametrize("step", LINTERS)
@pytest.mark.slow
def test_a_small_clean_project_passes_a_linter(project, step):
    status, output = run_step(step, project)
    assert status == 0, output


@pytest.mark.parametrize(
    ("rule", "step", "file", "text"), BREACHES, ids=[f"{b[1]}-{b[0]}" for b in BREACHES]
)
@pytest.mark.slow
def test_a_breach_of_a_rule_fails_its_step(project, rule, step, file, text):
    write_files(project, {file: text})
    if file.startswith("smartrisk/features"):
        write_files(project, {"smartrisk/features/__init__.py": '"""Doc."""\n'})
    status, output = run_step(step, project)
    assert status != 0
    assert rule in output


@pytest.mark.parametrize(("contract", "file", "module"), FORBIDDEN_IMPORTS)
@pytest.mark.slow
def test_a_forbidden_import_breaks_its_contract(project, contract, file, module):
    if module.startswith("smartrisk."):
        imported = module.replace(".", "/") + ".py"
        write_files(project, {imported: '"""Doc."""\n'})
    write_files(project, {f"smartrisk/{file}": f'"""Doc."""\n\nimport {module}\n'})
    status, output = run_step("import contracts", project)
    assert status != 0
    assert re.search(rf"{re.escape(contract)}.* BROKEN", output) or (
        file == "new_package.py" and "new_package" in output
    )


@pytest.mark.slow
def test_a_cycle_between_modules_breaks_its_contract(project):
    pair = {"_a": "_b", "_b": "_a"}
    files = {
        f"smartrisk/features/{a}.py": f'"""Doc."""\n\nimport smartrisk.features.{b}\n'
        for a, b in pair.items()
    }
    write_files(project, files | {"smartrisk/features/__init__.py": '"""Doc."""\n'})
    status, output = run_step("import contracts", project)
    assert status != 0
    assert re.search(r"no cycles between siblings.* BROKEN", output)


def test_every_contract_has_a_breach():
    names = {contract["name"] for contract in CONTRACTS}
    breached = {name for name, _, _ in FORBIDDEN_IMPORTS}
    assert names == breached | {"no cycles between siblings"}


@pytest.mark.slow
def test_a_banned_word_fails_the_check_of_words(copied):
    word = "to" + "ld"
    with (copied / "smartrisk" / "windows.py").open("a", encoding="utf-8") as file:
        file.write(f"\n# The reader is {word} the date.\n")
    status, output = run_step("words", copied)
    assert status != 0
    assert "windows.py" in output
    assert word in output


@pytest.mark.slow
@pytest.mark.parametrize("breach", ["untranslated", "not compiled", "lost placeholder"])
def test_an_incomplete_catalogue_fails_the_check_of_catalogues(copied, breach):
    path = copied / "smartrisk/locale/fr/LC_MESSAGES/pages.po"
    text = path.read_text(encoding="utf-8")
    first = re.search(
        r'^msgid "(\w[^"{%]*)"\nmsgstr "(\w[^"{%]*)"$', text, re.MULTILINE
    )
    line = f'msgid "{first[1]}"\nmsgstr "'
    changed = {
        "untranslated": f'{line}"',
        "not compiled": f'{line}{first[2]} !"',
        "lost placeholder": f'{line}{first[2]} {{n}}"',
    }
    path.write_text(text.replace(first[0], changed[breach]), encoding="utf-8")
    status, output = run_step("catalogues", copied)
    assert status != 0
    tests = {
        "untranslated": "test_every_text_is_translated",
        "not compiled": "test_the_compiled_file",
        "lost placeholder": "test_every_text_is_translated",
    }
    assert re.search(rf"FAILED .*{tests[breach]}\w*\[\w*-?\w*", output)


@pytest.mark.slow
def test_a_private_import_fails_the_check_of_private_names(copied):
    with (copied / "smartrisk" / "windows.py").open("a", encoding="utf-8") as file:
        file.write("\nfrom smartrisk.features._statistics import _read\n")
    status, output = run_step("private names", copied)
    assert status != 0
    assert "smartrisk.features._statistics._read" in output


def test_continuous_integration_runs_every_gate():
    assert set(LINTERS) | set(CHECKS) <= set(STEPS)
    order = list(STEPS)
    assert order.index("environments") < min(map(order.index, LINTERS + CHECKS))
    assert order[-1] == "tests"


def test_the_hooks_before_a_commit_are_the_linters_of_continuous_integration():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    commands = "\n".join(STEPS[name] for name in LINTERS)
    for entry in re.findall(r"entry: (.+)", text):
        command = entry.replace(" --force-exclude", "")
        assert command in commands
    assert len(re.findall(r"entry: ", text)) == len(LINTERS) + 1  # ruff has two


def test_system_packages_are_installed_in_continuous_integration_only():
    commands = STEPS["system packages"]
    guard = commands.index('if [ -n "${CI:-}" ]')
    everything = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "apt-get" not in everything.replace(commands, "")
    assert guard < commands.index("apt-get") < commands.rindex("\nfi")
    assert {"chromium", "postgresql"} <= set(commands.split())
    assert not re.search(r"\bCI=", everything)
