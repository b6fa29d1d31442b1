"""Results kept in a folder under a fingerprint, so that a stopped run can resume.

Reads what a result was computed from; writes one JSON file per result. A fingerprint
covers everything that a result depends on, so that a changed engine, policy, table or
library version is computed again and never gets an older result.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import hashlib
import inspect
import json
import logging
import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import smartrisk
from smartrisk.errors import ArgumentError

__all__ = ["ResultStore", "fingerprint"]

#: Hexadecimal digits of a fingerprint: 128 bits, so that no two are the same by chance.
_DIGITS = 32
#: Values that their `repr` describes completely.
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))


def fingerprint(*parts: object) -> str:
    """Return a text that changes when anything in the parts changes.

    Parameters
    ----------
    *parts : object
        What a result depends on: numbers, texts, collections, dataclasses, tables,
        arrays, estimators, functions, objects of these. The order counts.

    Returns
    -------
    text : str
        32 hexadecimal digits, the same in every process for the same library version.

    Raises
    ------
    ArgumentError
        If the content of an object cannot be read, such as that of a lock or an open
        file.

    Notes
    -----
    - An estimator (anything with ``get_params``) counts by its class and parameters,
      nested estimators too; what it learned does not count, since it is fitted again.
    - A function counts by its module, name, code, defaults, the values it closes over,
      and the functions, classes and constants of its module that it uses.
    - A class counts by its name and the code of its methods, not by other attributes.
    - A dataclass counts by its fields, any other object by its attributes.
    - A table or an array counts by its content, columns, types and index.

    Examples
    --------
    >>> from smartrisk.resumable import fingerprint
    >>> fingerprint("a", 1) == fingerprint("a", 1), fingerprint(1) == fingerprint(1.0)
    (True, False)
    """
    digest = _Digest()
    digest.add(smartrisk.__version__)
    for part in parts:
        digest.add(part)
    return digest.text()


@dataclasses.dataclass(frozen=True)
class ResultStore:
    """A folder of results, one JSON file under each fingerprint.

    Parameters
    ----------
    folder : path or None
        Where to keep results; it is created when missing. None keeps nothing.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.resumable import ResultStore, fingerprint
    >>> key = fingerprint("squares", 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = ResultStore(folder)
    ...     before = store.read(key)
    ...     store.write(key, [0, 1, 4])
    ...     print(before, store.read(key))
    None [0, 1, 4]
    """

    folder: str | os.PathLike[str] | None

    def __post_init__(self) -> None:
        """Make the folder."""
        if self.folder is not None:
            Path(self.folder).mkdir(parents=True, exist_ok=True)

    def read(self, key: str) -> Any:
        """Return the result under a fingerprint.

        Parameters
        ----------
        key : str
            A `fingerprint`.

        Returns
        -------
        result : object
            As it was written; None when there is none, or its file is damaged or of
            another fingerprint.
        """
        if self.folder is None:
            return None
        try:
            content = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(content, dict) or content.get("fingerprint") != key:
            return None
        return content.get("result")

    def write(self, key: str, result: Any) -> None:
        """Keep a result under a fingerprint, whole or not at all.

        Parameters
        ----------
        key : str
            A `fingerprint`.
        result : object
            What JSON can hold, None excepted.
        """
        if self.folder is None:
            return
        text = json.dumps({"fingerprint": key, "result": result})
        # A draft of its own for every writer: several processes may share the folder.
        number, draft = tempfile.mkstemp(".part", f"{key}.", self.folder)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self._path(key))
        except BaseException:
            with contextlib.suppress(OSError):
                Path(draft).unlink()
            raise

    def _path(self, key: str) -> Path:
        """Return the file of a fingerprint."""
        return Path(self.folder or "") / f"{key}.json"


class _Digest:
    """A digest of nested values; every part is marked by its kind and length."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._open: set[int] = set()  # objects that contain the present one
        # Classes and functions by id, in order; held, so that no id is used again.
        self._seen: dict[int, tuple[int, Any]] = {}

    def text(self) -> str:
        """Return the digest of what was added."""
        return self._hash.hexdigest()[:_DIGITS]

    def add(self, value: Any) -> None:
        """Add a value with everything in it."""
        if isinstance(value, _PLAIN) and type(value) in _PLAIN:
            self._put(type(value).__name__, repr(value))
            return
        if id(value) in self._open:  # it contains itself, such as a recursive function
            self._put("within itself", _name_of(type(value)))
            return
        self._open.add(id(value))
        try:
            self._describe(value)
        finally:
            self._open.discard(id(value))

    def _put(self, kind: str, content: str | bytes) -> None:
        """Add content with its length, which separates it from its neighbours."""
        data = content if isinstance(content, bytes) else content.encode()
        self._hash.update(f"{kind}:{len(data)}:".encode())
        self._hash.update(data)

    def _describe(self, value: Any) -> None:
        """Add a value that is not plain by the rule of its kind."""
        if isinstance(value, type):
            self._add_once(value, self._add_class)
        elif isinstance(value, types.ModuleType):
            self._put("module", value.__name__)
        elif isinstance(value, logging.Logger):
            self._put("logger", value.name)
        elif isinstance(value, types.FunctionType):
            self._add_once(value, self._add_function)
        elif isinstance(value, types.CodeType):
            self._add_code(value)
        elif inspect.isroutine(value):
            self._add_routine(value)
        elif _is_of_pandas(value):
            self._add_table(value)
        elif _is_of_numpy(value):
            self._add_array(value)
        else:
            self._add_collection_or_object(value)

    def _add_once(self, value: Any, add: Callable[[Any], None]) -> None:
        """Add a class or a function; the next time only a reference to it."""
        if id(value) in self._seen:
            self._put("again", str(self._seen[id(value)][0]))
            return
        self._seen[id(value)] = (len(self._seen), value)
        add(value)

    def _add_collection_or_object(self, value: Any) -> None:
        """Add a mapping, a set, a sequence, or any other object."""
        if isinstance(value, Mapping):
            self._put("mapping", _name_of(type(value)))
            self._add_unordered(value.items())
        elif isinstance(value, AbstractSet):
            self._put("set", _name_of(type(value)))
            self._add_unordered(value)
        elif isinstance(value, list | tuple):
            self._put(_name_of(type(value)), str(len(value)))
            for part in value:
                self.add(part)
        elif isinstance(value, functools.partial):
            self._put("partial", "")
            self.add((value.func, value.args, value.keywords))
        else:
            self._add_object(value)

    def _add_unordered(self, parts: Iterable[Any]) -> None:
        """Add parts whose order does not count."""
        digests = []
        for part in parts:
            inner = _Digest()
            inner._open = self._open
            inner.add(part)
            digests.append(inner.text())
        self._put("parts", " ".join(sorted(digests)))

    def _add_object(self, value: Any) -> None:
        """Add an object: its class, and its parameters, fields or attributes."""
        self.add(type(value))
        if isinstance(value, enum.Enum):
            self._put("member", value.name)
        elif callable(getattr(value, "get_params", None)):
            self.add(value.get_params(deep=False))
        elif dataclasses.is_dataclass(value):
            self.add(
                {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            )
        elif isinstance(value, os.PathLike):
            self._put("path", os.fspath(value))
        elif hasattr(value, "isoformat"):
            self._put("moment", value.isoformat())
        else:
            self.add(_state_of(value))

    def _add_class(self, value: type) -> None:
        """Add a class: its name and its methods, inherited ones too."""
        self._put("class", _name_of(value))
        for parent in value.__mro__[:-1]:
            for name, member in sorted(vars(parent).items()):
                for wrapped in ("__func__", "fget", "func"):
                    member = getattr(member, wrapped, member)
                if isinstance(member, types.FunctionType):
                    self._put("method", f"{_name_of(parent)}.{name}")
                    self.add(member)

    def _add_function(self, value: types.FunctionType) -> None:
        """Add a function: its name, code, defaults, and what it uses from outside."""
        self._put("function", f"{value.__module__}.{value.__qualname__}")
        self._add_code(value.__code__)
        self.add((value.__defaults__, value.__kwdefaults__))
        for cell in value.__closure__ or ():
            with contextlib.suppress(ValueError):  # a cell that is still empty
                self.add(cell.cell_contents)
        self.add(_globals_of(value))

    def _add_routine(self, value: Any) -> None:
        """Add a bound method, or a function that is not written in Python."""
        if isinstance(value, types.MethodType):
            self._put("bound method", "")
            self.add((value.__func__, value.__self__))
        else:
            module = getattr(value, "__module__", None)
            self._put("built in", f"{module}.{value.__qualname__}")
            self.add(getattr(value, "__self__", None))

    def _add_code(self, code: types.CodeType) -> None:
        """Add the code of a function: instructions, names and constants."""
        self._put("code", code.co_code)
        self._put("names", " ".join((*code.co_names, *code.co_varnames)))
        for constant in code.co_consts:
            self.add(constant)

    def _add_table(self, value: Any) -> None:
        """Add a table, a column or an index of pandas by its content."""
        pandas = sys.modules["pandas"]
        self._put("table", _name_of(type(value)))
        columns = getattr(value, "columns", [getattr(value, "name", None)])
        dtypes = getattr(value, "dtypes", getattr(value, "dtype", ""))
        self._put("columns", repr(list(columns)))
        self._put("types", repr([str(t) for t in getattr(dtypes, "array", [dtypes])]))
        rows = pandas.util.hash_pandas_object(value, index=True)
        self._put("rows", rows.to_numpy().tobytes())

    def _add_array(self, value: Any) -> None:
        """Add an array, a number or a generator of random numbers of numpy."""
        if hasattr(value, "bit_generator"):
            self.add(value.bit_generator.state)
        elif hasattr(value, "get_state"):
            self.add(value.get_state(legacy=False))
        elif hasattr(value, "tobytes"):
            self._put("array", f"{value.dtype.str} {value.shape}")
            if value.dtype.hasobject:
                self.add(value.tolist())
            else:
                self._put("content", value.tobytes())
        else:
            self._put("numpy", repr(value))


def _name_of(kind: type) -> str:
    """Return the full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_of_pandas(value: object) -> bool:
    """Return whether a value is a table, a column or an index of pandas."""
    pandas = sys.modules.get("pandas")
    kinds = ("DataFrame", "Series", "Index")
    return pandas is not None and isinstance(
        value, tuple(getattr(pandas, kind) for kind in kinds)
    )


def _is_of_numpy(value: object) -> bool:
    """Return whether a value is an array, a number, a type or a generator of numpy."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return False
    chance = (numpy.random.Generator, numpy.random.RandomState)
    return isinstance(value, (numpy.ndarray, numpy.generic, numpy.dtype, *chance))


def _globals_of(function: types.FunctionType) -> list[tuple[str, Any]]:
    """Return the functions, classes and constants of its module that a function uses.

    Objects that change while a program runs, such as a list that counts calls, are
    left out: with them no run could resume.
    """
    names: set[str] = set()
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        names |= set(code.co_names)
        waiting += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    fixed = (*_PLAIN, tuple, frozenset)
    used = []
    for name in sorted(names & function.__globals__.keys()):
        value = function.__globals__[name]
        is_code = isinstance(value, types.FunctionType | type)
        own = is_code and value.__module__ == function.__module__
        if own or isinstance(value, fixed):
            used.append((name, value))
    return used


def _state_of(value: object) -> Any:
    """Return the attributes of an object, or what pickling it would store."""
    if getattr(value, "__dict__", None):
        return vars(value)
    try:
        state = value.__reduce_ex__(2)
    except TypeError as error:
        raise ArgumentError(
            "resumable.content_cannot_be_read",
            "fingerprint: the content of an object of type {type_name!r} cannot be "
            "read, so a change of it could not be detected. Leave 'folder' out, or "
            "remove the object.",
            type_name=_name_of(type(value)),
        ) from error
    return state if isinstance(state, str) else state[1:]
