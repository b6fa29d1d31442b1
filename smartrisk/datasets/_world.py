"""A mechanistic world: from honest trade to declared goods, fraud, control, results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.datasets._control import (
    CHANNELS,
    OFFENCES,
    Controls,
    Lodged,
    inspect,
)
from smartrisk.datasets._economy import names
from smartrisk.datasets._fraud import (
    NONE,
    TYPOLOGIES,
    Declared,
    commit,
    evaded,
    n_phoenix_items,
    rate_of,
    taxes,
)
from smartrisk.datasets._goods import Goods, make_goods
from smartrisk.datasets._scenario import SCENARIOS, Scenario
from smartrisk.datasets._tariff import (
    AGREEMENT,
    AGREEMENTS,
    ORIGINS,
    UNITS,
    Float,
    Tariff,
    make_tariff,
)
from smartrisk.datasets._traders import (
    MODES,
    OFFICES,
    PAYMENTS,
    PROCEDURES,
    Traders,
    make_traders,
)
from smartrisk.errors import ArgumentError, check_choice, check_number

_CARRIERS = 60  # assumption; the Korean set names 80 couriers
_NO_CONSIGNOR = 0.096  # share without a seller in the Korean set
_NO_CARRIER = 0.3  # assumption; 82 % there, where couriers alone are named
_NO_MASS = 0.004  # 0.7 % of zero mass there
_PREFERENCES = np.array([*AGREEMENTS, "MFN", "REL"])  # relief: procedures free of duty


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
        ``true_quantity``, ``evaded_revenue``, ``inspected``, ``propensity``.
    scenario : Scenario
        What was asked for.

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
    scenario: Scenario

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
    scenario: str | Scenario = "national",
) -> World:
    """Make a world of declarations by mechanisms, with its truth.

    Importers have relations (consignor, goods, origin, route, office) that they
    repeat; goods have price levels by code and origin; some relations have a
    fraudulent habit that starts and stops; offices control by rough rules and at
    random; results come late and are sometimes wrong. Use it to test, to teach, and
    to judge a method against a truth that no administration knows.

    Parameters
    ----------
    n_items : int, default=10_000
        Number of goods items; there are fewer traders among fewer items.
    random_state : int, default=0
        Seed, 0 or more; the same seed gives the same bytes.
    scenario : str or Scenario, default="national"
        Name in `SCENARIOS`, or one of your own.

    Returns
    -------
    world : World
        Declarations, outcomes, truth.

    Raises
    ------
    ArgumentError
        If `n_items` is below 1, the seed negative, or the scenario unknown.

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
    check_number("make_declarations", "n_items", n_items, low=1, integer=True)
    check_number("make_declarations", "random_state", random_state, low=0, integer=True)
    if isinstance(scenario, str):
        check_choice("make_declarations", "scenario", scenario, SCENARIOS)
        scenario = SCENARIOS[scenario]
    elif not isinstance(scenario, Scenario):
        raise ArgumentError(
            "make_declarations: 'scenario' must be a Scenario or the name of one; "
            f"got {type(scenario).__name__}."
        )
    return _make(int(n_items), int(random_state), scenario)


def _make(n_items: int, seed: int, scenario: Scenario) -> World:
    """Go from the tariff to the results; each stage draws from its own stream."""
    stages = ("tariff", "traders", "goods", "fraud", "control", "declarations")
    rng = {name: np.random.default_rng([seed, k]) for k, name in enumerate(stages)}
    start = scenario.first
    span = int((scenario.end - start) / np.timedelta64(1, "D"))
    n_phoenix = n_phoenix_items(n_items, scenario.illicit)
    tariff = make_tariff(rng["tariff"], scenario.n_codes)
    traders = make_traders(
        rng["traders"],
        tariff,
        max(round(n_items * scenario.traders), 1),
        span,
        n_phoenix,
    )
    goods = make_goods(rng["goods"], tariff, traders, n_items, start)
    declared = commit(rng["fraud"], tariff, traders, goods, scenario.illicit)
    frame = _declarations(rng["declarations"], tariff, traders, goods, declared)
    truth = _truth(tariff, goods, declared, frame)
    seen = _lodged(tariff, traders, goods, declared, frame, truth)
    controls, propensity = inspect(
        rng["control"], seen, scenario.targeted, scenario.random
    )
    truth["inspected"] = False
    truth.loc[controls.row, "inspected"] = True
    truth["propensity"] = propensity
    return World(
        declarations=frame,
        outcomes=_outcomes(controls, frame, scenario.end),
        truth=truth,
        scenario=scenario,
    )


def _text(values: Any) -> pd.Series:
    """Return texts as the house keeps them; None stays missing."""
    return pd.Series(np.asarray(values, dtype=object), dtype="str")


def _declarations(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    goods: Goods,
    declared: Declared,
) -> pd.DataFrame:
    """Write the declarations as lodged."""
    n, row = len(goods.code), goods.relation
    rate = rate_of(tariff, declared.code, declared.preference, goods.exempt)
    value: Float = np.asarray(np.round(np.maximum(declared.value, 0.01), 2), float)
    mass = np.maximum(np.round(declared.mass, 2), 0.01)
    gross = np.maximum(np.round(declared.gross, 2), mass)
    mass[rng.random(n) < _NO_MASS] = 0.0
    counted = tariff.unit[declared.code] > 0
    quantity = np.where(counted, np.maximum(np.rint(declared.quantity), 1.0), mass)
    consignor = np.where(rng.random(n) < _NO_CONSIGNOR, -1, goods.consignor)
    carrier = _carriers(rng, traders, row)
    preference = np.where(goods.exempt, len(AGREEMENTS) + 1, len(AGREEMENTS))
    preference = np.where(declared.preference, AGREEMENT[declared.origin], preference)
    columns = {
        "declaration_id": _text(names(rng, "D", n)),
        "item_number": np.ones(n, np.int64),
        "lodged_at": goods.moment.astype("datetime64[us]"),
        "office": _chosen(_office_codes(), traders.office[row]),
        "procedure": _chosen(PROCEDURES, traders.procedure[row]),
        "importer_id": _chosen(traders.importer_name, goods.importer),
        "declarant_id": _chosen(traders.declarant_name, traders.declarant[row]),
        "consignor_id": _chosen(traders.consignor_name, consignor),
        "carrier_id": _chosen(names(rng, "C", _CARRIERS), carrier),
        "tariff_code": _chosen(tariff.code, declared.code),
        "origin": _chosen(ORIGINS, declared.origin),
        "departure": _chosen(ORIGINS, declared.departure),
        "transport_mode": _chosen(MODES, traders.mode[row]),
        "customs_value": value,
        "net_mass_kg": mass,
        "gross_mass_kg": gross,
        "quantity": quantity,
        "quantity_unit": _chosen(UNITS, tariff.unit[declared.code]),
        "duty_rate": rate,
        "duties_taxes": np.round(taxes(value, rate), 2),
        "preference": _chosen(_PREFERENCES, preference),
        "payment_type": _chosen(PAYMENTS, traders.payment[row]),
        "trusted_trader": pd.array(
            traders.importer_trusted[goods.importer], dtype="boolean"
        ),
    }
    return pd.DataFrame(columns)


def _chosen(table: Any, index: Any) -> pd.Series:
    """Return the texts of `table` at `index`, missing where the index is -1."""
    return _text(np.append(np.asarray(table, dtype=object), [None])[index])


def _office_codes() -> list[str]:
    """Return the offices' codes in the order of their numbers."""
    return [
        f"{10 * (k + 1) + j}" for k, m in enumerate(OFFICES.values()) for j in range(m)
    ]


def _carriers(rng: np.random.Generator, traders: Traders, row: Any) -> Any:
    """Give every relation a carrier of its mode; some are not named."""
    each = _CARRIERS // len(MODES)
    place = (rng.random(len(traders)) ** 2 * each).astype(np.int64)
    carrier = (traders.mode * each + place)[row]
    return np.where(rng.random(len(row)) < _NO_CARRIER, -1, carrier)


def _truth(
    tariff: Tariff, goods: Goods, declared: Declared, frame: pd.DataFrame
) -> pd.DataFrame:
    """Write the truth of every item."""
    return pd.DataFrame(
        {
            "declaration_id": frame["declaration_id"],
            "item_number": frame["item_number"],
            "illicit": (declared.typology != NONE).astype(np.int64),
            "typology": _chosen(TYPOLOGIES, declared.typology),
            "true_value": np.round(goods.value, 2),
            "true_tariff_code": _chosen(tariff.code, goods.code),
            "true_origin": _chosen(ORIGINS, goods.origin),
            "true_net_mass_kg": goods.mass,
            "true_quantity": goods.quantity,
            "evaded_revenue": np.round(evaded(tariff, goods, declared), 2),
        }
    )


def _lodged(
    tariff: Tariff,
    traders: Traders,
    goods: Goods,
    declared: Declared,
    frame: pd.DataFrame,
    truth: pd.DataFrame,
) -> Lodged:
    """Gather what the offices see, and the truth that a control may find."""
    value = frame["customs_value"].to_numpy()
    mass = np.maximum(frame["net_mass_kg"].to_numpy(), 0.01)
    return Lodged(
        moment=goods.moment,
        office=traders.office[goods.relation],
        importer=goods.importer,
        origin=declared.origin,
        chapter=tariff.chapter[declared.code],
        rate=frame["duty_rate"].to_numpy(),
        value=value,
        log_price_ratio=np.log(value / mass) - tariff.log_price[declared.code],
        trusted=traders.importer_trusted[goods.importer],
        typology=declared.typology,
        true_value=goods.value,
        evaded=truth["evaded_revenue"].to_numpy(),
    )


def _outcomes(controls: Controls, frame: pd.DataFrame, end: Any) -> pd.DataFrame:
    """Write the results known by the end of the extract, by when they were known."""
    known = np.flatnonzero(controls.known_at < end)
    known = known[np.argsort(controls.known_at[known], kind="stable")]
    row = controls.row[known]
    found = controls.found[known]
    keys = frame[["declaration_id", "item_number"]].iloc[row].reset_index(drop=True)
    officers = [f"O{k:03d}" for k in range(int(controls.officer.max(initial=0)) + 1)]
    return keys.assign(
        channel=_chosen(CHANNELS, controls.channel[known]),
        inspected_at=controls.inspected_at[known].astype("datetime64[us]"),
        known_at=controls.known_at[known].astype("datetime64[us]"),
        illicit=found.astype(np.int64),
        offence=_chosen(OFFENCES, np.where(found, controls.offence[known], -1)),
        revenue_adjustment=np.round(controls.adjustment[known], 2),
        assessed_value=np.round(controls.assessed[known], 2),
        officer_id=_chosen(officers, controls.officer[known]),
    )
