"""What a machine has: its memory, by the means of each system."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_MEGABYTE = 2**20
_LINUX = Path("/proc/meminfo")


def read_memory() -> tuple[int | None, int | None]:
    """Return the memory of this machine and what is free of it, in MB.

    None for what the system does not report.
    """
    if sys.platform == "win32":
        return _windows_memory()
    if _LINUX.exists():
        return parse_meminfo(_LINUX.read_text(encoding="ascii", errors="replace"))
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None, None
    return pages // _MEGABYTE, None


def parse_meminfo(text: str) -> tuple[int | None, int | None]:
    """Return the total and the available memory in MB, as Linux writes them in kB."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            found[name] = int(words[0]) // 1024
    return found.get("MemTotal"), found.get("MemAvailable")


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of Windows."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *(
            (name, ctypes.c_uint64)
            for name in ("total", "free", "f", "g", "h", "i", "j")
        ),
    )


def _windows_memory() -> tuple[int | None, int | None]:
    """Return the total and the available memory in MB, as Windows answers."""
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None, None
    return int(status.total) // _MEGABYTE, int(status.free) // _MEGABYTE
