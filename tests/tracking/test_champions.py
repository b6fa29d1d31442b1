"""The book of champions: an order of all moves, in which none is lost."""

from __future__ import annotations

import threading

import pytest

from smartrisk.errors import TrackingError
from smartrisk.tracking import _registry as registering
from smartrisk.tracking import champions, rollback
from smartrisk.tracking._champions import (
    Book,
    Move,
    _insist,
    append,
    next_move,
    read_book,
)
from smartrisk.tracking._store import import_mlflow, open_store, resolve_address

NAME = "customs-risk"


@pytest.fixture
def registry(store):
    """Return a client of a store whose registered model has three versions."""
    return add_versions(open_store(resolve_address(store)))


def add_versions(client, name=NAME, n=3):
    client.create_registered_model(name)
    for _ in range(n):
        run = client.create_run("0")
        client.create_model_version(name, run.info.artifact_uri, run.info.run_id)
    return client


def move(client, version, name=NAME, kind="register"):
    book = read_book(client, name)
    return append(client, book, next_move(book, kind, version, "Ada", "a test"))


def alias(client, name=NAME):
    return str(client.get_registered_model(name).aliases.get("champion"))


def book_of(*moves, at=None):
    """Return a book of moves such as "1" or "<1", a rollback."""
    made = [
        Move(
            number=k,
            kind="rollback" if text[0] == "<" else "register",
            version=text.lstrip("<"),
            by="Ada",
            reason="",
            at="",
        )
        for k, text in enumerate(moves, 1)
    ]
    last = made[-1].version if made else None
    return Book(
        name=NAME, moves=tuple(made), alias=at or last, versions=(), run_id=None
    )


@pytest.mark.parametrize(
    ("moves", "earlier"),
    [
        ([], []),
        (["1"], []),
        (["1", "2", "3"], ["2", "1"]),
        (["1", "2", "3", "<2"], ["1"]),
        (["1", "2", "3", "<2", "<1"], []),
        (["1", "2", "3", "<2", "4"], ["2", "1"]),
        (["1", "2", "3", "<2", "4", "<2", "<1"], []),
        (["1", "2", "1"], ["2", "1"]),
    ],
)
def test_a_rollback_takes_away_what_came_later(moves, earlier):
    assert book_of(*moves).earlier() == earlier


def test_an_alias_that_was_set_by_hand_is_one_more_move():
    assert book_of("1", "2", at="5").earlier() == ["2", "1"]
    assert book_of(at="5").earlier() == []


def test_of_two_moves_from_the_same_state_one_is_refused(registry):
    assert move(registry, "1")
    seen = read_book(registry, NAME)
    moves = [next_move(seen, "register", v, "Ada", "a test") for v in ("2", "3")]
    assert append(registry, seen, moves[0])
    assert not append(registry, seen, moves[1])
    assert alias(registry) == "2"
    assert [m.version for m in read_book(registry, NAME).moves] == ["1", "2"]


def test_two_equal_moves_are_two(registry):
    assert move(registry, "1")
    seen = read_book(registry, NAME)
    same = next_move(seen, "rollback", "1", "Ada", "a test")
    assert append(registry, seen, same)
    assert not append(registry, seen, same)


def test_the_longest_texts_of_any_language_are_kept_whole(registry):
    book = read_book(registry, NAME)
    text = "\N{ARABIC LETTER AIN}" * 1_000
    assert append(registry, book, next_move(book, "register", "1", text, text))
    (kept,) = read_book(registry, NAME).moves
    assert kept.by == kept.reason == text


def test_a_move_between_the_record_of_a_found_champion_and_the_next_is_respected(
    registry, monkeypatch
):
    move(registry, "1")
    registry.set_registered_model_alias(NAME, "champion", "2")
    judged = read_book(registry, NAME)

    def others_follow(client, book, found):
        monkeypatch.undo()
        return append(client, book, found) and move(client, "1")

    monkeypatch.setattr(registering, "append", others_follow)
    concluded = registering._conclude(registry, judged, "3", True, "Ada", "a test")
    assert not concluded  # version 3 was judged against version 2
    assert alias(registry) == "1"


def test_what_a_killed_process_left_is_completed(registry):
    move(registry, "1")
    book = read_book(registry, NAME)
    # It wrote the entry, and ended before it moved the alias.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smartrisk.tracking._champions.settle", lambda *_: None)
        append(registry, book, next_move(book, "register", "2", "Ada", "a test"))
    assert alias(registry) == "1"
    assert read_book(registry, NAME).alias == "2"
    assert alias(registry) == "2"


@pytest.mark.slow
def test_an_alias_that_was_moved_by_hand_stays(registry, store):
    move(registry, "1")
    move(registry, "2")
    registry.set_registered_model_alias(NAME, "champion", "3")
    assert read_book(registry, NAME).found_by_hand()
    assert champions(NAME, tracking_uri=store).version == "3"
    assert alias(registry) == "3"
    assert rollback(NAME, by="Bo", reason="no", tracking_uri=store).version == "2"
    assert rollback(NAME, by="Bo", reason="no", tracking_uri=store).version == "1"


@pytest.mark.slow
def test_a_deleted_champion_is_passed_over(registry, store):
    for version in ("1", "2", "3"):
        move(registry, version)
    registry.delete_model_version(NAME, "2")
    moves = rollback(NAME, by="Bo", reason="no", tracking_uri=store)
    assert moves.version == alias(registry) == "1"
    registry.delete_model_version(NAME, "3")
    with pytest.raises(TrackingError, match="no earlier champion"):
        rollback(NAME, by="Bo", reason="no", tracking_uri=store)
    assert alias(registry) == "1"


@pytest.mark.slow
def test_the_book_outlives_the_first_version(registry):
    move(registry, "1")
    move(registry, "2")
    registry.delete_model_version(NAME, "1")
    assert [m.version for m in read_book(registry, NAME).moves] == ["1", "2"]
    assert move(registry, "3")
    assert len(read_book(registry, NAME).moves) == 3


def test_a_deleted_book_is_an_error_that_says_how_to_restore_it(registry):
    move(registry, "1")
    registry.delete_run(read_book(registry, NAME).run_id)
    with pytest.raises(TrackingError, match="mlflow runs restore"):
        read_book(registry, NAME)


def test_a_run_in_two_models_has_two_books(registry):
    run_id = registry.get_model_version(NAME, "1").run_id
    registry.create_registered_model("it's")
    registry.create_model_version("it's", "file:///nowhere", run_id)
    move(registry, "1")
    move(registry, "1", name="it's")
    assert len(read_book(registry, NAME).moves) == 1
    assert len(read_book(registry, "it's").moves) == 1


def test_who_is_champion_is_shown(registry, store):
    assert repr(champions(NAME, tracking_uri=store)) == f"Champions({NAME}: none)"
    move(registry, "2")
    moves = champions(NAME, tracking_uri=store)
    assert "version 2 since 20" in repr(moves)
    assert "register by Ada" in moves._repr_html_()
    assert moves.frame()["reason"].tolist() == ["a test"]
    run = registry.get_run(read_book(registry, NAME).run_id)
    assert run.info.run_name == f"champions of {NAME}"
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.user"]


def test_a_write_that_meets_another_one_is_repeated():
    answers = [import_mlflow().MlflowException("UNIQUE constraint failed"), None]
    written = []

    def write(*values):
        written.append(values)
        if (error := answers.pop(0)) is not None:
            raise error

    _insist(write, "name", "value")
    assert written == [("name", "value")] * 2
    answers[:] = [import_mlflow().MlflowException("no such model")] * 3
    with pytest.raises(import_mlflow().MlflowException, match="no such model"):
        _insist(write, "name", "value")


@pytest.mark.slow
def test_no_move_is_lost_when_many_move_at_once(mlflow_server):
    name = "many-writers"
    client = add_versions(open_store(mlflow_server), name, n=8)
    refused = []

    def insist(version):
        own = open_store(mlflow_server)
        while not move(own, version, name):
            refused.append(version)

    versions = [str(k) for k in range(1, 9)]
    threads = [threading.Thread(target=insist, args=(v,)) for v in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moves = read_book(client, name).moves
    assert sorted(m.version for m in moves) == versions
    assert [m.number for m in moves] == list(range(1, 9))
    assert alias(client, name) == moves[-1].version
    assert refused
