"""The competition: made, committed to, scored by the truth, opened."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from smartrisk import RiskEngine, schema
from smartrisk.errors import ArgumentError, ArtefactError
from smartrisk.workshop import Competition, verify_opening

KEY = ["declaration_id", "item_number"]
CAPACITY = 10


def benefit_of(truth, number, chosen, cost=400.0):
    """Return the net benefit of some items by the truth, and their precision."""
    rows = truth[truth["round"] == number].merge(chosen[KEY])
    assert len(rows) == len(chosen)
    gain = rows["evaded_revenue"].sum() - cost * len(rows)
    return gain, rows["illicit"].mean()


# ------------------------------------------------------------------ what is written


def test_the_class_gets_known_results_and_items_only(class_folder, read_class):
    names = {path.name for path in class_folder.iterdir()}
    rounds = {f"round{number}_items.csv" for number in (1, 2, 3)}
    assert names == {"README.html", "declarations.csv", "results.csv", *rounds}
    history = read_class(class_folder, "declarations.csv")
    results = read_class(class_folder, "results.csv", schema.OUTCOMES)
    start = pd.Timestamp("2024-01-01")
    assert history["lodged_at"].max() < start
    assert results["known_at"].max() < start
    assert len(results.merge(history[KEY])) == len(results) > 50


def test_the_rounds_are_three_months_that_follow_the_history(round_items):
    for number, month in ((1, "2024-01"), (2, "2024-02"), (3, "2024-03")):
        days = round_items(number)["lodged_at"].dt.to_period("M")
        assert set(days.astype(str)) == {month}


def test_the_second_round_brings_a_duty_and_the_third_traders_that_adapt(sealed):
    events = sealed._make_rounds().world.events
    kinds = events.groupby(events["at"].dt.strftime("%Y-%m"))["kind"].agg(set)
    assert min(kinds.index) == "2024-02"
    assert {"anti-dumping", "phoenix wave"} <= kinds["2024-02"]
    assert "adaptation" in kinds["2024-03"]


def test_nothing_is_overwritten_and_the_key_is_not_put_into_the_class(sealed, tmp_path):
    place = sealed.key.parents[1]
    with pytest.raises(ArgumentError, match="nothing is overwritten"):
        Competition.open(place / "class", tmp_path / "t", n_items=2_000, capacity=5)
    with pytest.raises(ArgumentError, match="which everybody reads"):
        Competition.open(tmp_path / "c", tmp_path / "c" / "own", n_items=2_000)
    assert not (tmp_path / "c").exists()


def test_a_capacity_above_the_items_of_a_round_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="smallest round; got 500"):
        Competition.open(tmp_path / "c", tmp_path / "t", n_items=2_000, capacity=500)


# ------------------------------------------------------------------- the commitment


def test_the_digest_shown_before_is_that_of_the_truth_and_the_salt(sealed, tmp_path):
    opened = sealed.reveal(tmp_path / "opened")
    truth = (opened / "competition-truth.csv").read_bytes()
    salt = bytes.fromhex(json.loads((opened / "opening.json").read_text())["salt"])
    assert len(salt) >= 16
    assert hashlib.sha256(truth + salt).hexdigest() == sealed.commitment
    assert verify_opening(opened, sealed.commitment)
    assert verify_opening(opened, f" {sealed.commitment.upper()}\n")


def test_a_truth_that_was_changed_afterwards_is_found(sealed, tmp_path):
    opened = sealed.reveal(tmp_path / "opened")
    file = opened / "competition-truth.csv"
    file.write_bytes(file.read_bytes().replace(b",1,", b",0,", 1))
    assert not verify_opening(opened, sealed.commitment)
    (opened / "opening.json").write_text("{}")
    with pytest.raises(ArtefactError, match=r"must hold .* with a salt"):
        verify_opening(opened, sealed.commitment)


def test_the_commitment_is_on_the_page_of_the_class(sealed, class_folder):
    assert sealed.commitment in (class_folder / "README.html").read_text("utf-8")


def test_a_key_opens_its_own_competition_and_no_other(sealed, own_copy, tmp_path):
    again = Competition.from_key(own_copy)
    assert (again.commitment, again.terms) == (sealed.commitment, sealed.terms)
    truth = own_copy / "competition-truth.csv"
    truth.write_bytes(truth.read_bytes() + b"\n")
    with pytest.raises(ArtefactError, match="does not fit the key"):
        Competition.from_key(own_copy)
    truth.unlink()
    with pytest.raises(ArtefactError, match="cannot be read"):
        Competition.from_key(own_copy)
    (tmp_path / "other.json").write_text('{"format": "other"}')
    for path in (tmp_path / "other.json", tmp_path / "absent"):
        with pytest.raises(ArtefactError, match="not the key of a competition"):
            Competition.from_key(path)


def test_a_version_that_makes_another_world_is_named(sealed, own_copy, tmp_path):
    file = own_copy / "competition.key"
    secret = json.loads(file.read_text())
    secret |= {"seed": f"{2**127 + 1:x}", "version": "0.0.1"}
    file.write_text(json.dumps(secret))
    with pytest.raises(ArtefactError, match=r"Install version 0\.0\.1"):
        Competition.from_key(own_copy).score(tmp_path)


# ------------------------------------------------------------------------ the score


def test_a_team_is_judged_by_the_truth_of_the_items_that_it_chose(
    sealed, round_items, truth, tmp_path
):
    chosen = {
        number: round_items(number).nlargest(CAPACITY, "customs_value")
        for number in (1, 2, 3)
    }
    for number, items in chosen.items():
        items[KEY].to_csv(tmp_path / f"red_round{number}.csv", index=False)
    standings = sealed.score(tmp_path).standings
    by_round = standings.rounds().set_index(["player", "round"])
    total = 0.0
    for number, items in chosen.items():
        gain, precision = benefit_of(truth, number, items)
        row = by_round.loc["red", number]
        assert row["net_benefit"] == pytest.approx(gain)
        assert row["precision"] == pytest.approx(precision)
        total += gain
    row = standings.frame().set_index("player").loc["red"]
    assert row["net_benefit"] == pytest.approx(total)
    assert row["net_benefit_low"] <= row["net_benefit"] <= row["net_benefit_high"]
    assert row["recovered"] - 400 * row["controls"] == pytest.approx(total)


def test_the_oracle_is_the_best_that_the_capacity_allows(sealed, truth, tmp_path):
    frame = sealed.score(tmp_path).standings.frame().set_index("player")
    best = 0.0
    for number in (1, 2, 3):
        gain = truth.loc[truth["round"] == number, "evaded_revenue"] - 400
        best += gain.nlargest(CAPACITY).clip(lower=0).sum()
    assert frame.loc["oracle", "net_benefit"] == pytest.approx(best)
    assert frame["net_benefit"].idxmax() == "oracle"
    assert set(frame.index) == {"random", "duty", "rates", "engine", "oracle"}


def hand_in(folder, teams):
    """Write what teams chose in each round."""
    for team, parts in teams.items():
        for number, items in enumerate(parts, start=1):
            items[KEY].to_csv(folder / f"{team}_round{number}.csv", index=False)


def play_three_teams(place, seed, read_class):
    """Return the scores of three teams in a competition, and what they chose."""
    made = Competition.open(
        place / "class", place / "trainer", n_items=9_000, capacity=25, seed=seed
    )
    folder = place / "class" / "competition"
    rounds = [read_class(folder, f"round{number}_items.csv") for number in (1, 2, 3)]
    results = read_class(folder, "results.csv", schema.OUTCOMES)
    engine = RiskEngine(random_state=0)
    engine.fit(read_class(folder, "declarations.csv"), results)
    chosen = {
        "random": [items.sample(25, random_state=seed % 1000) for items in rounds],
        "duty": [items.nlargest(25, "duties_taxes") for items in rounds],
    }
    sent = place / "sent"
    engine.save(sent / "engine_engine")
    hand_in(sent, chosen)
    scores = made.score(sent)
    chosen["engine"] = []
    for items in rounds:
        expected = engine.score(items, guard="off")["expected_revenue"]
        chosen["engine"].append(items.loc[expected.nlargest(25).index])
    return made, scores, chosen


def check_ranking(made, scores, chosen):
    """Check that teams are ranked by true net benefit, and equal where it is open."""
    truth = pd.read_csv(made.key.with_name("competition-truth.csv"))
    frame = scores.standings.frame()
    teams = frame[frame["kind"] == "team"].set_index("player")
    true = {
        name: sum(benefit_of(truth, k, items)[0] for k, items in enumerate(parts, 1))
        for name, parts in chosen.items()
    }
    for name in ("random", "duty"):
        assert teams.loc[name, "net_benefit"] == pytest.approx(true[name])
    # An engine leaves out items that are not worth their control.
    assert teams.loc["engine", "net_benefit"] >= true["engine"] - 25 * 3 * 400
    assert teams["net_benefit"].is_monotonic_decreasing
    pairs = scores.standings.differences()
    assert len(pairs) == 3
    better = dict.fromkeys(teams.index, 0)
    for pair in pairs.to_dict("records"):
        assert pair["low"] <= pair["difference"] <= pair["high"]
        assert pair["equal"] == (pair["low"] <= 0 <= pair["high"])
        for one, other in ((pair["one"], pair["other"]), (pair["other"], pair["one"])):
            equal = teams.loc[one, "equal_to"].split(", ")
            assert (other in equal) == pair["equal"]
        if not pair["equal"]:
            worse = pair["other"] if pair["difference"] > 0 else pair["one"]
            better[worse] += 1
    assert teams["rank"].to_dict() == {name: 1 + n for name, n in better.items()}
    return teams


@pytest.mark.slow
@pytest.mark.parametrize("number", range(5))
def test_three_teams_are_ranked_by_true_net_benefit(number, tmp_path, read_class):
    seed = (number + 1) * 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835
    teams = check_ranking(*play_three_teams(tmp_path, seed, read_class))
    assert teams.index[0] == "engine"
    assert teams.loc["random", "rank"] > teams.loc["engine", "rank"]


# ---------------------------------------------------------------------- equal or not


def standings_of(values, chosen):
    """Return the standings of teams in one round of items with these revenues."""
    from smartrisk.workshop._rounds import Terms
    from smartrisk.workshop._standings import make_standings

    truth = pd.DataFrame(
        {"round": 1, "illicit": np.asarray(values) > 0, "evaded_revenue": values}
    )
    truth["illicit"] = truth["illicit"].astype(int)
    teams = {}
    for name, places in chosen.items():
        mask = np.zeros(len(values), bool)
        mask[list(places)] = True
        teams[name] = [mask]
    terms = Terms(n_items=500, capacity=50, cost=10.0)
    return make_standings(terms, truth, teams, {}, numbers=[1])


def test_intervals_of_differences_are_paired():
    # Both teams have the one item that decides their sums; it cancels in the
    # difference, which consists of forty small sure gains.
    values = np.r_[1e6, np.full(40, 100.0), np.zeros(359)]
    standings = standings_of(values, {"a": range(41), "b": [0]})
    frame = standings.frame().set_index("player")
    assert frame.loc["a", "net_benefit_low"] < frame.loc["b", "net_benefit_high"]
    pair = standings.differences().iloc[0]
    assert 0 < pair["low"] <= pair["difference"] == pytest.approx(40 * 90)
    assert frame["rank"].to_dict() == {"a": 1, "b": 2}


def test_teams_that_differ_by_one_item_are_equal():
    values = np.r_[500.0, np.full(40, 100.0), np.zeros(359)]
    standings = standings_of(values, {"a": range(40), "b": range(1, 41), "none": []})
    frame = standings.frame().set_index("player")
    assert frame["rank"].to_dict() == {"a": 1, "b": 1, "none": 3}
    assert frame["equal_to"].to_dict() == {"a": "b", "b": "a", "none": ""}
    assert frame.loc["none", "controls"] == 0
    assert np.isnan(frame.loc["none", "precision"])
