"""Files of a ledger: their mode, the key, copies to read, and errors with a remedy."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys

import pytest

from smartrisk.errors import LedgerError, MissingExtraError
from smartrisk.ledger import Ledger

ENDS = ("", ".aside", ".key")


@pytest.fixture
def filled(tmp_path, make_decisions):
    """Return the path of a closed ledger, and its head."""
    path = tmp_path / "filled" / "decisions.sqlite"
    with Ledger(path) as ledger:
        ledger.record(make_decisions(3))
        head = ledger.override("D1", channel="red", officer_id="Ada", reason="seal")
    return path, head


def copy_files(source, folder, ends=ENDS):
    """Copy files of a ledger by the ends of their names."""
    folder.mkdir()
    for end in ends:
        shutil.copy(f"{source}{end}", folder)
    return folder / source.name


def test_new_files_are_for_their_owner_only(ledger, make_decisions):
    ledger.record(make_decisions(3))
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in ledger.path.parent.iterdir()
    }
    assert {"decisions.sqlite", "decisions.sqlite.aside", "decisions.sqlite.key"} < set(
        modes
    )
    assert set(modes.values()) == {0o600}


# ------------------------------------------------------------------ the key


def test_a_missing_key_is_never_made_again(filled):
    path, _ = filled
    os.unlink(f"{path}.key")
    with pytest.raises(LedgerError, match=r"key .* is missing, and no other is ever"):
        Ledger(path)
    assert not os.path.exists(f"{path}.key")


def test_another_key_is_refused_and_reported(filled, tmp_path):
    path, _ = filled
    with pytest.raises(LedgerError, match="not the one that opened it"):
        Ledger(path, key=b"k" * 32)
    copied = copy_files(path, tmp_path / "copied")
    copied.chmod(0o400)
    with Ledger(copied, key=b"k" * 32) as ledger:
        ids = [message.message_id for message in ledger.verify().messages]
    assert ids == ["ledger.other_key"]


def test_a_key_is_taken_from_a_file_bytes_or_the_environment(
    tmp_path, monkeypatch, clock
):
    key = bytes(range(32))
    (tmp_path / "secret.key").write_text(key.hex() + "\n", encoding="ascii")
    pseudonyms = set()
    for name, given in {"a": key, "b": tmp_path / "secret.key", "c": None}.items():
        monkeypatch.setenv("SMARTRISK_LEDGER_KEY", "" if given else key.hex())
        with Ledger(tmp_path / name, key=given) as ledger:
            pseudonyms.add((ledger.pseudonym("Ada"), ledger.frame()["body"][0]["key"]))
        assert not (tmp_path / f"{name}.key").exists()
    assert len(pseudonyms) == 1


@pytest.mark.parametrize("key", [b"short", "no-hex.key", 7])
def test_what_is_no_key_is_refused(tmp_path, key):
    if isinstance(key, str):
        key = tmp_path / key
        key.write_text("not hexadecimal", encoding="ascii")
    with pytest.raises(LedgerError, match="key"):
        Ledger(tmp_path / "new.sqlite", key=key)


def test_same_entries_key_and_clock_make_the_same_chain(
    tmp_path, make_decisions, clock
):
    heads = set()
    for name in ("a", "b"):
        moment = clock.moment
        with Ledger(tmp_path / name, key=b"k" * 32, clock=clock) as ledger:
            ledger.record(make_decisions(3))
            heads.add(ledger.head())
        clock.moment = moment
    assert len(heads) == 1


# ------------------------------------------------------------- copies to read


@pytest.mark.parametrize("ends", [ENDS, ("", ".aside"), ("",)])
def test_a_copy_that_nobody_may_write_is_verified(filled, tmp_path, ends):
    path, head = filled
    copied = copy_files(path, tmp_path / "copied", ends)
    for end in ends:
        os.chmod(f"{copied}{end}", 0o400)
    with Ledger(copied) as ledger:
        verification = ledger.verify(anchor=head)
        assert verification.ok
        assert bool(verification.doubts) == (ends != ENDS)
        assert len(ledger.frame()) == head.seq
        with pytest.raises(LedgerError, match="read-only"):
            ledger.note("more")
    assert sorted(os.listdir(copied.parent)) == sorted(f"{path.name}{e}" for e in ends)


def test_a_copy_without_any_entry_is_not_intact(filled, tmp_path):
    copied = copy_files(filled[0], tmp_path / "copied")
    with sqlite3.connect(copied) as chain:
        chain.execute("DROP TRIGGER no_delete")
        chain.execute("DELETE FROM entries")
    copied.chmod(0o400)
    with Ledger(copied) as ledger:
        assert ledger.verify().problems == ("entry 1 is missing",)
        assert ledger.head().seq == 0


def test_a_server_without_the_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "smartrisk.ledger._postgres", raising=False)
    with pytest.raises(MissingExtraError, match=r"smartrisk\[postgres\]"):
        Ledger("postgresql://owner@localhost/x")


def test_the_second_file_is_never_made_again(filled):
    path, _ = filled
    os.unlink(f"{path}.aside")
    with pytest.raises(LedgerError, match=r"\.aside', is missing"):
        Ledger(path)
    open(f"{path}.aside", "w").close()
    with Ledger(path) as ledger:
        assert ledger.verify().ok


def test_a_backup_is_whole_while_the_ledger_is_open(filled, tmp_path, make_decisions):
    path, _ = filled
    with Ledger(path) as ledger:
        head = ledger.record(make_decisions(3, start=50))
        copied = ledger.copy(tmp_path / "backup" / "b.sqlite")
        with pytest.raises(LedgerError, match=r"exists\. Choose a new name"):
            ledger.copy(copied)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in copied.parent.iterdir()}
    assert modes == {0o600}
    with Ledger(copied) as restored:
        assert restored.verify(anchor=head).ok
        assert restored.head() == head
        assert restored.identity(restored.frame("override")["body"][0]["officer"])


# ---------------------------------------------- what the database finds wrong


def test_an_identity_that_was_rewritten_is_found(filled):
    path, _ = filled
    with sqlite3.connect(f"{path}.aside") as aside:
        aside.execute("UPDATE identities SET identity = 'Bob'")
    with Ledger(path) as ledger:
        (problem,) = ledger.verify().problems
    assert "identity of the pseudonym" in problem


def test_a_day_that_was_rewritten_is_found(filled):
    path, _ = filled
    with sqlite3.connect(f"{path}.aside") as aside:
        aside.execute("UPDATE identities SET day = '2000-01-01'")
    with Ledger(path) as ledger:
        assert not ledger.verify().ok


def test_a_damaged_index_is_found(filled):
    path, head = filled
    with sqlite3.connect(path) as chain:
        chain.execute("PRAGMA writable_schema = ON")
        chain.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX by_item ON entries (seq)' "
            "WHERE name = 'by_item'"
        )
    with Ledger(path) as ledger:
        verification = ledger.verify(anchor=head)
    assert [m.message_id for m in verification.messages] == ["ledger.file_damaged"]


@pytest.mark.parametrize("content", [b"to whoever reads this " * 100, None])
def test_another_file_than_a_ledger_is_refused(tmp_path, content):
    path = tmp_path / "other.db"
    if content is None:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY)")
    else:
        path.write_bytes(content)
    with pytest.raises(LedgerError, match="is not a ledger"):
        Ledger(path)
    with pytest.raises(LedgerError, match="Ledger"):
        Ledger(tmp_path)


def test_a_full_disk_is_reported_and_nothing_is_half_recorded(ledger, make_decisions):
    ledger.record(make_decisions(3))
    chain = ledger._access.writable
    ((pages,),) = chain.fetch("chain", "PRAGMA page_count")
    chain.fetch("chain", f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerError, match=r"disk is full.*Free space") as caught:
        ledger.record(make_decisions(200, start=10))
    assert caught.value.message_id == "ledger.disk_full"
    chain.fetch("chain", "PRAGMA max_page_count = 100000")
    assert ledger.head().seq == 4
    assert ledger.record(make_decisions(200, start=10)).seq == 204
    assert ledger.verify().ok


def test_a_lock_of_another_process_is_reported(tmp_path, monkeypatch):
    from smartrisk.ledger import _sqlite

    monkeypatch.setattr(_sqlite, "BUSY_SECONDS", 0.01)
    with Ledger(tmp_path / "decisions.sqlite") as ledger:
        other = sqlite3.connect(ledger.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another process holds its lock"):
            ledger.note("waiting")
        other.execute("ROLLBACK")
        other.close()
        assert ledger.note("now").seq == 2


def test_a_closed_ledger_is_reported(ledger):
    ledger.close()
    with pytest.raises(LedgerError, match="Open it again"):
        ledger.head()


def test_a_clock_that_was_set_back_is_a_doubt_and_no_change(tmp_path, clock):
    with Ledger(tmp_path / "decisions.sqlite", clock=clock) as ledger:
        ledger.note("today")
        clock.moment = clock.moment.replace(year=2025)
        ledger.note("a year earlier")
        verification = ledger.verify(anchor=ledger.head())
    assert verification.ok
    assert [m.message_id for m in verification.doubts] == ["ledger.clock_set_back"]
    assert "before entry 3" in str(verification.doubts[0])
