"""Honest trade of an independent world: consignments that copy earlier ones.

All constants without a source are assumptions. They give the orders of magnitude that
public sets have (Jeong et al. 2022) and are not tuned to any method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartrisk.worlds._independent._numbers import write_amounts, write_masses
from smartrisk.worlds._independent._presets import IndependentScenario
from smartrisk.worlds._random_streams import pick, stream
from smartrisk.worlds._tariff import Bool, Float, Int, Text

#: Countries and their share of the suppliers.
COUNTRIES = np.array(
    [
        *("CN", "IN", "DE", "FR", "US", "TR", "AE", "JP", "IT", "ES", "BE", "NL"),
        *("ZA", "BR", "TH", "VN", "MY", "KR", "GB", "EG", "MA", "CI", "SN", "GH"),
        *("KE", "PK", "ID", "PL", "UA", "SA"),
    ]
)
_COUNTRY_SHARE: Float = np.power(0.8 + np.arange(len(COUNTRIES), dtype=float), -1.2)
#: Countries with a preference, and ports through which goods of others come.
PARTNERS = np.flatnonzero(np.isin(COUNTRIES, ["CI", "SN", "GH", "KE", "MA", "EG"]))
_PORTS = np.flatnonzero(np.isin(COUNTRIES, ["AE", "BE", "NL", "MA", "TR"]))
#: Ad valorem rates: the bands of the common external tariff of West Africa, and two
#: rates between them.
_RATES = np.array([0.0, 0.05, 0.075, 0.1, 0.15, 0.2, 0.35])
_RATE_SHARE = np.array([0.22, 0.2, 0.06, 0.2, 0.05, 0.2, 0.07])
#: Value-added tax.
VAT = 0.18
#: Units, and the share of the headings that are counted in each.
UNITS = np.array(["KGM", "NMB", "LTR", "MTK", "NPR"])
_UNIT_SHARE = np.array([0.45, 0.4, 0.05, 0.05, 0.05])
#: Modes of transport (1 sea, 3 road, 4 air) and procedures (home use, and two others).
MODES = np.array(["1", "3", "4"])
PROCEDURES = np.array(["4000", "4071", "4200"])
#: Weight of a day of the week, Monday first.
_WEEKDAYS = np.array([1.2, 1.1, 1.1, 1.0, 1.0, 0.25, 0.04])
#: Share of the relations that claim the preference of a partner's goods.
_CLAIMED = 0.85
#: Quality tiers: their share among relations.
_TIER_SHARE = np.array([0.33, 0.45, 0.17, 0.05])
#: Hidden factors of the prices of a code and of a country.
_N_FACTORS = 3
#: Share of the items whose mass or quantity was keyed in wrongly: the unit, the place
#: of the decimal point, or the two fields exchanged. The goods are as declared
#: otherwise, and no duty depends on it.
_KEYING_ERRORS = 0.003
#: Share of the items that have a price of their own: samples, spare parts, antiques.
_ODD_PRICES = 0.008


def duty_and_tax(value: Float, rate: Float) -> Float:
    """Return duty, and value-added tax on value and duty."""
    return np.asarray(value * (rate + VAT * (1 + rate)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Tariff:
    """Codes, one entry each unless a shape is given."""

    text: Text
    chapter: Int
    heading: Int
    rate: Float
    preferred: Bool  # partners pay nothing
    unit: Int
    piece: Float  # log mass of a piece
    price: Float  # log price per kg of the second tier
    step: Float  # log price from a tier to the next
    season: Float  # amplitude of the season
    peak: Float  # month of the highest price
    factors: Float  # (n_codes, _N_FACTORS)
    weight: Float
    swaps: Int  # (n_codes, 3): codes of the chapter that save duty, -1 for none


def make_tariff(seed: int, n_items: int) -> Tariff:
    """Draw a tariff: headings draw a rate, a unit and a price; codes deviate."""
    rng = stream(seed, "independent tariff")
    n = int(np.clip(3.0 * np.sqrt(n_items), 120, 1_000))
    chapters = np.setdiff1d(np.arange(1, 98), [77])  # 77 is reserved
    popular = rng.pareto(1.8, len(chapters)) + 0.3
    chapter = chapters[pick(rng, popular, 2 * n)]
    heading = chapter * 100 + 1 + (rng.random(2 * n) ** 1.7 * 12).astype(np.int64)
    number = heading * 10_000 + rng.integers(10, 100, 2 * n) * 100
    number += rng.choice([0, 0, 10, 90], 2 * n)
    number = np.unique(number)
    number = np.sort(rng.choice(number, min(n, len(number)), replace=False))
    heading, chapter = number // 10_000, number // 1_000_000
    names, at = np.unique(heading, return_inverse=True)
    n, n_headings = len(number), len(names)
    band = pick(rng, _RATE_SHARE, n_headings)[at]
    band = np.where(rng.random(n) < 0.3, pick(rng, _RATE_SHARE, n), band)
    unit = pick(rng, _UNIT_SHARE, n_headings)[at]
    price = 1.2 + rng.normal(0, 0.7, 98)[chapter] + rng.laplace(0, 0.5, n_headings)[at]
    return Tariff(
        text=np.array([f"{value:08d}" for value in number]),
        chapter=chapter,
        heading=heading,
        rate=_RATES[band],
        preferred=rng.random(n) < 0.85,
        unit=unit,
        piece=np.where(unit == 0, 0.0, rng.normal(0.0, 1.3, n_headings)[at]),
        price=price + rng.normal(0, 0.3, n),
        step=np.abs(rng.normal(0.4, 0.2, n)),
        season=np.where(rng.random(n) < 0.4, rng.uniform(0.05, 0.3, n), 0.0),
        peak=rng.uniform(0, 12, n),
        factors=rng.normal(0, 1, (n, _N_FACTORS)),
        weight=rng.pareto(1.5, n) + 0.15,
        swaps=_find_swaps(rng, chapter, heading, _RATES[band]),
    )


def _find_swaps(
    rng: np.random.Generator, chapter: Int, heading: Int, rate: Float
) -> Int:
    """Return three codes of the chapter that save duty: near and cheap come first."""
    out = np.full((len(rate), 3), -1)
    for code in range(len(rate)):
        others = np.flatnonzero((chapter == chapter[code]) & (rate < rate[code]))
        if len(others):
            liking = 12 * (rate[code] - rate[others]) + rng.gumbel(0, 1, len(others))
            liking -= 0.6 * np.abs(heading[others] - heading[code])
            best = others[np.argsort(-liking)]
            out[code] = np.resize(best[:3], 3)
    return out


def follow(pointer: Int) -> Int:
    """Return the root of every entry of an array of pointers to earlier entries."""
    while True:
        further = pointer[pointer]
        if (further == pointer).all():
            return np.asarray(pointer)
        pointer = further


@dataclass(frozen=True, kw_only=True, eq=False)
class Traders:
    """The parties of trade; one entry per consignment, or per relation."""

    importer: Int  # of each consignment
    relation: Int  # of each consignment
    owner: Int  # importer of each relation
    consignor: Int  # of each relation
    country: Int  # of each relation's consignor
    chapter: Int  # that each relation's consignor sells
    broker: Int  # of each importer
    office: Int  # of each importer
    trusted: Bool  # each importer

    @property
    def n_importers(self) -> int:
        """Number of importers."""
        return len(self.broker)


#: Offices, and how much of the trade each takes.
OFFICES = np.array(["AP1", "AP2", "PT1", "PT2", "PT3", "RD1", "RD2", "IN1"])
_OFFICE_WEIGHT = np.array([1.2, 0.5, 2.5, 1.4, 0.7, 0.9, 0.5, 0.3])


def make_traders(
    seed: int, n: int, tariff: Tariff, scenario: IndependentScenario
) -> Traders:
    """Let every consignment copy an earlier one, in part or as a whole.

    A consignment is the first of an importer, opens another relation of the importer
    of an earlier one, or repeats the relation of an earlier one (Simon 1955: such
    copying gives the heavy tails that trade has). Recent ones are copied more often,
    so that traders fade. Before the first, there is a stock of past consignments.
    """
    rng = stream(seed, "independent traders")
    stock = max(round(0.15 * n), 12)
    at = np.arange(stock + n)
    earlier = at - 1 - np.floor(at * rng.beta(0.9, 1.6, stock + n)).astype(np.int64)
    earlier = np.clip(earlier, 0, np.maximum(at - 1, 0))
    u = rng.random(stock + n)
    opens = u < np.where(at < stock, 0.5, scenario.entry)
    branches = ~opens & (u < np.where(at < stock, 0.7, scenario.entry + 0.13))
    opens[0], branches[0] = True, False
    importer = follow(np.where(opens, at, earlier))
    relation = follow(np.where(opens | branches, at, earlier))
    roots, relation = np.unique(relation, return_inverse=True)
    owners, owner = np.unique(importer[roots], return_inverse=True)
    importer = np.searchsorted(owners, importer)
    n_relations, n_importers = len(roots), len(owners)
    # A relation is with a new consignor, or with that of an earlier relation.
    place = np.arange(n_relations)
    other = (place * rng.random(n_relations) ** 0.7).astype(np.int64)
    consignor = follow(np.where(rng.random(n_relations) < 0.5, place, other))
    country = pick(rng, _COUNTRY_SHARE, n_relations)[consignor]
    popular: Float = np.bincount(tariff.chapter, tariff.weight, minlength=98).astype(
        float
    )
    sells = pick(rng, popular, n_relations)[consignor]
    wants = pick(rng, popular, n_importers)[owner]
    known = np.arange(n_importers)
    broker = follow(
        np.where(
            rng.random(n_importers) < 0.06,
            known,
            (known * rng.random(n_importers)).astype(np.int64),
        )
    )
    office = pick(rng, _OFFICE_WEIGHT, n_importers)
    return Traders(
        importer=importer[stock:],
        relation=relation[stock:],
        owner=owner,
        consignor=consignor,
        country=country,
        chapter=np.where(rng.random(n_relations) < 0.65, sells, wants),
        broker=broker,
        office=np.where(rng.random(n_importers) < 0.6, office[broker], office),
        trusted=rng.random(n_importers) < 0.03,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Goods:
    """True goods of every item, by time of lodgement; values in national currency."""

    consignment: Int
    line: Int
    day: Int
    second: Int
    importer: Int
    relation: Int
    code: Int
    origin: Int
    departure: Int
    mode: Int
    office: Int
    broker: Int
    value: Float
    mass: Float
    gross: Float
    quantity: Float
    preference: Bool
    shown_mass: Float  # with errors of keying
    shown_quantity: Float
    log_usual: Float  # log price per kg of the code's second tier on the day
    habit: Int  # how the relation writes amounts

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.code)


def draw_calendar(
    rng: np.random.Generator, n: int, scenario: IndependentScenario
) -> Int:
    """Draw the days of `n` consignments in order: weekdays, seasons, slow growth."""
    day = np.arange(scenario.span)
    weekday = (scenario.first.astype("datetime64[D]").astype(np.int64) + 3 + day) % 7
    weight = _WEEKDAYS[weekday] * (1 + 0.15 * np.sin(day / 58.1 + rng.uniform(0, 6)))
    weight *= 1 + 0.25 * day / max(scenario.span, 1)
    return np.sort(pick(rng, weight * rng.gamma(20, 0.05, len(day)), n))


def draw_lines(rng: np.random.Generator, n_items: int) -> Int:
    """Draw the number of items of each consignment, `n_items` together."""
    lines = np.minimum(rng.geometric(0.42, n_items), 18)
    n = int(np.searchsorted(np.cumsum(lines), n_items)) + 1
    lines = lines[:n]
    lines[-1] -= int(lines.sum()) - n_items
    return np.asarray(lines, np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Places:
    """Where the goods of every item come from, and who lodges them where."""

    origin: Int
    departure: Int
    mode: Int
    office: Int
    broker: Int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Amounts:
    """True amounts of every item, and those that were keyed in."""

    value: Float
    mass: Float
    gross: Float
    quantity: Float
    shown_mass: Float
    shown_quantity: Float
    log_usual: Float
    habit: Int


def make_goods(
    seed: int,
    lines: Int,
    tariff: Tariff,
    traders: Traders,
    scenario: IndependentScenario,
) -> Goods:
    """Draw the true goods of every item."""
    rng = stream(seed, "independent goods")
    n_documents, n_relations = len(lines), len(traders.owner)
    consignment = np.repeat(np.arange(n_documents), lines)
    start = np.repeat(np.cumsum(lines) - lines, lines)
    n = len(consignment)
    day = draw_calendar(rng, n_documents, scenario)
    second = rng.integers(7 * 3600, 18 * 3600, n_documents)
    order = np.lexsort((second, day))
    day, second = day[order][consignment], second[order][consignment]
    relation = traders.relation[consignment]
    code = _draw_codes(rng, tariff, traders, relation, n_relations)
    places = _draw_places(rng, traders, consignment, start)
    amounts = _draw_amounts(
        rng, tariff, relation, n_relations, code, places, day, scenario
    )
    claims = (rng.random(n_relations) < _CLAIMED)[relation]
    claims &= np.isin(places.origin, PARTNERS)
    return Goods(
        consignment=consignment,
        line=np.arange(n) - start + 1,
        day=day,
        second=second,
        importer=traders.importer[consignment],
        relation=relation,
        code=code,
        preference=claims & tariff.preferred[code] & (tariff.rate[code] > 0),
        **vars(places),
        **vars(amounts),
    )


def _draw_places(
    rng: np.random.Generator, traders: Traders, consignment: Int, start: Int
) -> _Places:
    """Draw origin, departure, mode, office and broker."""
    n, n_relations = len(consignment), len(traders.owner)
    n_documents = int(consignment.max()) + 1
    relation = traders.relation[consignment]
    importer = traders.importer[consignment]
    home = traders.country[relation]
    port = _PORTS[rng.integers(0, len(_PORTS), n_relations)]
    by_port = (rng.random(n_relations) < 0.13)[relation]
    once = (rng.random(n_documents) < 0.06)[consignment]
    mode = np.where(rng.random(n_relations) < 0.25, 2, 0)
    mode[np.isin(traders.country, PARTNERS) & (rng.random(n_relations) < 0.5)] = 1
    elsewhere = rng.random(n) < 0.08
    office = np.where(elsewhere, pick(rng, _OFFICE_WEIGHT, n), traders.office[importer])
    agent = (rng.random(n_documents) < 0.1)[consignment]
    other = (rng.random(n_documents) * traders.n_importers).astype(np.int64)
    broker = traders.broker[importer]
    return _Places(
        origin=np.where(rng.random(n) < 0.12, pick(rng, _COUNTRY_SHARE, n), home),
        departure=np.where(by_port ^ once, port[relation], home),
        mode=mode[relation],
        office=office[start],  # one for the document
        broker=np.where(agent, traders.broker[other[consignment]], broker),
    )


def _draw_amounts(
    rng: np.random.Generator,
    tariff: Tariff,
    relation: Int,
    n_relations: int,
    code: Int,
    places: _Places,
    day: Int,
    scenario: IndependentScenario,
) -> _Amounts:
    """Draw amounts, and write them as each relation writes them.

    Four in ten relations write their amounts in a foreign currency, so that a round
    amount is not round in the declaration.
    """
    n = len(code)
    usual = _usual_price(rng, tariff, code, places.origin, day, scenario)
    log_price = usual + _price_noise(rng, tariff, code, relation, n_relations)
    size = rng.normal(6.3, 1.9, n_relations)[relation] + rng.normal(0, 1.3, n)
    size = np.where(places.mode == 2, size - 2.0, size)
    counted = tariff.unit[code] > 0
    pieces = write_pieces(rng, np.exp(size - tariff.piece[code]))
    of_pieces = pieces * np.exp(tariff.piece[code] + rng.normal(0, 0.06, n))
    mass = np.where(counted, of_pieces, np.exp(size))
    mass = write_masses(rng, mass, relation, n_relations)
    pieces = np.where(counted, pieces, mass)
    habit = rng.choice(len(_HABITS), n_relations, p=_HABITS)[relation]
    abroad = (rng.random(n_relations) < 0.4)[relation]
    unit = np.where(abroad, np.exp(0.5 + _level(day, scenario)), 1.0)
    value = write_amounts(rng, mass * np.exp(log_price) / unit, habit, pieces) * unit
    packing = np.abs(rng.normal(0.07, 0.05, len(tariff.rate)))[code]
    gross = np.round(mass * (1 + packing * rng.gamma(4, 0.25, n)), 2)
    gross = np.where(rng.random(n) < 0.07, mass, gross)
    shown_mass, shown_quantity = _key_in(rng, mass, pieces)
    return _Amounts(
        value=np.maximum(np.round(value, 2), 0.01),
        mass=mass,
        gross=np.maximum(gross, mass),
        quantity=pieces,
        shown_mass=shown_mass,
        shown_quantity=shown_quantity,
        log_usual=usual,
        habit=habit,
    )


#: Shares of the habits of writing amounts, in the order of `write_amounts`.
_HABITS = np.array([0.36, 0.12, 0.17, 0.07, 0.06, 0.04, 0.03, 0.06, 0.09])


def _draw_codes(
    rng: np.random.Generator, tariff: Tariff, traders: Traders, relation: Int, n: int
) -> Int:
    """Draw codes: three in four items have the relation's own, others a sibling."""
    order = np.argsort(tariff.chapter, kind="stable")
    total = np.cumsum(tariff.weight[order])
    before = np.append(0.0, total)
    low = np.searchsorted(tariff.chapter[order], np.arange(98), side="left")
    high = np.searchsorted(tariff.chapter[order], np.arange(98), side="right")

    def draw(chapter: Int) -> Int:
        """Draw a code of each chapter by weight."""
        begin, end = before[low[chapter]], before[high[chapter]]
        u = begin + rng.random(len(chapter)) * (end - begin)
        place = np.searchsorted(total, u, side="right")
        return np.asarray(order[np.clip(place, low[chapter], high[chapter] - 1)])

    own = draw(traders.chapter)
    second = draw(traders.chapter)
    u = rng.random(len(relation))
    code = np.where(u < 0.72, own[relation], second[relation])
    free = np.flatnonzero(u > 0.9)
    code[free] = draw(traders.chapter[relation[free]])
    return np.asarray(code)


def _level(day: Int, scenario: IndependentScenario) -> Float:
    """Return the log level of all prices on a day."""
    fell = day >= 0.6 * scenario.span
    return np.asarray(scenario.inflation * day / 30.4 + scenario.devaluation * fell)


def _usual_price(
    rng: np.random.Generator,
    tariff: Tariff,
    code: Int,
    origin: Int,
    day: Int,
    scenario: IndependentScenario,
) -> Float:
    """Return the log price per kg of the second tier: hidden factors, season, level."""
    of_country = rng.normal(0, 0.16, (len(COUNTRIES), _N_FACTORS))
    season = tariff.season[code] * np.cos(
        2 * np.pi * (day / 30.4 - tariff.peak[code]) / 12
    )
    common = (tariff.factors[code] * of_country[origin]).sum(axis=1)
    return np.asarray(tariff.price[code] + common + season + _level(day, scenario))


def _price_noise(
    rng: np.random.Generator, tariff: Tariff, code: Int, relation: Int, n_relations: int
) -> Float:
    """Return the deviation of log prices: tier, contract, and a heavy-tailed rest."""
    tier = pick(rng, _TIER_SHARE, n_relations)[relation] - 1
    contract = rng.laplace(0, 0.1, n_relations)[relation]
    rest = 0.1 * np.clip(rng.standard_t(2.5, len(code)), -15, 15)
    odd = np.where(
        rng.random(len(code)) < _ODD_PRICES, rng.normal(0.5, 1.6, len(code)), 0
    )
    return np.asarray(tier * tariff.step[code] + contract + rest + odd)


def write_pieces(rng: np.random.Generator, pieces: Float) -> Float:
    """Return whole pieces; many are full cartons of 6, 12, 24, 50 or 100."""
    carton = rng.choice(
        [1, 6, 12, 24, 50, 100], len(pieces), p=[0.5, 0.1, 0.16, 0.1, 0.07, 0.07]
    )
    carton = np.where(pieces < 2 * carton, 1, carton)
    return np.asarray(np.maximum(np.rint(pieces / carton) * carton, 1.0))


def _key_in(
    rng: np.random.Generator, mass: Float, quantity: Float
) -> tuple[Float, Float]:
    """Return mass and quantity with a few honest errors of keying."""
    wrong = np.flatnonzero(rng.random(len(mass)) < _KEYING_ERRORS)
    kind = rng.integers(0, 5, len(wrong))
    factor = np.array([1000.0, 0.001, 10.0, 0.1, 1.0])[kind]
    shown_mass, shown_quantity = mass.copy(), quantity.copy()
    shown_mass[wrong] = np.maximum(np.round(mass[wrong] * factor, 2), 0.01)
    swapped = wrong[kind == 4]
    shown_mass[swapped] = np.maximum(quantity[swapped], 0.01)
    shown_quantity[swapped] = mass[swapped]
    return shown_mass, shown_quantity
