"""Real sticks: their wheels fit the target, and one is used without a network.

The index that pip is configured with is asked; where none answers, these are skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

from smartrisk.errors import SmartRiskError
from smartrisk.workshop import _own_wheel, _stick, write_stick
from smartrisk.workshop._package_index import Target, compile_list

pytestmark = pytest.mark.slow
#: A port on which nothing answers.
NOWHERE = "http://127.0.0.1:9"


def tags_of(platform, python):
    """Return every tag that a machine of the platform can install."""
    version = tuple(int(part) for part in python.split("."))
    platforms = {
        "windows": ["win_amd64"],
        "macos": list(mac_platforms((13, 0), "arm64")),
    }[platform]
    return {
        *cpython_tags(version, platforms=platforms),
        *compatible_tags(version, f"cp{version[0]}{version[1]}", platforms),
    }


def compiled(target, *, light, folder):
    """Return the list of a target; skip where no index answers."""
    requirements = _own_wheel.requirements_of("workshop")
    wanted = _stick.list_wanted(requirements, light=light, lang="fr")
    try:
        return wanted, compile_list(wanted, target, folder)
    except SmartRiskError as error:
        if error.message_id == "workshop.index_silent":
            pytest.skip("no index of packages answers")
        raise


def ask_index(packages, target, folder):
    """Return what pip would download for the target: file and digest, by name."""
    listed, report = folder / "list.txt", folder / "report.json"
    listed.write_text("\n".join(f"{p.name}=={p.version}" for p in packages))
    words = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet"]
    words += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    words += ["--ignore-installed", "--target", folder / "none", "--report", report]
    words += ["--implementation", "cp", "--python-version", target.python]
    words += [word for tag in target.tags for word in ("--platform", tag)]
    subprocess.run([*words, "-r", listed], check=True, capture_output=True)
    found = {}
    for item in json.loads(report.read_text())["install"]:
        source = item["download_info"]
        name = canonicalize_name(item["metadata"]["name"])
        digest = source["archive_info"]["hashes"]["sha256"]
        found[name] = (source["url"].rsplit("/", 1)[1], digest)
    return found


@pytest.mark.parametrize(
    ("platform", "python", "light"),
    [("windows", "3.12", False), ("macos", "3.13", True)],
)
def test_every_requirement_has_a_wheel_for_the_target_and_none_is_a_source(
    tmp_path, platform, python, light
):
    target = Target(platform=platform, python=python)
    wanted, packages = compiled(target, light=light, folder=tmp_path)
    names = {canonicalize_name(package.name) for package in packages}
    assert {canonicalize_name(Requirement(line).name) for line in wanted} <= names
    found = ask_index(packages, target, tmp_path)
    assert found.keys() == names
    allowed = tags_of(platform, python)
    for package in packages:
        file, digest = found[canonicalize_name(package.name)]
        name, version, _, tags = parse_wheel_filename(file.replace("%2B", "+"))
        assert (name, str(version)) == (
            canonicalize_name(package.name),
            package.version,
        )
        assert tags & allowed, file
        assert digest in package.digests


def test_the_tags_separate_platforms():
    allowed = tags_of("windows", "3.12")
    assert Tag("cp312", "cp312", "win_amd64") in allowed
    assert Tag("py3", "none", "any") in allowed
    assert Tag("cp312", "cp312", "manylinux_2_28_x86_64") not in allowed
    assert Tag("cp313", "cp313", "win_amd64") not in allowed


def test_the_own_wheel_holds_what_the_build_tool_puts_into_one(tmp_path, root):
    pytest.importorskip("hatchling", reason="pip install -e '.[test]' installs it")
    words = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index"]
    words += ["--no-build-isolation", "--quiet", "--wheel-dir", tmp_path / "built"]
    subprocess.run([*words, root], check=True, capture_output=True)
    own = contents(_own_wheel.write_own_wheel(tmp_path))
    built = contents(next((tmp_path / "built").glob("*.whl")))
    assert own.keys() == built.keys()
    code = {name: data for name, data in built.items() if "dist-info" not in name}
    assert len(code) > 400
    assert [name for name, data in code.items() if own[name] != data] == []


def contents(path):
    """Return the digests of the files in a wheel that people leave there."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if "_cache" not in name
        }


# ----------------------------------------- a stick for this machine, in use


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return the home of a learner who installed the light stick, without network."""
    python = "{}.{}".format(*sys.version_info[:2])
    if sys.platform != "linux" or python not in _stick.PYTHONS:
        pytest.skip("the stick of this test is for Linux, and a Python that has one")
    place = tmp_path_factory.mktemp("a place")
    try:
        stick = write_stick(
            place / "the stick", platform="linux", python=python, light=True, lang="fr"
        )
    except SmartRiskError as error:
        if error.message_id == "workshop.index_silent":
            pytest.skip("no index of packages answers")
        raise
    files = {p.suffix for p in (stick.folder / "files/wheels").iterdir()}
    assert files == {".whl"}
    home = place / "a home"
    home.mkdir()
    answer = run(home, "sh", stick.folder / "install.sh")
    assert "JupyterLab s'ouvre" in answer
    shutil.rmtree(stick.folder)  # it is no longer needed
    yield home
    shutil.rmtree(place)


def run(home, *words):
    """Run a command as a learner does, with the network off; return what it writes."""
    environment = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
        "PIP_INDEX_URL": NOWHERE,
        "http_proxy": NOWHERE,
        "https_proxy": NOWHERE,
        "OMP_NUM_THREADS": "1",
    }
    answer = subprocess.run(
        [*offline(), *(str(word) for word in words)],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout.replace("\u202f", " ")


def offline():
    """Return what runs a command without any network, where the system permits it."""
    words = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if tried.returncode == 0 else []


def test_the_light_set_has_neither_shap_nor_the_whole_mlflow(home):
    packages = home / "smartrisk-class/venv/lib"
    names = {
        canonicalize_name(path.name.partition("-")[0])
        for path in packages.glob("*/site-packages/*.dist-info")
    }
    assert {"mlflow-skinny", "sqlalchemy", "jupyterlab", "smartrisk"} <= names
    assert not {"shap", "mlflow", "numba"} & names


def test_the_check_of_the_stick_finds_a_ready_machine_and_the_demo_runs(home):
    answer = run(home, "sh", home / "smartrisk-class" / "check.sh")
    assert "Ce poste est prêt pour le cours." in answer
    assert "remarque : shap n'est pas installé" in answer
    demo = home / "smartrisk-class" / "demo"
    assert (demo / "watch-list.html").exists()
    assert (demo / "mlflow.db").exists()
    required = next(demo.glob("artifacts/**/requirements.txt")).read_text()
    assert "mlflow-skinny==" in required
    assert "mlflow==" not in required


#: Runs the cells of a notebook in the shell of its kernel, without the ports by which
#: a browser reaches one: they need a network, if only that of the machine itself.
RUN_CELLS = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
os.chdir(os.path.dirname(sys.argv[1]))
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"]), store_history=True).raise_error()
"""


def test_the_first_lab_runs_from_the_stick(home):
    python = home / "smartrisk-class/venv/bin/python"
    labs = home / "smartrisk-class" / "class"
    run(home, python, "-m", "smartrisk", "workshop", labs, "--lang", "fr")
    first = sorted(labs.glob("lab-*.ipynb"))[0]
    assert first.name.startswith("lab-01-")
    text = run(home, python, "-c", RUN_CELLS, first)
    cells = json.loads(first.read_text(encoding="utf-8"))["cells"]
    n_checks = sum("sr.workshop.check(" in "".join(cell["source"]) for cell in cells)
    assert text.count("pas encore") == n_checks >= 2
    kernels = run(home, python, "-m", "jupyter", "kernelspec", "list")
    assert "python3" in kernels
