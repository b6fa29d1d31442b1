"""`register` an engine as challenger, judge it against the champion, and go back."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, TrackingError, format_values
from smartrisk.schema import TableInput
from smartrisk.tracking._addresses import (
    check_reference,
    find_model_id,
    find_or_create_version,
    store_of,
)
from smartrisk.tracking._champions import (
    CHALLENGER,
    Book,
    append,
    next_move,
    read_book,
)
from smartrisk.tracking._gate import (
    Gate,
    check_not_learned,
    judge,
    read_judging_data,
)
from smartrisk.tracking._gate_record import record_judgement
from smartrisk.tracking._load import load
from smartrisk.tracking._registration import Champions, Registration
from smartrisk.tracking._run import Run
from smartrisk.tracking._store import (
    limit_waiting,
    open_store,
    raise_tracking_errors,
    resolve_address,
)

#: Name in the registry where none is given.
DEFAULT_NAME = "customs-risk"
#: Longest text of who and why: MLflow cuts tags and parameters at some thousand.
_LONGEST_TEXT = 1_000
#: Times that the champion may change while a challenger is judged.
_MOST_TRIES = 10


def register(
    run: Run | str,
    *,
    declarations: TableInput,
    outcomes: TableInput,
    by: str,
    reason: str,
    name: str = DEFAULT_NAME,
    gate: Gate | None = None,
    since: object = None,
    tracking_uri: str | os.PathLike[str] | None = None,
) -> Registration:
    """Register a logged engine, and let it replace the champion if it is better.

    Both engines score the same items, of months that are later than what either has
    learned from; the paired interval of the gain decides. A registered model without a
    champion gets this one.

    Parameters
    ----------
    run : Run or str
        As for `load`: the challenger.
    declarations : DataFrame
        DECLARATIONS of the later months. Earlier ones may be among them where `since`
        is given: they extend the history of both engines.
    outcomes : DataFrame
        OUTCOMES of these items. Only items with a result are judged.
    by : str
        Who decides, for the record.
    reason : str
        Why, for the record.
    name : str, default="customs-risk"
        Registered model; created when needed.
    gate : Gate, default=None
        What the challenger must show; None for ``Gate()``.
    since : date-like, default=None
        First day of the judged items; None for all.
    tracking_uri : str or path, default=None
        Address of the store; as for `load`.

    Returns
    -------
    registration : Registration
        The version, whether it is the champion now, and the comparison.

    Raises
    ------
    TableError
        If no item has a result, or a judged item is not later than what one of the
        engines has learned from. Nothing is registered then.
    TrackingError
        If the engine is the champion already, or the store refuses.
    ArgumentError
        If an argument is of the wrong kind.

    See Also
    --------
    rollback : Go back to the champion before.
    promote : Set an alias without a comparison.

    Notes
    -----
    As in service, both engines know all items and results that had become known when
    an item was lodged: copies of them are updated with `declarations` and `outcomes`.
    Importers are drawn as wholes for the interval.

    What was judged is recorded: as metrics ``gate/...`` and a table of the run, and as
    tags of the version with `by`, `reason` and the time. The alias ``challenger``
    points to a version that was not good enough.

    Registrations may run at the same time: moves of the champion are entries of one
    book, and an engine that was judged against a champion which was replaced meanwhile
    is judged again. A process that is killed leaves the alias as it was, or an entry
    that the next call completes.

    Examples
    --------
    >>> import smartrisk as sr
    >>> sr.tracking.register(run, declarations=later, outcomes=results, by="A. Diaz",
    ...                      reason="quarterly refit")  # doctest: +SKIP
    """
    gate = Gate() if gate is None else gate
    check_reference("register", run)
    _check_texts("register", {"by": by, "reason": reason, "name": name})
    _check_gate(gate)
    read = partial(read_judging_data, declarations, outcomes, since)
    data = read()  # refused before the store is asked
    uri = store_of(run, tracking_uri)
    client = open_store(uri, create=False)
    with raise_tracking_errors(uri, "register"), limit_waiting():
        model = client.get_logged_model(find_model_id(client, uri, run))
    challenger = load(f"models:/{model.model_id}", tracking_uri=uri)
    for _ in range(_MOST_TRIES):
        with raise_tracking_errors(uri, "register"), limit_waiting():
            book = read_book(client, name)
        engines = _engines(challenger, book, uri)
        own = {k: v for e in engines.values() for k, v in e.own_fields_.items()}
        data = read(own) if own else data
        check_not_learned(data, engines)
        judgement = judge(data, list(engines.values()), gate, book.alias)
        with raise_tracking_errors(uri, "register"), limit_waiting():
            version = find_or_create_version(client, name, model)
            _check_other(name, version, book)
            record_judgement(client, model, name, version, judgement, by, reason)
            if _conclude(client, book, version, judgement.passed, by, reason):
                return Registration(name=name, version=version, judgement=judgement)
    raise TrackingError(
        "tracking.champion_moves",
        "register: the champion of {name!r} was replaced {n_times} times while version "
        "{version} was judged. It is registered and not the champion; call again.",
        name=name,
        n_times=_MOST_TRIES,
        version=version,
    )


def _engines(challenger: RiskEngine, book: Book, uri: str) -> dict[str, RiskEngine]:
    """Return the challenger and the champion of a book, by their names in messages."""
    engines = {"challenger": challenger}
    if book.alias is not None:
        champion = load(f"models:/{book.name}/{book.alias}", tracking_uri=uri)
        engines[f"champion, version {book.alias}"] = champion
    return engines


def _conclude(
    client: Any, book: Book, version: str, passed: bool, by: str, reason: str
) -> bool:
    """Move the aliases; return False where the champion has changed meanwhile."""
    aliases = client.get_registered_model(book.name).aliases
    if not passed:
        client.set_registered_model_alias(book.name, CHALLENGER, version)
        return True
    if book.found_by_hand() and book.alias is not None:
        # So that a rollback returns to it.
        text = "the alias was set by other means than register"
        move = next_move(book, "found", book.alias, "unknown", text)
        if not append(client, book, move):
            return False
        book = read_book(client, book.name)
        if book.moves[-1] != move:
            return False  # not the champion that it was judged against
    if not append(client, book, next_move(book, "register", version, by, reason)):
        return False
    if str(aliases.get(CHALLENGER)) == version:
        client.delete_registered_model_alias(book.name, CHALLENGER)
    return True


def _check_other(name: str, version: str, book: Book) -> None:
    """Raise where the challenger is the champion."""
    if version == book.alias:
        raise TrackingError(
            "tracking.is_champion",
            "register: this engine is version {version} of {name!r}, the champion. Log "
            "and register another one.",
            name=name,
            version=version,
        )


def rollback(
    name: str = DEFAULT_NAME,
    *,
    by: str,
    reason: str,
    tracking_uri: str | os.PathLike[str] | None = None,
) -> Champions:
    """Make the champion before the present one the champion again.

    A second call goes one further back.

    Parameters
    ----------
    name : str, default="customs-risk"
        Registered model.
    by : str
        Who decides, for the record.
    reason : str
        Why, for the record.
    tracking_uri : str or path, default=None
        Address of the store; None as in `log_run`.

    Returns
    -------
    champions : Champions
        Every move of the champion, the latest last.

    Raises
    ------
    TrackingError
        If there is no earlier champion, or the store refuses.
    ArgumentError
        If an argument is of the wrong kind.

    Notes
    -----
    Versions that were deleted from the registry are passed over.

    Examples
    --------
    >>> import smartrisk as sr
    >>> sr.tracking.rollback("customs-risk", by="A. Diaz",
    ...                      reason="too many alarms")  # doctest: +SKIP
    """
    _check_texts("rollback", {"by": by, "reason": reason, "name": name})
    uri = resolve_address(tracking_uri)
    client = open_store(uri, create=False)
    with raise_tracking_errors(uri, "rollback"), limit_waiting():
        for _ in range(_MOST_TRIES):
            book = read_book(client, name)
            version = _earlier_version(book)
            move = next_move(book, "rollback", version, by, reason)
            if append(client, book, move):
                return Champions(name=name, moves=read_book(client, name).moves)
    raise TrackingError(
        "tracking.rollback_overtaken",
        "rollback: others moved the champion of {name!r} {n_times} times meanwhile. "
        "Look who is champion now, then call again.",
        name=name,
        n_times=_MOST_TRIES,
    )


def _earlier_version(book: Book) -> str:
    """Return the nearest earlier champion that still exists."""
    earlier = [v for v in book.earlier() if v != book.alias]
    present = [v for v in earlier if v in book.versions]
    if present:
        return present[0]
    state = "has no version" if not book.versions else "has no earlier champion"
    if earlier:
        state += f": {format_values(earlier)} were deleted"
    raise TrackingError(
        "tracking.no_earlier_champion",
        "rollback: {name!r} {state}. The champion is unchanged.",
        name=book.name,
        state=state,
    )


def champions(
    name: str = DEFAULT_NAME, *, tracking_uri: str | os.PathLike[str] | None = None
) -> Champions:
    """Return which versions of a registered model were champion, since when, and why.

    Parameters
    ----------
    name : str, default="customs-risk"
        Registered model.
    tracking_uri : str or path, default=None
        Address of the store; None as in `log_run`.

    Returns
    -------
    champions : Champions
        Every move of the champion, the latest last.

    Raises
    ------
    TrackingError
        If the store does not answer.

    Examples
    --------
    >>> import smartrisk as sr
    >>> sr.tracking.champions("customs-risk").frame()  # doctest: +SKIP
    """
    _check_texts("champions", {"name": name})
    uri = resolve_address(tracking_uri)
    client = open_store(uri, create=False)
    with raise_tracking_errors(uri, "champions"), limit_waiting():
        book = read_book(client, name)
    moves = book.moves
    if book.found_by_hand() and book.alias is not None:
        text = "the alias was set by other means than register"
        moves += (next_move(book, "found", book.alias, "unknown", text),)
    return Champions(name=name, moves=moves)


def _check_texts(owner: str, texts: dict[str, Any]) -> None:
    """Raise unless all texts can be shown; name every one that cannot."""
    wrong = [
        name
        for name, text in texts.items()
        if not isinstance(text, str)
        or not text.strip()
        or not text.isprintable()
        or len(text) > _LONGEST_TEXT
    ]
    if wrong:
        raise ArgumentError(
            "tracking.texts_not_printable",
            "{owner}: {names} must be printable texts of 1 to {longest} characters; "
            "got {values}.",
            owner=owner,
            names=" and ".join(map(repr, wrong)),
            longest=_LONGEST_TEXT,
            values=format_values([texts[name] for name in wrong]),
        )


def _check_gate(gate: object) -> None:
    """Raise unless it is a gate."""
    if not isinstance(gate, Gate):
        raise ArgumentError(
            "tracking.not_a_gate",
            "register: 'gate' must be a Gate, such as Gate(metric='roc_auc'); got "
            "{type_name}.",
            type_name=type(gate).__name__,
        )
