"""A machine that lacks something is found, and the remedy is named."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from smartrisk import workshop
from smartrisk.cli import _workshop as commands
from smartrisk.cli import main
from smartrisk.errors import Message, MissingExtraError
from smartrisk.workshop import Finding, _machine, _machine_check
from smartrisk.workshop._package_index import PLATFORMS
from smartrisk.workshop._stick import PYTHONS


@pytest.fixture
def whole(monkeypatch):
    """Let every library be there, so that a test can take one away."""
    absent, broken = set(), {}

    def load(name):
        if name in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in broken:
            raise broken[name]

    versions = SimpleNamespace(version=lambda name: "4.6.6")
    monkeypatch.setattr(
        _machine_check, "importlib", SimpleNamespace(import_module=load)
    )
    monkeypatch.setattr(_machine_check, "metadata", versions)
    monkeypatch.setattr(_machine_check, "read_memory", lambda: (8000, 4000))
    fitted = Finding(part="fit", state="ok", found=Message("x", "fitted"))
    monkeypatch.setattr(_machine_check, "_check_fit", lambda: fitted)
    return absent, broken


def rows(part, **options):
    """Return the findings about one part of the machine."""
    checked = workshop.check_machine(**options)
    return checked, [f for f in checked.findings if f.part == part]


def test_a_whole_machine_is_ready(whole):
    checked = workshop.check_machine()
    assert checked.ready
    assert set(checked.frame()["state"]) == {"ok"}
    assert len(set(checked.frame()["part"])) == 7


def test_an_absent_library_is_named_with_what_installs_it(whole):
    whole[0].update({"mlflow", "skops"})
    checked, found = rows("packages")
    assert not checked.ready
    assert str(found[0].found) == "not installed: skops, mlflow"
    assert "pip install 'smartrisk'" in str(found[0].remedy)


def test_an_absent_jupyterlab_is_named_with_its_extra(whole):
    whole[0].add("ipykernel")
    checked, found = rows("jupyterlab")
    assert not checked.ready
    assert str(found[0].found) == "not installed: ipykernel"
    assert "smartrisk[workshop]" in str(found[0].remedy)


def test_what_a_light_set_leaves_out_is_no_obstacle(whole):
    whole[0].add("shap")
    checked, found = rows("packages")
    assert checked.ready
    assert [f.state for f in found] == ["ok", "note"]


@pytest.mark.parametrize(
    ("system", "remedy"),
    [
        ("win32", "Visual C++"),
        ("darwin", "brew install libomp"),
        ("linux", "libgomp1"),
    ],
)
def test_a_model_that_the_system_cannot_start_is_reported_in_words(
    whole, monkeypatch, system, remedy
):
    whole[1]["lightgbm"] = OSError("cannot open shared object file")
    monkeypatch.setattr(sys, "platform", system)
    checked, found = rows("packages")
    assert not checked.ready
    assert remedy in str(found[0].found)
    assert "cannot open shared object file" in str(found[0].found)


def test_a_library_that_cannot_be_imported_says_why(whole):
    whole[1]["scipy"] = ImportError("DLL load failed\nwhile importing _x")
    checked, found = rows("packages")
    assert not checked.ready
    assert "DLL load failed while importing _x" in str(found[0].found)
    assert "Visual C++" in str(found[0].remedy)


def test_a_small_fit_is_tried():
    found = _machine_check._check_fit()
    assert (found.state, found.found.values["n"]) == ("ok", 2_000)


def test_a_fit_that_fails_is_reported_by_its_own_message(monkeypatch):
    def fail(*args, **options):
        raise MissingExtraError("lightgbm")

    monkeypatch.setattr("smartrisk.datasets.make_declarations", fail)
    found = _machine_check._check_fit()
    assert found.state == "missing"
    assert "'lightgbm' is not installed" in str(found.found)


@pytest.mark.parametrize(
    ("memory", "states"),
    [
        ((2_000, 1_900), ["missing"]),
        ((3_800, 1_600), ["ok"]),
        ((3_800, 1_400), ["ok", "missing"]),
        ((8_000, None), ["ok"]),
        ((None, None), ["note"]),
    ],
)
def test_too_little_memory_is_reported(memory, states):
    assert [f.state for f in _machine_check._check_memory(*memory)] == states


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    usage = _machine_check.shutil.disk_usage(tmp_path)._replace(free=999 * 2**20)
    monkeypatch.setattr(_machine_check.shutil, "disk_usage", lambda place: usage)
    found = _machine_check._check_disk(tmp_path / "not" / "there")
    assert found.state == "missing"
    assert str(found.found).startswith("999 MB are free")


@pytest.mark.parametrize("version", [(3, 10), (3, 15), (4, 0)])
def test_a_python_that_is_not_tested_is_reported(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    assert _machine_check._check_python().state == "missing"


def test_a_terminal_without_letters_is_no_obstacle(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    found = _machine_check._check_language("fr")
    assert (found.state, found.found.values["encoding"]) == ("note", "ascii")


def test_memory_is_read_as_linux_writes_it():
    text = (
        "MemTotal:       24684032 kB\nMemFree: 1 kB\nMemAvailable:   4194304 kB\nX:\n"
    )
    assert _machine.parse_meminfo(text) == (24105, 4096)
    assert _machine.parse_meminfo("nothing") == (None, None)


# ----------------------------------------------------------- the command line


@pytest.mark.parametrize("ready", [True, False])
def test_the_command_prints_the_remedy_and_fails_when_something_is_missing(
    monkeypatch, capsys, ready
):
    finding = Finding(
        part="disk",
        state="ok" if ready else "missing",
        found=Message("workshop.disk", "{free} MB of disk are free", free=7),
        remedy=Message("workshop.disk_remedy", "Close other programs."),
    )
    checked = workshop.MachineCheck([finding], "fr")
    monkeypatch.setattr(commands, "check_machine", lambda lang: checked)
    assert main(["workshop", "check", "--lang", "fr"]) == (0 if ready else 1)
    lines = capsys.readouterr().out.replace("\u202f", " ").splitlines()
    assert lines[0] == f"{'ok' if ready else 'manque'} : 7 Mo de disque sont libres"
    assert lines[1] == "    Fermez les autres programmes."
    assert lines[2].startswith("Ce poste est" if ready else "Ce poste n'est pas")


def test_the_command_of_a_stick_offers_what_the_library_does(monkeypatch, capsys):
    given = []

    def write_stick(folder, **options):
        given.append({"folder": folder, **options})
        raise MissingExtraError("uv", "stick")

    monkeypatch.setattr(commands, "write_stick", write_stick)
    for platform in PLATFORMS:
        for python in PYTHONS:
            words = ["--platform", platform, "--python", python, "--light"]
            assert main(["workshop", "stick", "x", *words, "--lang", "es"]) == 2
    assert len(given) == len(PLATFORMS) * len(PYTHONS)
    assert given[0] == {
        "folder": "x",
        "platform": "windows",
        "python": "3.11",
        "light": True,
        "lang": "es",
    }
    assert "smartrisk[stick]" in capsys.readouterr().err
    assert main(["workshop", "stick", "x", "--platform", "windows"]) == 2
    assert given[-1]["python"] == "3.12"
