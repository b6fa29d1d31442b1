"""Which version of a registered model is the champion, and which was before.

The alias ``champion`` says which engine is in service; MLflow lets anybody move it, the
last one wins, and it forgets what it pointed to. So every move is first an entry of a
book: parameters ``champion.0001``, ``champion.0002``, ... of one run per registered
model. A parameter of MLflow cannot be changed once it is set, and a store accepts one
value only: of two processes that write the same entry, one is refused. That makes the
book an order of all moves in which none is lost.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from smartrisk.errors import TrackingError
from smartrisk.tracking._context import NOTE_TAG, context_tags
from smartrisk.tracking._model import list_versions
from smartrisk.tracking._steps import new_run
from smartrisk.tracking._store import import_mlflow
from smartrisk.tracking._sweep import process_tags

#: The aliases of the engine in service, and of the last one that was not good enough.
CHAMPION, CHALLENGER = "champion", "challenger"
#: Start of the parameter by which the run of the first version names the run of the
#: book, and tag by which champions do.
_BOOK = "smartrisk.champions"
_ENTRY = "champion."
#: Tag of a version: the entry that made it the champion, once the alias was moved.
_DONE = "smartrisk.champion_entry"
#: Passes of `settle`: others can move the champion while the alias is being set.
_MOST_PASSES = 20
#: Times that a value is written before the error of the store counts.
_MOST_WRITES = 3


@dataclass(frozen=True, kw_only=True)
class Move:
    """One entry of the book.

    Parameters
    ----------
    number : int
        Place in the book, from 1.
    kind : str
        "register", "rollback", or "found" for an alias that was set by other means.
    version : str
        Version that became the champion.
    by : str
        Who decided.
    reason : str
        Why.
    at : str
        When, in UTC.
    """

    number: int
    kind: str
    version: str
    by: str
    reason: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Book:
    """What is known of a registered model at one moment.

    Parameters
    ----------
    name : str
        Registered model.
    moves : tuple of Move
        Entries in their order.
    alias : str or None
        Version that the alias ``champion`` points to.
    versions : tuple of str
        Versions that exist, in their order.
    run_id : str or None
        The run that holds the book; None where none was written yet.
    """

    name: str
    moves: tuple[Move, ...]
    alias: str | None
    versions: tuple[str, ...]
    run_id: str | None

    def found_by_hand(self) -> bool:
        """Return whether the alias was set by other means than the book."""
        last = self.moves[-1].version if self.moves else None
        return self.alias is not None and self.alias != last

    def earlier(self) -> list[str]:
        """Return the champions before the present one, the nearest first.

        A rollback takes the later ones away, so that the next one goes further back.
        """
        stack: list[str] = []
        moved = [(move.kind, move.version) for move in self.moves]
        if self.found_by_hand():
            moved.append(("found", str(self.alias)))
        for kind, version in moved:
            if kind == "rollback" and version in stack:
                del stack[_last_place(stack, version) :]
            stack.append(version)
        return stack[-2::-1]


def _last_place(stack: list[str], version: str) -> int:
    """Return the last place of a version."""
    return len(stack) - 1 - stack[::-1].index(version)


def now() -> str:
    """Return this moment in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_book(client: Any, name: str) -> Book:
    """Return the state of a registered model, after what was left half done is done.

    Parameters
    ----------
    client : MlflowClient
        Store.
    name : str
        Registered model, which may not exist yet.
    """
    versions = list_versions(client, name)
    if not versions:
        return Book(name=name, moves=(), alias=None, versions=(), run_id=None)
    run_id = _find_run(client, name, versions)
    moves = () if run_id is None else _read_moves(client, run_id)
    numbers = tuple(str(version.version) for version in versions)
    alias = str(client.get_registered_model(name).aliases.get(CHAMPION))
    book = Book(
        name=name,
        moves=moves,
        alias=alias if alias in numbers else None,
        versions=numbers,
        run_id=run_id,
    )
    if not moves or moves[-1].version == book.alias:
        return book
    done = {str(v.version): v.tags.get(_DONE) for v in versions}
    last = moves[-1]
    if last.version in done and done[last.version] != str(last.number):
        # The process that wrote the entry ended before it moved the alias.
        settle(client, book)
        return read_book(client, name)
    return book


def _first_run(versions: list[Any]) -> str | None:
    """Return the run of the first version that has one."""
    return next((str(v.run_id) for v in versions if v.run_id), None)


def _find_run(client: Any, name: str, versions: list[Any]) -> str | None:
    """Return the run of the book: named by the first version, else by any tag."""
    first = _first_run(versions)
    if first is not None:
        stated = _run_params(client, first).get(_book_param(name))
        if stated is not None:
            return stated
    # The first version was deleted: champions have a tag as well.
    return next((str(v.tags[_BOOK]) for v in versions if _BOOK in v.tags), None)


def _run_params(client: Any, run_id: str) -> dict[str, str]:
    """Return the parameters of a run; none where it is absent."""
    try:
        return dict(client.get_run(run_id).data.params)
    except import_mlflow().MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def _read_moves(client: Any, run_id: str) -> tuple[Move, ...]:
    """Return the entries of a book."""
    run = client.get_run(run_id)
    if run.info.lifecycle_stage != "active":
        raise TrackingError(
            "tracking.book_deleted",
            "the run {run_id} that records the champions was deleted. Restore it "
            "(mlflow runs restore --run-id {run_id}), then call again.",
            run_id=run_id,
        )
    texts = sorted(
        (name, text)
        for name, text in run.data.params.items()
        if name.startswith(_ENTRY)
    )
    moves = []
    for name, text in texts:
        fields = {k: v for k, v in json.loads(text).items() if k != "token"}
        moves.append(Move(number=int(name.removeprefix(_ENTRY)), **fields))
    return tuple(moves)


def append(client: Any, book: Book, move: Move) -> bool:
    """Write the next entry and move the alias; return False where another was faster.

    Parameters
    ----------
    client : MlflowClient
        Store.
    book : Book
        The state on which the move was decided; its model has a version.
    move : Move
        Its number is the next one: see `next_move`.
    """
    run_id = book.run_id or _open_run(client, book)
    # The token makes two equal moves at the same moment two values.
    fields = {**asdict(move), "token": secrets.token_hex(8)}
    plain = {k: v for k, v in fields.items() if k != "number"}
    # MLflow cuts a longer value, after which the book could not be read: an escape of
    # a letter, such as of Arabic, would take six signs.
    text = json.dumps(plain, ensure_ascii=False)
    if not _set_once(client, run_id, f"{_ENTRY}{move.number:04d}", text):
        return False
    settle(client, book)
    return True


def _set_once(client: Any, run_id: str, name: str, value: str) -> bool:
    """Set a parameter; return False where it has another value already.

    It is read back: where two processes set it at once, a busy store may answer both as
    if each had been the first.
    """
    try:
        client.log_param(run_id, name, value)
    except import_mlflow().MlflowException:
        if _run_params(client, run_id).get(name, value) == value:
            raise
        return False
    return _run_params(client, run_id).get(name) == value


def next_move(book: Book, kind: str, version: str, by: str, reason: str) -> Move:
    """Return the entry after the last one of a book."""
    return Move(
        number=len(book.moves) + 1,
        kind=kind,
        version=version,
        by=by,
        reason=reason,
        at=now(),
    )


def settle(client: Any, book: Book) -> None:
    """Let the alias point to the last entry, until no other entry came meanwhile."""
    run_id = book.run_id or _find_run(
        client, book.name, list_versions(client, book.name)
    )
    if run_id is None:
        return
    for _ in range(_MOST_PASSES):
        last = _read_moves(client, run_id)[-1]
        place = (book.name, last.version)
        _insist(client.set_registered_model_alias, book.name, CHAMPION, last.version)
        _insist(client.set_model_version_tag, *place, _DONE, str(last.number))
        _insist(client.set_model_version_tag, *place, _BOOK, run_id)
        if _read_moves(client, run_id)[-1] == last:
            return


def _insist(write: Callable[..., Any], *values: str) -> None:
    """Write a value that others may write too.

    Of two processes that set the same new tag at once, MLflow answers one with an error
    of its database; the next time the tag exists and is replaced.
    """
    for _ in range(_MOST_WRITES - 1):
        try:
            write(*values)
        except import_mlflow().MlflowException:
            continue
        return
    write(*values)


def _open_run(client: Any, book: Book) -> str:
    """Create the run of the book, unless another process was faster; return its id."""
    first = _first_run(list_versions(client, book.name))
    if first is None:
        raise TrackingError(
            "tracking.versions_without_run",
            "no version of {name!r} belongs to a run: it was not logged by log_run. "
            "Register it under another name.",
            name=book.name,
        )
    experiment = client.get_run(first).info.experiment_id
    note = (
        f"Which version of {book.name} was the champion, since when, and who decided. "
        "smartrisk adds a parameter per move; do not delete this run."
    )
    with process_tags() as own:
        tags = context_tags() | own | {NOTE_TAG: note}
        with new_run(client, experiment, f"champions of {book.name}", tags) as run:
            run_id = str(run.info.run_id)
    if _set_once(client, first, _book_param(book.name), run_id):
        return run_id
    client.delete_run(run_id)
    return _run_params(client, first)[_book_param(book.name)]


def _book_param(name: str) -> str:
    """Return the parameter that names the book; a run can be in several models."""
    return f"{_BOOK}.{hashlib.sha256(name.encode()).hexdigest()[:12]}"
