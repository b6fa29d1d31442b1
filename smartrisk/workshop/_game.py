"""The game: the three rounds for one person, against reference policies."""

from __future__ import annotations

import secrets

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, Message, TableError, check_number
from smartrisk.items import item_keys
from smartrisk.results import notebook_table
from smartrisk.schema import TableInput
from smartrisk.tables import read_table
from smartrisk.workshop._rounds import (
    N_ROUNDS,
    Bool,
    Terms,
    key_texts,
    make_rounds,
    play_references,
)
from smartrisk.workshop._standings import Standings, make_standings
from smartrisk.workshop._submissions import find_problems

#: Bits of a seed that is drawn.
_SEED_BITS = 128
#: The player, in the standings.
_YOU = "you"


class Game:
    """The rounds of a competition for one person, in a notebook.

    Choose items of the month, play them, read the board, and go on with the results
    that your own controls brought. You play against items at random, the highest duty
    first, a sum of hit rates, the default engine as it was before the first round, and
    an oracle that knows the truth. Nothing shows the truth of a round before it is
    played.

    Parameters
    ----------
    n_items : int, default=12_000
        Items of the whole world; a round has about a twentieth of them.
    capacity : int, default=30
        Items that you may choose in a round.
    cost : float, default=400.0
        Cost of a control, in the currency of the declarations.
    random_state : int, default=None
        Seed of the world; None to draw one, so that nobody knows the truth.

    Raises
    ------
    ArgumentError
        If the capacity is above the items of a round, or a number outside its bounds.

    See Also
    --------
    Competition : The same for a class, sealed.

    Examples
    --------
    >>> import smartrisk as sr
    >>> game = sr.workshop.Game(n_items=1_500, capacity=5, random_state=0)
    >>> game
    Game(round 1 of 3, 82 items, capacity=5)
    >>> chosen = game.items.nlargest(5, "duties_taxes")
    >>> standings = game.play(chosen)
    >>> game.number, standings.frame()["kind"].tolist().count("reference")
    (2, 5)
    """

    def __init__(
        self,
        *,
        n_items: int = 12_000,
        capacity: int = 30,
        cost: float = 400.0,
        random_state: int | None = None,
    ) -> None:
        if random_state is None:
            random_state = secrets.randbits(_SEED_BITS)
        check_number("Game", "random_state", random_state, low=0, integer=True)
        terms = Terms(n_items=n_items, capacity=capacity, cost=cost)
        self._rounds = make_rounds("Game", random_state, terms)
        self._references = play_references(self._rounds)
        self._played: list[Bool] = []
        self._found = [self._rounds.results, self._rounds.late_results]

    @property
    def number(self) -> int:
        """Number of the round that is open, from 1; 4 when all are played."""
        return len(self._played) + 1

    @property
    def capacity(self) -> int:
        """Items that you may choose in a round."""
        return self._rounds.terms.capacity

    @property
    def history(self) -> pd.DataFrame:
        """DECLARATIONS before the round: the year, and the rounds that were played."""
        played = self._rounds.items[: len(self._played)]
        return pd.concat([self._rounds.history, *played], ignore_index=True)

    @property
    def results(self) -> pd.DataFrame:
        """OUTCOMES known when the round begins, those of your own controls included."""
        begins = self._rounds.begins[len(self._played)]
        found = pd.concat(self._found, ignore_index=True)
        return found[(found["known_at"] < begins).to_numpy()].reset_index(drop=True)

    @property
    def items(self) -> pd.DataFrame:
        """DECLARATIONS of the open round, from which you choose."""
        self._need_open_round()
        return self._rounds.items[len(self._played)].copy()

    def play(self, chosen: TableInput) -> Standings:
        """Control items of the open round, and close it.

        Parameters
        ----------
        chosen : DataFrame
            Rows of `items`, or their keys: at most as many as the capacity, none twice.

        Returns
        -------
        standings : Standings
            Those of all rounds so far.

        Raises
        ------
        ArgumentError
            If all rounds are played.
        TableError
            If items are twice, not of the round, or too many; the round stays open.
        """
        items = self.items
        keys = key_texts(read_table("Game.play", "'chosen'", chosen))
        known = key_texts(items)
        self._check(keys, known)
        mask = known.isin(keys).to_numpy(bool)
        controlled = item_keys(items[mask]).assign(channel="red")
        self._found.append(self._rounds.world.inspect(controlled))
        self._played.append(mask)
        return self.board()

    def board(self) -> Standings:
        """Return the standings of the rounds that were played.

        Returns
        -------
        standings : Standings
            You, and the reference policies.

        Raises
        ------
        ArgumentError
            If no round was played.
        """
        if not self._played:
            raise ArgumentError(
                "workshop.nothing_played",
                "Game.board: no round was played yet, and the truth is closed. Choose "
                "up to {capacity} rows of 'items', and pass them to 'play'.",
                capacity=self.capacity,
            )
        left = self._rounds.items[len(self._played) :]
        rest = [np.zeros(len(part), bool) for part in left]
        return make_standings(
            self._rounds.terms,
            self._rounds.truth,
            {_YOU: [*self._played, *rest]},
            self._references,
            numbers=range(1, self.number),
        )

    def truth(self, number: int) -> pd.DataFrame:
        """Return the truth of a round that was played.

        Parameters
        ----------
        number : int
            The round, from 1.

        Returns
        -------
        truth : DataFrame
            One row per item, in the order of its items: round, key, illicit, typology,
            evaded_revenue, chosen.

        Raises
        ------
        ArgumentError
            If the round was not played yet.
        """
        check_number("Game.truth", "number", number, low=1, high=N_ROUNDS, integer=True)
        if number >= self.number:
            raise ArgumentError(
                "workshop.round_not_played",
                "Game.truth: round {number} was not played yet; the truth is closed "
                "until then. Call 'play' first.",
                number=number,
            )
        chosen = self._played[number - 1]
        return self._rounds.truth_of(number).assign(chosen=chosen)

    def __repr__(self) -> str:
        """Return the open round."""
        if self.number > N_ROUNDS:
            return f"Game({N_ROUNDS} rounds played)"
        n_items = len(self._rounds.items[len(self._played)])
        return (
            f"Game(round {self.number} of {N_ROUNDS}, {n_items} items, "
            f"capacity={self.capacity})"
        )

    def _repr_html_(self) -> str:
        """Show the board, or the first items where no round was played."""
        shown = self.board().frame() if self._played else self._rounds.items[0]
        return notebook_table(shown, repr(self))

    def _need_open_round(self) -> None:
        """Raise when all rounds are played."""
        if self.number > N_ROUNDS:
            raise ArgumentError(
                "workshop.game_over",
                "Game: all {n_rounds} rounds are played. Read 'board', or make a new "
                "Game.",
                n_rounds=N_ROUNDS,
            )

    def _check(self, keys: pd.Series, known: pd.Series) -> None:
        """Raise with all that is wrong with a choice."""
        problems = find_problems(keys, known, self.number, self.capacity)
        if problems:
            error = TableError(
                "workshop.choice_refused",
                "Game.play: the choice is refused, and the round stays open. "
                "{problems}",
                problems=" ".join(str(problem) for problem in problems),
            )
            refused = Message(
                "workshop.choice_is_refused",
                "Game.play: the choice is refused, and the round stays open.",
            )
            error.messages = (refused, *problems)
            raise error
