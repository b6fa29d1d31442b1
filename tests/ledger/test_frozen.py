"""A ledger that was written on 29 November 2026 is read, verified and continued.

The files in ``frozen`` are never made again: later versions must read them. The key in
them is of no other use.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from smartrisk.ledger import Ledger

FROZEN = Path(__file__).parent / "frozen"
HEAD = "8:b3a678d795533c52a2758ad471ff39faa11b67993302415d58498e2b98ecb6cc"


def test_a_ledger_of_this_format_stays_readable(tmp_path):
    for path in FROZEN.iterdir():
        shutil.copy(path, tmp_path)
    with Ledger(tmp_path / "decisions.sqlite") as ledger:
        verification = ledger.verify(anchor=HEAD)
        assert verification.ok
        assert not verification.doubts
        kinds = ["opening", "decision", "override", "result", "erasure", "note"]
        assert list(dict.fromkeys(ledger.frame()["kind"])) == kinds
        officer = ledger.frame("override")["body"][0]["officer"]
        assert ledger.identity(officer) == "Ada"
        assert ledger.pseudonym("Ada") == officer
        assert ledger.note("a later version").seq == 9
        assert ledger.verify(anchor=HEAD).ok
