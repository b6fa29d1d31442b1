"""The game: round by round, without the truth before a round is played."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, TableError
from smartrisk.languages import render
from smartrisk.workshop import Game

KEY = ["declaration_id", "item_number"]


def new_game():
    """Return a small game."""
    return Game(n_items=2_000, capacity=10, random_state=3)


@pytest.fixture(scope="module")
def played():
    """Return a game, and what was seen before and after each round."""
    game, seen = new_game(), []
    while game.number <= 3:
        items, history, results = game.items, game.history, game.results
        board = game.play(items.nlargest(10, "customs_value"))
        seen.append((items, history, results, board))
    return game, seen


def test_three_rounds_are_played_one_after_the_other(played):
    game, seen = played
    assert repr(game) == "Game(3 rounds played)"
    boards = [board.rounds()["round"].unique().tolist() for *_, board in seen]
    assert boards == [[1], [1, 2], [1, 2, 3]]
    with pytest.raises(ArgumentError, match="all 3 rounds are played"):
        game.play(seen[0][0].head(1))


def test_you_play_against_references_and_nobody_beats_the_oracle(played):
    *_, board = played[1][-1]
    frame = board.frame().set_index("player")
    assert set(frame.index) == {"you", "random", "duty", "rates", "engine", "oracle"}
    assert frame["net_benefit"].idxmax() == "oracle"
    assert frame.loc["you", "controls"] == 30


def test_the_board_is_the_truth_of_what_was_chosen(played):
    game, seen = played
    truths = pd.concat([game.truth(number) for number in (1, 2, 3)])
    chosen = truths[truths["chosen"]]
    assert len(chosen) == 30
    row = seen[-1][-1].frame().set_index("player").loc["you"]
    gain = chosen["evaded_revenue"].sum() - 400 * len(chosen)
    assert row["net_benefit"] == pytest.approx(gain)
    assert row["precision"] == pytest.approx(chosen["illicit"].mean())


def test_history_and_results_grow_by_the_round_and_your_own_controls(played):
    game, seen = played
    for (items, history, results, _), after in itertools.pairwise(seen):
        assert len(after[1]) == len(history) + len(items)
        assert len(after[2]) >= len(results)
        starts = after[0]["lodged_at"].min().normalize().replace(day=1)
        assert after[2]["known_at"].max() < starts
    own = game.results.merge(seen[0][0][KEY])
    chosen = seen[0][0].nlargest(10, "customs_value")
    assert len(own) > 0
    assert len(own.merge(chosen[KEY])) == len(own)


def test_nothing_shows_the_truth_of_a_round_before_it_is_played():
    game = new_game()
    with pytest.raises(ArgumentError, match="no round was played yet"):
        game.board()
    with pytest.raises(ArgumentError, match="round 1 was not played yet"):
        game.truth(1)
    shown = [game.items, game.history, game._repr_html_(), repr(game)]
    for one in shown:
        names = one if isinstance(one, str) else " ".join(one.columns)
        assert "illicit" not in names
        assert "evaded" not in names
    assert not len(game.results.merge(game.items[KEY]))
    game.play(game.items.head(1))
    assert game.truth(1)["chosen"].sum() == 1
    with pytest.raises(ArgumentError, match="round 2 was not played yet"):
        game.truth(2)
    assert "Game(round 2 of 3" in game._repr_html_()


def test_a_wrong_choice_is_refused_with_all_its_errors_and_the_round_stays_open():
    game = new_game()
    items = game.items
    wrong = pd.concat([items.head(11), items.head(1), game.history.head(2)])
    with pytest.raises(TableError, match="the round stays open") as caught:
        game.play(wrong)
    assert game.number == 1
    for part in ("1 items are chosen twice", "2 items are not among", "13 items are"):
        assert part in str(caught.value)
    assert "deux fois" in render(caught.value, "fr")
    assert "dos veces" in render(caught.value, "es")


def test_the_same_seed_is_the_same_game_and_none_draws_one():
    first, again = new_game(), new_game()
    assert first.items.equals(again.items)
    drawn = [Game(n_items=600, capacity=2).items for _ in range(2)]
    assert not drawn[0].equals(drawn[1])
    values = [np.sort(items["customs_value"])[-3:].tolist() for items in drawn]
    assert values[0] != values[1]


def test_a_choice_may_be_a_table_of_another_library():
    polars = pytest.importorskip("polars")
    boards = []
    for convert in (lambda table: table, polars.from_pandas):
        game = new_game()
        boards.append(game.play(convert(game.items.head(7)[KEY])).frame())
    assert boards[0].equals(boards[1])
