"""Progress appears on a terminal, and nothing but results in a pipe."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from smartrisk import progress

CODE = """
import sys
from smartrisk.progress import is_watched, track_items, track_messages, track_steps

print(is_watched())
print(sum(track_items(range(4), 4, "adding")))
with track_steps(["reading", "fitting"]) as finish_step:
    finish_step()
    finish_step()
with track_messages("benchmark") as report:
    report("national, seed 0")
"""


def run_piped(code):
    """Run code whose standard error is a pipe; return its outputs."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def set_width(terminal, columns):
    """Give a pseudo-terminal, which has no columns at first, the usual number."""
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def run_on_terminal(code):
    """Run code whose standard error is a pseudo-terminal; return its outputs."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")
    terminal, end = pty.openpty()
    set_width(end, 100)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=end
    ) as process:
        os.close(end)
        shown = b""
        # Reading fails with an OSError when the process has closed its end.
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:
            pass
        os.close(terminal)
        return process.stdout.read().decode(), shown.decode()


def test_on_a_terminal_progress_is_shown_on_standard_error():
    out, shown = run_on_terminal(CODE)
    assert out == "True\n6\n"
    for text in ("adding", "0/4", "reading", "fitting", "national, seed 0"):
        assert text in shown


def test_in_a_pipe_nothing_is_shown():
    out, err = run_piped(CODE)
    assert out == "False\n6\n"
    assert err == ""


@pytest.mark.slow
def test_a_command_shows_its_steps_on_a_terminal(tmp_path):
    folder = str(tmp_path / "world")
    words = ["generate", "--items", "50", "--out", folder]
    code = f"import sys; from smartrisk.cli import main; sys.exit(main({words!r}))"
    out, shown = run_on_terminal(code)
    assert "truth.parquet: 50 rows" in out
    assert "making the world" in shown


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self):
        return True


def test_each_part_of_a_long_run_gets_a_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.track_messages("benchmark") as report:
        for seed in range(3):
            report(f"national, seed {seed}")
    shown = sys.stderr.getvalue()
    assert [f"national, seed {seed}\n" in shown for seed in range(3)] == [True] * 3


def test_items_come_in_their_order_when_watched(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress.track_items("abc", 3, "reading")) == ["a", "b", "c"]


def test_a_process_without_standard_error_is_not_watched(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert not progress.is_watched()
