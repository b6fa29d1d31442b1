"""The tables of a month: declarations, results, truth and events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from smartrisk.schema import KEY
from smartrisk.worlds._false_declarations import declared_rate
from smartrisk.worlds._fraud_habits import TYPOLOGIES
from smartrisk.worlds._inspections import CHANNELS, OFFICERS, make_outcomes
from smartrisk.worlds._law import duty_and_tax
from smartrisk.worlds._monthly_run import Month, Run, Setting, round_to_cents
from smartrisk.worlds._random_streams import make_names, stream
from smartrisk.worlds._reactions import REACTIONS
from smartrisk.worlds._tariff import (
    AGREEMENTS,
    ORIGINS,
    UNITS,
    Bool,
    Float,
    Int,
    Text,
)
from smartrisk.worlds._traders import (
    INWARD,
    MODES,
    OFFICE_CODES,
    PAYMENTS,
    PROCEDURES,
    TEMPORARY,
    Traders,
)

#: Carriers of all modes together (assumption; the Korean set names 80 couriers).
_CARRIERS = 60
#: Share of the declarations without a consignor, as in the Korean set.
_NO_CONSIGNOR = 0.096
#: Share without a carrier (assumption; 82 % in the Korean set, which names couriers
#: only).
_NO_CARRIER = 0.3
#: Share of the items with a mass of zero (assumption; 0.7 % in the Korean set).
_NO_MASS = 0.004
#: Codes of preference: agreements; most favoured nation; relief by procedure; low
#: value.
PREFERENCES = np.array([*AGREEMENTS, "MFN", "REL", "LOW"])
_MFN, _RELIEF, _LOW = len(AGREEMENTS), len(AGREEMENTS) + 1, len(AGREEMENTS) + 2
_EVENT_TEXTS = ("kind", "detail", "goods", "origin", "importer_id", "successor_id")
_EVENT_COLUMNS = ("at", *_EVENT_TEXTS, "size")
OFFICER_IDS = np.array([f"O{k:03d}" for k in range(OFFICERS * len(OFFICE_CODES))])


def text_column(values: ArrayLike) -> pd.Series:
    """Return texts as a column; None is missing."""
    return pd.Series(np.asarray(values, dtype=object), dtype="str")


def take_texts(texts: ArrayLike, index: Int) -> pd.Series:
    """Return the texts at `index`, missing where the index is -1."""
    with_missing = np.append(np.asarray(texts, dtype=object), [None])
    return text_column(with_missing[index])


def name_traders(seed: int, letter: str, index: Int) -> pd.Series:
    """Return the names of traders, missing where the index is -1."""
    distinct, place = np.unique(index, return_inverse=True)
    names = make_names(seed, letter, np.maximum(distinct, 0)).astype(object)
    names[distinct < 0] = None
    return text_column(names[place])


def find_texts(texts: Text, values: pd.Series) -> Int:
    """Return the place of each value in `texts`, -1 where it is not there."""
    return np.asarray(pd.Index(texts).get_indexer(pd.Index(values)), np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class MonthTables:
    """Tables of the items of a month, and the results that became known in it."""

    declarations: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame
    events: pd.DataFrame


class TableWriter:
    """Makes tables of months; results that are not known yet wait for their month."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._pending: list[pd.DataFrame] = []

    def make_tables(self) -> Iterator[MonthTables]:
        """Yield the tables month by month."""
        for month in Run(self.setting).run_months():
            items = self._make_declarations(month)
            keys = items[list(KEY)].iloc[month.control.row]
            results = make_outcomes(month.control.results, keys, OFFICER_IDS)
            self._pending.append(results)
            yield MonthTables(
                declarations=items,
                outcomes=self._take_known(self.setting.month_start(month.number + 1)),
                truth=self._make_truth(month, items),
                events=self._make_events(month),
            )

    def _make_declarations(self, month: Month) -> pd.DataFrame:
        """Return the declarations as lodged."""
        setting, goods, declared = self.setting, month.goods, month.declared
        rng = stream(setting.seed, "papers", month.number)
        traders, tariff, seed = setting.traders, setting.law.tariff, setting.seed
        n, row = len(goods), goods.relation
        rate = declared_rate(setting.law, goods, declared, setting.free_value)
        rate = np.asarray(np.round(rate, 6), float)
        value = round_to_cents(declared.value)
        mass = np.maximum(np.round(declared.mass, 2), 0.01)
        gross = np.maximum(np.round(declared.gross, 2), mass)
        mass[rng.random(n) < _NO_MASS] = 0.0
        counted = tariff.unit[declared.code] > 0
        pieces = np.maximum(np.rint(declared.quantity), 1.0)
        papers = rng.random((2, int(goods.document.max(initial=-1)) + 1))
        unnamed = (papers[0] < _NO_CONSIGNOR)[goods.document]
        carrier = _choose_carriers(papers[1][goods.document], traders, row)
        documents = month.first_document + goods.document
        columns = {
            "declaration_id": text_column(make_names(seed, "D", documents, bits=28)),
            "item_number": goods.line.astype(np.int64),
            "lodged_at": goods.moment.astype("datetime64[us]"),
            "office": take_texts(OFFICE_CODES, month.control.cases.office),
            "procedure": take_texts(PROCEDURES, declared.procedure),
            "importer_id": name_traders(seed, "I", goods.importer),
            "declarant_id": name_traders(seed, "B", traders.relations.declarant[row]),
            "consignor_id": name_traders(
                seed, "S", np.where(unnamed, -1, goods.consignor)
            ),
            "carrier_id": name_traders(seed, "C", carrier),
            "tariff_code": text_column(
                setting.law.code_texts(declared.code, goods.day)
            ),
            "origin": take_texts(ORIGINS, declared.origin),
            "departure": take_texts(ORIGINS, declared.departure),
            "transport_mode": take_texts(MODES, traders.customs.mode[row]),
            "customs_value": value,
            "net_mass_kg": mass,
            "gross_mass_kg": gross,
            "quantity": np.where(counted, pieces, mass),
            "quantity_unit": take_texts(UNITS, tariff.unit[declared.code]),
            "duty_rate": rate,
            "duties_taxes": np.round(duty_and_tax(value, rate), 2),
            "preference": take_texts(PREFERENCES, self._preference_index(month)),
            "payment_type": take_texts(PAYMENTS, traders.customs.payment[row]),
            "trusted_trader": pd.array(self._is_trusted(goods.importer), "boolean"),
        }
        return pd.DataFrame(columns)

    def _preference_index(self, month: Month) -> Int:
        """Return the index of the preference or relief that is declared."""
        goods, declared = month.goods, month.declared
        low = goods.parcel & (declared.value <= self.setting.free_value)
        index = np.where(low, _LOW, _MFN)
        exempt = np.isin(declared.procedure, (INWARD, TEMPORARY))
        index = np.where(exempt, _RELIEF, index)
        return np.where(declared.agreement >= 0, declared.agreement, index)

    def _is_trusted(self, importer: Int) -> Bool:
        """Return whether importers are trusted traders; new importers are not."""
        trusted = self.setting.traders.importer_trusted
        place = np.minimum(importer, len(trusted) - 1)
        return np.asarray(trusted[place] & (importer < len(trusted)))

    def _take_known(self, until: np.datetime64) -> pd.DataFrame:
        """Return the pending results known before a moment, by time; keep the rest."""
        waiting = pd.concat(self._pending, ignore_index=True)
        known = (waiting["known_at"] < until).to_numpy()
        self._pending = [waiting[~known]]
        out: pd.DataFrame = waiting[known].sort_values(
            "known_at", kind="stable", ignore_index=True
        )
        return out

    def _make_truth(self, month: Month, items: pd.DataFrame) -> pd.DataFrame:
        """Return the truth of every item."""
        setting, goods, control = self.setting, month.goods, month.control
        typology = month.declared.typology
        since = setting.scenario.first + month.since.astype("timedelta64[D]")
        since = since.astype("datetime64[us]")
        since[month.since < 0] = np.datetime64("NaT")
        inspected = np.zeros(len(goods), bool)
        inspected[control.row] = True
        suppressed = np.zeros(len(goods), bool)
        suppressed[control.row] = control.results.suppressed
        selected_by = np.where(control.choice.at_random, 1, 0)
        return pd.DataFrame(
            {
                "declaration_id": items["declaration_id"],
                "item_number": items["item_number"],
                "illicit": (typology > 0).astype(np.int64),
                "typology": take_texts(TYPOLOGIES, typology),
                "true_value": np.round(goods.value, 2),
                "true_tariff_code": text_column(
                    setting.law.code_texts(goods.code, goods.day)
                ),
                "true_origin": take_texts(ORIGINS, goods.origin),
                "true_net_mass_kg": goods.mass,
                "true_quantity": goods.quantity,
                "true_procedure": take_texts(PROCEDURES, goods.procedure),
                "evaded_revenue": month.evaded,
                "actor_id": self._name_actors(month),
                "since": since,
                "inspected": inspected,
                "propensity": control.choice.propensity,
                "selected_by": take_texts(
                    ("rule", "random"), np.where(inspected, selected_by, -1)
                ),
                "channel": take_texts(
                    CHANNELS, np.where(inspected, control.channel, -1)
                ),
                "suppressed": suppressed,
                "draw_probability": control.choice.draw_probability,
            }
        )

    def _name_actors(self, month: Month) -> pd.Series:
        """Return who is behind each illicit item: an importer, or a phoenix ring."""
        setting, goods = self.setting, month.goods
        illicit = month.declared.typology > 0
        actor = np.where(month.actor < 0, goods.importer, month.actor)
        ring = setting.traders.relations.ring[goods.relation]
        names = name_traders(setting.seed, "I", np.where(illicit, actor, -1))
        rings = [f"ring {k}" for k in range(int(ring.max(initial=-1)) + 1)]
        return names.where(~(illicit & (ring >= 0)), take_texts(rings, ring))

    def _make_events(self, month: Month) -> pd.DataFrame:
        """Return the changes of the scenario and the reactions of a month."""
        scenario, edges = self.setting.scenario, self.setting.calendar.edges
        low, high = int(edges[month.number]), int(edges[month.number + 1])
        changes = [
            {
                "at": scenario.first + np.timedelta64(scenario.day_of(change), "D"),
                "kind": change.kind,
                "detail": change.story,
                "goods": " ".join(change.goods) or None,
                "origin": change.origin or None,
                "size": change.amount,
            }
            for change in scenario.changes
            if low <= scenario.day_of(change) < high
        ]
        reaction, seed = month.reaction, self.setting.seed
        renamed = reaction.after != reaction.before
        reactions = pd.DataFrame(
            {
                "at": self.setting.month_start(month.number),
                "kind": "reaction",
                "detail": take_texts(REACTIONS, reaction.kind),
                "importer_id": name_traders(seed, "I", reaction.before),
                "successor_id": name_traders(
                    seed, "I", np.where(renamed, reaction.after, -1)
                ),
            },
            columns=list(_EVENT_COLUMNS),
        )
        columns = list(_EVENT_COLUMNS)
        return join_events([pd.DataFrame(changes, columns=columns), reactions])


def join_events(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return events by time as one frame with fixed types."""
    filled = [part for part in parts if len(part)] or parts[:1]
    out = pd.concat([part.astype(object) for part in filled], ignore_index=True)
    out["at"] = pd.to_datetime(out["at"]).astype("datetime64[us]")
    for name in _EVENT_TEXTS:
        out[name] = text_column(out[name].where(out[name].notna(), None))
    out["size"] = out["size"].astype(float)
    out = out[list(_EVENT_COLUMNS)]
    return out.sort_values("at", kind="stable", ignore_index=True)


def _choose_carriers(u: Float, traders: Traders, row: Int) -> Int:
    """Return the carrier of each item: its relation's, of its mode; -1 for none."""
    per_mode = _CARRIERS // len(MODES)
    place = (traders.customs.carrier[row] * per_mode).astype(np.int64)
    carrier = traders.customs.mode[row] * per_mode + place
    return np.where(u < _NO_CARRIER, -1, carrier)


def make_officers_table(setting: Setting) -> pd.DataFrame:
    """Return the officers, and the declarants whose irregularities they hide."""
    officers = setting.officers
    office = np.repeat(np.asarray(OFFICE_CODES, dtype=object), OFFICERS)
    return pd.DataFrame(
        {
            "officer_id": text_column(OFFICER_IDS),
            "office": text_column(office),
            "skill": officers.skill,
            "partner_id": name_traders(setting.seed, "B", officers.partner),
        }
    )
