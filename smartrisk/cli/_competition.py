"""The actions of the command `workshop` that concern a competition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smartrisk.cli._messages import render_message, translator
from smartrisk.cli._pages import check_page, print_page
from smartrisk.cli._terminal import format_table, print_error, print_line
from smartrisk.displays import Texts
from smartrisk.errors import Message
from smartrisk.languages import N_, language_of
from smartrisk.workshop import Competition, Standings, verify_opening

_HEADS = (
    N_("Place no."),
    N_("Who plays"),
    N_("Benefit, net of costs"),
    N_("from (95 %)"),
    N_("to (95 %)"),
    N_("Share of hits"),
    N_("Not shown to differ from"),
)
_REFERENCES = {
    "random": N_("(at random)"),
    "duty": N_("(highest duty first)"),
    "rates": N_("(sum of hit rates)"),
    "engine": N_("(default engine)"),
    "oracle": N_("(oracle: knows the truth)"),
}


def workshop_compete(
    *,
    action: str,
    folder: str,
    trainer: str,
    lang: str,
    items: int,
    capacity: int,
    cost: float,
    seed: int | None,
) -> int:
    """Make a competition, and print what the class notes before the first round."""
    made = Competition.open(
        folder,
        trainer,
        seed=seed,
        n_items=items,
        capacity=capacity,
        cost=cost,
        lang=language_of(lang),
    )
    lines = (
        Message(
            "cli.competition_made",
            "for the class: {theirs}; for you alone: {own}",
            theirs=str(Path(folder) / "competition"),
            own=str(made.key),
        ),
        Message(
            "cli.commitment",
            "show these digits before the first round: {digits}",
            digits=made.commitment,
        ),
    )
    for line in lines:
        print_line(render_message(line))
    return 0


def workshop_score(
    *, action: str, submissions: str, key: str, out: str | None, lang: str
) -> int:
    """Print the standings and one line for each wrong file; write the leader board."""
    check_page(out)
    scores = Competition.from_key(key).score(submissions)
    _print_standings(scores.standings, lang)
    for problem in scores.problems():
        print_error(render_message(problem))
    if out is not None:
        print_page(scores.page().save(out, lang=lang))
    return 0


def workshop_reveal(*, action: str, key: str, folder: str) -> int:
    """Write truth, salt and seed for the class to verify."""
    competition = Competition.from_key(key)
    message = Message(
        "cli.truth_opened",
        "truth, salt and seed are in {folder}; verify with: smartrisk workshop verify "
        "{folder} --commitment {digits}",
        folder=str(competition.reveal(folder)),
        digits=competition.commitment,
    )
    print_line(render_message(message))
    return 0


def workshop_verify(*, action: str, folder: str, commitment: str) -> int:
    """Print whether the truth is the one that was sealed; 1 when it is not."""
    if verify_opening(folder, commitment):
        message = Message(
            "cli.truth_is_the_same", "the truth is the one that the digits stand for."
        )
        print_line(render_message(message))
        return 0
    message = Message(
        "cli.truth_is_another",
        "the truth is not the one that the digits stand for.",
    )
    print_error(render_message(message))
    return 1


def _print_standings(standings: Standings, lang: str) -> None:
    """Print teams and reference policies, the highest net benefit first."""
    translate = translator(lang) or str
    found, words = standings.frame().to_dict("records"), Texts(lang)
    rows = [_make_row(row, translate, words) for row in found]
    print_line(format_table(rows, [translate(head) for head in _HEADS]))


def _make_row(row: dict[Any, Any], translate: Any, words: Texts) -> list[Any]:
    """Return a player as a line of the table."""
    is_team = row["kind"] == "team"
    name = row["player"] if is_team else translate(_REFERENCES[row["player"]])
    names = ("net_benefit", "net_benefit_low", "net_benefit_high")
    # Below a thousand a float would have decimals.
    figures = [x if abs(x) >= 1000 else round(x) for x in (row[name] for name in names)]
    rank = int(row["rank"]) if is_team else None
    precision = words.rate(row["precision"]) if row["controls"] else None
    return [rank, name, *figures, precision, row["equal_to"]]
