"""What the command ``demo`` prints: the world, the comparison, items, files."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.cli._evaluate import format_rate
from smartrisk.cli._explain import print_item
from smartrisk.cli._messages import render_message, translator
from smartrisk.cli._terminal import format_table, print_line
from smartrisk.errors import Message
from smartrisk.evaluation import Evaluation
from smartrisk.explanations import Reasons, Wording
from smartrisk.languages import N_
from smartrisk.tracking import Run
from smartrisk.worlds import World

_NAMES = {
    "highest duty first": N_("highest duty first"),
    "smoothed-rate sum": N_("smoothed-rate sum"),
    "DATE features": N_("DATE features"),
    "at random": N_("at random"),
}
_ORDERS = {"risk_score": N_("by risk"), "expected_revenue": N_("by revenue")}
#: What is wrong with an item of a synthetic world.
TYPOLOGIES = {
    "undervaluation": N_("undervaluation, a value too low"),
    "overvaluation": N_("overvaluation, a value too high"),
    "misclassification": N_("misclassification, a wrong code"),
    "false origin": N_("a false origin"),
    "quantity": N_("a false quantity"),
    "splitting": N_("splitting of a consignment"),
    "concealment": N_("concealment of other goods"),
    "procedure": N_("abuse of a procedure"),
    "phoenix": N_("a trader that vanishes and returns under another name"),
    "e-commerce": N_("parcels declared below the threshold"),
}
#: Contender and order.
_TEXT_COLUMNS = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """A world cut at a day: what was known by then, and what came after."""

    world: World
    seed: int
    day: pd.Timestamp
    past: pd.DataFrame
    known: pd.DataFrame
    new: pd.DataFrame

    def counts(self) -> dict[str, int]:
        """Return the numbers of items and results, and the seed."""
        return {
            "n_items": len(self.world.declarations),
            "n_past": len(self.past),
            "n_results": len(self.known),
            "n_judged": len(self.new),
            "seed": self.seed,
        }

    def name_world(self) -> dict[str, object]:
        """Return what makes the same world again."""
        n_items = len(self.world.declarations)
        return {"scenario": "national", "n_items": n_items, "seed": self.seed}


def print_scenario(shown: Shown) -> None:
    """Show what was learned from, and what is judged."""
    counts = shown.counts()
    print_line(
        render_message(
            Message(
                "cli.demo_world",
                "A synthetic world of {n_items} items (no real trader is in it).",
                n_items=counts["n_items"],
            )
        )
    )
    print_line(
        render_message(
            Message(
                "cli.demo_split",
                "Learned from {n_past} items before {day}, of which {n_results} had a "
                "result by then;\njudged on the truth of all {n_judged} later items.",
                day=f"{shown.day:%Y-%m-%d}",
                **counts,
            )
        )
    )


def print_results(results: dict[str, Evaluation], capacity: float, lang: str) -> None:
    """Show precision and revenue share of every contender, by each of its orders."""
    translate = translator(lang) or str
    words = Wording(lang)
    rate = format_rate(capacity)
    rows = []
    for name, result in results.items():
        frame = result.frame()
        title = translate(_NAMES.get(name, name))
        for line in frame[frame["rate"] == capacity].to_dict("records"):
            has_two = frame["rank_by"].nunique() > 1
            order = translate(_ORDERS[line["rank_by"]]) if has_two else ""
            measures = ("precision", "recall", "revenue_share")
            rows.append([title, order, *(words.rate(line[m]) for m in measures)])
            title = ""
    heads = (
        Message("cli.demo_precision", "precision at {rate}", rate=rate),
        Message("cli.demo_recall", "recall at {rate}", rate=rate),
        Message("cli.demo_revenue", "revenue at {rate}", rate=rate),
    )
    header = ["", "", *map(render_message, heads)]
    numbers = range(_TEXT_COLUMNS, len(header))
    print_line()
    print_line(format_table(rows, header, right=numbers))
    print_line()
    print_line(
        render_message(
            Message(
                "cli.demo_how_to_read",
                "precision: share of the controls that find something; recall: share "
                "of all hits that\nthey find; revenue: share of all evaded revenue "
                "that they find. No order is best at both.",
            )
        )
    )


def print_items(
    scores: pd.DataFrame,
    reasons: Reasons,
    decisions: pd.DataFrame,
    shown: Shown,
    lang: str,
) -> None:
    """Show items with their reasons and their truth."""
    n_selected = int(decisions["selected_by"].notna().sum())
    words, truth = Wording(lang), shown.world.truth
    found = truth.loc[decisions.index]
    is_selected = decisions["selected_by"].notna().to_numpy()
    revenue = found["evaded_revenue"]
    title = Message(
        "cli.demo_policy",
        "The policy selects by a blend of both orders, and a tenth at random: "
        "precision {precision},\nrevenue {share}. The first {n_shown} of its "
        "{n_selected} items, with the truth:",
        precision=words.rate(float(found["illicit"][is_selected].mean())),
        share=words.rate(float(revenue[is_selected].sum() / revenue.sum())),
        n_shown=len(scores),
        n_selected=n_selected,
    )
    print_line(f"\n{render_message(title)}\n")
    columns = ["illicit", "typology", "evaded_revenue"]
    rows = scores.join(truth[columns]).to_dict("records")
    sentences = reasons.sentences(lang=lang)
    for row, because in zip(rows, sentences, strict=True):
        print_item(row, because, lang)
        print_line(f"  = {_truth_in_words(row, lang)}")


def _truth_in_words(row: Mapping[Hashable, Any], lang: str) -> str:
    """Return what is wrong with an item, and the revenue that it evades."""
    if not row["illicit"]:
        return render_message(Message("cli.demo_compliant", "truth: compliant"))
    translate = translator(lang) or str
    return render_message(
        Message(
            "cli.demo_irregular",
            "truth: {what}; {amount} evaded",
            what=translate(TYPOLOGIES[row["typology"]]),
            amount=Wording(lang).number(float(row["evaded_revenue"])),
        )
    )


def print_files(files: dict[str, Path], run: Run | None) -> None:
    """Show what to open first, and where everything is."""
    translate = translator() or str
    n_pages = sum(path.suffix == ".html" for path in files.values())
    pages = Message("cli.demo_pages", "{n_pages} in the same folder", n_pages=n_pages)
    unlogged = Message("cli.demo_not_logged", "not logged, see the message above")
    pairs = (
        (N_("open first"), str(files["index"])),
        (N_("all pages"), render_message(pages)),
        (N_("the engine"), str(files["engine"])),
        (N_("MLflow run"), run.run_id if run else render_message(unlogged)),
        *(((N_("to view it"), run.view),) if run else ()),
    )
    names = [translate(name) for name, _ in pairs]
    width = max(map(len, names))
    print_line()
    for name, (_, text) in zip(names, pairs, strict=True):
        print_line(f"{name.ljust(width)}  {text}")
