"""Saved engines under damage and kills: changed folders, and saves that were ended.

``python benchmarks/artefacts.py`` runs every trial in its large form and writes
docs/tables/artefacts.md and benchmarks/results/artefacts.csv, one row per damaged
folder. ``python benchmarks/artefacts.py damage --rounds 100`` runs one trial and prints
its counts as JSON; the tests run the reduced forms.

A child process loads the damaged folders, one after the other, and uses every engine
that loads: it scores, explains, checks a batch, updates and saves. It is started again
after a crash, and ended where a folder takes longer than the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import runpy
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import smartrisk as sr
from smartrisk.errors import ArtefactError, DataQualityWarning, SmartRiskError

ROOT = Path(__file__).resolve().parents[1]
DAMAGE = runpy.run_path(str(ROOT / "benchmarks" / "artefact_damage.py"))
#: Seconds after which a folder counts as one that hangs.
LIMIT = 60.0
FATAL = ("crash", "hang", "raw error")


def make_engines(folder: Path) -> list[Path]:
    """Save two small engines, one with own models and one with those of others."""
    from lightgbm import LGBMRegressor
    from sklearn.ensemble import HistGradientBoostingClassifier

    world = sr.datasets.make_declarations(700, random_state=5)
    outcomes = world.full_outcomes()
    hit = np.arange(len(outcomes)) % 4 == 0
    outcomes["illicit"] = hit
    outcomes["revenue_adjustment"] = np.where(hit, 100.0 + np.arange(len(hit)), 0.0)
    split = sr.windows.time_split(world.declarations, outcomes)
    parts = (
        {
            "classifier": sr.models.RiskClassifier(n_estimators=12),
            "regressor": sr.models.RevenueRegressor(n_estimators=8),
        },
        {
            "features": sr.features.DeclarationFeatures(
                (sr.features.Key(("importer_id",)), sr.features.Key(("hs4",)))
            ),
            "classifier": HistGradientBoostingClassifier(max_iter=6, random_state=0),
            "regressor": LGBMRegressor(n_estimators=5, verbose=-1),
        },
    )
    folders = []
    for number, given in enumerate(parts):
        with warnings.catch_warnings():  # of results for every item
            warnings.simplefilter("ignore", DataQualityWarning)
            engine = sr.RiskEngine(n_jobs=1, **given).fit(split.past, split.known)
        folders.append(engine.save(folder / f"engine-{number}"))
    split.later.head(40).to_pickle(folder / "items.pkl")
    return folders


# ---------------------------------------------------------------- the child


def use(engine, items: pd.DataFrame, place: Path) -> pd.DataFrame:
    """Do with an engine what users do with it; return its scores."""
    scores = engine.score(items, guard="off")
    engine.explain(items.head(2))
    engine.check_batch(items)
    engine.describe()
    engine.update(items, on_known="keep")
    engine.save(place)
    return scores


def judge(folder: str, items: pd.DataFrame, known: dict[str, pd.DataFrame]) -> dict:
    """Load and use a folder; return what happened."""
    place = Path(folder)
    try:
        engine = sr.RiskEngine.load(folder)
    except ArtefactError as error:
        names = [path.name for path in known["folder"].iterdir()]
        is_named = any(name in str(error) for name in (*names, "added ["))
        return {"outcome": "refused", "named": is_named, "text": str(error)[:300]}
    except Exception as error:
        return {"outcome": "raw error", "text": f"load: {error!r}"[:300]}
    try:
        scores = use(engine, items, place.with_name(f"{place.name}-again"))
    except SmartRiskError as error:
        return {"outcome": "refused later", "text": str(error)[:300]}
    except Exception as error:
        return {"outcome": "raw error", "text": f"later: {error!r}"[:300]}
    equal = scores["risk_score"].equals(known["scores"]["risk_score"])
    return {"outcome": "same scores" if equal else "other scores", "text": ""}


def serve(folder: str) -> None:
    """Judge the folders that come in, one a line, and answer each on a line."""
    warnings.simplefilter("ignore")
    items = pd.read_pickle(Path(folder) / "items.pkl")
    known = {}
    for path in sorted(Path(folder).glob("engine-*")):
        scores = sr.RiskEngine.load(path).score(items, guard="off")
        known[path.name] = {"scores": scores, "folder": path}
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = judge(asked["folder"], items, known[asked["source"]])
        print(json.dumps(answer), flush=True)


class Child:
    """A process that judges folders, started again after a crash or a hang."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = None

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        words = (sys.executable, "-W", "ignore", __file__, "--serve", str(self.folder))
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        self.process.stdout.readline()

    def ask(self, folder: Path, source: str) -> dict:
        """Return what happened to a folder."""
        if self.process is None:
            self.start()
        asked = json.dumps({"folder": str(folder), "source": source})
        try:
            self.process.stdin.write(asked + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.end("crash")
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        if not ready:
            return self.end("hang")
        line = self.process.stdout.readline()
        return json.loads(line) if line else self.end("crash")

    def end(self, outcome: str) -> dict:
        """End the process; return the outcome."""
        self.process.kill()
        code = self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None
        return {"outcome": outcome, "text": f"exit code {code}"}

    def close(self) -> None:
        """End the process where there is one."""
        if self.process is not None:
            self.end("")


def damage_folders(folder: Path, rounds: int) -> pd.DataFrame:
    """Damage folders in every way in turn; return one row for each."""
    sources = make_engines(folder)
    child, rows = Child(folder), []
    for number in range(rounds):
        kind = list(DAMAGE["KINDS"])[number % len(DAMAGE["KINDS"])]
        rng = np.random.default_rng((1, number))
        own = kind.startswith(("trees", "children"))
        other = kind.startswith("estimator")
        source = sources[0 if own else 1 if other else int(rng.integers(2))]
        place = folder / f"d{number}"
        done = DAMAGE["damage"](source, place, kind, rng)
        found = child.ask(place, source.name)
        rows.append({"round": number, "kind": kind, "done": done, **found})
        for path in folder.glob(f"d{number}*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    child.close()
    return pd.DataFrame(rows)


def count_damage(rows: pd.DataFrame) -> dict[str, int]:
    """Return what happened how often."""
    counts = rows["outcome"].value_counts()
    # What the digests cover must be refused, unless the change changed nothing.
    covered = ~rows["kind"].str.endswith("re-hashed")
    refused = rows["outcome"] == "refused"
    return {
        "folders": len(rows),
        "refused": int(counts.get("refused", 0)),
        "same scores": int(counts.get("same scores", 0)),
        "other scores": int(counts.get("other scores", 0)),
        "refused at use": int(counts.get("refused later", 0)),
        "crashes": int(counts.get("crash", 0)),
        "hangs": int(counts.get("hang", 0)),
        "raw errors": int(counts.get("raw error", 0)),
        "missed without re-hash": int((covered & ~refused).sum()),
        "file not named": int((refused & rows["named"].eq(False)).sum()),
    }


# ---------------------------------------------------------------- kills


def save_endlessly(engines: list, folder: Path, in_place: bool) -> None:
    """Save engines over each other, in a forked process, until that is ended."""
    if in_place:  # as on a system that cannot exchange folders
        from smartrisk.artefact import _writing

        _writing.exchange = lambda one, other: False
    while True:
        for engine in engines:
            engine.save(folder)


def fork(work) -> int:
    """Run work in a forked process; return its number."""
    number = os.fork()
    if number == 0:
        try:
            work()
        finally:
            os._exit(1)
    return number


def kill_saves(folder: Path, rounds: int, in_place: bool = False) -> dict[str, int]:
    """End processes that save over an engine; load it after each."""
    engine = sr.RiskEngine.load(make_engines(folder)[0])
    engines = [engine, engine.copy().set_params(label_delay=31)]
    place = folder / "place"
    engine.save(place)
    chance, lost, delays, drafts = random.Random(3), 0, set(), 0
    for _ in range(rounds):
        engines.reverse()
        number = fork(lambda: save_endlessly(engines, place, in_place))
        time.sleep(chance.uniform(0.02, 0.5))
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        drafts += any(path.name.startswith(".place") for path in folder.iterdir())
        try:
            found = sr.RiskEngine.load(place)
            delays.add(found.label_delay)
            lost += found.version_ != engine.version_
        except SmartRiskError:
            lost += 1
    engine.save(place)
    left = {path.name for path in place.iterdir()} ^ {*listed_files(place)}
    left |= {path.name for path in folder.iterdir() if path.name.startswith(".place")}
    return {
        "kills": rounds,
        "in the middle of a save": drafts,
        "not loaded": lost,
        "engines seen": len(delays),
        "files left after the next save": len(left - {"manifest.json"}),
    }


def listed_files(place: Path) -> list[str]:
    """Return the files that a manifest lists."""
    files = json.loads((place / "manifest.json").read_text())["files"]
    return [entry.get("file", name) for name, entry in files.items()]


# ---------------------------------------------------------------- bytes


def flip_every_byte(folder: Path, rounds: int) -> dict[str, int]:
    """Flip every byte of small files and some of large ones, one at a time."""
    source = make_engines(folder)[0]
    place = shutil.copytree(source, folder / "bytes")
    rng = np.random.default_rng(0)
    flipped = accepted = unnamed = 0
    for path in sorted(place.iterdir()):
        content = path.read_bytes()
        spots = np.arange(len(content))
        if len(spots) > rounds:
            spots = np.sort(rng.choice(spots, rounds, replace=False))
        for spot in spots.tolist():
            broken = bytearray(content)
            broken[spot] ^= 1 << int(rng.integers(8))
            path.write_bytes(broken)
            flipped += 1
            try:
                sr.artefact.read_folder(place)
                accepted += 1
            except ArtefactError as error:
                unnamed += path.name not in str(error)
        path.write_bytes(content)
    sr.RiskEngine.load(place)
    return {"bytes flipped": flipped, "accepted": accepted, "file not named": unnamed}


# ---------------------------------------------------------------- trials


def damage_trial(folder: Path, rounds: int) -> dict[str, int]:
    """Return the counts of damaged folders."""
    return count_damage(damage_folders(folder, rounds))


def kill_in_place(folder: Path, rounds: int) -> dict[str, int]:
    """Return the counts of kills where folders cannot be exchanged."""
    return kill_saves(folder, rounds, in_place=True)


#: Name -> (trial, rounds of its large form).
TRIALS = {
    "damage": (damage_trial, 1_050),
    "kills": (kill_saves, 100),
    "kills in place": (kill_in_place, 100),
    "bytes": (flip_every_byte, 2_000),
}


def run_trial(name: str, rounds: int | None = None) -> dict[str, int]:
    """Run one trial in a new folder; return its counts."""
    trial, usual = TRIALS[name]
    with tempfile.TemporaryDirectory(prefix="artefacts-") as folder:
        return trial(Path(folder), rounds or usual)


def write_page(rounds: int | None) -> None:
    """Run every trial and write the table and the rows."""
    with tempfile.TemporaryDirectory(prefix="artefacts-") as folder:
        rows = damage_folders(Path(folder), rounds or TRIALS["damage"][1])
    plain = rows[["round", "kind", "done", "outcome"]]
    plain.to_csv(ROOT / "benchmarks" / "results" / "artefacts.csv", index=False)
    lines = ["| trial | counts |", "|---|---|"]
    for name in TRIALS:
        counts = count_damage(rows) if name == "damage" else run_trial(name, rounds)
        cells = ", ".join(f"{key} {value:,}" for key, value in counts.items())
        lines.append(f"| {name} | {cells} |")
        print(lines[-1], flush=True)
    lines += ["", "| damage | folders | what happened |", "|---|---|---|"]
    for kind, group in rows.groupby("kind", sort=False):
        counts = group["outcome"].value_counts()
        cells = ", ".join(f"{key} {value}" for key, value in counts.items())
        lines.append(f"| {kind} | {len(group)} | {cells} |")
    page = ROOT / "docs" / "tables" / "artefacts.md"
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Run one trial and print it, or all and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trial", nargs="?", choices=TRIALS)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--rows", help="write the rows of damaged folders here")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    elif given.rows:
        with tempfile.TemporaryDirectory(prefix="artefacts-") as folder:
            rows = damage_folders(Path(folder), given.rounds or 1_000)
        rows.to_csv(given.rows, index=False)
        print(json.dumps(count_damage(rows)))
    elif given.trial:
        print(json.dumps(run_trial(given.trial, given.rounds)))
    else:
        write_page(given.rounds)


if __name__ == "__main__":
    main()
