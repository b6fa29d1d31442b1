"""A synthetic world: declarations with results, and the truth behind them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape

import numpy as np
import pandas as pd

from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_choice,
    check_number,
    format_values,
)
from smartrisk.items import item_keys, positions_of
from smartrisk.schema import KEY, TableInput
from smartrisk.settings import read_toml
from smartrisk.tables import read_table
from smartrisk.worlds._cases import make_cases
from smartrisk.worlds._fraud_habits import TYPOLOGIES
from smartrisk.worlds._independent import (
    INDEPENDENT_SCENARIOS,
    IndependentScenario,
    inspect_again,
    make_tables,
)
from smartrisk.worlds._inspections import (
    CHANNELS,
    OFFICERS,
    Cases,
    Officers,
    inspect_cases,
    make_outcomes,
)
from smartrisk.worlds._milestones import make_milestones
from smartrisk.worlds._monthly_run import make_setting
from smartrisk.worlds._named_scenarios import SCENARIOS
from smartrisk.worlds._scenario import Scenario
from smartrisk.worlds._tables import (
    TableWriter,
    find_texts,
    join_events,
    make_officers_table,
)
from smartrisk.worlds._tariff import Int

#: What names a scenario: a name, a value, or a TOML file.
ScenarioLike = str | Scenario | IndependentScenario | os.PathLike[str]
#: Maximum number of items of a world: names of traders have 24 bits.
MOST_ITEMS = 16_000_000
#: After the last item of a world, decisions may be made for so long, two months: a
#: later moment is that of another time, such as the clock of today.
_STILL_DECIDED = np.timedelta64(62, "D")
#: Figures of `World.describe` that a notebook shows.
_SHOWN = (
    "items",
    "declarations",
    "importers",
    "illicit",
    "inspected",
    "results known",
    "hit rate",
    "evaded revenue",
    "changes",
    "reactions",
)


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
        single case); then the past control: ``inspected``, ``propensity``,
        ``selected_by``, ``channel``, ``suppressed`` (a hidden finding) and
        ``draw_probability`` (of the random draw; missing where it left the item out).
    events : DataFrame
        Changes, and reactions to findings: ``at``, ``kind``, ``detail``, ``goods``,
        ``origin``, ``importer_id``, ``successor_id``, ``size``.
    officers : DataFrame
        ``officer_id``, ``office``, ``skill`` (factor on the probability of a finding)
        and ``partner_id`` (the declarant whose irregularities they hide, mostly
        missing).
    scenario : Scenario or IndependentScenario
        The kind of world.
    random_state : int
        The seed.
    first_item : int, default=0
        Number of the first item in its world, for a part of a stream.

    Notes
    -----
    The tables are yours to change, for example to test what an error in them does.
    Worlds are compared by identity.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> world = make_declarations(n_items=1_000, random_state=0)
    >>> world
    World('national', random_state=0, n_items=1000, n_results=86)
    >>> float(world.describe().loc["items", "value"])
    1000.0
    """

    declarations: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame
    events: pd.DataFrame
    officers: pd.DataFrame
    scenario: Scenario | IndependentScenario
    random_state: int
    first_item: int = field(default=0)

    def __repr__(self) -> str:
        return (
            f"World({self.scenario.name!r}, random_state={self.random_state}, "
            f"n_items={len(self.declarations)}, n_results={len(self.outcomes)})"
        )

    def _repr_html_(self) -> str:
        """Return the scenario and the main figures as HTML for a notebook."""
        figures = self.describe()
        shown = figures.loc[[name for name in _SHOWN if name in figures.index]]
        table = shown.to_html(border=0, header=False, float_format=_format_figure)
        return (
            f"<p><code>{escape(repr(self))}</code></p>\n"
            f"<p>{escape(self.scenario.story)}</p>\n{table}"
        )

    def full_outcomes(self) -> pd.DataFrame:
        """Return the truth of every item as the outcome of a faultless inspection.

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
        """Return the decisions of the offices in the past, as DECISIONS.

        Returns
        -------
        decisions : DataFrame
            One row per item: key, channel, selected_by, propensity, draw_probability,
            policy_version, decided_at. The propensity is the probability with which
            the item was selected, given what was known when the month began; the draw
            probability is that of the random draw alone.
        """
        truth = self.truth
        return pd.DataFrame(
            {
                "declaration_id": truth["declaration_id"],
                "item_number": truth["item_number"],
                "channel": truth["channel"].fillna("green"),
                "selected_by": truth["selected_by"],
                "propensity": truth["propensity"],
                "draw_probability": truth["draw_probability"],
                "policy_version": pd.Series(
                    ["offices"] * len(truth), index=truth.index, dtype="str"
                ),
                "decided_at": self.declarations["lodged_at"],
            }
        )

    def milestones(self) -> pd.DataFrame:
        """Return what happened to the declarations after lodgement, as MILESTONES.

        Returns
        -------
        milestones : DataFrame
            Arrival, release, cancellation, replacement and audits of the declarations,
            by time, up to the end of the extract.
        """
        decided = self.decisions()
        controls = self.inspect(decided[decided["channel"] != "green"])
        end = self.scenario.end.astype("datetime64[us]")
        return make_milestones(self.random_state, self.declarations, controls, end)

    def cases(self) -> pd.DataFrame:
        """Return the enforcement cases that findings led to, as CASES.

        Returns
        -------
        cases : DataFrame
            A share of the findings, mostly of concealed and non-fiscal kinds, by time:
            place, conveyance, concealment, what led to them, value. A tenth of them
            names no declaration.
        """
        return make_cases(self).cases

    def seizures(self) -> pd.DataFrame:
        """Return what was seized in the cases, as SEIZURES.

        Returns
        -------
        seizures : DataFrame
            One or two rows per case: category, quantity in its unit, packages.
        """
        return make_cases(self).seizures

    def inspect(self, decisions: TableInput) -> pd.DataFrame:
        """Return the results that a control of other items would have had.

        Parameters
        ----------
        decisions : DataFrame
            DECISIONS: key and ``channel``; the control begins after ``decided_at``, or
            after lodgement where that column is absent or later than the world's time,
            as the clock of today is. Items in channel green are not inspected.

        Returns
        -------
        outcomes : DataFrame
            OUTCOMES of the items in channels red, yellow and blue, in the order of
            `decisions`, with officers' errors and delays. An item has the same result
            in a channel however often you ask.

        Raises
        ------
        TableError
            If a column is missing, a channel unknown, or a key is not of this world
            or repeated.

        Notes
        -----
        The control changes nothing else in the world: the reactions in `events` are
        those to the past policy.

        Examples
        --------
        >>> from smartrisk.datasets import make_declarations
        >>> world = make_declarations(n_items=1_000, random_state=0)
        >>> chosen = world.declarations[["declaration_id", "item_number"]].head(3)
        >>> world.inspect(chosen.assign(channel="red"))["channel"].tolist()
        ['red', 'red', 'red']
        """
        decisions = read_table("World.inspect", "'decisions'", decisions)
        row = self._check_decisions(decisions)
        code = find_texts(CHANNELS, decisions["channel"])
        controlled = code >= 0
        row, channel = row[controlled], code[controlled]
        lodged = self.declarations["lodged_at"].to_numpy()[row]
        start = lodged
        if "decided_at" in decisions:
            decided = pd.to_datetime(decisions["decided_at"])[controlled].to_numpy()
            decided = decided.astype(lodged.dtype)
            end = self.declarations["lodged_at"].to_numpy().max() + _STILL_DECIDED
            start = np.where((decided > lodged) & (decided <= end), decided, lodged)
        truth, items = self.truth.iloc[row], self.declarations.iloc[row]
        if isinstance(self.scenario, IndependentScenario):
            return inspect_again(
                self.random_state,
                self.scenario,
                self.officers,
                items,
                truth,
                self.first_item + row,
                channel,
                start,
            )
        officers = Officers(
            skill=self.officers["skill"].to_numpy(),
            partner=self.officers["partner_id"].to_numpy(dtype=object),
        )
        offices = self.officers["office"].to_numpy()[::OFFICERS]
        cases = Cases(
            number=self.first_item + row,
            office=find_texts(offices, items["office"]),
            declarant=items["declarant_id"].to_numpy(dtype=object),
            typology=find_texts(np.array(TYPOLOGIES), truth["typology"]),
            value=items["customs_value"].to_numpy(),
            true_value=truth["true_value"].to_numpy(),
            evaded=truth["evaded_revenue"].to_numpy(),
            start=start,
        )
        results = inspect_cases(self.random_state, cases, officers, channel)
        officer_ids = self.officers["officer_id"].to_numpy()
        return make_outcomes(results, item_keys(items), officer_ids)

    def _check_decisions(self, decisions: pd.DataFrame) -> Int:
        """Return the positions of the decided items; raise with all that is wrong."""
        missing = [n for n in (*KEY, "channel") if n not in decisions]
        if missing:
            raise TableError(
                "worlds.decisions_lack_columns",
                "World.inspect: 'decisions' lacks the columns {missing}; DECISIONS "
                "have a key and a channel.",
                missing=missing,
            )
        known = {*CHANNELS, "green"}
        unknown = sorted({str(c) for c in decisions["channel"].unique()} - known)
        row = positions_of(
            decisions, self.declarations, owner="World.inspect", name="declarations"
        )
        problems = []
        if unknown:
            problems.append(
                f"column 'channel' holds {format_values(unknown)}; allowed are 'red', "
                "'yellow', 'blue' and 'green'"
            )
        absent = decisions["declaration_id"][row < 0].unique()
        if len(absent):
            problems.append(
                f"{int((row < 0).sum())} items are not of this world, such as "
                f"{format_values(absent)}"
            )
        repeated = decisions["declaration_id"][item_keys(decisions).duplicated()]
        if len(repeated):
            problems.append(
                f"{len(repeated)} keys are repeated, such as "
                f"{format_values(repeated.unique())}"
            )
        if problems:
            raise TableError(
                "worlds.decisions_do_not_fit",
                "World.inspect: {problems}.",
                problems="; ".join(problems),
            )
        return np.asarray(row, np.int64)

    def describe(self) -> pd.DataFrame:
        """Return the main counts and shares of the world.

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


def _format_figure(value: float) -> str:
    """Return a figure for people: counts and amounts whole, shares in three digits."""
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.3f}"


def _top_share(amounts: pd.Series, top: float = 0.01) -> float:
    """Return the share of the largest amounts, a part `top` of them, in the sum."""
    values = np.sort(amounts.to_numpy(dtype=float))[::-1]
    total = values.sum()
    return float(values[: max(round(top * len(values)), 1)].sum() / total)


def make_declarations(
    n_items: int = 10_000,
    *,
    random_state: int = 0,
    scenario: ScenarioLike = "national",
) -> World:
    """Make a synthetic world: declarations, results, and the truth behind them.

    Importers repeat their relations (consignor, goods, origin, route, office); goods
    have price levels by code and origin; some relations have a habit of fraud that
    starts and stops; offices control by rough rules and at random; results arrive late
    and are sometimes wrong; law, trade and habits change. Use it to test, to teach, and
    to judge a method against a truth that no administration knows.

    Parameters
    ----------
    n_items : int, default=10_000
        Number of goods items; fewer items have fewer traders.
    random_state : int, default=0
        Seed, 0 or more; the same seed gives bit-identical tables.
    scenario : str, Scenario, IndependentScenario or path, default="national"
        Name in `SCENARIOS` or `INDEPENDENT_SCENARIOS`, a scenario of your own, or a
        TOML file of one.

    Returns
    -------
    world : World
        Declarations, outcomes, truth, events, officers.

    Raises
    ------
    ArgumentError
        If `n_items` is below 1, the seed negative, or the scenario unknown.

    See Also
    --------
    stream_declarations : The same world, part by part.

    Notes
    -----
    Constants are in the code with their source or the word "assumption"; those without
    a source were chosen so that the figures of `realism` lie within published bounds.
    A method that does well here finds these mechanisms. That does not show that it does
    well in an administration.

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
    parts = list(_make_months("make_declarations", n_items, random_state, scenario))
    whole = {
        name: pd.concat([getattr(p, name) for p in parts], ignore_index=True)
        for name in ("declarations", "outcomes", "truth")
    }
    return replace(parts[0], events=join_events([p.events for p in parts]), **whole)


def stream_declarations(
    n_items: int = 10_000,
    *,
    random_state: int = 0,
    scenario: ScenarioLike = "national",
) -> Iterator[World]:
    """Make the same world month by month, without holding it all.

    The parts together are what `make_declarations` returns for the same arguments. The
    memory needed is that of the traders and of one month.

    Parameters
    ----------
    n_items : int, default=10_000
        Number of goods items of the whole world.
    random_state : int, default=0
        Seed, 0 or more.
    scenario : str, Scenario, IndependentScenario or path, default="national"
        Name in `SCENARIOS` or `INDEPENDENT_SCENARIOS`, a scenario of your own, or a
        TOML file of one.

    Yields
    ------
    part : World
        Declarations and truth of a month's items, the events of the month, and the
        outcomes that became known in it, also of items of earlier months.

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
    return _make_months("stream_declarations", n_items, random_state, scenario)


def _make_months(
    owner: str,
    n_items: int,
    random_state: int,
    scenario: ScenarioLike,
) -> Iterator[World]:
    """Check the arguments at once, and return the months, made one by one."""
    check_number(owner, "n_items", n_items, low=1, high=MOST_ITEMS, integer=True)
    check_number(owner, "random_state", random_state, low=0, integer=True)
    chosen = _find_scenario(owner, scenario)
    if isinstance(chosen, IndependentScenario):
        return _yield_independent(int(n_items), int(random_state), chosen)
    return _yield_months(int(n_items), int(random_state), chosen)


def _find_scenario(
    owner: str, scenario: ScenarioLike
) -> Scenario | IndependentScenario:
    """Return a scenario by value, file or name."""
    if isinstance(scenario, (Scenario, IndependentScenario)):
        return scenario
    if isinstance(scenario, os.PathLike) or str(scenario).endswith(".toml"):
        return read_scenario(scenario)
    if isinstance(scenario, str):
        named: dict[str, Scenario | IndependentScenario]
        named = {**SCENARIOS, **INDEPENDENT_SCENARIOS}
        check_choice(owner, "scenario", scenario, named)
        return named[scenario]
    raise ArgumentError(
        "worlds.not_a_scenario",
        "{owner}: 'scenario' must be a Scenario, the name of one or a TOML "
        "file; got {type_name}.",
        owner=owner,
        type_name=type(scenario).__name__,
    )


def read_scenario(source: os.PathLike[str] | str) -> Scenario | IndependentScenario:
    """Return the scenario of a TOML file, which names its family or has none."""
    scenario: Scenario | IndependentScenario
    if "family" in read_toml("Scenario.from_toml", source):
        scenario = IndependentScenario.from_toml(source)
    else:
        scenario = Scenario.from_toml(source)
    return scenario


def _yield_independent(
    n_items: int, seed: int, scenario: IndependentScenario
) -> Iterator[World]:
    """Yield the months of a world of the independent family, made as a whole."""
    tables = make_tables(n_items, seed, scenario)
    starts = np.datetime64(scenario.start, "M") + np.arange(scenario.n_months + 1)
    starts = starts.astype("datetime64[us]")
    items, results = tables.declarations, tables.outcomes
    edges = np.searchsorted(items["lodged_at"].to_numpy(), starts)
    known = np.searchsorted(results["known_at"].to_numpy(), starts)
    at = np.searchsorted(tables.events["at"].to_numpy(), starts)
    for month in range(scenario.n_months):
        rows = slice(edges[month], edges[month + 1])
        yield World(
            declarations=items.iloc[rows].reset_index(drop=True),
            outcomes=results.iloc[known[month] : known[month + 1]].reset_index(
                drop=True
            ),
            truth=tables.truth.iloc[rows].reset_index(drop=True),
            events=tables.events.iloc[at[month] : at[month + 1]].reset_index(drop=True),
            officers=tables.officers,
            scenario=scenario,
            random_state=seed,
            first_item=int(edges[month]),
        )


def _yield_months(n_items: int, seed: int, scenario: Scenario) -> Iterator[World]:
    """Yield a world's months."""
    setting = make_setting(n_items, seed, scenario)
    officers, n_before = make_officers_table(setting), 0
    for tables in TableWriter(setting).make_tables():
        yield World(
            declarations=tables.declarations,
            outcomes=tables.outcomes,
            truth=tables.truth,
            events=tables.events,
            officers=officers,
            scenario=scenario,
            random_state=seed,
            first_item=n_before,
        )
        n_before += len(tables.declarations)
