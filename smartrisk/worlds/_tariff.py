"""A tariff like the Harmonized System: codes with rates, prices, masses and origins.

Constants without a source are assumptions. They were chosen so that the figures of
`realism` lie within their published bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
Text = NDArray[Any]

#: Sections of the Harmonized System (WCO nomenclature): first and last chapter.
#: Then, as assumptions of the right order of magnitude: share of goods lines, price
#: per kg, kg per piece (0 where quantity is counted in kg), mean step of the rates.
SECTIONS = np.array(
    [
        # first, last, share, price, kg per piece, rate step
        (1, 5, 3.0, 4.0, 0.0, 3.0),
        (6, 14, 4.0, 1.4, 0.0, 3.4),
        (15, 15, 0.7, 1.6, 0.0, 2.5),
        (16, 24, 5.0, 3.0, 0.0, 3.6),
        (25, 27, 1.5, 0.3, 0.0, 0.8),
        (28, 38, 9.0, 5.0, 0.0, 1.8),
        (39, 40, 9.0, 4.0, 1.2, 2.4),
        (41, 43, 1.8, 16.0, 0.5, 3.0),
        (44, 46, 1.5, 1.2, 6.0, 2.0),
        (47, 49, 2.5, 2.2, 0.0, 0.8),
        (50, 63, 14.0, 11.0, 0.3, 3.8),
        (64, 67, 3.0, 14.0, 0.7, 4.2),
        (68, 70, 2.5, 1.6, 2.0, 2.6),
        (71, 71, 0.8, 180.0, 0.02, 2.0),
        (72, 83, 8.0, 3.0, 0.8, 2.2),
        (84, 85, 20.0, 22.0, 4.0, 1.8),
        (86, 89, 4.5, 9.0, 12.0, 2.8),
        (90, 92, 5.0, 60.0, 0.6, 1.8),
        (93, 93, 0.1, 50.0, 2.0, 2.0),
        (94, 96, 6.0, 6.5, 1.5, 2.8),
        (97, 97, 0.1, 90.0, 3.0, 0.5),
    ]
)
#: Rates that occur. In the Korean set (Jeong et al. 2022) 37 % of the items pay 0,
#: 23.5 % pay 8 %, 9 % 6.5, 6.4 % 13, 3 % 3.2, 1.9 % 27, and the 99th percentile is
#: 50 %; the rates are theirs, their order in a section is an assumption. The rate of
#: 8 % is listed twice because it is that frequent.
RATES = np.array([0.0, 0.032, 0.065, 0.08, 0.08, 0.13, 0.2, 0.27, 0.4])
#: Chapters whose pieces are pairs (footwear) or square metres (carpets, glass).
_PAIRS, _SQUARE = (64,), (57, 70)
#: Units of UN/CEFACT Recommendation 20.
UNITS = np.array(["KGM", "NMB", "NPR", "MTK"])
#: Neighbours that a false classification may choose from.
N_CHEAPER = 3

#: Origins and their shares: the first six as in the Korean set (CN 51 %, JP 9.6,
#: US 8.4, KR 4.3, DE 3.8, VN 3.5); the order of the others is an assumption.
ORIGINS = np.array(
    [
        *("CN", "JP", "US", "KR", "DE", "VN", "IT", "FR", "GB", "IN", "TH", "MY"),
        *("ID", "TW", "TR", "ES", "NL", "PL", "MX", "BR", "ZA", "AE", "SG", "BD"),
        *("PK", "LK", "HK", "CH", "BE", "AT", "SE", "CZ", "EG", "MA", "KE", "AU"),
        *("CA", "CL", "PE", "KH"),
    ]
)
#: The same as Python texts, for checks of arguments.
COUNTRIES = tuple(str(origin) for origin in ORIGINS)
#: Shares of the other origins: each nine tenths of the one before.
_TAIL = 0.9 ** np.arange(len(ORIGINS) - 6)
ORIGIN_SHARES = np.concatenate(
    [np.array([0.51, 0.096, 0.084, 0.043, 0.038, 0.035]), 0.194 * _TAIL / _TAIL.sum()]
)
#: Partners of three agreements, whose goods may enter free of duty (assumption).
AGREEMENTS = {
    "FTA1": ("VN", "TH", "MY", "ID", "KH"),
    "FTA2": ("TR", "EG", "MA"),
    "GSP": ("BD", "LK", "KE"),
    "FTA3": (),  # joined by a change of the scenario
}
#: Index of each origin's agreement, -1 for none.
AGREEMENT = np.array(
    [
        next((k for k, who in enumerate(AGREEMENTS.values()) if o in who), -1)
        for o in ORIGINS
    ]
)
PARTNERS = np.flatnonzero(AGREEMENT >= 0)
#: Last agreement: the one that is joined in the course of a world.
LATER = len(AGREEMENTS) - 1
#: Ports of transit (assumption).
HUBS = np.flatnonzero(np.isin(ORIGINS, ["SG", "AE", "NL", "HK", "BE", "MY"]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Tariff:
    """Codes, one entry each unless a shape is given.

    Attributes
    ----------
    code : array of str
        Eight-digit national codes; the first six digits are the HS6 code.
    section, chapter, heading : array of int
        Place in the tree; the heading as four digits.
    rate : array of float
        Ad valorem rate, a fraction.
    log_price, price_spread, log_piece : array of float
        Log price per kg, factor on the spread of true prices, log kg per piece.
    unit : array of int
        Index in `UNITS`.
    popularity, log_size : array of float
        Weight in trade, log of the usual value of an item.
    cheaper : array of int, shape (n_codes, N_CHEAPER)
        Neighbours at a lower rate, -1 where there is none.
    sourcing : array of float, shape (98, n_origins)
        Shares of the origins by chapter, cumulated.
    origin_price : array of float, shape (n_codes, n_origins)
        Log price of an origin's goods relative to the code.
    """

    code: Text
    section: Int
    chapter: Int
    heading: Int
    rate: Float
    log_price: Float
    price_spread: Float
    log_piece: Float
    unit: Int
    popularity: Float
    log_size: Float
    cheaper: Int
    sourcing: Float
    origin_price: Float


def make_tariff(rng: np.random.Generator, n_codes: int) -> Tariff:
    """Draw a tariff of `n_codes` codes whose neighbours differ in rate and price.

    Levels add up down the tree (section, chapter, heading, code) for price and mass.
    Popularity follows the Korean set: the top 1 % of the codes carry 21 % of the
    items and the top 10 % 58.7 %. Headings draw a rate; one code in five deviates.
    """
    tree = _draw_tree(rng, n_codes)
    section, chapter, heading = tree.section, tree.chapter, tree.heading
    at, n_headings = np.unique(heading, return_inverse=True)[1], len(set(heading))
    typical = SECTIONS[section]

    def level(of_chapter: float, of_heading: float, of_code: float) -> Float:
        """Return effects that codes share with their chapter and heading."""
        return np.asarray(
            rng.normal(0, of_chapter, 98)[chapter]
            + rng.normal(0, of_heading, n_headings)[at]
            + rng.normal(0, of_code, n_codes)
        )

    steps = rng.normal(0, 2.3, n_headings)[at]
    moved = np.where(rng.random(n_codes) < 0.2, rng.normal(0, 2.5, n_codes), 0.0)
    step = np.rint(typical[:, 5] + steps + moved - 0.2).astype(np.int64)
    rate = RATES[np.clip(step, 0, len(RATES) - 1)]
    counted = typical[:, 4] > 0
    unit = np.where(counted, 1, 0)
    unit[np.isin(chapter, _PAIRS)] = 2
    unit[np.isin(chapter, _SQUARE)] = 3
    log_piece = np.log(np.where(counted, typical[:, 4], 1.0)) + level(0.4, 0.9, 0.3)
    lines = np.array([n_codes, *np.bincount(section, minlength=len(SECTIONS))])
    popularity = typical[:, 2] / np.maximum(lines[1:][section], 1)
    return Tariff(
        code=tree.code,
        section=section,
        chapter=chapter,
        heading=heading,
        rate=rate,
        log_price=np.log(typical[:, 3]) + level(0.4, 0.6, 0.35),
        price_spread=np.exp(rng.normal(0, 0.3, n_codes)),
        log_piece=np.where(unit == 0, 0.0, log_piece),
        unit=unit,
        popularity=popularity * np.exp(rng.normal(0, 1.7, n_codes)),
        log_size=8.2 + level(0.6, 1.1, 0.7),
        cheaper=_find_cheaper_neighbours(rng, chapter, heading, rate),
        sourcing=_draw_sourcing(rng),
        origin_price=_draw_origin_prices(rng, n_codes),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tree:
    """Place of every code in the nomenclature, in the order of the codes."""

    section: Int
    chapter: Int
    heading: Int
    code: Text


def _draw_tree(rng: np.random.Generator, n_codes: int) -> _Tree:
    """Draw the places of the codes and their texts."""
    chapters = np.setdiff1d(np.arange(1, 98), [77])  # 77 is reserved
    section = np.searchsorted(SECTIONS[:, 1], chapters)
    width = SECTIONS[:, 1] - SECTIONS[:, 0] + 1
    share = np.sqrt(SECTIONS[section, 2] / width[section])
    chapter = chapters[
        np.sort(rng.choice(len(chapters), n_codes, p=share / share.sum()))
    ]
    # A new chapter opens a new heading; else one code in three does.
    opens = np.append(True, chapter[1:] != chapter[:-1])
    new = opens | (rng.random(n_codes) < 0.36)
    count = np.cumsum(new)
    within = count - count[opens][np.cumsum(opens) - 1] + 1
    heading = chapter * 100 + np.minimum(within, 99)
    # Subheadings in HS style: 10, 20, ... with a second digit now and then.
    place = np.arange(n_codes)
    first = np.append(True, heading[1:] != heading[:-1])
    rank = place - place[first][np.cumsum(first) - 1]
    tens, ones = rank % 9 + 1, rank // 9
    ones = np.where(ones == 0, rng.choice([0, 0, 0, 1, 9], n_codes), ones + 1)
    ending = rng.choice(["00", "10", "20", "90"], n_codes, p=[0.55, 0.2, 0.1, 0.15])
    code = [
        f"{h:04d}{t}{o}{e}"
        for h, t, o, e in zip(heading, tens, ones, ending, strict=True)
    ]
    return _Tree(
        section=np.searchsorted(SECTIONS[:, 1], chapter),
        chapter=chapter,
        heading=heading,
        code=np.array(code),
    )


def _find_cheaper_neighbours(
    rng: np.random.Generator, chapter: Int, heading: Int, rate: Float
) -> Int:
    """Return neighbours whose rate is 3 points or more lower, near headings first.

    Reported gaps of misclassified goods are 5 to 25 points (a television at 8 %
    declared as a monitor at 0 in the DATE paper, Kim et al. 2020).
    """
    out = np.full((len(rate), N_CHEAPER), -1)
    for code in range(len(rate)):
        lower = np.flatnonzero((chapter == chapter[code]) & (rate < rate[code] - 0.03))
        order = np.argsort(
            np.abs(heading[lower] - heading[code]) + rng.random(len(lower))
        )
        nearest = lower[order][:N_CHEAPER]
        out[code, : len(nearest)] = nearest
        if len(nearest):
            out[code, len(nearest) :] = nearest[0]
    return out


def _draw_sourcing(rng: np.random.Generator) -> Float:
    """Return cumulated shares of origins by chapter, scattered around the total."""
    share = ORIGIN_SHARES * np.exp(rng.normal(0, 0.7, (98, len(ORIGINS))))
    share[:, 0] *= 1.2  # the scatter lowers the share of the largest
    total = np.cumsum(share, axis=1)
    return np.asarray(total / total[:, -1:])


def _draw_origin_prices(rng: np.random.Generator, n_codes: int) -> Float:
    """Return log prices of origins relative to the code: by country, and by code."""
    own = rng.normal(0.1, 0.25, len(ORIGINS))
    own[0] = -0.25  # assumption: goods of CN are cheaper than the mean
    return np.asarray(own + rng.normal(0, 0.15, (n_codes, len(ORIGINS))))
