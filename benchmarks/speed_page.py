"""Write the tables of ``docs/guide/speed.md`` from the results of the benchmarks.

``python benchmarks/speed_page.py`` reads ``benchmarks/results/speed_PART.json`` and
replaces what stands between ``<!-- speed: PART -->`` and ``<!-- end -->`` on the page,
so that every figure there is one that a command printed. Medians of the rounds; ratios
are taken within a round first.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "guide" / "speed.md"
#: The beginning of a generated part, its content, and its end.
PART = re.compile(r"(<!-- speed: (\w+) -->\n)(?:.*?\n)??(<!-- end -->)", re.DOTALL)


def read_results(part: str, folder: Path | None = None) -> dict[str, Any]:
    """Return what a part of the benchmark measured."""
    folder = ROOT / "benchmarks" / "results" if folder is None else folder
    text = (folder / f"speed_{part}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def write_page(page: str, results: Callable[[str], dict[str, Any]]) -> str:
    """Return the page with the tables that the results give."""

    def fill(found: re.Match[str]) -> str:
        part = found[2]
        return f"{found[1]}{TABLES[part](results(part))}\n{found[3]}"

    return PART.sub(fill, page)


def describe(part: str, found: dict[str, Any]) -> str:
    """Return when and how a part was measured."""
    rounds = "one round" if found["rounds"] == 1 else f"{found['rounds']} rounds"
    versions = ", ".join(f"{k} {v}" for k, v in found["versions"].items())
    usual = (
        f"python benchmarks/speed.py --part {part} --items {found['items']} "
        f"--rounds {found['rounds']}"
    )
    return (
        f"`{found.get('command', usual)}`, {found['date']}, commit {found['commit']}; "
        f"{found['processors']} shared processors, Python {found['python']}, "
        f"{versions}. Medians of {rounds}."
    )


def as_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of Markdown; numbers stand to the right."""
    edge = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, edge, *rows))


def history_table(found: dict[str, Any]) -> str:
    """Return the techniques, with ratios to the first at the same threads."""
    rows = pd.DataFrame(found["rows"])
    first = rows["technique"].iloc[0]
    base = rows[rows["technique"] == first]
    rows = rows.merge(base, on=["threads", "round"], suffixes=("", "_first"))
    rows["ratio"] = rows["cpu_seconds"] / rows["cpu_seconds_first"]
    keys = ["technique", "threads"]
    names = ["cpu_seconds", "ratio", "seconds", "peak_mb"]
    order = rows["technique"].unique()
    table = rows.groupby(keys, sort=False)[names].median().reset_index()
    table["place"] = table["technique"].map(list(order).index)
    table = table.sort_values(["threads", "place"])
    cells = [
        [
            row.technique,
            str(row.threads),
            "none",
            f"{row.cpu_seconds:.2f}",
            f"{row.ratio:.2f}",
            f"{row.seconds:.2f}",
            f"{row.peak_mb:.0f}",
        ]
        for row in table.itertuples()
    ]
    head = ["technique", "threads", "trees", "CPU s", "ratio", "wall s", "peak MB"]
    return f"{describe('history', found)}\n\n{as_table(head, cells)}"


def engine_table(found: dict[str, Any]) -> str:
    """Return the engine next to LightGBM alone."""
    rows = pd.DataFrame(found["rows"])
    rows["ratio"] = rows["ours"] / rows["theirs"]
    texts = ["what", "reference"]
    numbers = ["ours", "theirs", "ratio", "trees"]
    table = rows.groupby(texts, sort=False)[numbers].median().reset_index()
    cells = [
        [
            row.what,
            f"{row.trees:.0f}",
            f"{row.ours:.2f}",
            row.reference,
            f"{row.theirs:.2f}",
            f"{row.ratio:.2f}",
        ]
        for row in table.itertuples()
    ]
    head = ["smartrisk", "trees", "", "reference", "", "ratio"]
    return f"{describe('engine', found)}\n\n{as_table(head, cells)}"


def growth_table(found: dict[str, Any]) -> str:
    """Return the times at two sizes, and the exponent of the size between them."""
    rows = pd.DataFrame(found["rows"])
    few, many = int(rows["items"].min()), int(rows["items"].max())
    table = rows.pivot_table(
        index="what",
        columns="items",
        values="cpu_seconds",
        aggfunc="median",
        sort=False,
    )
    trees = rows.groupby("what")["trees"].max()
    cells = []
    for row in table.itertuples():
        low, high = row[1], row[2]
        exponent = math.log(high / low) / math.log(many / few)
        cells.append(
            [
                row.Index,
                f"{trees[row.Index]:.0f}",
                f"{low:.3g}",
                f"{high:.3g}",
                f"{exponent:.2f}",
            ]
        )
    head = ["step", "trees", f"{few:,} items", f"{many:,} items", "exponent"]
    return f"{describe('growth', found)} CPU seconds.\n\n{as_table(head, cells)}"


def updates_table(found: dict[str, Any]) -> str:
    """Return what updates cost by the size of the history, the first one apart."""
    rows = pd.DataFrame(found["rows"])
    cells = []
    for (items, history), own in rows.groupby(["items", "history"], sort=False):
        seconds = own["cpu_seconds"]
        cells.append(
            [
                f"{items:,} items, {history}",
                f"{own['trees'].iloc[0]}",
                f"{seconds.iloc[0]:.3f}",
                f"{seconds.iloc[1:].median():.3f}",
                f"{seconds.max():.3f}",
                f"{own['tables_equal'].iloc[0]} of {own['tables'].iloc[0]}",
            ]
        )
    head = ["history", "trees", "first", "median of the others", "slowest"]
    head.append("tables equal")
    return f"{describe('updates', found)} CPU seconds.\n\n{as_table(head, cells)}"


TABLES = {
    "history": history_table,
    "engine": engine_table,
    "growth": growth_table,
    "updates": updates_table,
}


def main() -> None:
    """Write the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(write_page(page, read_results), encoding="utf-8")


if __name__ == "__main__":
    main()
