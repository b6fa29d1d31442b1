"""How messages read on a terminal, and which file they concern."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from smartrisk.errors import Message, SmartRiskError, SmartRiskWarning

#: A function per language that translates English templates. There is no catalogue of
#: messages yet, so every language reads English.
_TRANSLATIONS: Mapping[str, Callable[[str], str]] = {}
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


def render_message(
    message: Message | SmartRiskError | SmartRiskWarning, lang: str = "en"
) -> str:
    """Return the text of a finding, error or warning in a language.

    The command line shows messages through this function only.
    """
    translate = _TRANSLATIONS.get(lang)
    if not isinstance(message, FileError):
        return message.text(translate)
    template = message.template if translate is None else translate(message.template)
    problem = render_message(message.problem, lang)
    return template.format(path=message.values["path"], problem=problem)


def render_warning(warning: Warning | str, lang: str = "en") -> str:
    """Return the text of a warning, after the file that is being read."""
    if isinstance(warning, SmartRiskWarning):
        text = render_message(warning, lang)
    else:
        text = str(warning)
    path = _current_file.get()
    return text if path is None else f"{path}: {text}"


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
