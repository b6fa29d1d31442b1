"""How messages read on a terminal, and which file they concern."""

from __future__ import annotations

import locale
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from smartrisk import languages
from smartrisk.cli._terminal import current_language, print_line
from smartrisk.errors import Message, SmartRiskError, SmartRiskWarning
from smartrisk.languages import locale_of

if TYPE_CHECKING:
    from smartrisk.validation import ValidationReport

#: Names a language in the environment, before the locale of the system.
LANGUAGE_VARIABLE = "SMARTRISK_LANG"
_current_file: ContextVar[str | None] = ContextVar("current_file", default=None)


class FileError(SmartRiskError):
    """An error that concerns one file of the request.

    Parameters
    ----------
    path : str
        The file as the caller wrote it.
    problem : SmartRiskError
        What is wrong with it.
    """

    def __init__(self, path: str, problem: SmartRiskError) -> None:
        super().__init__(
            "cli.file_has_problem", "{path}: {problem}", path=path, problem=str(problem)
        )
        self.problem = problem


def find_language(given: str | None, environment: Mapping[str, str]) -> str:
    """Return the language of messages: as given, of the environment, or English.

    Parameters
    ----------
    given : str or None
        The option ``--lang``.
    environment : mapping of str to str
        Variables of the process: ``SMARTRISK_LANG``, then those of the locale.
    """
    names = (LANGUAGE_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")
    found = [given, *(environment.get(name) for name in names)]
    chosen = next((text for text in found if text), None) or _system_locale()
    return locale_of(chosen) or "en"


def _system_locale() -> str:
    """Return the locale of systems that do not name it in the environment."""
    return (locale.getlocale()[0] or "") if os.name == "nt" else ""


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Show the messages of a block in a language."""
    token = current_language.set(lang)
    try:
        yield
    finally:
        current_language.reset(token)


def translator(lang: str | None = None) -> Callable[[str], str] | None:
    """Return what translates English templates; None for English."""
    return languages.translator(lang or current_language.get())


def render_message(
    message: Message | SmartRiskError | SmartRiskWarning, lang: str | None = None
) -> str:
    """Return the text of a finding, error or warning; None is the current language.

    The command line shows messages through this function only.
    """
    lang = lang or current_language.get()
    if not isinstance(message, FileError):
        return languages.render(message, lang)
    translate = languages.translator(lang)
    template = message.template if translate is None else translate(message.template)
    problem = render_message(message.problem, lang)
    return template.format(path=message.values["path"], problem=problem)


def print_message(message_id: str, template: str, /, **values: Any) -> None:
    """Write a line to standard output, in the current language."""
    print_line(render_message(Message(message_id, template, **values)))


def render_warning(warning: Warning | str, lang: str | None = None) -> str:
    """Return the text of a warning, after the file that is being read."""
    if isinstance(warning, SmartRiskWarning):
        text = render_message(warning, lang)
    else:
        text = str(warning)
    path = _current_file.get()
    # A warning about a file that was read names it already.
    is_named = isinstance(warning, SmartRiskWarning) and "file" in warning.values
    return text if path is None or is_named else f"{path}: {text}"


@contextmanager
def naming_file(path: str) -> Iterator[None]:
    """Add the name of a file to the errors and warnings that its block raises."""
    token = _current_file.set(path)
    try:
        yield
    except SmartRiskError as error:
        raise FileError(path, error) from error
    finally:
        _current_file.reset(token)


def account_for_rows(table: str, n_rows: int, checked: ValidationReport) -> Message:
    """Return how many rows of a table can be used, and how many were set aside."""
    return Message(
        "cli.rows_accounted",
        "{table}: {n_rows} rows = {n_usable} usable + {n_aside} set aside",
        table=table,
        n_rows=n_rows,
        n_usable=len(checked.table),
        n_aside=len(checked.set_aside),
    )
