"""A mechanistic world: from honest trade to declared goods, fraud, control, results."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.datasets._control import control
from smartrisk.datasets._economy import (
    ORIGINS,
    PARTNERS,
    WEEKDAYS,
    Tariff,
    Traders,
    make_tariff,
    make_traders,
    names,
)
from smartrisk.datasets._fraud import CLEAN, TYPOLOGIES, Goods, commit
from smartrisk.errors import ArgumentError, check_choice, check_number

_MODES = np.array(["1", "4", "3", "5"])  # UN/CEFACT Rec. 19: sea, air, road, post


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What kind of world to make.

    Parameters
    ----------
    name : str
        Its name.
    story : str
        What it is for, in a sentence or two.
    n_months : int, default=24
        Months of declarations.
    fraud : float, default=1.0
        Multiplies the share of lines of business with a fraudulent habit.
    phoenix : float, default=0.003
        Share of importers that are short-lived shells.
    targeted : float, default=0.08
        Share of items controlled by the offices' rough rules.
    random : float, default=0.02
        Share of items controlled at random.
    n_chapters : int, default=60
        Chapters of the tariff in use.

    Examples
    --------
    >>> from smartrisk.datasets import SCENARIOS
    >>> SCENARIOS["national"].random
    0.02
    """

    name: str
    story: str
    n_months: int = 24
    fraud: float = 1.0
    phoenix: float = 0.003
    targeted: float = 0.08
    random: float = 0.02
    n_chapters: int = 60

    def __post_init__(self) -> None:
        check_number("Scenario", "n_months", self.n_months, low=1, integer=True)
        check_number("Scenario", "n_chapters", self.n_chapters, low=3, high=96)
        for name in ("targeted", "random", "phoenix"):
            check_number("Scenario", name, getattr(self, name), low=0.0, high=1.0)
        if self.targeted + self.random > 1:
            raise ArgumentError("Scenario: 'targeted' and 'random' exceed 1 together.")


SCENARIOS = MappingProxyType(
    {
        s.name: s
        for s in (
            Scenario(
                name="national",
                story="A national administration: 8 % of the items are targeted by "
                "rough office rules, 2 % drawn at random, 3-4 % are illicit.",
            ),
            Scenario(
                name="small",
                story="A small administration for teaching: few chapters, more fraud.",
                n_chapters=20,
                fraud=1.8,
                targeted=0.12,
                random=0.04,
            ),
            Scenario(
                name="scarce",
                story="Few controls: 1.5 % targeted and 0.5 % at random.",
                targeted=0.015,
                random=0.005,
            ),
        )
    }
)


@dataclass(frozen=True)
class World:
    """Declarations with results and the truth behind them.

    Parameters
    ----------
    declarations : DataFrame
        Canonical DECLARATIONS, by time of lodgement.
    outcomes : DataFrame
        Canonical OUTCOMES of inspected items whose result is known by the end.
    truth : DataFrame
        One row per item, aligned with `declarations`: illicit, typology, true value,
        code, origin, mass and quantity, evaded revenue, inspected, propensity.
    scenario : Scenario
        What was asked for.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> world = make_declarations(1_000, random_state=0)
    >>> float(world.describe().loc["items", "value"])
    1000.0
    """

    declarations: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame
    scenario: Scenario

    def full_outcomes(self) -> pd.DataFrame:
        """Return the truth of every item as if all were inspected without error.

        Returns
        -------
        outcomes : DataFrame
            OUTCOMES; for judging, never for fitting.
        """
        truth = self.truth
        return pd.DataFrame(
            {
                "declaration_id": truth["declaration_id"],
                "item_number": truth["item_number"],
                "known_at": self.declarations["lodged_at"].to_numpy(),
                "illicit": truth["illicit"].astype(np.int64),
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
        truth, items = self.truth, self.declarations
        figures = {
            "items": len(items),
            "importers": items["importer_id"].nunique(),
            "illicit share": truth["illicit"].mean(),
            "inspected share": truth["inspected"].mean(),
            "results known": len(self.outcomes),
            "hit rate": self.outcomes["illicit"].mean(),
            "evaded revenue": truth["evaded_revenue"].sum(),
        }
        shares = truth.loc[truth["illicit"] == 1, "typology"].value_counts(
            normalize=True
        )
        figures |= {f"share of {name}": share for name, share in shares.items()}
        return pd.DataFrame({"value": pd.Series(figures, dtype=float)})


def make_declarations(
    n_items: int = 10_000,
    *,
    random_state: int = 0,
    scenario: str | Scenario = "national",
) -> World:
    """Make a world of declarations by mechanisms, with its truth.

    Importers have lines of business (seller, goods, origin, route) that they repeat;
    some lines carry a fraudulent habit that starts and stops; goods have price levels
    by code and origin; offices control by rough rules and at random; results come
    late and are sometimes wrong.

    Parameters
    ----------
    n_items : int, default=10_000
        Number of goods items.
    random_state : int, default=0
        Seed; the same seed gives the same bytes.
    scenario : str or Scenario, default="national"
        Name in `SCENARIOS`, or one of your own.

    Returns
    -------
    world : World
        Declarations, outcomes, truth.

    Raises
    ------
    ArgumentError
        If `n_items` is below 1 or the scenario is unknown.

    Notes
    -----
    Constants with a source are named where they stand in the code; the others are
    assumptions. A model that is good here is good at finding these mechanisms; it
    says nothing about any administration.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> world = make_declarations(n_items=2_000, random_state=0)
    >>> bool(0.02 < world.truth["illicit"].mean() < 0.06)
    True
    """
    check_number("make_declarations", "n_items", n_items, low=1, integer=True)
    if isinstance(scenario, str):
        check_choice("make_declarations", "scenario", scenario, SCENARIOS)
        scenario = SCENARIOS[scenario]
    rng = np.random.default_rng([random_state, 20240501])
    span = int(scenario.n_months * 365.25 / 12)
    tariff = make_tariff(rng, scenario.n_chapters)
    traders = make_traders(rng, tariff, n_items, span, scenario.phoenix)
    importer, day = _trade(rng, traders, n_items, span)
    line = _lines(rng, traders, importer)
    goods = _goods(rng, tariff, traders, line, day)
    done = commit(rng, tariff, traders, goods, scenario.fraud)
    declarations = _declared(rng, tariff, traders, goods, done)
    truth = _truth(tariff, goods, done, declarations)
    outcomes = control(
        rng,
        declarations,
        truth,
        shares=(scenario.targeted, scenario.random),
        end=pd.Timestamp("2023-01-01") + pd.Timedelta(days=span),
    )
    return World(declarations, outcomes, truth, scenario)


def _trade(
    rng: np.random.Generator, traders: Traders, n_items: int, span: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw who trades on which day: within a life, by weekday."""
    first = np.clip(traders.birth, 0, span - 1)
    last = np.clip(traders.death, first + 1, span)
    mass = traders.weight * (last - first)
    importer = rng.choice(len(mass), n_items, p=mass / mass.sum())
    length = (last - first)[importer]
    day = first[importer] + (rng.random(n_items) * length).astype(np.int64)
    # Move each item to a weekday of its week, 2023-01-01 being a Sunday.
    week = (day + 6) // 7
    weekday = rng.choice(7, n_items, p=WEEKDAYS / WEEKDAYS.sum())
    day = np.clip(week * 7 + weekday - 6, first[importer], last[importer] - 1)
    order = np.argsort(day, kind="stable")
    return importer[order], day[order]


def _lines(
    rng: np.random.Generator, traders: Traders, importer: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Draw the line of business of each item: the first lines are the usual ones."""
    share = rng.random(len(importer)) ** 1.8
    place = (share * traders.n_lines[importer]).astype(np.int64)
    return traders.first_line[importer] + place


def _goods(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    line: NDArray[np.int64],
    day: NDArray[np.int64],
) -> Goods:
    """Draw the true goods of each item."""
    n = len(line)
    code = traders.line_code[line]
    novel = rng.random(n) < 0.06
    p = tariff.popularity / tariff.popularity.sum()
    code = np.where(novel, rng.choice(len(p), n, p=p), code)
    origin = traders.line_origin[line]
    by_origin = np.random.default_rng(7).normal(0, 0.3, len(ORIGINS))
    quantity = np.exp(rng.normal(3.5, 1.3, n) + traders.line_size[line])
    quantity = np.maximum(np.rint(quantity), 1.0)
    unit_mass = np.exp(tariff.log_unit_mass[code] + rng.normal(0, 0.15, n))
    mass = np.maximum(quantity * unit_mass, 0.01)
    log_price = (
        tariff.log_price[code]
        + by_origin[origin]
        + traders.line_quality[line]
        + rng.normal(0, 0.32, n)
    )
    value = mass * np.exp(log_price)
    partner = PARTNERS[origin] & (rng.random(n) < 0.8)
    rate = np.where(partner, 0.0, tariff.rate[code])
    return Goods(line, day, code, origin, value, mass, quantity, partner, rate)


def _declared(
    rng: np.random.Generator,
    tariff: Tariff,
    traders: Traders,
    goods: Goods,
    done: Any,
) -> pd.DataFrame:
    """Write the declarations as lodged."""
    n = len(goods.line)
    importer = traders.line_importer[goods.line]
    second = rng.integers(7 * 3600, 18 * 3600, n)
    moment = np.datetime64("2023-01-01") + goods.day.astype("timedelta64[D]")
    moment = moment.astype("datetime64[us]") + second.astype("timedelta64[s]")
    other = rng.random(n) < 0.07
    declarants = names(rng, "B", int(traders.declarant.max()) + 1)
    declarant = np.where(
        other, rng.integers(0, len(declarants), n), traders.declarant[importer]
    )
    consignors = names(rng, "S", int(traders.line_consignor.max()) + 1)
    consignor = consignors[traders.line_consignor[goods.line]].astype(object)
    consignor[rng.random(n) < 0.096] = None  # 9.6 % missing in the Korean set
    gross = done.mass * (1.03 + rng.gamma(2.0, 0.03, n)) * done.gross_factor
    office = np.where(
        rng.random(n) < 0.1, rng.integers(0, 12, n), traders.office[importer]
    )
    value = np.round(done.value, 2)
    duty = value * done.rate
    columns: dict[str, Any] = {
        "declaration_id": names(rng, "D", n),
        "item_number": np.ones(n, np.int64),
        "lodged_at": moment,
        "office": np.array([f"{k + 1:02d}" for k in range(12)])[office],
        "procedure": rng.choice(["4000", "4200", "7100"], n, p=[0.9, 0.06, 0.04]),
        "importer_id": traders.name[importer],
        "declarant_id": declarants[declarant],
        "consignor_id": consignor,
        "tariff_code": tariff.national[done.code],
        "origin": np.array(ORIGINS)[done.origin],
        "departure": np.array(ORIGINS)[traders.line_departure[goods.line]],
        "transport_mode": _MODES[traders.line_mode[goods.line]],
        "customs_value": value,
        "net_mass_kg": np.round(done.mass, 2),
        "gross_mass_kg": np.round(np.maximum(gross, done.mass), 2),
        "quantity": np.maximum(np.rint(done.quantity), 1.0),
        "quantity_unit": np.where(tariff.log_unit_mass[done.code] > 0, "NMB", "KGM"),
        "duty_rate": np.round(done.rate, 4),
        "duties_taxes": np.round(duty + 0.15 * (value + duty), 2),
        "preference": np.where(done.partner, "FTA", "MFN"),
        "payment_type": rng.choice(["A", "B"], n, p=[0.8, 0.2]),
        "trusted_trader": pd.array(traders.trusted[importer], dtype="boolean"),
    }
    frame = pd.DataFrame(columns)
    texts = [
        c
        for c in frame
        if frame[c].dtype.kind in "OUT" and c not in ("trusted_trader", "lodged_at")
    ]
    frame = frame.astype(dict.fromkeys(texts, "str"))
    order = np.argsort(frame["lodged_at"].to_numpy(), kind="stable")
    goods.order[:] = order
    return frame.iloc[order].reset_index(drop=True)


def _truth(
    tariff: Tariff, goods: Goods, done: Any, declarations: pd.DataFrame
) -> pd.DataFrame:
    """Write the truth in the order of the declarations."""
    order = goods.order
    illicit = (done.typology != CLEAN)[order]
    vat = 0.15
    owed = goods.value * (goods.rate + vat * (1 + goods.rate))
    paid = done.value * (done.rate + vat * (1 + done.rate))
    evaded = np.maximum(owed - paid + done.hidden, 0.0)
    return pd.DataFrame(
        {
            "declaration_id": declarations["declaration_id"],
            "item_number": declarations["item_number"],
            "illicit": illicit.astype(np.int64),
            "typology": np.array(TYPOLOGIES)[done.typology[order]],
            "true_value": goods.value[order],
            "true_tariff_code": tariff.national[goods.code[order]],
            "true_origin": np.array(ORIGINS)[goods.origin[order]],
            "true_net_mass_kg": goods.mass[order],
            "true_quantity": goods.quantity[order],
            "evaded_revenue": np.where(illicit, evaded[order], 0.0),
        }
    )
