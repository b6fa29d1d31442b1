"""Enforcement cases and seizures that findings led to, for trying their statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.items import document_hashes
from smartrisk.worlds._random_streams import uniforms
from smartrisk.worlds._tariff import Float, Int

if TYPE_CHECKING:
    from smartrisk.worlds._world import World

#: Share of the findings that end in a seizure, by what they are: concealed goods, those
#: that are about more than revenue, the others (assumption).
_CONCEALED, _NOT_FISCAL, _FISCAL = 0.8, 0.6, 0.15
#: Share of the cases whose goods are counted as not declared (assumption).
_UNDECLARED = 0.1
#: Share of the cases with goods of a second kind (assumption).
_SECOND = 0.2
#: Category, unit, median quantity in a case, and weight (assumption).
_GOODS = (
    ("CANNABIS", "KG", 12.0, 5),
    ("COCAINE", "KG", 6.0, 3),
    ("ENDANGERED_SPECIES", "PIECE", 8.0, 2),
    ("WASTE", "KG", 9000.0, 1),
    ("COUNTERFEIT_GOODS", "PIECE", 900.0, 8),
    ("MEDICINES", "PIECE", 2500.0, 4),
    ("CIGARETTES", "PIECE", 60000.0, 6),
    ("TOBACCO", "KG", 300.0, 2),
    ("ALCOHOL", "LTR", 400.0, 2),
    ("SMALL_ARMS", "PIECE", 2.0, 1),
    ("CURRENCY", "XXX", 20000.0, 2),
)
#: Place, conveyance and shares of modes of transport, by their first digit.
_PLACES = {
    "1": ("seaport", "vessel"),
    "2": ("land_border", "train"),
    "3": ("land_border", "road_vehicle"),
    "4": ("airport", "aircraft"),
    "5": ("mail_centre", "mail"),
}
_HIDDEN = ("in_load", "in_packaging", "in_conveyance", "false_papers")
_BY_CHANCE = ("dog", "scanner", "intelligence")


@dataclass(frozen=True, eq=False)
class CaseTables:
    """Cases of a world and what was seized in them.

    Attributes
    ----------
    cases, seizures : DataFrame
        CASES and SEIZURES, by time.
    """

    cases: pd.DataFrame
    seizures: pd.DataFrame


def make_cases(world: World) -> CaseTables:
    """Return the cases that findings led to; they are drawn apart from all else.

    Parameters
    ----------
    world : World
        Its declarations, the truth behind them, and the findings.

    Returns
    -------
    tables : CaseTables
        At most one case per declaration, with one or two seizures.
    """
    seed, items, truth = world.random_state, world.declarations, world.truth
    found = world.outcomes
    hits = found[found["illicit"] == 1].drop_duplicates("declaration_id")
    key = ["declaration_id", "item_number"]
    declared = [
        *("office", "departure", "origin", "transport_mode", "customs_value"),
        *("typology", "selected_by"),
    ]
    both = items.join(truth[["typology", "selected_by"]])
    hits = hits.merge(both[[*key, *declared]], on=key, how="left")
    index = document_hashes(hits).view(np.int64)

    def draw(purpose: str, rows: NDArray[np.int64] = index) -> Float:
        return uniforms(seed, f"case, {purpose}", rows)

    kind = hits["typology"]
    concealed = kind.isin(["concealment", "concealed"]).to_numpy()
    fiscal = hits["offence"].isin(["undervaluation", "misclassification", "origin"])
    share = np.where(fiscal.to_numpy(), _FISCAL, _NOT_FISCAL)
    chosen = draw("seized") < np.where(concealed, _CONCEALED, share)
    hits, index = hits[chosen].reset_index(drop=True), index[chosen]
    order = np.argsort(hits["known_at"].to_numpy(), kind="stable")
    hits, index = hits.iloc[order].reset_index(drop=True), index[order]
    undeclared = draw("undeclared", index) < _UNDECLARED
    hidden = _choose(_HIDDEN, draw("concealment", index))
    concealment = np.where(draw("hidden", index) < 0.5, hidden, "not_hidden")
    mode = hits["transport_mode"].astype(str).str[:1]
    where = [_PLACES.get(one, ("other", "other")) for one in mode]
    ids = hits["declaration_id"].to_numpy(dtype=object).copy()
    ids[undeclared] = None
    cases = pd.DataFrame(
        {
            "case_id": _texts([f"C{number:06d}" for number in range(1, len(hits) + 1)]),
            "date": hits["inspected_at"],
            "known_at": hits["known_at"],
            "declaration_ids": _texts(
                [None if x else y for x, y in zip(undeclared, ids, strict=True)]
            ),
            "office": hits["office"],
            "place_type": _texts([place for place, _ in where]),
            "direction": _texts(["import"] * len(hits)),
            "conveyance": _texts([means for _, means in where]),
            "departure": hits["departure"],
            "concealment": _texts(concealment),
            "detection": _texts(_detections(hits["selected_by"], draw("dog", index))),
            "offence_type": _texts(
                np.where(undeclared, "smuggling", "false_declaration")
            ),
            "value": hits["customs_value"],
        }
    )
    return CaseTables(cases, _seize(seed, cases["case_id"], index))


def _detections(selected_by: pd.Series, drawn: Float) -> NDArray[np.object_]:
    """Return what led to each case: the selection, a dog, a scanner or a message."""
    named = {"random": "random", "mandatory": "routine"}
    by = np.array([named.get(one, "risk_profile") for one in selected_by], object)
    return np.where(drawn < 0.3, _choose(_BY_CHANCE, drawn / 0.3), by)


def _seize(seed: int, case_ids: pd.Series, index: Int) -> pd.DataFrame:
    """Return one or two seizures of each case, of different kinds."""
    weight = np.cumsum([one[3] for one in _GOODS], dtype=np.float64)
    drawn = uniforms(seed, "case, goods", index) * weight[-1]
    first = np.searchsorted(weight, drawn, side="right")
    again = uniforms(seed, "case, second", index) < _SECOND
    rows = np.append(np.arange(len(index)), np.flatnonzero(again))
    goods = np.append(first, (first[again] + 1) % len(_GOODS))
    turn = np.repeat([0, 1], [len(index), int(again.sum())])
    size = np.zeros(len(rows))
    for place in (0, 1):
        own = turn == place
        drawn = uniforms(seed, f"case, size {place}", index[rows[own]])
        size[own] = 4.0 ** (2 * drawn - 1)
    median = np.array([one[2] for one in _GOODS])[goods]
    made = pd.DataFrame(
        {
            "case_id": _texts(case_ids.to_numpy(dtype=object)[rows]),
            "category": _texts([_GOODS[place][0] for place in goods]),
            "quantity": np.maximum(np.round(median * size), 1.0),
            "unit": _texts([_GOODS[place][1] for place in goods]),
            "packages": np.ceil(10 * size),
        }
    )
    return made.sort_values("case_id", kind="stable", ignore_index=True)


def _choose(values: tuple[str, ...], drawn: Float) -> NDArray[np.object_]:
    """Return one of some values for each number from 0 to 1."""
    place = np.minimum(
        (np.clip(drawn, 0, 1) * len(values)).astype(int), len(values) - 1
    )
    return np.asarray(np.array(values, dtype=object)[place])


def _texts(values: NDArray[Any] | Sequence[str | None]) -> pd.Series:
    """Return texts as a column."""
    return pd.Series(np.asarray(values, dtype=object), dtype="str")
