"""Whoever changes a chain is found out: by digests, by links, or by an anchor."""

from __future__ import annotations

import pytest

from smartrisk.errors import LedgerError
from smartrisk.ledger import Anchor, Ledger

N = 40


def edit_only(forger):
    forger.edit(7)


def edit_and_seal(forger):
    forger.edit(7)
    forger.seal(7)


def edit_seal_and_relink_the_next(forger):
    forger.edit(7)
    forger.seal(7)
    forger.link(8)


def relink_all_and_seal_none(forger):
    forger.edit(7)
    forger.seal(7)
    for seq in range(8, N + 1):
        forger.link(seq)


def delete_and_renumber(forger):
    forger.delete(7)
    for seq in range(8, N + 1):
        forger.move(seq, seq - 1)
        forger.seal(seq - 1)


def delete_the_first_and_renumber(forger):
    forger.delete(1)
    for seq in range(2, N + 1):
        forger.move(seq, seq - 1)
        forger.seal(seq - 1)


def swap_and_seal(forger):
    forger.move(7, -1)
    forger.move(8, 7)
    forger.move(-1, 8)
    forger.seal(7)
    forger.seal(8)


def insert_a_copy(forger):
    for seq in range(N, 6, -1):
        forger.move(seq, seq + 1)
    forger.chain.execute(
        "INSERT INTO entries SELECT 7, kind, at, declaration_id, item_number, body, "
        "previous, digest FROM entries WHERE seq = 8"
    )
    forger.seal(7)
    forger.seal(8)


FOUND_WITHOUT_ANCHOR = {
    edit_only: "entry 7 was changed",
    edit_and_seal: "entry 8 does not follow the last",
    edit_seal_and_relink_the_next: "entry 8 was changed",
    relink_all_and_seal_none: "entry 8 was changed",
    delete_and_renumber: "entry 7 does not follow the last",
    delete_the_first_and_renumber: "entry 1 does not follow the last",
    swap_and_seal: "entry 7 does not follow the last",
    insert_a_copy: "entry 8 does not follow the last",
}


@pytest.mark.parametrize("how", FOUND_WITHOUT_ANCHOR, ids=lambda how: how.__name__)
def test_a_forgery_inside_the_chain_is_found_without_an_anchor(forge, how):
    apply, _ = forge
    verification = apply(how).verify()
    assert not verification.ok
    assert FOUND_WITHOUT_ANCHOR[how] in verification.problems


def test_a_chain_resealed_to_its_end_is_found_by_an_anchor_only(forge):
    apply, anchor = forge

    def reseal(forger):
        forger.edit(7)
        forger.reseal_from(7)

    ledger = apply(reseal)
    assert ledger.verify().ok
    verification = ledger.verify(anchor=anchor)
    assert verification.problems == (f"entry {N} is not the anchored one",)
    with pytest.raises(LedgerError, match="not the anchored one"):
        verification.check()


def test_an_anchor_covers_what_lies_before_it_only(forge):
    apply, _ = forge

    def reseal(forger):
        forger.edit(7)
        forger.reseal_from(7)

    ledger = apply(reseal)
    entries = ledger.frame().set_index("seq")
    before = Anchor(seq=6, digest=entries.loc[6, "digest"])
    assert ledger.verify(anchor=before).ok
    assert not ledger.verify(anchor=Anchor(seq=7, digest="ab" * 32)).ok


def test_a_deletion_resealed_to_the_end_is_found_by_an_anchor_only(forge):
    apply, anchor = forge

    def delete_and_reseal(forger):
        forger.delete(7)
        for seq in range(8, N + 1):
            forger.move(seq, seq - 1)
        forger.reseal_from(7)

    ledger = apply(delete_and_reseal)
    assert ledger.verify().ok
    problem = f"the chain ends at {N - 1}, before the anchored {N}"
    assert ledger.verify(anchor=anchor).problems == (problem,)


def test_a_cut_end_is_found_by_an_anchor_only(forge):
    apply, anchor = forge
    ledger = apply(lambda forger: [forger.delete(seq) for seq in range(31, N + 1)])
    assert ledger.verify().ok
    verification = ledger.verify(anchor=anchor)
    assert "ends at 30" in verification.problems[0]
    assert verification.messages[0].message_id == "ledger.chain_cut_off"
    assert dict(verification.messages[0].values) == {"last": 30, "anchored": N}


def test_a_rewritten_file_is_found_by_an_anchor_only(tmp_path, make_decisions):
    path = tmp_path / "decisions.sqlite"
    with Ledger(path) as ledger:
        anchor = ledger.record(make_decisions())
    path.unlink()
    with Ledger(path) as forged:
        forged.record(make_decisions(start=500))
        assert forged.verify().ok
        assert not forged.verify(anchor=anchor).ok


@pytest.mark.parametrize("n_tries", [36, pytest.param(240, marks=pytest.mark.slow)])
def test_every_change_that_an_anchor_covers_is_found(run_trial, n_tries):
    counts = run_trial("forgeries", n_tries)
    assert counts["sealed_or_cut"] == n_tries * 5 // 12
    assert counts["undetected"] == counts["undetected_without_anchor"] == 0
    assert counts["false_alarms"] == 0


@pytest.mark.parametrize("n_flips", [60, pytest.param(400, marks=pytest.mark.slow)])
def test_every_flipped_byte_that_changes_content_is_found(run_trial, n_flips):
    counts = run_trial("bytes", n_flips)
    assert counts["undetected"] == counts["raw_errors"] == 0
    assert counts["unused_bytes"] < 0.6 * n_flips


def test_the_file_itself_refuses_changes(ledger, make_decisions):
    ledger.record(make_decisions())
    for statement in ("UPDATE entries SET kind='x'", "DELETE FROM entries"):
        with pytest.raises(LedgerError, match="cannot be"):
            ledger._access.writable.fetch("chain", statement)


def test_every_commit_is_synchronised_with_the_disk(ledger):
    full = 2  # what SQLite returns for PRAGMA synchronous = FULL
    for part in ("chain", "aside"):
        assert ledger._access.writable.fetch(part, "PRAGMA synchronous") == [(full,)]


def test_a_missing_entry_is_named(forge):
    apply, _ = forge
    ledger = apply(lambda forger: forger.delete(7))
    assert ledger.verify().problems == ("entry 7 is missing",)
