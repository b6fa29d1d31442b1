"""A wrong request is one clear message and status 2, never a traceback."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from smartrisk.cli import main


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("score nowhere.csv --engine {files}/engine", "no file 'nowhere.csv'"),
        ("score {files}/new.csv --engine nowhere", "no folder 'nowhere'"),
        ("score --engine {files}/engine", "no declarations given"),
        ("score {files}/outcomes.csv --engine {files}/engine", "'lodged_at'"),
        ("score {files}/new.csv --engine {files}/engine --out s.doc", "must end in"),
        ("score {files}/new.csv --engine {files}/engine --kcs x", "not both"),
        ("validate {files}/new.csv --columns nope", "neither a file nor one of"),
        ("validate .", "no Parquet files"),
        ("fit --kcs nowhere --out e", "no file 'nowhere'"),
        (
            "fit --declarations {files}/new.csv --outcomes {files}/outcomes.csv "
            "--out {files}",
            "contains other files",
        ),
        ("generate --items 0 --out w", "'n_items'"),
        ("generate --items 5 --scenario moon --out w", "'scenario' must be one of"),
        ("select {files}/new.csv --engine {files}/engine --capacity 7.5", "'capacity'"),
        (
            "evaluate --engine {files}/engine --declarations {files}/new.csv",
            "no outcomes given",
        ),
    ],
)
def test_a_wrong_request_is_one_message(run, files, words, message):
    status, out, err = run(*words.format(files=files).split())
    assert status == 2
    assert message in err
    assert err.startswith("smartrisk: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err + out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["sell"],
        ["fit"],
        ["select", "x.csv", "--engine", "e", "--capacity", "many"],
        ["demo", "--items", "0"],
        ["demo", "--seed", "-1"],
        ["demo", "--items", "abc"],
    ],
)
def test_a_word_that_is_no_command_is_refused_with_the_usage(capsys, words):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: smartrisk" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("latin.csv", "declaration_id,b\nA,\u00e9\n".encode("latin-1")),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n"),
        ("nul.csv", b"\x00\x01\x02"),
        ("fake.parquet", b"PAR1 not really"),
        ("empty.parquet", b""),
    ],
)
def test_a_damaged_file_is_named_without_a_traceback(run, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    status, _, err = run("validate", name)
    assert status == 2
    assert "error: " in err
    assert "Traceback" not in err


def test_a_damaged_map_is_named(run, files, tmp_path):
    for text in (b"mapping = [", b"\xff\xfe", b"[mapping]\nnonsense = 'x'\n"):
        (tmp_path / "map.toml").write_bytes(text)
        status, _, err = run("validate", files / "new.csv", "--columns", "map.toml")
        assert status == 2
        assert "error: " in err


def test_an_edited_engine_is_refused(run, files, tmp_path):
    import shutil

    folder = shutil.copytree(files / "engine", tmp_path / "edited")
    (folder / "risk.txt").write_text("tree")
    status, _, err = run("score", files / "new.csv", "--engine", folder)
    assert status == 2
    assert "'risk.txt'" in err


def test_a_warning_is_one_line_that_names_the_file(run, files, tmp_path):
    lines = (files / "new.csv").read_text().splitlines()
    broken = lines[1].split(",")
    broken[lines[0].split(",").index("tariff_code")] = "?"
    (tmp_path / "some.csv").write_text("\n".join([*lines, ",".join(broken)]))
    status, _, err = run(
        *("score", "some.csv", "--engine", files / "engine"),
        *("--on-error", "set_aside", "--out", "s.csv"),
    )
    assert status == 0
    assert err.startswith("smartrisk: warning: some.csv: ")
    assert ".py" not in err


def test_control_characters_of_the_data_do_not_reach_the_terminal(run):
    _, _, err = run("validate", "bad\x1b[31mname\r.csv")
    assert "\x1b" not in err
    assert "\r" not in err


def test_control_characters_of_a_message_are_written_as_escapes(capsys):
    from smartrisk.cli._terminal import print_error

    print_error("bad\x1b[31mname\r.csv\u202e\nnext line")
    shown = "smartrisk: bad\\x1b[31mname\\r.csv\\u202e\nnext line\n"
    assert capsys.readouterr().err == shown


def test_a_terminal_without_unicode_gets_plain_letters(monkeypatch):
    from smartrisk.cli import _terminal

    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    _terminal.print_line("0.41 × déclaré – ok")
    stream.flush()
    assert stream.buffer.getvalue() == b"0.41 x declare - ok\n"


def test_a_table_lines_up_and_shortens_what_is_long():
    from smartrisk.cli._terminal import format_table

    text = format_table([["a", 0.5], ["b" * 80, None]], ["name", "rate"])
    lines = text.splitlines()
    assert lines[1] == "-" * 60 + "  " + "-" * 5
    assert lines[2].endswith("0.500")
    assert lines[3].endswith("...")


def command(*words, **more):
    code = "import sys; from smartrisk.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, check=False, **more
    )


@pytest.mark.slow
def test_nothing_but_results_is_written_when_piped(files, root):
    done = command(
        *("score", str(files / "new.csv"), "--engine", str(files / "engine")),
        cwd=root,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes of this kind are POSIX")
def test_a_reader_that_goes_away_is_not_an_error(files, root):
    words = f"score {files / 'new.csv'} --engine {files / 'engine'} --show 5000"
    code = "import sys; from smartrisk.cli import main; sys.exit(main())"
    done = subprocess.run(
        f"{sys.executable} -c '{code}' {words} | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.stderr == ""


def test_the_version_is_shown(capsys):
    import smartrisk

    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"smartrisk {smartrisk.__version__}\n"
