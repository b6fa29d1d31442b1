"""The leader board of a competition: net benefit, precision, and who is equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.errors import Message
from smartrisk.languages import render
from smartrisk.pages._page import Page, Table, check_kinds

_TEAM = "team"
#: Teams that a line names; in a class of beginners all can be equal.
_MOST_NAMES = 5
#: Width of the picture of an interval, and what is free at both ends.
_WIDTH, _EDGE = 220.0, 6.0


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A player on the board; places are those of the picture of the interval."""

    rank: str
    name: str
    is_team: bool
    benefit: str
    interval: str
    precision: str
    precision_interval: str
    controls: str
    equal: str
    low: float
    middle: float
    high: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeaderBoard(Page):
    """The leader board of a competition on a page that works offline.

    Use `from_tables`, or `smartrisk.workshop.Scores.page`. It names teams and items
    of a made-up world.

    Parameters
    ----------
    total, rounds, files : DataFrame
        What `from_tables` took.
    problems : sequence of Message
        One line for each wrong file.
    capacity : int
        Items that a team may choose in a round.
    cost : float
        Cost of a control.
    commitment : str
        SHA-256 of the truth and the salt.

    Examples
    --------
    >>> import smartrisk as sr
    >>> game = sr.workshop.Game(n_items=1_500, capacity=5, random_state=0)
    >>> _ = game.play(game.items.nlargest(5, "duties_taxes"))
    >>> board = game.board()
    >>> page = sr.pages.LeaderBoard.from_tables(
    ...     board.frame(), board.rounds(), capacity=5, cost=400.0
    ... )
    >>> page
    LeaderBoard(1 team)
    """

    _template: ClassVar[str] = "leader.html"
    total: pd.DataFrame
    rounds: pd.DataFrame
    files: pd.DataFrame | None = None
    problems: Sequence[Message] = ()
    capacity: int
    cost: float
    commitment: str = ""

    def __repr__(self) -> str:
        """Return the number of teams."""
        n_teams = int((self.total["kind"] == _TEAM).sum())
        return f"LeaderBoard({n_teams} team{'' if n_teams == 1 else 's'})"

    @classmethod
    def from_tables(
        cls,
        total: pd.DataFrame,
        rounds: pd.DataFrame,
        *,
        files: pd.DataFrame | None = None,
        problems: Sequence[Message] = (),
        capacity: int,
        cost: float,
        commitment: str = "",
    ) -> Self:
        """Return the page of standings.

        Parameters
        ----------
        total : DataFrame
            What `smartrisk.workshop.Standings.frame` returns.
        rounds : DataFrame
            What `smartrisk.workshop.Standings.rounds` returns.
        files : DataFrame, default=None
            What `smartrisk.workshop.Scores.files` returns.
        problems : sequence of Message, default=()
            One line for each wrong file.
        capacity : int
            Items that a team may choose in a round.
        cost : float
            Cost of a control, in the currency of the declarations.
        commitment : str, default=""
            SHA-256 of the truth and the salt.

        Returns
        -------
        page : LeaderBoard
            Write it with `save`.

        Raises
        ------
        ArgumentError
            If a table is no DataFrame.
        """
        given = {"total": total, "rounds": rounds, "files": files}
        kinds = dict.fromkeys(given, pd.DataFrame)
        check_kinds("LeaderBoard", given, kinds, required=("total", "rounds"))
        return cls(
            total=total,
            rounds=rounds,
            files=files,
            problems=tuple(problems),
            capacity=capacity,
            cost=cost,
            commitment=commitment,
        )

    def _content(self, texts: Texts) -> Mapping[str, Any]:
        """Return what the template needs."""
        _ = texts.gettext
        played = sorted(self.rounds["round"].unique())
        return {
            "kind": _("Competition"),
            "title": _("Leader board"),
            "meta": texts.ngettext(
                "%(n)s round, %(capacity)s controls in each, %(cost)s for a control",
                "%(n)s rounds, %(capacity)s controls in each, %(cost)s for a control",
                len(played),
            )
            % {
                "n": texts.number(len(played)),
                "capacity": texts.number(self.capacity),
                "cost": texts.amount(self.cost),
            },
            "width": _WIDTH,
            "lines": _list_lines(self.total, texts),
            "interval_head": _("95 % interval"),
            "zero": _scale(self.total).place(0.0),
            "rounds": _list_rounds(self.rounds, self.total, texts),
            "problems": [render(line, texts.lang) for line in self.problems],
            "files": _list_files(self.files, texts),
            "commitment": self.commitment,
            "notes": _list_notes(texts),
        }


@dataclass(frozen=True)
class _Scale:
    """Amounts as places in the picture of an interval."""

    low: float
    high: float

    def place(self, amount: float) -> float:
        """Return the place of an amount."""
        share = (amount - self.low) / ((self.high - self.low) or 1.0)
        return round(_EDGE + share * (_WIDTH - 2 * _EDGE), 1)


def _scale(total: pd.DataFrame) -> _Scale:
    """Return a scale on which every interval fits, and zero."""
    low = min(0.0, float(total["net_benefit_low"].min()))
    high = max(0.0, float(total["net_benefit_high"].max()))
    return _Scale(low, high)


def _list_lines(total: pd.DataFrame, texts: Texts) -> list[_Line]:
    """Return the players, the highest net benefit first."""
    scale = _scale(total)
    lines = []
    for row in total.to_dict("records"):
        is_team = row["kind"] == _TEAM
        plays = row["controls"] > 0
        lines.append(
            _Line(
                rank=_rank(row, texts),
                name=texts.name(row["player"]) if is_team else _name(row, texts),
                is_team=is_team,
                benefit=texts.number(row["net_benefit"]),
                interval=_interval(row, texts) if plays else "",
                precision=texts.rate(row["precision"]),
                precision_interval=texts.between(
                    row["precision_low"], row["precision_high"]
                )
                if plays
                else "",
                controls=texts.number(row["controls"]),
                equal=_equal(row, texts),
                low=scale.place(row["net_benefit_low"]),
                middle=scale.place(row["net_benefit"]),
                high=scale.place(row["net_benefit_high"]),
            )
        )
    return lines


def _rank(row: Mapping[Any, Any], texts: Texts) -> str:
    """Return the rank of a team with a mark where another team is equal."""
    if pd.isna(row["rank"]):
        return ""
    return texts.number(row["rank"]) + (" =" if row["equal_to"] else "")


def _interval(row: Mapping[Any, Any], texts: Texts) -> str:
    """Return the interval of the net benefit."""
    low, high = (texts.number(row[f"net_benefit_{end}"]) for end in ("low", "high"))
    return f"{low} … {high}"


def _equal(row: Mapping[Any, Any], texts: Texts) -> str:
    """Return the teams that one is not shown to differ from, the first of many."""
    _ = texts.gettext
    names = [texts.name(name) for name in row["equal_to"].split(", ") if name]
    if len(names) <= _MOST_NAMES + 1:  # "and 1 more" is no shorter than a name
        return ", ".join(names)
    n_more = texts.number(len(names) - _MOST_NAMES)
    shown = ", ".join(names[:_MOST_NAMES])
    return _("%(names)s and %(n)s more") % {"names": shown, "n": n_more}


def _name(row: Mapping[Any, Any], texts: Texts) -> str:
    """Return the words for a reference policy."""
    _ = texts.gettext
    known = {
        "random": _("at random"),
        "duty": _("highest duty first"),
        "rates": _("sum of hit rates"),
        "engine": _("default engine"),
        "oracle": _("oracle, which knows the truth"),
    }
    return known.get(row["player"]) or texts.name(row["player"])


def _list_rounds(rounds: pd.DataFrame, total: pd.DataFrame, texts: Texts) -> Table:
    """Return net benefit and precision by round, players in the order of the board."""
    _ = texts.gettext
    played = sorted(rounds["round"].unique())
    keys = zip(rounds["kind"], rounds["player"], rounds["round"], strict=True)
    cells = dict(zip(keys, rounds.to_dict("records"), strict=True))
    rows = []
    for row in total.to_dict("records"):
        is_team = row["kind"] == _TEAM
        line = [texts.name(row["player"]) if is_team else _name(row, texts)]
        for number in played:
            cell = cells[row["kind"], row["player"], number]
            line += [
                texts.number(cell["net_benefit"]),
                texts.rate(cell["precision"]),
            ]
        rows.append(line)
    heads = [_("Team")]
    for number in played:
        values = {"number": texts.number(number)}
        heads.append(_("Round %(number)s: net benefit") % values)
        heads.append(_("Round %(number)s: precision") % values)
    return Table(
        caption=_("Net benefit and precision by round"),
        heads=heads,
        rows=rows,
        numeric=frozenset(range(1, len(heads))),
    )


def _list_files(files: pd.DataFrame | None, texts: Texts) -> Table | None:
    """Return every version that was handed in."""
    _ = texts.gettext
    if files is None or not len(files):
        return None
    ordered = files.sort_values(["team", "round", "version", "path"], kind="stable")
    rows = [
        (
            texts.name(row["team"]) or "–",
            texts.number(row["round"])
            if pd.notna(row["round"])
            else texts.pgettext("rounds", "all"),
            texts.number(row["version"]),
            texts.name(row["path"]),
            row["digest"],
            _status(row, texts),
        )
        for row in ordered.to_dict("records")
    ]
    return Table(
        caption=_("The last version of a team that can be read counts."),
        heads=(
            _("Team"),
            texts.pgettext("head: part of a competition", "Round"),
            texts.pgettext("head: of a file", "Version"),
            _("File"),
            _("SHA-256 begins with"),
            texts.pgettext("head: of a file", "State"),
        ),
        rows=rows,
        numeric=frozenset((2,)),
    )


def _status(row: Mapping[Any, Any], texts: Texts) -> str:
    """Return the words for what became of a file."""
    if row["problem"]:
        return texts.pgettext("file", "refused")
    if row["counts"]:
        return texts.pgettext("file", "counts")
    return texts.pgettext("file", "replaced")


def _list_notes(texts: Texts) -> list[str]:
    """Return how to read the board."""
    _ = texts.gettext
    return [
        _(
            "Net benefit is the revenue evaded on the controlled items, by the truth, "
            "minus the cost of their controls, in the currency of the declarations. "
            "Precision is the share of the controlled items that are illicit."
        ),
        _(
            "Intervals (95 %%) are by a bootstrap over the items, the same draws for "
            "all. A rank is one more than the number of teams that are better by an "
            "interval of the difference above 0. “=” marks a team that is not shown to "
            "differ from another."
        )
        % {},
    ]
