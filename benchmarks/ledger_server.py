"""The ledger on PostgreSQL: writers at once, while the server is stopped at random.

``python benchmarks/ledger_server.py`` starts a server in a temporary folder (as an
unprivileged user when run by the superuser), lets 8 processes append 500 entries each,
stops the server 20 times with ``pg_ctl stop -m immediate``, and prints what was lost.
The tests start servers with `Server`, and run the trial in a reduced form.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

from smartrisk.errors import LedgerError
from smartrisk.ledger import Ledger

KEY = b"a key for trials, of 32 bytes..."
#: The user that owns nothing: the server refuses to be run by the superuser.
NOBODY = 65534


def find_programs() -> Path | None:
    """Return the folder of the programs of the newest server; None without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return None if on_path is None else Path(on_path).resolve().parent


class Server:
    """A server of its own in a temporary folder, reached by a socket in it."""

    def __init__(self) -> None:
        self.programs = find_programs()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.prefix: list[str] = []
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
            self.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}"]
            self.prefix += ["--clear-groups", "--"]
        self.run("initdb", "--username=owner", "--auth=trust", "--encoding=UTF8")
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder)

    def run(self, program: str, *words: str) -> None:
        """Run a program of the server."""
        data = ["-D", str(self.folder / "data")]
        command = [*self.prefix, str(self.programs / program), *data, *words]
        # The server keeps what it inherits: a pipe would never end.
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=50"
        log = str(self.folder / "log")
        self.run("pg_ctl", "start", "--wait", "--options", options, "--log", log)

    def stop(self) -> None:
        """Stop the server as a power cut would: nothing is finished."""
        self.run("pg_ctl", "stop", "--mode=immediate", "--wait")

    def address(self, role: str = "owner", database: str = "postgres") -> str:
        """Return the address of the server for a role."""
        return f"postgresql://{role}@/{database}?host={self.folder}"


def wait_for(work, seconds: float = 60):
    """Return what `work` returns once the server answers."""
    limit = time.monotonic() + seconds
    while True:
        try:
            return work()
        except LedgerError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.05)


def is_recorded(address: str, name: str) -> bool:
    """Return whether a decision is in the ledger."""
    with Ledger(address, key=KEY) as ledger:
        return name in set(ledger.frame("decision")["declaration_id"])


def write_some(address: str, names: list[str], write) -> None:
    """Append decisions one by one; acknowledge each, repeat what was not recorded."""
    ledger = wait_for(lambda: Ledger(address, key=KEY))
    for name in names:
        row = pd.DataFrame({"declaration_id": [name], "channel": ["red"]})
        while True:
            try:
                ledger.record(row)
                break
            except LedgerError:
                if wait_for(lambda of=name: is_recorded(address, of)):
                    break
        write(name)
    ledger.close()


def run_trial(n_writers: int, n_entries: int, n_stops: int) -> dict[str, int]:
    """Let processes write while the server is stopped; return what is there."""
    from runpy import run_path

    fork = run_path(str(Path(__file__).with_name("ledger.py")))["fork"]
    rng = random.Random(0)
    with Server() as server:
        address = server.address()
        Ledger(address, key=KEY).close()
        children = []
        for k in range(n_writers):
            names = [f"D{k}-{n}" for n in range(n_entries)]
            child, lines = fork(lambda write, of=names: write_some(address, of, write))
            children.append((child, lines))
        for _ in range(n_stops):
            time.sleep(0.1 + rng.random() * 0.4)
            server.stop()
            server.start()
        acknowledged, failed = set(), 0
        for child, lines in children:
            with lines:
                acknowledged |= {line.strip() for line in lines}
            failed += os.waitpid(child, 0)[1] != 0
        with Ledger(address, key=KEY) as ledger:
            verification = ledger.verify(anchor=ledger.head())
            decided = ledger.frame("decision")["declaration_id"]
    return {
        "writers": n_writers,
        "stops": n_stops,
        "acknowledged": len(acknowledged),
        "lost": len(acknowledged - set(decided)),
        "doubled": int(decided.duplicated().sum()),
        "failed": failed,
        "problems": len(verification.messages) + len(verification.doubts),
    }


def main() -> None:
    """Run the trial and print its counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--entries", type=int, default=500)
    parser.add_argument("--stops", type=int, default=20)
    given = parser.parse_args()
    print(json.dumps(run_trial(given.writers, given.entries, given.stops)))


if __name__ == "__main__":
    main()
