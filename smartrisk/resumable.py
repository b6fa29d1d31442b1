"""Results kept in a folder under a fingerprint, so that a stopped run can resume.

Reads what a result was computed from; writes one JSON file per result. A fingerprint
covers everything that a result depends on, so that a changed engine, policy, table or
library version is computed again and never gets an older result.
"""

from __future__ import annotations

import contextlib
import copyreg
import dataclasses
import dis
import enum
import functools
import hashlib
import inspect
import json
import logging
import os
import pickle
import secrets
import sys
import types
from collections.abc import Callable, Iterable
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
#: What objects raise that cannot be taken apart: locks, files, pointers, generators.
_UNREADABLE = (
    *(TypeError, ValueError, AttributeError, LookupError, RuntimeError, OSError),
    pickle.PickleError,
)
#: Names of a class that Python sets itself, and that hold no setting of it.
_SET_BY_PYTHON = ("_abc_impl",)
#: Attributes in C: the slots of a class, whose values are those of its objects.
_SLOTS = (types.GetSetDescriptorType, types.MemberDescriptorType)


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
        If the content of an object cannot be read, such as that of a lock, an open
        file, a generator or a pointer.

    Notes
    -----
    - An estimator (anything with ``get_params``) counts by its class and parameters,
      nested estimators too; what it learned does not count, since it is fitted again.
    - A function counts by its module, name, code, defaults, the values it closes over,
      and the global objects that it names: functions and classes by their code, modules
      by name, everything else by content.
    - A class counts by its name, the code of its methods, and its attributes.
    - Of functions and classes of installed libraries only code and constants count.
    - Any other object counts by its attributes or by what `pickle` stores of it. A
      LightGBM booster counts by its model.
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
        # `open` gives it the permissions that the user's other files have.
        draft = Path(self.folder) / f"{key}.{os.getpid()}.{secrets.token_hex(8)}.part"
        try:
            with draft.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path(key))
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
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
        except ArgumentError:  # from within: it names the object that cannot be read
            raise
        except _UNREADABLE as error:
            raise _content_error(value) from error
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
        elif inspect.isbuiltin(value) or isinstance(value, types.MethodType):
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
        if type(value) in (dict, types.MappingProxyType):
            self._put("mapping", _name_of(type(value)))
            if all(type(name) is str for name in value):
                for name in sorted(value):
                    self.add(name)
                    self.add(value[name])
            else:
                self._add_unordered(value.items())
        elif isinstance(value, AbstractSet):
            self._put("set", _name_of(type(value)))
            self._add_unordered(value)
            self.add(_attributes_of(value))
        elif type(value) in (list, tuple):
            self._put(_name_of(type(value)), str(len(value)))
            for part in value:
                self.add(part)
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
        """Add an object: its class, and its parameters, model or content."""
        self.add(type(value))
        if isinstance(value, enum.Enum):
            self._put("member", value.name)
            self.add(value.value)
        elif callable(getattr(value, "get_params", None)):
            self.add(value.get_params(deep=False))
        elif callable(getattr(value, "model_to_string", None)):  # LightGBM's Booster
            self._put("model", value.model_to_string())
        elif isinstance(value, os.PathLike):
            self._put("path", os.fspath(value))
        elif hasattr(value, "__wrapped__"):  # such as a function with a cache
            self.add(value.__wrapped__)
        else:
            self.add(_content_of(value))
            if not _is_installed(type(value).__module__):
                self.add(_attributes_of(value))

    def _add_class(self, value: type) -> None:
        """Add a class: its name, methods and attributes, inherited ones too."""
        self._put("class", _name_of(value))
        for parent in value.__mro__[:-1]:
            whole = not _is_installed(parent.__module__)
            for name, member in sorted(vars(parent).items()):
                for part in _unwrap(member):
                    if isinstance(part, types.FunctionType):
                        self._put("method", f"{_name_of(parent)}.{name}")
                        self.add(part)
                    elif whole and _is_setting(parent, name, part):
                        self._put("attribute", f"{_name_of(parent)}.{name}")
                        self.add(part)

    def _add_function(self, value: types.FunctionType) -> None:
        """Add a function: its name, code, defaults, and what it uses from outside."""
        self._put("function", f"{value.__module__}.{value.__qualname__}")
        self._add_code(value.__code__)
        self.add((value.__defaults__, value.__kwdefaults__, vars(value)))
        for cell in value.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:  # the cell is still empty
                continue
            self.add(content)
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
        # Pandas takes cells of several types by their texts, which may be cut short.
        for _, column in value.items() if hasattr(value, "columns") else [("", value)]:
            if column.dtype == object:
                kind = pandas.api.types.infer_dtype(column, skipna=True)
                if kind.startswith(("mixed", "unknown")):
                    self.add(column.tolist())

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
            self.add(getattr(value, "mask", None))
            if not _is_installed(type(value).__module__):
                self.add(_attributes_of(value))
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


@functools.cache
def _is_installed(module: str) -> bool:
    """Return whether a module is of Python, of this library or of an installed one."""
    if module.partition(".")[0] in {"smartrisk", *sys.stdlib_module_names}:
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


def _globals_of(function: types.FunctionType) -> list[tuple[str, Any]]:
    """Return the global objects that a function names.

    Of a function of an installed library these are the functions, classes and constants
    of its module: its other objects are caches, locks and the like.
    """
    names: set[str] = set()
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        steps = dis.get_instructions(code)
        names |= {s.argval for s in steps if s.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
        waiting += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    used = [
        (n, function.__globals__[n]) for n in sorted(names & {*function.__globals__})
    ]
    if not _is_installed(function.__module__ or ""):
        return used
    code_kinds, fixed = types.FunctionType | type, (*_PLAIN, tuple, frozenset)
    return [
        (name, value)
        for name, value in used
        if isinstance(value, fixed)
        or (isinstance(value, code_kinds) and value.__module__ == function.__module__)
    ]


def _unwrap(member: Any) -> tuple[Any, ...]:
    """Return the functions of a member of a class, or the member itself."""
    if isinstance(member, staticmethod | classmethod):
        return (member.__func__,)
    if isinstance(member, property):
        return (member.fget, member.fset)
    if isinstance(member, functools.cached_property):
        return (member.func,)
    return (member,)


def _is_setting(owner: type, name: str, member: Any) -> bool:
    """Return whether a member of a class is an attribute that its code could use."""
    of_python = name.startswith("__") and name.endswith("__")
    of_python = of_python or name in _SET_BY_PYTHON or isinstance(member, _SLOTS)
    return not of_python and not (issubclass(owner, enum.Enum) and name[:1] == "_")


def _attributes_of(value: object) -> dict[str, Any]:
    """Return the attributes of an object; what it can compute again is left out."""
    found = dict(getattr(value, "__dict__", {}))
    for parent in type(value).__mro__:
        for name, member in vars(parent).items():
            if isinstance(member, functools.cached_property):
                found.pop(name, None)
            elif isinstance(member, types.MemberDescriptorType):
                with contextlib.suppress(AttributeError):  # a slot without a value
                    found[name] = member.__get__(value)
    return found


def _content_of(value: Any) -> Any:
    """Return what pickling an object would store, the items of collections included."""
    # Read first: objects of C make an empty one on request, which then counts.
    attributes = getattr(value, "__dict__", None)
    reduce = copyreg.dispatch_table.get(type(value))
    reduced = value.__reduce_ex__(2) if reduce is None else reduce(value)
    if isinstance(reduced, str):  # an object that a module holds under a name
        module = pickle.whichmodule(value, reduced)  # type: ignore[attr-defined]
        if getattr(sys.modules.get(module), reduced, None) is not value:
            raise _content_error(value)
        return [module, reduced]
    function, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    if state is not None and state is attributes:
        state = _attributes_of(value)
    return [function, arguments, state, list(items or ()), dict(pairs or ())]


def _content_error(value: object) -> ArgumentError:
    """Return the error of an object that cannot be taken apart."""
    return ArgumentError(
        "resumable.content_cannot_be_read",
        "fingerprint: the content of an object of type {type_name!r} cannot be "
        "read, so a change of it could not be detected. Leave 'folder' out, or "
        "remove the object.",
        type_name=_name_of(type(value)),
    )
