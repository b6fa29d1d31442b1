"""Settings as TOML: the same way for column maps, scenarios and rules."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

from smartrisk.errors import ArgumentError

__all__ = ["read_toml", "toml_line", "write_toml"]


def read_toml(owner: str, source: str | os.PathLike[str]) -> dict[str, Any]:
    r"""Return what a TOML file, or a TOML text, holds.

    Parameters
    ----------
    owner : str
        Who reads it, for the error.
    source : path or str
        A file; a text with a line break is read as TOML itself.

    Returns
    -------
    settings : dict
        Names and values.

    Raises
    ------
    ArgumentError
        If it is no TOML.

    Examples
    --------
    >>> from smartrisk.settings import read_toml
    >>> read_toml("example", "rate = 0.5\n")
    {'rate': 0.5}
    """
    text = str(source)
    if "\n" not in text:
        text = Path(source).read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ArgumentError(
            "settings.toml",
            "{owner}: no TOML: {error}.",
            owner=owner,
            error=error,
        ) from error


def toml_line(name: str, value: Any) -> str:
    """Return a line of TOML; JSON writes its texts, numbers and lists alike.

    Parameters
    ----------
    name : str
        Of the setting.
    value : str, int, float, bool or list
        What it is set to.

    Returns
    -------
    line : str
        Without a line break.

    Examples
    --------
    >>> from smartrisk.settings import toml_line
    >>> toml_line("origins", ["CN", "US"])
    'origins = ["CN", "US"]'
    """
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def write_toml(lines: list[str], path: str | os.PathLike[str] | None) -> str:
    r"""Return lines as a text, and write it when a path is given.

    Parameters
    ----------
    lines : list of str
        Lines of TOML.
    path : path or None
        File to write; None for none.

    Returns
    -------
    text : str
        What `read_toml` reads.

    Examples
    --------
    >>> from smartrisk.settings import write_toml
    >>> write_toml(["a = 1", "b = 2"], None)
    'a = 1\nb = 2\n'
    """
    text = "\n".join(lines) + "\n"
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
