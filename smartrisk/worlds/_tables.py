"""From a month's numbers to the tables that users see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.worlds._fraud_habits import TYPOLOGIES
from smartrisk.worlds._inspections import CHANNELS, OFFICERS, outcomes
from smartrisk.worlds._law import taxes
from smartrisk.worlds._process import Month, Run, Setting, cents, paid_rate
from smartrisk.worlds._random_streams import numbered, stream
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
from smartrisk.worlds._traders import MODES, OFFICE_CODES, PAYMENTS, PROCEDURES

_CARRIERS = 60  # assumption; the Korean set names 80 couriers
_NO_CONSIGNOR = 0.096  # share without a seller in the Korean set
_NO_CARRIER = 0.3  # assumption; 82 % there, where couriers alone are named
_NO_MASS = 0.004  # 0.7 % of zero mass there
#: Most favoured nation; relief by procedure; low value.
PREFERENCES = np.array([*AGREEMENTS, "MFN", "REL", "LOW"])
_MFN, _RELIEF, _LOW = len(AGREEMENTS), len(AGREEMENTS) + 1, len(AGREEMENTS) + 2
_EVENT_TEXTS = ("kind", "detail", "goods", "origin", "importer_id", "successor_id")
OFFICER_IDS = np.array([f"O{k:03d}" for k in range(OFFICERS * len(OFFICE_CODES))])


def text(values: Any) -> pd.Series:
    """Return texts as the house keeps them; None stays missing."""
    return pd.Series(np.asarray(values, dtype=object), dtype="str")


def chosen(table: Any, index: Any) -> pd.Series:
    """Return the texts of `table` at `index`, missing where the index is -1."""
    return text(np.append(np.asarray(table, dtype=object), [None])[index])


def named(seed: int, letter: str, index: Int) -> pd.Series:
    """Return the names of traders, missing where the index is -1."""
    who, place = np.unique(index, return_inverse=True)
    table = numbered(seed, letter, np.maximum(who, 0)).astype(object)
    table[who < 0] = None
    return text(table[place])


class Writer:
    """Write months as tables; what is not known yet waits."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._pending: list[pd.DataFrame] = []

    def months(self) -> Iterator[tuple[pd.DataFrame, ...]]:
        """Yield declarations, outcomes, truth and events, month by month."""
        edges = self.setting.calendar.edges
        for number, month in Run(self.setting).months():
            items = self._declarations(number, month)
            until = self.setting.scenario.first + np.timedelta64(
                int(edges[number + 1]), "D"
            )
            self._pending.append(self._found(month, items))
            yield (
                items,
                self._known(until),
                self._truth(month, items),
                self._events(number, month),
            )

    def _declarations(self, number: int, month: Month) -> pd.DataFrame:
        """Write the declarations as lodged."""
        setting, goods, said = self.setting, month.goods, month.declared
        rng = stream(setting.seed, "papers", number)
        traders, tariff = setting.traders, setting.law.tariff
        n, row = len(goods), goods.relation
        rate: Float = np.asarray(np.round(paid_rate(setting, goods, said), 6))
        value = cents(said.value)
        mass = np.maximum(np.round(said.mass, 2), 0.01)
        gross = np.maximum(np.round(said.gross, 2), mass)
        mass[rng.random(n) < _NO_MASS] = 0.0
        counted = tariff.unit[said.code] > 0
        quantity = np.where(counted, np.maximum(np.rint(said.quantity), 1.0), mass)
        papers = rng.random((2, int(goods.document.max(initial=-1)) + 1))
        sender = np.where(papers[0] < _NO_CONSIGNOR, -1, 0)[goods.document]
        consignor = np.where(sender < 0, -1, goods.consignor)
        carrier = _carriers(papers[1][goods.document], traders.mode[row], traders, row)
        codes, place = setting.law.code_table(said.code, goods.day)
        seed = setting.seed
        columns = {
            "declaration_id": text(
                numbered(seed, "D", month.document + goods.document, bits=28)
            ),
            "item_number": goods.line.astype(np.int64),
            "lodged_at": goods.moment.astype("datetime64[us]"),
            "office": chosen(OFFICE_CODES, month.cases.office),
            "procedure": chosen(PROCEDURES, said.procedure),
            "importer_id": named(seed, "I", goods.importer),
            "declarant_id": named(seed, "B", traders.of.declarant[row]),
            "consignor_id": named(seed, "S", consignor),
            "carrier_id": named(seed, "C", carrier),
            "tariff_code": chosen(codes, place),
            "origin": chosen(ORIGINS, said.origin),
            "departure": chosen(ORIGINS, said.departure),
            "transport_mode": chosen(MODES, traders.mode[row]),
            "customs_value": value,
            "net_mass_kg": mass,
            "gross_mass_kg": gross,
            "quantity": quantity,
            "quantity_unit": chosen(UNITS, tariff.unit[said.code]),
            "duty_rate": rate,
            "duties_taxes": np.round(taxes(value, rate), 2),
            "preference": chosen(PREFERENCES, self._preference(month)),
            "payment_type": chosen(PAYMENTS, traders.payment[row]),
            "trusted_trader": pd.array(self._trusted(goods.importer), "boolean"),
        }
        return pd.DataFrame(columns)

    def _preference(self, month: Month) -> Int:
        """Return the index of the preference or relief that is declared."""
        goods, said = month.goods, month.declared
        low = goods.parcel & (said.value <= self.setting.free)
        out = np.where(low, _LOW, _MFN)
        out = np.where(np.isin(said.procedure, (2, 3)), _RELIEF, out)
        return np.where(said.agreement >= 0, said.agreement, out)

    def _trusted(self, importer: Int) -> Bool:
        """Return whether importers are trusted traders; nobody new is."""
        trusted = self.setting.traders.importer_trusted
        place = np.minimum(importer, len(trusted) - 1)
        return np.asarray(trusted[place] & (importer < len(trusted)))

    def _found(self, month: Month, items: pd.DataFrame) -> pd.DataFrame:
        """Write the results of the controls of a month's items."""
        keys = items[["declaration_id", "item_number"]].iloc[month.row]
        return outcomes(month.results, keys, OFFICER_IDS)

    def _known(self, until: Any) -> pd.DataFrame:
        """Return the results that are known by now, in the order of their time."""
        waiting = pd.concat(self._pending, ignore_index=True)
        known = (waiting["known_at"] < until).to_numpy()
        self._pending = [waiting[~known]]
        out: pd.DataFrame = waiting[known].sort_values(
            "known_at", kind="stable", ignore_index=True
        )
        return out

    def _truth(self, month: Month, items: pd.DataFrame) -> pd.DataFrame:
        """Write the truth of every item."""
        setting, goods, said = self.setting, month.goods, month.declared
        codes, place = setting.law.code_table(goods.code, goods.day)
        illicit = said.typology > 0
        actor = np.where(month.importer_first < 0, goods.importer, month.importer_first)
        ring = setting.traders.of.ring[goods.relation]
        behind = named(setting.seed, "I", np.where(illicit, actor, -1))
        rings = chosen(
            np.array([f"ring {k}" for k in range(int(ring.max(initial=-1)) + 1)]), ring
        )
        behind = behind.where(~(illicit & (ring >= 0)), rings)
        since = setting.scenario.first + month.since.astype("timedelta64[D]")
        since = since.astype("datetime64[us]")
        since[month.since < 0] = np.datetime64("NaT")
        looked = np.zeros(len(goods), bool)
        looked[month.row] = True
        why = np.where(month.choice.at_random, 1, 0)
        hidden = np.zeros(len(goods), bool)
        hidden[month.row] = month.results.suppressed
        return pd.DataFrame(
            {
                "declaration_id": items["declaration_id"],
                "item_number": items["item_number"],
                "illicit": illicit.astype(np.int64),
                "typology": chosen(TYPOLOGIES, said.typology),
                "true_value": np.round(goods.value, 2),
                "true_tariff_code": chosen(codes, place),
                "true_origin": chosen(ORIGINS, goods.origin),
                "true_net_mass_kg": goods.mass,
                "true_quantity": goods.quantity,
                "true_procedure": chosen(PROCEDURES, goods.procedure),
                "evaded_revenue": month.evaded,
                "actor_id": behind,
                "since": since,
                "inspected": looked,
                "propensity": month.choice.propensity,
                "selected_by": chosen(("rule", "random"), np.where(looked, why, -1)),
                "channel": chosen(CHANNELS, np.where(looked, month.channel, -1)),
                "suppressed": hidden,
            }
        )

    def _events(self, number: int, month: Month) -> pd.DataFrame:
        """Write what happened in a month: changes, holidays left out, reactions."""
        scenario, edges = self.setting.scenario, self.setting.calendar.edges
        low, high = int(edges[number]), int(edges[number + 1])
        rows = [
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
        done, seed = month.reaction, self.setting.seed
        events = pd.DataFrame(rows, columns=["at", *_EVENT_TEXTS, "size"])
        reacted = pd.DataFrame(
            {
                "at": done.at,
                "kind": "reaction",
                "detail": chosen(REACTIONS, done.kind),
                "importer_id": named(seed, "I", done.before),
                "successor_id": named(
                    seed, "I", np.where(done.after == done.before, -1, done.after)
                ),
            },
            columns=events.columns,
        )
        return as_events([events, reacted])


def as_events(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return events as one frame with the types that they always have."""
    filled = [part for part in parts if len(part)] or parts[:1]
    out = pd.concat([part.astype(object) for part in filled], ignore_index=True)
    out["at"] = pd.to_datetime(out["at"]).astype("datetime64[us]")
    for name in _EVENT_TEXTS:
        out[name] = text(out[name].where(out[name].notna(), None))
    out["size"] = out["size"].astype(float)
    out = out[["at", *_EVENT_TEXTS, "size"]]
    return out.sort_values("at", kind="stable", ignore_index=True)


def _carriers(u: Any, mode: Int, traders: Any, row: Int) -> Int:
    """Return the carrier of each item: its relation's, of its mode; some unnamed."""
    each = _CARRIERS // len(MODES)
    place = (traders.carrier[row] * each).astype(np.int64)
    return np.where(u < _NO_CARRIER, -1, mode * each + place)


def officers_frame(setting: Setting) -> pd.DataFrame:
    """Write who the officers are, and whose findings they hide."""
    officers = setting.officers
    office = np.repeat(np.asarray(OFFICE_CODES, dtype=object), OFFICERS)
    return pd.DataFrame(
        {
            "officer_id": text(OFFICER_IDS),
            "office": text(office),
            "skill": officers.skill,
            "partner_id": named(setting.seed, "B", officers.partner),
        }
    )


def texts_of(names: Text, values: pd.Series) -> Int:
    """Return the place of each text in `names`, -1 where it is not there."""
    return np.asarray(pd.Index(names).get_indexer(pd.Index(values)), np.int64)
