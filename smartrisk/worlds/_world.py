"""A mechanistic world: from honest trade to declared goods, fraud, control, results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_choice, check_number
from smartrisk.worlds._fraud_habits import TYPOLOGIES
from smartrisk.worlds._inspections import (
    CHANNELS,
    OFFICERS,
    Cases,
    Officers,
    inspected,
    outcomes,
)
from smartrisk.worlds._named_scenarios import SCENARIOS
from smartrisk.worlds._process import set_up
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tables import Writer, as_events, officers_frame, texts_of

_KEY = ["declaration_id", "item_number"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class World:
    """Declarations with results, and the truth behind them.

    Parameters
    ----------
    declarations : DataFrame
        DECLARATIONS by time of lodgement, index 0, 1, ...
    outcomes : DataFrame
        OUTCOMES of the inspected items whose result is known when the extract ends.
    truth : DataFrame
        One row per item, aligned with `declarations`: key, ``illicit``, ``typology``,
        ``true_value``, ``true_tariff_code``, ``true_origin``, ``true_net_mass_kg``,
        ``true_quantity``, ``true_procedure``, ``evaded_revenue``, ``actor_id`` (who is
        behind it) and ``since`` (when that habit began; the item's own day for a
        single case); then what the past policy did: ``inspected``, ``propensity``,
        ``selected_by``, ``channel``, and ``suppressed`` (a hidden finding).
    events : DataFrame
        What changed, and who reacted to being caught: ``at``, ``kind``, ``detail``,
        ``goods``, ``origin``, ``importer_id``, ``successor_id``, ``size``.
    officers : DataFrame
        ``officer_id``, ``office``, ``skill`` (factor on what they find) and
        ``partner_id`` (the declarant whose findings they hide, mostly missing).
    scenario : Scenario
        What was asked for.
    random_state : int
        The seed.
    first_item : int, default=0
        Number of the first item in its world, for a part of a stream.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> world = make_declarations(n_items=1_000, random_state=0)
    >>> float(world.describe().loc["items", "value"])
    1000.0
    """

    declarations: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame
    events: pd.DataFrame
    officers: pd.DataFrame
    scenario: Scenario
    random_state: int
    first_item: int = field(default=0)

    def __repr__(self) -> str:
        return (
            f"World({self.scenario.name!r}, {len(self.declarations)} items, "
            f"{len(self.outcomes)} results)"
        )

    def full_outcomes(self) -> pd.DataFrame:
        """Return the truth of every item as if all had been inspected without error.

        Returns
        -------
        outcomes : DataFrame
            OUTCOMES, known at lodgement; for judging, never for fitting.
        """
        truth = self.truth
        return pd.DataFrame(
            {
                "declaration_id": truth["declaration_id"],
                "item_number": truth["item_number"],
                "known_at": self.declarations["lodged_at"].to_numpy(),
                "illicit": truth["illicit"],
                "revenue_adjustment": truth["evaded_revenue"],
            }
        )

    def decisions(self) -> pd.DataFrame:
        """Return what the offices decided in the past, as DECISIONS.

        Returns
        -------
        decisions : DataFrame
            One row per item: key, channel, selected_by, propensity, policy_version,
            decided_at. The propensity is the probability of having been inspected,
            given what was known when the month began.
        """
        truth = self.truth
        return pd.DataFrame(
            {
                "declaration_id": truth["declaration_id"],
                "item_number": truth["item_number"],
                "channel": truth["channel"].fillna("green"),
                "selected_by": truth["selected_by"],
                "propensity": truth["propensity"],
                "policy_version": pd.Series(
                    ["offices"] * len(truth), index=truth.index, dtype="str"
                ),
                "decided_at": self.declarations["lodged_at"],
            }
        )

    def inspect(self, decisions: pd.DataFrame) -> pd.DataFrame:
        """Return what a control of other items would have brought out.

        Parameters
        ----------
        decisions : DataFrame
            DECISIONS: key and ``channel``; ``decided_at`` says when the control may
            begin, at lodgement if it is missing. Items in channel green are not
            inspected.

        Returns
        -------
        outcomes : DataFrame
            OUTCOMES of the items in channels red, yellow and blue, in the order of
            `decisions`, with officers' errors and delays. An item gives the same
            result in a channel however often it is asked.

        Raises
        ------
        TableError
            If a column is missing, a channel unknown, or a key is not of this world
            or stands there twice.

        Notes
        -----
        What others do next does not change: the reactions in `events` are those to
        the past policy.

        Examples
        --------
        >>> from smartrisk.datasets import make_declarations
        >>> world = make_declarations(n_items=1_000, random_state=0)
        >>> chosen = world.declarations[["declaration_id", "item_number"]].head(3)
        >>> world.inspect(chosen.assign(channel="red"))["channel"].tolist()
        ['red', 'red', 'red']
        """
        row = self._rows(decisions)
        code = texts_of(CHANNELS, decisions["channel"])
        looked = code >= 0
        row, channel = row[looked], code[looked]
        lodged = self.declarations["lodged_at"].to_numpy()[row]
        start = lodged
        if "decided_at" in decisions:
            decided = pd.to_datetime(decisions["decided_at"])[looked].to_numpy()
            decided = decided.astype(lodged.dtype)
            start = np.where(decided > lodged, decided, lodged)
        truth, items = self.truth.iloc[row], self.declarations.iloc[row]
        officers = Officers(
            skill=self.officers["skill"].to_numpy(),
            partner=self.officers["partner_id"].to_numpy(dtype=object),
        )
        offices = self.officers["office"].to_numpy()[::OFFICERS]
        cases = Cases(
            number=self.first_item + row,
            office=texts_of(offices, items["office"]),
            declarant=items["declarant_id"].to_numpy(dtype=object),
            typology=texts_of(np.array(TYPOLOGIES), truth["typology"]),
            value=items["customs_value"].to_numpy(),
            true_value=truth["true_value"].to_numpy(),
            evaded=truth["evaded_revenue"].to_numpy(),
            start=start,
        )
        results = inspected(self.random_state, cases, officers, channel)
        return outcomes(results, items[_KEY], self.officers["officer_id"].to_numpy())

    def _rows(self, decisions: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the places of the decided items; complain of all that is wrong."""
        missing = [n for n in (*_KEY, "channel") if n not in decisions]
        if missing:
            raise TableError(
                "worlds.decisions_lacks_columns_decisions",
                "World.inspect: 'decisions' lacks the columns {missing}; DECISIONS "
                "have a key and a channel.",
                missing=missing,
            )
        known = {*CHANNELS, "green"}
        strange = sorted({str(c) for c in decisions["channel"].unique()} - known)
        index = pd.MultiIndex.from_frame(self.declarations[_KEY])
        keys = pd.MultiIndex.from_frame(decisions[_KEY])
        row = np.asarray(index.get_indexer(keys), np.int64)
        problems = []
        if strange:
            problems.append(
                f"column 'channel' holds {strange[:5]}; allowed are 'red', 'yellow', "
                "'blue' and 'green'"
            )
        lost = decisions["declaration_id"][row < 0].unique()
        if len(lost):
            problems.append(
                f"{int((row < 0).sum())} items are not of this world, as "
                f"{list(lost[:5])}"
            )
        twice = keys[keys.duplicated()]
        if len(twice):
            problems.append(f"{len(twice)} keys stand twice, as {list(twice[:5])}")
        if problems:
            raise TableError(
                "worlds.message",
                "World.inspect: {problems}.",
                problems="; ".join(problems),
            )
        return row

    def describe(self) -> pd.DataFrame:
        """Return counts and shares that say what the world is like.

        Returns
        -------
        description : DataFrame
            One row per figure, column ``value``.
        """
        truth, items, found = self.truth, self.declarations, self.outcomes
        figures: dict[str, float] = {
            "items": len(items),
            "declarations": items["declaration_id"].nunique(),
            "importers": items["importer_id"].nunique(),
            "consignors": items["consignor_id"].nunique(),
            "declarants": items["declarant_id"].nunique(),
            "tariff codes": items["tariff_code"].nunique(),
            "share of value in the top 1 %": _top_share(items["customs_value"]),
            "share of items of the top 10 % importers": _top_share(
                items["importer_id"].value_counts(), 0.1
            ),
            "duty free": (items["duty_rate"] == 0).mean(),
            "departure not origin": (items["departure"] != items["origin"]).mean(),
            "illicit": truth["illicit"].mean(),
            "inspected": truth["inspected"].mean(),
            "results known": len(found),
            "hit rate": found["illicit"].mean() if len(found) else np.nan,
            "evaded revenue": truth["evaded_revenue"].sum(),
            "findings suppressed": truth["suppressed"].sum(),
            "changes": (self.events["kind"] != "reaction").sum(),
            "reactions": (self.events["kind"] == "reaction").sum(),
        }
        kinds = truth.loc[truth["illicit"] == 1, "typology"]
        for name, share in kinds.value_counts(normalize=True).items():
            figures[f"share of {name}"] = share
        return pd.DataFrame({"value": pd.Series(figures, dtype=float)})


def _top_share(amounts: pd.Series, top: float = 0.01) -> float:
    """Return the share of the sum that the largest `top` of the amounts carry."""
    values = np.sort(amounts.to_numpy(dtype=float))[::-1]
    total = values.sum()
    return float(values[: max(round(top * len(values)), 1)].sum() / total)


def make_declarations(
    n_items: int = 10_000,
    *,
    random_state: int = 0,
    scenario: str | Scenario | os.PathLike[str] = "national",
) -> World:
    """Make a world of declarations by mechanisms, with its truth.

    Importers have relations (consignor, goods, origin, route, office) that they
    repeat; goods have price levels by code and origin; some relations have a
    fraudulent habit that starts and stops; offices control by rough rules and at
    random; results come late and are sometimes wrong; the law, the trade and the
    fraudsters change. Use it to test, to teach, and to judge a method against a truth
    that no administration knows.

    Parameters
    ----------
    n_items : int, default=10_000
        Number of goods items; there are fewer traders among fewer items.
    random_state : int, default=0
        Seed, 0 or more; the same seed gives the same bytes.
    scenario : str, Scenario or path, default="national"
        Name in `SCENARIOS`, one of your own, or a TOML file of one.

    Returns
    -------
    world : World
        Declarations, outcomes, truth, events.

    Raises
    ------
    ArgumentError
        If `n_items` is below 1, the seed negative, or the scenario unknown.

    See Also
    --------
    stream_declarations : The same world, part by part.

    Notes
    -----
    Constants stand in the code with their source or the word assumption. A model
    that is good here is good at finding these mechanisms; it says nothing about any
    administration.

    References
    ----------
    Kim, S., Tsai, Y.-C., Singh, K., Choi, Y., Ibok, E., Li, C.-T., Cha, M. (2020).
    DATE: Dual attentive tree-aware embedding for customs fraud detection. KDD.

    Jeong, C., Kim, S., Park, J., Choi, Y. (2022). Customs import declaration
    datasets. arXiv:2208.02484.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> world = make_declarations(n_items=2_000, random_state=0)
    >>> bool(0.02 < world.truth["illicit"].mean() < 0.06)
    True
    """
    parts = list(_months("make_declarations", n_items, random_state, scenario))
    whole = {
        name: pd.concat([getattr(p, name) for p in parts], ignore_index=True)
        for name in ("declarations", "outcomes", "truth")
    }
    return replace(parts[0], events=as_events([p.events for p in parts]), **whole)


def stream_declarations(
    n_items: int = 10_000,
    *,
    random_state: int = 0,
    scenario: str | Scenario | os.PathLike[str] = "national",
) -> Iterator[World]:
    """Make the same world month by month, without holding it all.

    Put together, the parts are what `make_declarations` returns for the same
    arguments. Memory is that of the traders and of a month.

    Parameters
    ----------
    n_items : int, default=10_000
        Number of goods items of the whole world.
    random_state : int, default=0
        Seed, 0 or more.
    scenario : str, Scenario or path, default="national"
        Name in `SCENARIOS`, one of your own, or a TOML file of one.

    Yields
    ------
    part : World
        Declarations and truth of a month's items, the events of the month, and the
        outcomes that became known in it, those of earlier months' items among them.

    Raises
    ------
    ArgumentError
        As in `make_declarations`.

    Examples
    --------
    >>> from smartrisk.datasets import stream_declarations
    >>> sum(len(part.declarations) for part in stream_declarations(1_000))
    1000
    """
    return _months("stream_declarations", n_items, random_state, scenario)


#: Names have 24 bits; above this they would run out.
MOST_ITEMS = 16_000_000


def _months(
    owner: str, n_items: int, random_state: int, scenario: Any
) -> Iterator[World]:
    """Check the arguments at once; then let the months pass as they are asked for."""
    check_number(owner, "n_items", n_items, low=1, high=MOST_ITEMS, integer=True)
    check_number(owner, "random_state", random_state, low=0, integer=True)
    return _parts(int(n_items), int(random_state), _scenario(owner, scenario))


def _scenario(owner: str, scenario: Any) -> Scenario:
    """Return the scenario that is meant."""
    if isinstance(scenario, Scenario):
        return scenario
    if isinstance(scenario, os.PathLike) or str(scenario).endswith(".toml"):
        return Scenario.from_toml(scenario)
    if isinstance(scenario, str):
        check_choice(owner, "scenario", scenario, SCENARIOS)
        return SCENARIOS[scenario]
    raise ArgumentError(
        "worlds.scenario_scenario_name_toml",
        "{owner}: 'scenario' must be a Scenario, the name of one or a TOML "
        "file; got {scenario_type}.",
        owner=owner,
        scenario_type=type(scenario).__name__,
    )


def _parts(n_items: int, seed: int, scenario: Scenario) -> Iterator[World]:
    """Yield a world's months."""
    setting = set_up(n_items, seed, scenario)
    officers, done = officers_frame(setting), 0
    for items, known, truth, events in Writer(setting).months():
        yield World(
            declarations=items,
            outcomes=known,
            truth=truth,
            events=events,
            officers=officers,
            scenario=scenario,
            random_state=seed,
            first_item=done,
        )
        done += len(items)
