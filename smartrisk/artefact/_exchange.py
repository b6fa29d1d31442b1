"""Two folders exchange their names at once, where the system can do that."""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from pathlib import Path
from typing import Any

#: Paths are relative to the working folder (``fcntl.h`` of Linux).
_AT_FDCWD = -100
#: Exchange both names (``linux/fs.h``).
_RENAME_EXCHANGE = 2
#: The system, or the file system, does not exchange; or the folder is a mounted one.
_NOT_POSSIBLE = frozenset(
    (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBUSY)
)


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders; return False where that is not possible.

    Raises
    ------
    OSError
        If the system refuses for another reason, such as permissions.
    """
    rename = _find_call()
    if rename is None:
        return False
    names = (os.fsencode(one), os.fsencode(other))
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_POSSIBLE:
        return False
    raise OSError(code, os.strerror(code), str(other))


@cache
def _find_call() -> Any:
    """Return the call of Linux; None where the system has none."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # TypeError: Windows
        return None
    path, number = ctypes.c_char_p, ctypes.c_int
    call.argtypes = (number, path, number, path, ctypes.c_uint)
    call.restype = number
    return call
