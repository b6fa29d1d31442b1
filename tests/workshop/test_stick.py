"""A stick is whole, its files are what each system reads, and failures are in words."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import zipfile
from pathlib import Path

import pytest

from smartrisk import workshop
from smartrisk.errors import ArgumentError, MissingExtraError, SmartRiskError
from smartrisk.workshop import (
    _install_program,
    _own_wheel,
    _package_index,
    _start_program,
    _stick,
)

LIST = """# as uv writes it
numpy==2.4.6 \\
    --hash=sha256:{good} \\
    --hash=sha256:{other}
typing-extensions==4.15.0 \\
    --hash=sha256:{second}
"""
FILES = {
    "numpy-2.4.6-cp312-cp312-win_amd64.whl": "numpy",
    "typing_extensions-4.15.0-py3-none-any.whl": "words",
}


def make_wheel(path, text):
    """Write a wheel of one file, the same bytes for the same text."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.py", (1980, 1, 1, 0, 0, 0)), text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Replace uv and pip by what they write; return their calls and their files."""
    source = tmp_path / "index"
    source.mkdir()
    digests = [make_wheel(source / name, text) for name, text in FILES.items()]
    files = dict.fromkeys(FILES)
    calls = []
    text = LIST.format(good=digests[0], second=digests[1], other="0" * 64)

    def run(words, target, variables):
        calls.append(list(words))
        if "compile" in words:
            Path(words[words.index("-o") + 1]).write_text(text, encoding="utf-8")
        else:
            folder = Path(words[words.index("-d") + 1])
            for name in files:
                (folder / name).write_bytes((source / name).read_bytes())

    monkeypatch.setattr(_package_index, "_run", run)
    monkeypatch.setattr(_package_index, "read_pip_settings", dict)
    return calls, files, source


def write(tmp_path, **options):
    given = {"platform": "windows", "python": "3.12", "lang": "fr", **options}
    return workshop.write_stick(tmp_path / "a stick", **given)


# ------------------------------------------------------------------- the list


def test_a_light_stick_has_the_light_mlflow_of_the_same_versions_and_no_shap():
    wanted = ["numpy>=2.0,<3", "shap>=0.48", "mlflow<3.18,>=3.17", "mlflow-x>=1"]
    light = _stick.list_wanted(wanted, light=True, lang="en")
    assert light[:2] == ["numpy>=2.0,<3", "mlflow-skinny<3.18,>=3.17"]
    assert {"sqlalchemy", "alembic"} < {re.split("[<>=]", line)[0] for line in light}
    assert "mlflow-x>=1" in light
    assert not [line for line in light if line.startswith(("shap", "mlflow<"))]
    assert _stick.list_wanted(wanted, light=False, lang="en") == wanted


def test_the_menus_of_jupyterlab_are_in_the_language_of_the_class():
    for lang, pack in (("fr", "fr-FR"), ("es", "es-ES"), ("es-MX", "es-ES")):
        assert _stick.list_wanted([], light=False, lang=lang) == [
            f"jupyterlab-language-pack-{pack}"
        ]


def test_what_is_required_is_that_of_the_extra_and_no_other():
    wanted = " ".join(_own_wheel.requirements_of("workshop"))
    assert "jupyterlab>=" in wanted
    assert "lightgbm" in wanted
    assert "pytest" not in wanted
    assert ";" not in wanted


def test_the_list_is_compiled_for_the_target_before_anything_is_downloaded(
    tmp_path, tools
):
    write(tmp_path, platform="macos", python="3.13")
    compiled, downloaded = tools[0]
    words = " ".join(compiled)
    assert "--python-platform aarch64-apple-darwin --python-version 3.13" in words
    assert "--generate-hashes --only-binary :all:" in words
    words = " ".join(downloaded)
    assert "--no-deps --only-binary=:all: --require-hashes" in words
    assert "--python-version 3.13 --platform macosx_13_0_arm64" in words


def test_settings_of_pip_say_where_packages_come_from_the_environment_first():
    text = """:env:.index-url='https://a.example/simple'
global.index-url='https://b.example/simple'
global.extra-index-url='file:///c d file:///e'
install.find-links='/not/for/downloads'
"""
    settings = _package_index.parse_pip_settings(text)
    assert settings["index-url"] == "https://a.example/simple"
    options = _package_index._source_options(settings)
    assert options[:2] == ["--index-url", "https://a.example/simple"]
    assert options.count("--extra-index-url") == 3
    assert "/not/for/downloads" not in options


def test_without_settings_of_pip_uv_keeps_its_own():
    assert _package_index._source_options({}) == []


# -------------------------------------------------------------- what is on it


def test_every_package_is_a_wheel_with_one_digest(tmp_path, tools):
    stick = write(tmp_path)
    lines = (stick.folder / "files/requirements.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == [
        "numpy==2.4.6",
        "typing-extensions==4.15.0",
        f"smartrisk=={stick.frame().version.iloc[-1]}",
    ]
    for line, (_, row) in zip(lines, stick.frame().iterrows(), strict=True):
        path = stick.folder / "files" / "wheels" / row.file
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert line.split()[1:] == [f"--hash=sha256:{digest}"]
        assert row.sha256 == digest


def test_the_sums_name_every_other_file_and_its_digest(tmp_path, tools):
    stick = write(tmp_path)
    lines = (stick.folder / "SHA256SUMS").read_text().splitlines()
    found = dict(reversed(line.split("  ", 1)) for line in lines)
    files = {p for p in stick.folder.rglob("*") if p.is_file()}
    named = {stick.folder / name for name in found}
    assert files - named == {stick.folder / "SHA256SUMS"}
    for name, digest in found.items():
        content = (stick.folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    sums = (stick.folder / "SHA256SUMS").read_bytes()
    assert stick.digest == hashlib.sha256(sums).hexdigest()


def test_a_stick_without_a_wheel_or_with_a_source_is_refused(tmp_path, tools):
    _, files, source = tools
    (source / "typing_extensions-4.15.0.tar.gz").write_bytes(b"a source")
    del files["typing_extensions-4.15.0-py3-none-any.whl"]
    files["typing_extensions-4.15.0.tar.gz"] = None
    with pytest.raises(SmartRiskError, match="1 names without a wheel") as caught:
        write(tmp_path)
    assert caught.value.values["missing"] == "'typing-extensions'"
    assert caught.value.values["n_foreign"] == 1
    assert not (tmp_path / "a stick").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_a_wheel_of_another_digest_is_refused(tmp_path, tools):
    make_wheel(tools[2] / "numpy-2.4.6-cp312-cp312-win_amd64.whl", "other")
    with pytest.raises(SmartRiskError, match=r"\('numpy'\)"):
        write(tmp_path)


def test_nothing_is_overwritten(tmp_path, tools):
    (tmp_path / "a stick").mkdir()
    (tmp_path / "a stick" / "work.ipynb").write_text("my work")
    with pytest.raises(ArgumentError, match="not empty"):
        write(tmp_path)
    assert (tmp_path / "a stick" / "work.ipynb").read_text() == "my work"


def test_an_empty_folder_is_taken(tmp_path, tools):
    (tmp_path / "a stick").mkdir()
    assert (write(tmp_path).folder / "START.html").exists()


@pytest.mark.parametrize(
    "wrong", [{"platform": "amiga"}, {"python": "3.9"}, {"lang": "de"}]
)
def test_an_unknown_target_is_refused_before_anything_is_run(tmp_path, tools, wrong):
    with pytest.raises(ArgumentError, match="must be one of"):
        write(tmp_path, **wrong)
    assert tools[0] == []


# ------------------------------------------------------------ what people open


def test_windows_reads_its_files_whatever_the_code_page(tmp_path, tools):
    stick = write(tmp_path)
    files = sorted(stick.folder.glob("*.cmd"))
    assert [p.name for p in files] == ["check.cmd", "install.cmd", "start.cmd"]
    for path in files:
        content = path.read_bytes()
        assert content.isascii()
        assert content.count(b"\n") == content.count(b"\r\n") >= 10
        assert b"chcp 65001" in content
        # Folders of users have spaces, and the stick may have.
        for match in re.finditer(rb"^.*%(~dp0|CLASS|USERPROFILE).*$", content, re.M):
            assert match[0].count(b'"') >= 2, match[0]
    text = (stick.folder / "files" / "no-python.txt").read_text(encoding="utf-8")
    assert "Python 3.12" in text
    assert "é" in text


def test_other_systems_read_theirs(tmp_path, tools):
    stick = write(tmp_path, platform="macos")
    for path in (*stick.folder.glob("*.sh"), *stick.folder.glob("*.command")):
        content = path.read_bytes()
        assert content.startswith(b"#!/bin/sh\n")
        assert b"\r" not in content
        assert path.stat().st_mode & 0o111
    assert (stick.folder / "install.command").exists()


def test_no_mark_is_left_in_a_file(tmp_path, tools):
    stick = write(tmp_path)
    for path in stick.folder.rglob("*"):
        if path.is_file() and path.suffix != ".whl":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"@[A-Z]+@", text), path.name
            assert path.suffix in (".py", ".json") or "{python}" not in text


@pytest.mark.parametrize("system", ["windows", "linux", "macos"])
def test_the_first_page_is_in_three_languages_and_loads_nothing(
    tmp_path, tools, system
):
    stick = write(tmp_path, platform=system)
    page = (stick.folder / "START.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)" lang="(\w+)"', page) == [
        ("fr", "fr"),
        ("en", "en"),
        ("es", "es"),
    ]
    assert not re.search(r"src=|href=\"http|{\w+}", page)
    opened = {"windows": "install.cmd", "linux": "install.sh"}
    assert page.count(opened.get(system, "install.command")) >= 3
    for word in ("administrateur", "administrator", "administrador"):
        assert word in page


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize(
    ("tool", "call"),
    [
        ("uv", lambda patch: patch.setattr(_package_index.shutil, "which", no_program)),
        (
            "pip",
            lambda patch: patch.setattr(
                _package_index.importlib.util, "find_spec", lambda name: None
            ),
        ),
    ],
)
def test_an_absent_tool_is_named_with_its_extra(tmp_path, monkeypatch, tool, call):
    call(monkeypatch)
    with pytest.raises(MissingExtraError, match=rf"'{tool}'.*smartrisk\[stick\]"):
        write(tmp_path)


def no_program(name, path=None):
    return None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("error: Failed to fetch: x\n dns error", "workshop.index_silent"),
        ("ERROR: NewConnectionError(refused)", "workshop.index_silent"),
        ("No solution found: a needs b", "workshop.packages_refused"),
    ],
)
def test_a_failure_of_a_tool_says_what_it_wrote(monkeypatch, answer, message):
    target = _package_index.Target(platform="windows", python="3.12")
    code = f"import sys; sys.stderr.write('WARNING: x\\n' + {answer!r}); sys.exit(2)"
    with pytest.raises(SmartRiskError) as caught:
        _package_index._run([sys.executable, "-c", code], target, {})
    assert caught.value.message_id == message
    assert caught.value.values["problem"] == " ".join(answer.split())


# ----------------------------------------------------------------- own wheel


def test_the_own_wheel_is_the_same_for_the_same_sources(tmp_path):
    first = _own_wheel.write_own_wheel(tmp_path).read_bytes()
    assert _own_wheel.write_own_wheel(tmp_path).read_bytes() == first


def test_a_version_that_is_not_the_installed_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("smartrisk.__version__", "99.0")
    with pytest.raises(SmartRiskError, match=r"version 99\.0 of smartrisk runs"):
        _own_wheel.write_own_wheel(tmp_path)


def test_a_library_that_is_not_installed_is_refused(tmp_path, monkeypatch):
    from importlib import metadata

    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(SmartRiskError, match="is not installed, so what"):
        _own_wheel.write_own_wheel(tmp_path)


# ------------------------------------------------- what runs on the machines


@pytest.fixture
def stick(tmp_path, tools, monkeypatch):
    """Return a stick for the machine of the tests, and the commands it would run."""
    system = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}
    python = "{}.{}".format(*sys.version_info[:2])
    if python not in _stick.PYTHONS:
        pytest.skip("no stick is made for this Python")
    made = write(tmp_path, platform=system[platform.system()], python=python)
    machine = _install_program.MACHINES[system[platform.system()]][0]
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(
        _install_program, "__file__", str(made.folder / "files" / "install.py")
    )
    calls = []

    def run(words):
        calls.append([str(word) for word in words])

    monkeypatch.setattr(_install_program, "run", run)
    return made, calls


def settings_of(stick):
    text = (stick.folder / "files" / "stick.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_an_installation_asks_the_stick_only(stick, tmp_path):
    made, calls = stick
    home = tmp_path / "a home"
    assert _install_program.main([str(home)]) == 0
    venv, pip = (" ".join(words) for words in calls)
    assert venv.endswith(f"-m venv {home / 'venv'}")
    assert f"--no-index --find-links {made.folder / 'files' / 'wheels'}" in pip
    assert "--no-deps --require-hashes" in pip
    found = (home / "venv/share/jupyter/lab/settings/overrides.json").read_text()
    assert json.loads(found)[_install_program.TRANSLATION] == {"locale": "fr_FR"}
    assert (home / "start.sh").exists()
    assert (home / "files" / "start.py").exists()


def test_a_damaged_stick_is_not_installed(stick, tmp_path, capsys):
    made, calls = stick
    wheel = next((made.folder / "files" / "wheels").glob("numpy*"))
    wheel.write_bytes(b"broken" + wheel.read_bytes())
    (made.folder / "files" / "start.py").unlink()
    assert _install_program.main([str(tmp_path / "home")]) == 1
    assert calls == []
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("2 ")
    assert wheel.name in last
    assert "start.py" in last


@pytest.mark.parametrize(
    "other", [{"platform": "amiga"}, {"python": "3.99"}, {"machine": "i686"}]
)
def test_a_stick_for_other_machines_is_not_installed(
    stick, tmp_path, monkeypatch, capsys, other
):
    made, calls = stick
    if "platform" in other:
        monkeypatch.setattr(platform, "system", lambda: "AmigaOS")
    if "machine" in other:
        monkeypatch.setattr(platform, "machine", lambda: "i686")
    if "python" in other:
        settings = settings_of(made) | other
        assert _install_program.find_misfit(settings) is not None
        return
    assert _install_program.main([str(tmp_path / "home")]) == 1
    assert calls == []
    assert "Python 3" in capsys.readouterr().out


def test_a_full_disk_is_reported_before_anything_is_written(
    stick, tmp_path, monkeypatch, capsys
):
    _, calls = stick
    usage = _install_program.shutil.disk_usage(tmp_path)._replace(free=2**20)
    monkeypatch.setattr(_install_program.shutil, "disk_usage", lambda place: usage)
    assert _install_program.main([str(tmp_path / "home")]) == 1
    assert calls == []
    assert not (tmp_path / "home").exists()


def test_what_pip_says_is_shown(stick, tmp_path, monkeypatch, capsys):
    def fail(words):
        return "no space left" if "pip" in words else None

    monkeypatch.setattr(_install_program, "run", fail)
    assert _install_program.main([str(tmp_path / "home")]) == 1
    assert "no space left" in capsys.readouterr().out


def test_settings_of_the_machine_do_not_reach_pip(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://a.example")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    code = "import os, sys; sys.exit(str(sorted(os.environ)))"
    text = _install_program.run([sys.executable, "-c", code])
    assert "PIP_CONFIG_FILE" in text
    assert "PIP_INDEX_URL" not in text
    assert "PYTHONPATH" not in text


# ---------------------------------------------------------------- its start


@pytest.fixture
def started(tmp_path, tools, monkeypatch):
    """Return the folder of an installed class, and the modules it would run."""
    made = write(tmp_path)
    folder = tmp_path / "class folder"
    (folder / "files").mkdir(parents=True)
    for name in ("start.py", "stick.json"):
        content = (made.folder / "files" / name).read_bytes()
        (folder / "files" / name).write_bytes(content)
    monkeypatch.setattr(_start_program, "__file__", str(folder / "files" / "start.py"))
    calls = []

    def run(words):
        calls.append(words)
        if words[1:2] == ["workshop"] and words[2] != "check":
            Path(words[2]).mkdir()
            for name in ("lab-02-b.ipynb", "lab-01-a.ipynb"):
                (Path(words[2]) / name).write_text("{}")
        return 0

    monkeypatch.setattr(_start_program, "run", run)
    monkeypatch.setattr(_start_program.os, "environ", {})
    return folder, calls


def test_the_first_start_writes_the_labs_and_opens_the_first(started):
    folder, calls = started
    assert _start_program.main([]) == 0
    labs = folder / "class"
    assert calls == [
        ["smartrisk", "workshop", str(labs), "--lang", "fr"],
        [
            "jupyterlab",
            f"--ServerApp.root_dir={labs}",
            "--LabApp.default_url=/lab/tree/lab-01-a.ipynb",
        ],
    ]


def test_the_second_start_keeps_the_work(started):
    folder, calls = started
    (folder / "class").mkdir()
    (folder / "class" / "lab-01-a.ipynb").write_text("my work")
    assert _start_program.main([]) == 0
    assert [words[0] for words in calls] == ["jupyterlab"]
    assert (folder / "class" / "lab-01-a.ipynb").read_text() == "my work"


def test_a_check_runs_the_check_and_the_demo(started):
    folder, calls = started
    assert _start_program.main(["check"]) == 0
    assert calls[0] == ["smartrisk", "workshop", "check", "--lang", "fr"]
    assert calls[1][:2] == ["smartrisk", "demo"]
    assert calls[1][-2:] == ["--out", str(folder / "demo")]


def test_a_check_that_fails_ends_with_its_status(started, monkeypatch):
    monkeypatch.setattr(_start_program, "run", lambda words: 1)
    assert _start_program.main(["check"]) == 1
