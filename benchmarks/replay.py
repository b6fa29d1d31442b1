"""Recorded decisions, replayed on other Pythons and with other versions of libraries.

``python benchmarks/replay.py`` records 1,000 decisions with scores and reasons and
saves the engine. It makes an environment per supported Python that the machine has,
with ``uv`` in a temporary folder: the versions of constraints.txt, and the oldest and
newest ones that are allowed. It replays every decision in each and writes
docs/tables/replay.md.

``python benchmarks/replay.py record FOLDER`` and ``replay FOLDER`` are the two halves;
the tests run them in the environments that continuous integration has.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "tables" / "replay.md"
#: A world whose engine has calibration, early stopping and a revenue model.
WORLD = {"n_items": 10_000, "random_state": 0, "scenario": "small"}


def record(folder: Path, n_decisions: int) -> None:
    """Fit and save an engine; record decisions with their scores and reasons."""
    import smartrisk as sr

    world = sr.datasets.make_declarations(**WORLD)
    split = sr.windows.time_split(world.declarations, world.outcomes)
    engine = sr.RiskEngine(random_state=0).fit(split.past, split.known)
    engine.save(folder / "engine")
    items = split.later.head(n_decisions)
    with sr.ledger.Ledger(folder / "decisions.sqlite") as ledger:
        ledger.record(
            engine.select(items, 0.05, guard="off"),
            declarations=items,
            scores=engine.score(items, guard="off"),
            reasons=engine.explain(items),
        )


def replay(folder: Path) -> dict:
    """Replay every decision of a ledger; return how many agree, and what differs."""
    import smartrisk as sr

    engine = sr.RiskEngine.load(folder / "engine")
    counts = {"decisions": 0, "exact": 0, "rounding": 0, "differ": 0}
    notes: set[str] = set()
    other: dict[str, list] = {}
    with sr.ledger.Ledger(folder / "decisions.sqlite") as ledger:
        decided = ledger.frame("decision")
        for name, number in zip(
            decided["declaration_id"], decided["item_number"], strict=True
        ):
            again = ledger.replay(name, engine, item_number=int(number))
            kind = "exact" if again.exact else "rounding" if again.agrees else "differ"
            counts["decisions"] += 1
            counts[kind] += 1
            other |= {k: list(v) for k, v in again.other_versions.items()}
            if kind != "exact":
                notes.add(repr(again).partition(": ")[2])
        intact = ledger.verify().ok
    return {
        **counts,
        "intact": intact,
        "python": platform.python_version(),
        "other_versions": other,
        "notes": sorted(notes)[:3],
    }


def supported_minors() -> list[int]:
    """Return the minor versions of Python that the project supports."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.findall(r"Programming Language :: Python :: 3\.(\d+)", text)
    return sorted({int(minor) for minor in found})


def find_python(minor: int) -> str | None:
    """Return an interpreter of a version, on the path or of pyenv; None without one."""
    on_path = shutil.which(f"python3.{minor}")
    pyenv = Path.home() / ".pyenv" / "versions"
    places = [on_path] if on_path else []
    places += sorted(map(str, pyenv.glob(f"3.{minor}.*/bin/python")), reverse=True)
    for place in places:
        try:
            # A shim of pyenv is there and runs nothing.
            done = subprocess.run(
                [place, "-c", "import sys; print(sys.version_info[1])"],
                capture_output=True,
                text=True,
                timeout=60,
            )
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.strip() == str(minor):
            return place
    return None


def make_environment(python: str, folder: Path, *options: str) -> str:
    """Make an environment with the project in it; return its interpreter."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", python, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder), *options]
    subprocess.run([*install, "-e", str(ROOT)], check=True)
    place = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    return str(folder / place)


def run_half(python: str, *words: str) -> str:
    """Run one half of this program in another environment; return what it prints."""
    command = [python, "-W", "ignore", __file__, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stderr}")
    return done.stdout


def replay_elsewhere(python: str, folder: Path) -> dict:
    """Replay a copy of a folder with another interpreter."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, Path(copy) / "records")
        lines = run_half(python, "replay", str(Path(copy) / "records")).splitlines()
    return json.loads(lines[-1])


def describe(label: str, found: dict) -> str:
    """Return a row of the table."""
    other = ", ".join(
        f"{name} {then} → {now}"
        for name, (then, now) in sorted(found["other_versions"].items())
    )
    return (
        f"| {label} | {found['python']} | {found['decisions']:,} | {found['exact']:,} "
        f"| {found['rounding']:,} | {found['differ']:,} | {other or 'none'} |"
    )


def run(n_decisions: int) -> list[str]:
    """Record once; replay in every environment; return the table."""
    rows = [
        "| versions | Python | decisions | bit-identical | but for rounding | other "
        "| versions that differ from the recording |",
        "|---|---|---|---|---|---|---|",
    ]
    constraints = ("-c", str(ROOT / "constraints.txt"))
    own = sys.version_info[1]
    plans = [("constraints.txt", minor, constraints) for minor in supported_minors()]
    plans += [("oldest", own, ("--resolution", "lowest-direct"))]
    plans += [("newest", own, ())]
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "records"
        folder.mkdir()
        recorder = make_environment(sys.executable, Path(work) / "own", *constraints)
        run_half(recorder, "record", str(folder), "--decisions", str(n_decisions))
        for label, minor, options in plans:
            python = find_python(minor) if minor != own else sys.executable
            if python is None:
                rows.append(f"| {label} | 3.{minor} is not here | | | | | |")
                continue
            place = Path(work) / f"{label}-{minor}"
            found = replay_elsewhere(make_environment(python, place, *options), folder)
            rows.append(describe(label, found))
            print(rows[-1], *found["notes"], sep="\n  ", flush=True)
    return rows


def main() -> None:
    """Run one half, or everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("half", nargs="?", choices=("record", "replay"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--decisions", type=int, default=1_000)
    given = parser.parse_args()
    if given.half == "record":
        record(given.folder, given.decisions)
    elif given.half == "replay":
        print(json.dumps(replay(given.folder)))
    else:
        rows = run(given.decisions)
        TABLE.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
