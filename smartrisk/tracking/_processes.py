"""Which process made a run, and whether it still lives.

A number alone does not name a process: numbers are used again, and each machine and
each container has its own. A process is named by its host, its number and its start.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

#: What is known of a process: "lives" and "ended" are certain; "elsewhere" is on
#: another machine or in another container, where this process cannot look.
Life = Literal["lives", "ended", "elsewhere"]

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
#: Read only to distinguish machines of one name; never stored as it is.
_MACHINE_ID = Path("/etc/machine-id")
#: Hexadecimal digits of the digest of a machine.
_DIGITS = 12
#: Starts by which a process cannot be recognised.
_NOT_KNOWN = ("", "unknown")


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process of some machine.

    Parameters
    ----------
    pid : int
        Its number.
    host : str
        Name of its machine.
    start : str
        When it started, as the system counts; empty where that is not known.
    machine, boot, space : str
        A digest of the machine's own identifier, the boot it belongs to, and the space
        of process numbers; empty where the system has none.
    call : str
        Which of its calls, where it makes several.
    """

    pid: int
    host: str
    start: str = ""
    machine: str = ""
    boot: str = ""
    space: str = ""
    call: str = ""

    @classmethod
    def current(cls, call: str = "") -> Self:
        """Return the calling process."""
        pid = os.getpid()
        return cls(pid=pid, start=_start_of(pid), call=call, **_surroundings())

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Return the process that `to_text` wrote; None for another text."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError):
            return None

    def to_text(self) -> str:
        """Return the process as JSON."""
        return json.dumps(asdict(self))

    def life(self) -> Life:
        """Return whether the process lives, has ended, or is out of sight."""
        here = _surroundings()
        if (self.host, self.machine) != (here["host"], here["machine"]):
            return "elsewhere"
        if self.boot != here["boot"]:
            return "ended"
        if self.space != here["space"]:
            return "elsewhere"
        if not _exists(self.pid):
            return "ended"
        start = _start_of(self.pid)
        is_known = start not in _NOT_KNOWN and self.start not in _NOT_KNOWN
        return "ended" if is_known and start != self.start else "lives"


@cache
def _surroundings() -> dict[str, str]:
    """Return what all processes of this machine and container share."""
    machine = _read(_MACHINE_ID)
    digest = hashlib.sha256(f"smartrisk:{machine}".encode()).hexdigest()[:_DIGITS]
    try:
        space = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        space = ""
    return {
        "host": platform.node(),
        "machine": digest if machine else "",
        "boot": _read(_BOOT_ID),
        "space": space,
    }


def _read(path: Path) -> str:
    """Return the text of a file, empty where there is none."""
    try:
        # The name of a process may be any bytes.
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    """Return whether a process of this number is running."""
    if sys.platform == "win32":
        return bool(_start_of(pid))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; no number of a process
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether a process has ended and its parent has not asked for it yet."""
    fields = _stat_fields(pid)
    return bool(fields) and fields[0] in "ZX"


def _stat_fields(pid: int) -> list[str]:
    """Return what Linux states of a process, from its state on; empty elsewhere."""
    # The name comes second, in brackets, and may hold blanks and brackets.
    return _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()


def _start_of(pid: int) -> str:
    """Return when a process started, as the system counts; empty when not known."""
    if sys.platform == "win32":
        return _start_on_windows(pid)
    if fields := _stat_fields(pid):
        return fields[19]  # starttime: field 22 of proc(5), of which state is the 3rd
    if sys.platform.startswith("linux"):
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _start_on_windows(pid: int) -> str:
    """Return when a process started, in Windows' own count; empty when it has ended."""
    if sys.platform != "win32":
        return ""
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    # PROCESS_QUERY_LIMITED_INFORMATION: what any process may ask of another.
    handle = kernel.OpenProcess(0x1000, False, pid)
    if not handle:
        # ERROR_INVALID_PARAMETER: there is no such process.
        return "" if ctypes.get_last_error() == 87 else "unknown"
    times = [wintypes.FILETIME() for _ in range(4)]
    ok = kernel.GetProcessTimes(handle, *(ctypes.byref(t) for t in times))
    kernel.CloseHandle(handle)
    made, left = times[0], times[1]
    if ok and (left.dwHighDateTime or left.dwLowDateTime):
        return ""
    return str(made.dwHighDateTime << 32 | made.dwLowDateTime) if ok else "unknown"
