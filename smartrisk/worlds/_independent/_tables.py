"""The tables of an independent world: declarations, results, truth and events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smartrisk.schema import KEY
from smartrisk.worlds._independent._control import (
    Preferences,
    inspect_items,
    make_officers_table,
    outcomes_of,
)
from smartrisk.worlds._independent._fraud import KINDS, Fraud, commit
from smartrisk.worlds._independent._presets import IndependentScenario
from smartrisk.worlds._independent._trade import (
    COUNTRIES,
    MODES,
    OFFICES,
    PROCEDURES,
    UNITS,
    Goods,
    Tariff,
    Traders,
    draw_lines,
    duty_and_tax,
    make_goods,
    make_tariff,
    make_traders,
)
from smartrisk.worlds._inspections import CHANNELS
from smartrisk.worlds._random_streams import make_names, stream
from smartrisk.worlds._tables import name_traders, take_texts, text_column
from smartrisk.worlds._tariff import Float

#: Shares of the items without a consignor, a carrier and a mass (assumptions).
_NO_CONSIGNOR, _NO_CARRIER, _NO_MASS = 0.06, 0.25, 0.006


@dataclass(frozen=True, kw_only=True, eq=False)
class IndependentTables:
    """Tables of a world of the independent family, as `World` holds them."""

    declarations: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame
    events: pd.DataFrame
    officers: pd.DataFrame


def make_tables(
    n_items: int, seed: int, scenario: IndependentScenario
) -> IndependentTables:
    """Make the tables of a world.

    Parameters
    ----------
    n_items : int
        Number of goods items.
    seed : int
        Seed; the same seed gives bit-identical tables.
    scenario : IndependentScenario
        The settings.

    Returns
    -------
    tables : IndependentTables
        Declarations by time, results by the time at which they were known.
    """
    tariff = make_tariff(seed, n_items)
    lines = draw_lines(stream(seed, "independent lines"), n_items)
    traders = make_traders(seed, len(lines), tariff, scenario)
    goods = make_goods(seed, lines, tariff, traders, scenario)
    fraud = commit(seed, goods, tariff, traders.n_importers, scenario)
    items = _make_declarations(seed, goods, fraud, tariff, traders, scenario)
    officers = make_officers_table(seed)
    truth = _make_truth(seed, items, goods, fraud, tariff, scenario)
    outcomes = _control(seed, goods, fraud, tariff, scenario, items, truth, officers)
    return IndependentTables(
        declarations=items,
        outcomes=outcomes,
        truth=truth,
        events=_make_events(scenario),
        officers=officers,
    )


def _make_declarations(
    seed: int,
    goods: Goods,
    fraud: Fraud,
    tariff: Tariff,
    traders: Traders,
    scenario: IndependentScenario,
) -> pd.DataFrame:
    """Return the declarations as lodged."""
    rng = stream(seed, "independent papers")
    n, document = len(goods), goods.consignment
    n_documents = int(document.max()) + 1
    consignor = np.where(
        (rng.random(n_documents) < _NO_CONSIGNOR)[document],
        -1,
        traders.consignor[goods.relation],
    )
    carrier = goods.mode * 12 + rng.integers(0, 12, len(traders.owner))[goods.relation]
    carrier[(rng.random(n_documents) < _NO_CARRIER)[document]] = -1
    mass: Float = np.where(rng.random(n) < _NO_MASS, 0.0, fraud.mass)
    moment = scenario.first.astype("datetime64[s]") + (
        goods.day * 86_400 + goods.second
    ).astype("timedelta64[s]")
    procedure = np.where(
        rng.random(n_documents) < 0.95, 0, 1 + rng.integers(0, 2, n_documents)
    )
    rate = np.round(fraud.rate, 6)
    return pd.DataFrame(
        {
            "declaration_id": text_column(make_names(seed, "D", document, bits=28)),
            "item_number": goods.line.astype(np.int64),
            "lodged_at": moment.astype("datetime64[us]"),
            "office": take_texts(OFFICES, goods.office),
            "procedure": take_texts(PROCEDURES, procedure[document]),
            "importer_id": name_traders(seed, "I", fraud.importer),
            "declarant_id": name_traders(seed, "B", goods.broker),
            "consignor_id": name_traders(seed, "S", consignor),
            "carrier_id": name_traders(seed, "C", carrier),
            "tariff_code": take_texts(tariff.text, fraud.code),
            "origin": take_texts(COUNTRIES, fraud.origin),
            "departure": take_texts(COUNTRIES, fraud.departure),
            "transport_mode": take_texts(MODES, goods.mode),
            "customs_value": fraud.value,
            "net_mass_kg": mass,
            "gross_mass_kg": fraud.gross,
            "quantity": fraud.quantity,
            "quantity_unit": take_texts(UNITS, tariff.unit[fraud.code]),
            "duty_rate": rate,
            "duties_taxes": np.round(duty_and_tax(fraud.value, rate), 2),
            "preference": take_texts(("100", "300"), fraud.preference.astype(np.int64)),
            "payment_type": take_texts(("A", "D"), goods.importer % 3 // 2),
            "trusted_trader": pd.array(
                traders.trusted[goods.importer] & (fraud.importer == goods.importer),
                "boolean",
            ),
        }
    )


def _make_truth(
    seed: int,
    items: pd.DataFrame,
    goods: Goods,
    fraud: Fraud,
    tariff: Tariff,
    scenario: IndependentScenario,
) -> pd.DataFrame:
    """Return the truth of every item; the control is filled in later."""
    illicit, n = fraud.kind > 0, len(goods)
    since = (scenario.first + fraud.since.astype("timedelta64[D]")).astype(
        "datetime64[us]"
    )
    since[~illicit] = np.datetime64("NaT")
    return pd.DataFrame(
        {
            "declaration_id": items["declaration_id"],
            "item_number": items["item_number"],
            "illicit": illicit.astype(np.int64),
            "typology": take_texts(KINDS, fraud.kind),
            "true_value": goods.value,
            "true_tariff_code": take_texts(tariff.text, goods.code),
            "true_origin": take_texts(COUNTRIES, goods.origin),
            "true_net_mass_kg": goods.mass,
            "true_quantity": goods.quantity,
            "true_procedure": items["procedure"],
            "evaded_revenue": fraud.evaded,
            "actor_id": name_traders(seed, "I", np.where(illicit, goods.importer, -1)),
            "since": since,
            "inspected": np.zeros(n, bool),
            "propensity": np.zeros(n),
            "selected_by": _no_texts(n),
            "channel": _no_texts(n),
            "suppressed": np.zeros(n, bool),
            "draw_probability": np.zeros(n),
        }
    )


def _control(
    seed: int,
    goods: Goods,
    fraud: Fraud,
    tariff: Tariff,
    scenario: IndependentScenario,
    items: pd.DataFrame,
    truth: pd.DataFrame,
    officers: pd.DataFrame,
) -> pd.DataFrame:
    """Run the control month by month, fill the truth, and return the results."""
    likings = Preferences(seed, goods, fraud, tariff, scenario)
    lodged = items["lodged_at"].to_numpy()
    starts = np.datetime64(scenario.start, "M") + np.arange(scenario.n_months + 1)
    starts = starts.astype("datetime64[us]")
    edges = np.searchsorted(lodged, starts)
    propensity, drawn = np.zeros(len(goods)), np.zeros(len(goods))
    selected, channel = np.full(len(goods), -1), np.full(len(goods), -1)
    parts: list[pd.DataFrame] = []
    hits_at = np.zeros(0, "datetime64[us]")
    hits_of = np.zeros(0, np.int64)
    ids = officers["officer_id"].to_numpy()
    for month in range(scenario.n_months):
        rows = np.arange(edges[month], edges[month + 1])
        known = hits_of[hits_at < starts[month]]
        count = np.bincount(known, minlength=fraud.n_names)[fraud.importer[rows]]
        rng = stream(seed, "independent control", month)
        control = likings.choose(rng, scenario, rows, count, goods.office[rows])
        propensity[rows] = control.propensity
        drawn[rows] = control.draw_probability
        taken = rows[control.chosen]
        selected[taken] = control.at_random[control.chosen]
        channel[taken] = control.channel[control.chosen]
        results = inspect_items(
            seed,
            scenario,
            officers,
            items.iloc[taken],
            truth.iloc[taken],
            taken,
            channel[taken],
            lodged[taken],
        )
        parts.append(
            outcomes_of(seed, results, items[list(KEY)].iloc[taken], taken, ids)
        )
        hits_at = np.append(
            hits_at, results.known_at[results.found].astype("datetime64[us]")
        )
        hits_of = np.append(hits_of, fraud.importer[taken[results.found]])
    truth["inspected"] = channel >= 0
    truth["propensity"] = propensity
    truth["draw_probability"] = drawn
    truth["selected_by"] = take_texts(("rule", "random"), selected)
    truth["channel"] = take_texts(CHANNELS, channel)
    outcomes = pd.concat(parts, ignore_index=True)
    in_time = outcomes[outcomes["known_at"] < starts[-1]]
    out: pd.DataFrame = in_time.sort_values(
        "known_at", kind="stable", ignore_index=True
    )
    return out


def _no_texts(n: int) -> pd.Series:
    """Return a column of missing texts."""
    return text_column(np.full(n, None, dtype=object))


def _make_events(scenario: IndependentScenario) -> pd.DataFrame:
    """Return what changes in the world, by time."""
    changes = []
    if scenario.shift > 0:
        changes.append(
            (0.55, "fraud shift", "other traders with other tricks", scenario.shift)
        )
    if scenario.devaluation != 0:
        changes.append(
            (0.6, "devaluation", "jump of all prices, in logs", scenario.devaluation)
        )
    days = [int(np.ceil(part * scenario.span)) for part, *_ in changes]
    at = scenario.first + np.array(days, dtype="timedelta64[D]")
    none = _no_texts(len(changes))
    return pd.DataFrame(
        {
            "at": at.astype("datetime64[us]"),
            "kind": text_column([kind for _, kind, *_ in changes]),
            "detail": text_column([detail for _, _, detail, _ in changes]),
            "goods": none,
            "origin": none,
            "importer_id": none,
            "successor_id": none,
            "size": np.array([float(size) for *_, size in changes]),
        }
    )
