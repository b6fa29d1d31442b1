"""The ledger under load and under attack: speed, kills, writers at once, forgeries.

``python benchmarks/ledger.py`` runs every trial in its large form, and that of
ledger_server.py where PostgreSQL is installed, and writes docs/tables/ledger.md.
``python benchmarks/ledger.py kills --rounds 20`` runs one trial and prints its counts
as JSON; the tests run the reduced forms.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import runpy
import shutil
import signal
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from smartrisk.errors import LedgerError
from smartrisk.ledger import Ledger

TABLE = Path(__file__).resolve().parents[1] / "docs" / "tables" / "ledger.md"
COLUMNS = "seq, kind, at, declaration_id, item_number, body, previous, digest"
#: Ways of changing a chain. "sealed" ways recompute digests and links to the end, so
#: that only an anchor can find them.
KINDS = {
    "body": False,
    "time": False,
    "item": False,
    "delete": False,
    "swap": False,
    "insert": False,
    "digest": False,
    "cut": True,
    "sealed body": True,
    "sealed item": True,
    "sealed deletion": True,
    "sealed insertion": True,
}


def make_decisions(n: int, start: int = 0) -> pd.DataFrame:
    """Return decisions on n items."""
    rng = np.random.default_rng(start)
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k:09d}" for k in range(start, start + n)],
            "item_number": 1,
            "channel": rng.choice(["green", "yellow", "red"], n),
            "selected_by": "model",
            "propensity": rng.random(n),
            "rank": np.arange(n),
            "policy_version": "1",
        }
    )


# ------------------------------------------------------------------- speed


def measure_speed(folder: Path, rounds: int) -> dict[str, float]:
    """Return seconds to append decisions in batches of 10,000, and to verify them."""
    decisions = make_decisions(rounds)
    with Ledger(folder / "decisions.sqlite") as ledger:
        start = time.perf_counter()
        for at in range(0, rounds, 10_000):
            ledger.record(decisions.iloc[at : at + 10_000])
        appended = time.perf_counter() - start
        start = time.perf_counter()
        ledger.verify(anchor=ledger.head()).check()
        verified = time.perf_counter() - start
    return {"entries": rounds, "append_s": appended, "verify_s": verified}


# --------------------------------------------------------- kills and writers


def fork(work):
    """Run `work(write)` in a child process; return its id and a pipe of its lines."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            work(lambda text: os.write(writer, f"{text}\n".encode()))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    return child, os.fdopen(reader, encoding="ascii")


def write_endlessly(path: Path, write) -> None:
    """Append pairs of decisions, and acknowledge each by its number."""
    with Ledger(path) as ledger:
        seq = ledger.head().seq
        while True:
            names = [f"D{seq}", f"E{seq}"]
            rows = pd.DataFrame({"declaration_id": names, "channel": "red"})
            seq = ledger.record(rows).seq
            write(seq)


def kill_writers(folder: Path, rounds: int) -> dict[str, int]:
    """Kill a writer in each round; return what was acknowledged, and what was lost."""
    path, rng = folder / "decisions.sqlite", random.Random(0)
    acknowledged, lost = 0, 0
    for k in range(rounds):
        child, lines = fork(lambda write: write_endlessly(path, write))
        # One in five is killed at any time, the first ones while they make the ledger;
        # the others after an entry that they have acknowledged.
        if k % 5:
            acknowledged = max(acknowledged, int(lines.readline()))
        limit = time.perf_counter() + rng.random() * 0.06
        while time.perf_counter() < limit:
            pass
        os.kill(child, signal.SIGKILL)
        with lines:
            whole = [line for line in lines if line.endswith("\n")]
        os.waitpid(child, 0)
        acknowledged = max([acknowledged, *map(int, whole)])
        with Ledger(path) as ledger:
            lost += ledger.head().seq < acknowledged
    with Ledger(path) as ledger:
        ledger.verify(anchor=ledger.head()).check()
        decided = ledger.frame("decision")["declaration_id"]
    doubled = int(decided.duplicated().sum())
    whole_batches = int(decided.str[0].value_counts().nunique() <= 1)
    return {
        "rounds": rounds,
        "acknowledged": acknowledged,
        "lost": lost,
        "doubled": doubled,
        "half_batches": 1 - whole_batches,
    }


def write_some(path: Path, first: int, n: int) -> None:
    """Append n decisions one by one."""
    with Ledger(path) as ledger:
        for k in range(first, first + n):
            row = {"declaration_id": [f"D{k}"], "channel": ["red"]}
            ledger.record(pd.DataFrame(row))


def write_at_once(folder: Path, rounds: int, n_writers: int = 8) -> dict[str, int]:
    """Let processes write at once, each `rounds` entries; return what is there."""
    path = folder / "decisions.sqlite"
    children = []
    for k in range(n_writers):
        first = k * rounds
        # The default binds the number of this round.
        child, lines = fork(lambda write, at=first: write_some(path, at, rounds))
        children.append((child, lines))
    failed = 0
    for child, lines in children:
        with lines:
            lines.read()
        failed += os.waitpid(child, 0)[1] != 0
    with Ledger(path) as ledger:
        verification = ledger.verify(anchor=ledger.head())
        decided = ledger.frame("decision")["declaration_id"]
    return {
        "writers": n_writers,
        "entries": len(decided),
        "lost": n_writers * rounds - decided.nunique(),
        "failed": failed,
        "problems": len(verification.messages) + len(verification.doubts),
    }


# --------------------------------------------------------------- forgeries


class Forger:
    """Change a chain of a ledger with the triggers removed, and put it back.

    The forger knows the code: digests and links can be recomputed.
    """

    def __init__(self, path: Path) -> None:
        from smartrisk.ledger._digests import START, digest_entry

        self.start, self.compute = START, digest_entry
        self.chain = sqlite3.connect(path, isolation_level=None)
        self.chain.execute("PRAGMA synchronous = OFF")
        self.chain.executescript("DROP TRIGGER no_update; DROP TRIGGER no_delete;")
        self.original = self.read()

    def read(self) -> list[list]:
        """Return all entries."""
        rows = self.chain.execute(f"SELECT {COLUMNS} FROM entries ORDER BY seq")
        return [list(row) for row in rows]

    def write(self, entries: list[list]) -> None:
        """Replace all entries."""
        self.chain.execute("BEGIN IMMEDIATE")
        self.chain.execute("DELETE FROM entries")
        self.chain.executemany(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entries
        )
        self.chain.execute("COMMIT")

    def seal(self, entries: list[list]) -> list[list]:
        """Number, link and seal entries."""
        previous, sealed = self.start, []
        for seq, (_, *fields, _, _) in enumerate(entries, start=1):
            digest = self.compute(previous, seq, fields)
            sealed.append([seq, *fields, previous, digest])
            previous = digest
        return sealed

    def change(self, kind: str, rng: random.Random) -> list[list]:
        """Return the entries after a change of a kind at random places."""
        entries = [list(row) for row in self.original]
        one, other = sorted(rng.sample(range(1, len(entries)), 2))
        how = kind.removeprefix("sealed ")
        if how == "body":
            body = json.loads(entries[one][5])
            body["decision"]["propensity"] = rng.random()
            entries[one][5] = json.dumps(body, sort_keys=True, separators=(",", ":"))
        elif how == "time":
            entries[one][2] = "2020-01-01T00:00:00.000+00:00"
        elif how == "item":
            entries[one][3] = "X"
        elif how in ("delete", "deletion"):
            del entries[one]
        elif how == "cut":
            del entries[one:]
        elif how == "swap":
            entries[one][1:], entries[other][1:] = entries[other][1:], entries[one][1:]
        elif how == "insertion":
            entries.insert(other, list(entries[one]))
        elif how == "insert":
            last = entries[-1]
            entries.append([last[0] + 1, *entries[one][1:6], last[7], last[7]])
        else:
            entries[one][7] = entries[one][6]
        return self.seal(entries) if kind.startswith("sealed") else entries


def forge(folder: Path, rounds: int) -> dict[str, int]:
    """Change a chain of 40 entries at random; return how often it was not found."""
    path, rng = folder / "decisions.sqlite", random.Random(0)
    with Ledger(path) as ledger:
        anchor = ledger.record(make_decisions(39))
        forger = Forger(path)
        counts = {"rounds": rounds, "undetected": 0, "undetected_without_anchor": 0}
        counts |= {"sealed_or_cut": 0, "false_alarms": 0}
        kinds = list(KINDS)
        for k in range(rounds):
            kind = kinds[k % len(kinds)]
            forger.write(forger.change(kind, rng))
            counts["sealed_or_cut"] += KINDS[kind]
            # Without an anchor nothing can find a chain that was sealed again.
            found = not ledger.verify().ok
            counts["undetected_without_anchor"] += not KINDS[kind] and not found
            by = anchor if k % 2 else anchor.digest
            counts["undetected"] += ledger.verify(anchor=by).ok
        forger.write(forger.original)
        counts["false_alarms"] += not ledger.verify(anchor=anchor).ok
        forger.chain.close()
    return counts


# ------------------------------------------------------------------- bytes


def read_content(path: Path):
    """Return everything that a ledger holds; None when it cannot be read."""
    content = []
    try:
        for file, tables in (
            (path, ["entries"]),
            (f"{path}.aside", ["identities", "items"]),
        ):
            connection = sqlite3.connect(file)
            for table in tables:
                rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 3")
                content.append(rows.fetchall())
            connection.close()
    except sqlite3.Error:
        return None
    return content


def flip_bytes(folder: Path, rounds: int) -> dict[str, int]:
    """Flip one byte of the files of a ledger; return which flips were not found.

    Flips that change nothing that the ledger holds are counted apart: unused bytes.
    """
    source, rng = folder / "source.sqlite", random.Random(0)
    with Ledger(source) as ledger:
        items = make_decisions(20)[["declaration_id"]].assign(importer_id="Acme")
        anchor = ledger.record(make_decisions(20), declarations=items)
        anchor = ledger.override(
            "D000000003", channel="red", officer_id="Ada", reason="seal broken"
        )
    intact = read_content(source)
    counts = {"rounds": rounds, "undetected": 0, "unused_bytes": 0, "raw_errors": 0}
    path = folder / "copy.sqlite"
    originals = {
        end: Path(f"{source}{end}").read_bytes() for end in ("", ".aside", ".key")
    }
    for _ in range(rounds):
        end = rng.choice(["", "", ".aside", ".key"])
        for name, data in originals.items():
            for log in ("-wal", "-shm"):
                Path(f"{path}{name}{log}").unlink(missing_ok=True)
            damaged = bytearray(data)
            if name == end:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            Path(f"{path}{name}").write_bytes(damaged)
        try:
            with Ledger(path) as ledger:
                found = not ledger.verify(anchor=anchor).ok
        except LedgerError:
            found = True
        except Exception:
            counts["raw_errors"] += 1
            found = True
        if not found:
            kept = read_content(path) == intact
            counts["unused_bytes" if kept else "undetected"] += 1
    return counts


TRIALS = {
    "speed": (measure_speed, 100_000),
    "kills": (kill_writers, 200),
    "writers": (write_at_once, 2_000),
    "forgeries": (forge, 1_000),
    "bytes": (flip_bytes, 2_000),
}


def run_trial(name: str, rounds: int | None) -> dict[str, float]:
    """Run one trial in a folder of its own."""
    trial, usual = TRIALS[name]
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    try:
        return trial(folder, rounds or usual)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Run one trial and print it, or all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trial", nargs="?", choices=TRIALS)
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    if given.trial:
        print(json.dumps(run_trial(given.trial, given.rounds)))
        return
    server = runpy.run_path(str(Path(__file__).with_name("ledger_server.py")))
    names = [*TRIALS, *(["server"] if server["find_programs"]() else [])]
    lines = ["| trial | counts |", "|---|---|"]
    for name in names:
        if name == "server":
            counts = server["run_trial"](n_writers=8, n_entries=500, n_stops=20)
        else:
            counts = run_trial(name, given.rounds)
        cells = [
            f"{key.replace('_', ' ')} {round(value, 1):,}"
            for key, value in counts.items()
        ]
        lines.append(f"| {name} | {', '.join(cells)} |")
        print(lines[-1], flush=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
