"""Exceptions, warnings and argument checks of the library.

The tree::

    SmartRiskError
    ├── TableError (ValueError)         a frame does not fit its table
    ├── ArgumentError (ValueError)      an argument is outside what is allowed
    ├── LeakageError (ValueError)       something known later was offered as known
    ├── ArtefactError (ValueError)      a saved engine is damaged, foreign or edited
    ├── LedgerError (RuntimeError)      a ledger is damaged or was changed
    ├── TrackingError (RuntimeError)    the tracking store refused or did not answer
    ├── MissingExtraError (ImportError) a package that something needs is not installed
    └── MissingLibraryError (ImportError) the system lacks what a package needs

    SmartRiskWarning (UserWarning)
    ├── DataQualityWarning              doubtful but legal input
    ├── LeakageWarning                  a model is judged by what it learned from
    ├── SmallSampleWarning              too little data for a firm answer
    └── TrackingWarning                 something was logged otherwise than it was given
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from numbers import Integral
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ArgumentError",
    "ArtefactError",
    "DataQualityWarning",
    "LeakageError",
    "LeakageWarning",
    "LedgerError",
    "Message",
    "MissingExtraError",
    "MissingLibraryError",
    "SmallSampleWarning",
    "SmartRiskError",
    "SmartRiskWarning",
    "TableError",
    "TrackingError",
    "TrackingWarning",
]


#: Longest value in a message: five of them fit on three lines of a terminal.
_LONGEST_VALUE = 40
#: How similar a name must be to be suggested: at .6, the default of difflib, it finds
#: two typing errors in a word of six letters.
_SIMILARITY = 0.6


class _Text:
    """The parts of a text: message id, English template, named values."""

    message_id: str
    template: str
    values: Mapping[str, Any]
    #: The parts of the text where it has several.
    messages: tuple[Message, ...] = ()

    def _set_message(
        self, message_id: str, template: str, values: dict[str, Any]
    ) -> str:
        """Store the parts and return the text in English."""
        self.message_id = message_id
        self.template = template
        self.values = MappingProxyType(values)
        return template.format(**values)

    def text(self, translate: Callable[[str], str] | None = None) -> str:
        """Return the text, part by part translated when a catalogue is given.

        Parameters
        ----------
        translate : callable, default=None
            Takes the English template, returns that of another language with the same
            placeholders; None for English.

        Returns
        -------
        text : str
            The template with its values filled in, or the texts of its parts. A value
            that is a message is translated too.
        """
        if translate is not None and self.messages:
            return " ".join(message.text(translate) for message in self.messages)
        if translate is None:
            return self.template.format(**self.values)
        values = {
            name: value.text(translate) if isinstance(value, _Text) else value
            for name, value in self.values.items()
        }
        return translate(self.template).format(**values)


class Message(_Text):
    """A finding as a message id, an English template and named values.

    Reports hold messages, so that a program can count them by id and the command line
    can show them in another language.

    Parameters
    ----------
    message_id : str
        Stable name of the message, ``package.what_is_wrong``.
    template : str
        The message in English with ``{name}`` for each value, a `str.format` template.
    **values : object
        Values of the placeholders.

    Examples
    --------
    >>> from smartrisk.errors import Message
    >>> message = Message("demo.rows", "{n_rows} rows cannot be used.", n_rows=3)
    >>> str(message), message.message_id
    ('3 rows cannot be used.', 'demo.rows')
    """

    def __init__(self, message_id: str, template: str, /, **values: Any) -> None:
        self._set_message(message_id, template, values)

    def __str__(self) -> str:
        """Return the text in English."""
        return self.text()

    def __repr__(self) -> str:
        """Return the class, the id and the values."""
        return f"Message({self.message_id!r}, {dict(self.values)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what `pickle` needs: read-only mappings cannot be pickled."""
        return _restore_message, (self.message_id, self.template, dict(self.values))


def _restore_message(message_id: str, template: str, values: dict[str, Any]) -> Message:
    """Return the message that `Message.__reduce__` took apart."""
    return Message(message_id, template, **values)


class SmartRiskError(_Text, Exception):
    """Root of every error that this library raises on purpose.

    Parameters
    ----------
    message_id : str
        Stable name of the message, ``package.what_is_wrong``.
    template : str
        The message in English with ``{name}`` for each value, a `str.format` template.
        `str(error)` is this template with its values.
    **values : object
        Values of the placeholders; the templates of other languages have the same.

    Attributes
    ----------
    message_id : str
        As given.
    values : mapping of str to object
        As given, read-only.

    Examples
    --------
    >>> from smartrisk.errors import ArgumentError
    >>> error = ArgumentError("demo.capacity", "capacity is {capacity!r}.", capacity=-1)
    >>> str(error), error.message_id, dict(error.values)
    ('capacity is -1.', 'demo.capacity', {'capacity': -1})
    """

    def __init__(self, message_id: str, template: str, /, **values: Any) -> None:
        super().__init__(self._set_message(message_id, template, values))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what `pickle` needs: worker processes send errors to their parent."""
        given = ("message_id", "template", "values")
        extra = {k: v for k, v in vars(self).items() if k not in given}
        return _restore_error, (
            type(self),
            self.message_id,
            self.template,
            dict(self.values),
            extra,
        )


def _restore_error(
    cls: type[SmartRiskError],
    message_id: str,
    template: str,
    values: dict[str, Any],
    extra: dict[str, Any],
) -> SmartRiskError:
    """Return the error that `SmartRiskError.__reduce__` took apart."""
    error = cls.__new__(cls)
    SmartRiskError.__init__(error, message_id, template, **values)
    vars(error).update(extra)
    if isinstance(error, ImportError):  # its name is no entry of the instance
        error.name = values.get("package")
    return error


class TableError(SmartRiskError, ValueError):
    """A frame does not fit its table.

    Parameters
    ----------
    message_id, template : str
        As for `SmartRiskError`.
    failures : DataFrame, default=None
        Every failure found, one row each (columns ``declaration_id``, ``item_number``,
        ``row``, ``field``, ``reason``, ``value``, ``severity``), or None.
    messages : sequence of Message, default=()
        The parts of the text where it has several: `text` translates each.
    **values : object
        As for `SmartRiskError`.
    """

    def __init__(
        self,
        message_id: str,
        template: str,
        /,
        *,
        failures: pd.DataFrame | None = None,
        messages: Sequence[Message] = (),
        **values: Any,
    ) -> None:
        super().__init__(message_id, template, **values)
        self.failures = failures
        self.messages = tuple(messages)


class ArgumentError(SmartRiskError, ValueError):
    """An argument is outside what is allowed."""


class LeakageError(SmartRiskError, ValueError):
    """Something that became known later was passed as known at lodgement."""


class ArtefactError(SmartRiskError, ValueError):
    """A saved engine is damaged, edited, foreign or of another version."""


class LedgerError(SmartRiskError, RuntimeError):
    """A ledger is damaged, was changed, or does not hold the entry asked for."""


class TrackingError(SmartRiskError, RuntimeError):
    """The tracking store refused, or did not answer in time."""


class MissingExtraError(SmartRiskError, ImportError):
    """A package that something needs is not installed.

    Either it belongs to an extra, or a lighter installation left it out.

    Parameters
    ----------
    package : str
        The package that could not be imported.
    extra : str, default=None
        The extra of smartrisk that installs it; None when there is no such extra.
    """

    def __init__(self, package: str, extra: str | None = None) -> None:
        target = f"'smartrisk[{extra}]'" if extra else _requirement(package)
        super().__init__(
            "errors.missing_extra",
            "{package!r} is not installed; run: pip install {target}",
            package=package,
            target=target,
        )
        self.name = package
        self.extra = extra


def _requirement(package: str) -> str:
    """Return what pip is to install: the versions that smartrisk works with."""
    from importlib import metadata

    try:
        lines = metadata.requires("smartrisk") or []
    except metadata.PackageNotFoundError:  # run from a folder of sources
        return package
    for line in lines:
        name = line[: len(package)]
        if name == package and ";" not in line and line[len(package) :][:1] in "<>=!~":
            return f"'{line}'" if line != package else package
    return package


#: What packages lack on each system, and the remedy.
_PROBLEMS: dict[str, str] = {
    "win32": "{package!r} is installed but cannot start, since Windows lacks the "
    "Microsoft Visual C++ runtime (vcruntime140_1.dll, msvcp140.dll). Install the "
    "'Microsoft Visual C++ Redistributable' for x64, 2015 or later, then start Python "
    "again. Windows says: {problem}",
    "darwin": "{package!r} is installed but cannot start, since macOS lacks the OpenMP "
    "runtime (libomp.dylib). Run: brew install libomp. Then start Python again. macOS "
    "says: {problem}",
    "linux": "{package!r} is installed but cannot start, since the system lacks the "
    "OpenMP runtime (libgomp.so.1). Install it, on Debian and Ubuntu by: apt-get "
    "install libgomp1. Then start Python again. The system says: {problem}",
}
#: Longest text of a system in an error: it may list every folder that was searched.
_LONGEST_PROBLEM = 200


class MissingLibraryError(SmartRiskError, ImportError):
    """The system lacks a library that an installed package needs.

    Parameters
    ----------
    package : str
        The package that cannot start.
    problem : str
        What the system says.

    Examples
    --------
    >>> from smartrisk.errors import MissingLibraryError
    >>> error = MissingLibraryError("lightgbm", "cannot open shared object file")
    >>> error.name
    'lightgbm'
    """

    def __init__(self, package: str, problem: str) -> None:
        super().__init__(
            "errors.missing_library",
            _PROBLEMS.get(sys.platform, _PROBLEMS["linux"]),
            package=package,
            problem=" ".join(problem.split())[:_LONGEST_PROBLEM],
        )
        self.name = package


@contextmanager
def needing(package: str, extra: str | None = None) -> Iterator[None]:
    """Raise `MissingExtraError` where what a block imports is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or package).partition(".")[0]
        raise MissingExtraError(missing, extra) from error


class SmartRiskWarning(_Text, UserWarning):
    """Root of every warning that this library gives on purpose.

    Parameters
    ----------
    message_id, template : str
        As for `SmartRiskError`.
    messages : sequence of Message, default=()
        The parts of the text where it has several: `text` translates each.
    **values : object
        As for `SmartRiskError`.
    """

    def __init__(
        self,
        message_id: str,
        template: str,
        /,
        *,
        messages: Sequence[Message] = (),
        **values: Any,
    ) -> None:
        super().__init__(self._set_message(message_id, template, values))
        self.messages = tuple(messages)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what `pickle` needs: worker processes pass warnings on."""
        return _restore_warning, (
            type(self),
            self.message_id,
            self.template,
            dict(self.values),
            self.messages,
        )


def _restore_warning(
    cls: type[SmartRiskWarning],
    message_id: str,
    template: str,
    values: dict[str, Any],
    messages: Sequence[Message] = (),
) -> SmartRiskWarning:
    """Return the warning that `SmartRiskWarning.__reduce__` took apart."""
    return cls(message_id, template, messages=messages, **values)


class DataQualityWarning(SmartRiskWarning):
    """Doubtful but legal input: it was kept and flagged."""


class LeakageWarning(SmartRiskWarning):
    """A model is judged by what it learned from: its figures are too good."""


class SmallSampleWarning(SmartRiskWarning):
    """Too little data for a firm answer."""


class TrackingWarning(SmartRiskWarning):
    """Something was logged otherwise than it was given, or left out."""


def format_values(
    values: Iterable[Any], most: int = 5, *, longest: int = _LONGEST_VALUE
) -> str:
    """Return up to `most` values by repr, each cut short, and the number of others."""
    items = list(values)
    parts = []
    for value in items[:most]:
        text = repr(value)
        is_short = len(text) <= longest
        parts.append(text if is_short else text[: longest - 3] + "...")
    if len(items) > most:
        parts.append(f"and {len(items) - most} more")
    return ", ".join(parts)


def suggest_nearest(name: str, candidates: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest candidate, or an empty text."""
    names = [str(candidate) for candidate in candidates]
    nearest = get_close_matches(str(name), names, n=1, cutoff=_SIMILARITY)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def check_choice(owner: str, name: str, value: Any, allowed: Iterable[str]) -> None:
    """Raise unless `value` is one of `allowed`."""
    options = list(allowed)
    if value not in options:
        raise ArgumentError(
            "errors.not_a_choice",
            "{owner}: {name!r} must be one of {options}; got {value!r}.{hint}",
            owner=owner,
            name=name,
            options=format_values(options, 20),
            value=value,
            hint=suggest_nearest(str(value), options),
        )


def check_number(
    owner: str,
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    integer: bool = False,
) -> None:
    """Raise unless `value` is a finite number within ``[low, high]``."""
    is_number = isinstance(value, int if integer else (int, float)) and not isinstance(
        value, bool
    )
    if not is_number:
        index = getattr(value, "__index__" if integer else "__float__", None)
        is_number = index is not None and not isinstance(value, (bool, str))
    if is_number and math.isfinite(value) and low <= value <= high:
        return
    kind = "an integer" if integer else "a number"
    if math.isinf(high):
        scope = "" if math.isinf(low) else " of at least {low}"
    else:
        scope = " in [{low}, {high}]"
    raise ArgumentError(
        f"errors.not_{kind.replace(' ', '_')}",
        f"{{owner}}: {{name!r}} must be {kind}{scope}; got {{value!r}}.",
        owner=owner,
        name=name,
        low=low,
        high=high,
        value=value,
    )


def check_jobs(owner: str, n_jobs: Any) -> None:
    """Raise unless a number of threads is None or an integer other than 0."""
    is_integer = isinstance(n_jobs, Integral) and not isinstance(n_jobs, bool)
    if n_jobs is not None and (not is_integer or n_jobs == 0):
        raise ArgumentError(
            "errors.not_a_number_of_jobs",
            "{owner}: 'n_jobs' must be None or an integer other than 0 (-1 for every "
            "processor); got {n_jobs!r}.",
            owner=owner,
            n_jobs=n_jobs,
        )


def check_sequence(owner: str, name: str, values: Any, *, content: str) -> None:
    """Raise unless `values` is a sequence such as a tuple; `content` is what of."""
    is_sequence = hasattr(values, "__len__") and hasattr(values, "__getitem__")
    if not is_sequence or isinstance(values, (str, bytes, Mapping)):
        raise ArgumentError(
            "errors.not_a_sequence",
            "{owner}: {name!r} must be a tuple of {content}; got {values!r}.",
            owner=owner,
            name=name,
            content=content,
            values=values,
        )
