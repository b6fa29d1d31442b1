"""Reading and checking a large export, as a ratio to reading alone and the old check.

``python benchmarks/intake.py [--items 1000000]`` (on Linux) writes a text as an
administration has it (own names, semicolons, decimal commas, days first) and measures,
each in a process of its own, CPU seconds and peak memory of

- the reference: ``pyarrow.csv`` reads the text, and `validate` of commit 63cc7ee, when
  there was no package `intake`, checks the same table in canonical form;
- `read_table` and `validate` of this commit, from the text with a column map.

``--reference FOLDER`` names a checkout of that commit; without it, ``git archive``
makes one in a temporary folder. Writes docs/tables/intake.md and
benchmarks/results/intake.csv.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
COMMIT = "63cc7ee"
#: What the reading and the check may cost: times the reference, times the table.
MOST_TIME, MOST_MEMORY = 2.5, 3.0
#: Items of the world that is repeated; each repetition has documents of its own.
WORLD = 50_000
NAMES = {
    "declaration_id": "n° déclaration",
    "item_number": "n° article",
    "lodged_at": "date d'enregistrement",
    "office": "bureau",
    "importer_id": "importateur",
    "tariff_code": "position tarifaire",
    "origin": "pays d'origine",
    "customs_value": "valeur en douane",
    "net_mass_kg": "masse nette",
}

REFERENCE = """
import json, sys, time
sys.path.insert(0, sys.argv[2])
import pandas as pd, pyarrow.csv as text
from smartrisk.schema import DECLARATIONS
from smartrisk.validation import validate
start = time.process_time()
options = text.ParseOptions(delimiter=";")
n = text.read_csv(sys.argv[1] + "/items.csv", parse_options=options).num_rows
read = time.process_time()
canonical = pd.read_parquet(sys.argv[1] + "/items.parquet")
before = time.process_time()
validate(canonical, DECLARATIONS)
print(json.dumps({"rows": n, "read": read - start,
                  "check": time.process_time() - before}))
"""
MEASURED = """
import json, re, sys, time
from smartrisk.intake import read_table
from smartrisk.schema import DECLARATIONS, ColumnMap
from smartrisk.validation import check, validate
columns = ColumnMap.from_toml(sys.argv[1] + "/map.toml")
def peak():  # of this program; the resource module also counts what started it
    with open("/proc/self/status") as status:
        return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])

empty, start = peak(), time.process_time()
table = read_table(sys.argv[1] + "/items.csv", file=columns.file)
read, size = time.process_time(), int(table.memory_usage(deep=True).sum())
before = time.process_time()
done = validate(table, DECLARATIONS, columns=columns)
print(json.dumps({"rows": len(done), "read": read - start, "table": size,
                  "check": time.process_time() - before, "peak": peak() - empty}))
"""


def write_export(folder, n_items):
    """Write the text, its map, and the same table in canonical form."""
    import smartrisk as sr

    world = sr.datasets.make_declarations(min(WORLD, n_items), random_state=1)
    items = world.declarations
    parts = [
        items.assign(declaration_id=items["declaration_id"] + f"-{k:02d}")
        for k in range(max(1, n_items // len(items)))
    ]
    table = pd.concat(parts, ignore_index=True)
    table.to_parquet(folder / "items.parquet")
    own = table.assign(lodged_at=table["lodged_at"].dt.strftime("%d/%m/%Y %H:%M:%S"))
    for name in own.select_dtypes("float"):
        own[name] = own[name].map("{:.4f}".format, "ignore").str.replace(".", ",")
    own.rename(columns=NAMES).to_csv(folder / "items.csv", sep=";", index=False)
    columns = sr.schema.ColumnMap(NAMES, day_first=True, decimal=",")
    columns.to_toml(folder / "map.toml")


def find_reference(given, folder):
    """Return a folder with the library of the reference commit."""
    if given is not None:
        return Path(given)
    archive = subprocess.run(
        ["git", "archive", COMMIT, "smartrisk"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    target = folder / COMMIT
    target.mkdir()
    subprocess.run(["tar", "-x", "-C", target], input=archive.stdout, check=True)
    return target


def measure(program, *arguments):
    """Return what a program prints, run in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(done.stdout)


def run_trial(n_items, reference=None):
    """Return the measurements of one export as a table of one row each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_export(folder, n_items)
        old = measure(REFERENCE, folder, find_reference(reference, folder))
        new = measure(MEASURED, folder)
    if old["rows"] != new["rows"]:
        raise RuntimeError(f"{old['rows']} rows in the text, {new['rows']} were read")
    both = {"reference": old, "read_table and validate": new}
    rows = [
        {
            "what": what,
            "read, CPU s": one["read"],
            "check, CPU s": one["check"],
            "both, CPU s": one["read"] + one["check"],
            "times the reference": (one["read"] + one["check"])
            / (old["read"] + old["check"]),
            "peak, times the table": one.get("peak", float("nan"))
            / one.get("table", float("nan")),
        }
        for what, one in both.items()
    ]
    return pd.DataFrame(rows)


def main():
    """Measure, print and write; return 1 where a bound is not held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--reference", help="folder of a checkout of the commit")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    runs = [run_trial(options.items, options.reference) for _ in range(options.repeats)]
    # The median run by its ratio: other work on the machine disturbs a single one.
    runs.sort(key=lambda run: run["times the reference"].iloc[1])
    table = runs[len(runs) // 2].round(2)
    lines = ["| " + " | ".join(table.columns) + " |", "|---" * table.shape[1] + "|"]
    rows = table.astype(object).where(table.notna(), "").to_numpy()
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    print("\n".join(lines))
    if options.items == parser.get_default("items"):
        table.to_csv(ROOT / "benchmarks" / "results" / "intake.csv", index=False)
        page = ROOT / "docs" / "tables" / "intake.md"
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    time, memory = table.iloc[1][["times the reference", "peak, times the table"]]
    return int(time > MOST_TIME or memory > MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
