"""Results as SDMX-CSV 2.0, with the structure of the data in SDMX-JSON 2.0."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk import __version__
from smartrisk.clock import read_clock
from smartrisk.errors import ArgumentError
from smartrisk.languages import LANGUAGES, N_, catalogue
from smartrisk.spreadsheets import escape_formula
from smartrisk.statistics._layout import Layout
from smartrisk.statistics._population import MISSING, TOTAL

_VERSION = "1.0"
_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/"
    "tools/schemas/2.0.0/sdmx-json-structure-schema.json"
)
#: Codes that SDMX uses everywhere: total, and unknown.
_TOTAL, _UNKNOWN = "_T", "_U"
#: Codes of the SDMX list CL_OBS_STATUS that can occur.
_STATUS = {
    "A": N_("normal value"),
    "E": N_("estimated value"),
    "P": N_("provisional value: controls still have no result"),
    "L": N_("missing value: data were not collected"),
    "M": N_("missing value: data cannot exist"),
    "O": N_("missing value"),
    "Q": N_("missing value: suppressed"),
}
#: Codes of the SDMX list CL_CONF_STATUS that can occur.
_SECRECY = {
    "F": N_("free for publication"),
    "A": N_("few traders"),
    "C": N_("a trader dominates, or the result of each would show"),
    "D": N_("hidden to protect another figure"),
    "N": N_("withheld as a whole"),
}
_AS_OF = N_("as of: nothing known at this moment or later counts")
_ESTIMATES = ("weighted", "stratified", "yield", "lift")
#: Months or years of a period, and the letter of their length in ISO 8601.
_LENGTHS = {"month": (1, "M"), "quarter": (3, "M"), "year": (1, "Y")}
#: Columns that keep their name, or have another one in SDMX.
_NAMES = {
    "value": "OBS_VALUE",
    "unit": "COUNT_UNIT",
    "status": "CONF_STATUS",
    "reason": "COMMENT_OBS",
}
_ALLOWED = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Codes:
    """What a structure says of the columns.

    Attributes
    ----------
    reference : str
        Agency, identifier and version of the structure.
    names : dict of str to str
        Identifier of each key in SDMX.
    values : dict of str to dict
        Code of each value, by key.
    """

    reference: str
    names: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]


def check_agency(agency: str) -> None:
    """Raise unless a text can be the identifier of an agency."""
    if not isinstance(agency, str) or not _ALLOWED.fullmatch(agency):
        raise ArgumentError(
            "statistics.agency_wrong",
            "write: 'agency' must begin with a letter and hold letters, digits, '_' "
            "and '-' only; got {agency}. Write it as 'CUSTOMS_XX'.",
            agency=repr(agency),
        )


def structure_of(
    layout: Layout, lang: str, agency: str
) -> tuple[dict[str, Any], Codes]:
    """Return the structure message of a result, and the codes of its rows."""
    keys = [name for name in layout.keys if name != _time_of(layout)]
    names = _make_unique([name.upper() for name in keys])
    by_key = dict(zip(keys, names, strict=True))
    values = {name: _code_values(layout.table[name]) for name in keys}
    groups = [name for name in layout.keys if name not in ("indicator", "part")]
    identity = "_".join([layout.kind, *(["BY"] if groups else []), *groups]).upper()
    identity = re.sub(r"[^A-Z0-9_]", "_", identity)
    reference = f"{agency}:{identity}({_VERSION})"
    writer = _Writer(layout, lang, agency, identity)
    for name in keys:
        writer.add_dimension(name, by_key[name], values[name])
    if _time_of(layout):
        writer.add_time(_time_of(layout))
    for name in layout.numbers:
        writer.add_measure(name)
    for name in layout.texts:
        writer.add_text(name)
    writer.add_status()
    return writer.message(), Codes(reference, by_key, values)


def to_sdmx_rows(layout: Layout, codes: Codes) -> pd.DataFrame:
    """Return the rows of SDMX-CSV."""
    table = layout.table
    n = len(table)
    columns: dict[str, Any] = {
        "STRUCTURE": ["datastructure"] * n,
        "STRUCTURE_ID": [codes.reference] * n,
        "ACTION": ["I"] * n,
    }
    for name, known in codes.values.items():
        columns[codes.names[name]] = table[name].map(known).to_numpy(object)
    period = _time_of(layout)
    if period:
        columns["TIME_PERIOD"] = _times(table[period], period)
    for name in layout.numbers:
        columns[_NAMES.get(name, name.upper())] = table[name].to_numpy()
    for name in layout.texts:
        texts = table[name].map(escape_formula).to_numpy(object)
        columns[_NAMES.get(name, name.upper())] = texts
    columns["OBS_STATUS"] = _statuses(layout)
    columns["AS_OF"] = [layout.moment] * n
    return pd.DataFrame(columns)


def _time_of(layout: Layout) -> str:
    """Return the key that is the time of SDMX; empty where there is no period."""
    name = layout.period
    if not name or (layout.table[name] == TOTAL).all():
        return ""
    return name


def _times(labels: pd.Series, period: str) -> np.ndarray:
    """Return periods of time; a total is the range from the first to the last one."""
    known = sorted({str(x) for x in labels} - {TOTAL})
    step, letter = _LENGTHS[period]
    first, last = (_starts(text, period) for text in (known[0], known[-1]))
    unit = "Y" if letter == "Y" else "M"
    length = int((last - first).astype(f"timedelta64[{unit}]").astype(int)) + step
    whole = f"{first.astype('datetime64[D]')}/P{length}{letter}"
    return labels.replace({TOTAL: whole}).to_numpy(object)


def _starts(label: str, period: str) -> np.datetime64:
    """Return the first month or year of a period."""
    if period == "quarter":
        year, quarter = label.split("-Q")
        return np.datetime64(f"{year}-{3 * int(quarter) - 2:02d}", "M")
    return np.datetime64(label, "Y" if period == "year" else "M")


def _statuses(layout: Layout) -> np.ndarray:
    """Return the status of each observation, as CL_OBS_STATUS has it."""
    table = layout.table
    has_value = table["value"].notna().to_numpy(bool)
    estimates = {
        name for name, one in layout.definitions.items() if one.measure in _ESTIMATES
    }
    estimated = table["indicator"].isin(estimates).to_numpy(bool)
    pending = np.zeros(len(table), bool)
    if "pending" in table:
        pending = table["pending"].to_numpy(float) > 0
    reason = pd.Series("", index=table.index)
    if "reason" in table:
        reason = table["reason"].astype(str)
    hidden = np.zeros(len(table), bool)
    if "status" in table:
        hidden = (table["status"] != "F").to_numpy(bool)
    empty = (reason == "absent: the denominator is empty").to_numpy(bool)
    absent = reason.str.startswith("absent").to_numpy(bool)
    return np.select(
        [
            has_value & estimated,
            has_value & pending,
            has_value,
            hidden,
            empty,
            absent,
        ],
        ["E", "P", "A", "Q", "M", "L"],
        default="O",
    )


def _code_values(values: pd.Series) -> dict[str, str]:
    """Return the code of each value; a code has letters, digits, '_' and '-' only."""
    special = {TOTAL: _TOTAL, MISSING: _UNKNOWN}
    if values.name == "part":
        special = {"": _TOTAL}
    texts = sorted({str(x) for x in values})
    plain = [x for x in texts if x not in special]
    made = _make_unique([_clean(x) for x in plain], {_TOTAL, _UNKNOWN})
    codes = dict(zip(plain, made, strict=True))
    return {x: special.get(x) or codes[x] for x in texts}


def _clean(text: str) -> str:
    """Return a text as a code; it neither begins like a formula nor is reserved."""
    code = re.sub(r"[^A-Za-z0-9_-]+", "_", text)
    return code if re.match(r"[A-Za-z0-9]", code) else f"X{code}"


def _make_unique(names: Sequence[str], taken: set[str] | None = None) -> list[str]:
    """Return names that differ: a later one that is taken gets a number."""
    seen = set(taken or ()) | {x for x in names if names.count(x) == 1}
    out = []
    for name in names:
        one, number = name, 1
        while one in seen and names.count(name) > 1:
            number += 1
            one = f"{name}_{number}"
        seen.add(one)
        out.append(one)
    return out


class _Writer:
    """Collects the parts of a structure message."""

    def __init__(self, layout: Layout, lang: str, agency: str, identity: str) -> None:
        self._layout, self._lang = layout, lang
        self._agency, self._identity = agency, identity
        self._concepts: list[dict[str, Any]] = []
        self._lists: list[dict[str, Any]] = []
        self._dimensions: list[dict[str, Any]] = []
        self._time: dict[str, Any] | None = None
        self._measures: list[dict[str, Any]] = []
        self._attributes: list[dict[str, Any]] = []

    def add_dimension(
        self, name: str, identity: str, values: Mapping[str, str]
    ) -> None:
        """Add a key with the list of its codes."""
        about = self._layout.definitions if name == "indicator" else {}
        codes = {}
        for text, code in values.items():
            row = {
                "id": code,
                **_in_each(dict.fromkeys(LANGUAGES, text or TOTAL), self),
            }
            if text in about:
                one = about[text]
                full = {lang: one.text(lang) for lang in LANGUAGES}
                row |= _in_each(one.name, self)
                row |= _in_each(full, self, "description")
            codes[code] = row
        self._add_list(f"CL_{identity}", name, list(codes.values()))
        self._dimensions.append(self._component(identity, name, f"CL_{identity}"))

    def add_time(self, name: str) -> None:
        """Add the period as the dimension of time."""
        self._time = self._component("TIME_PERIOD", name, "", "ObservationalTimePeriod")

    def add_measure(self, name: str) -> None:
        """Add a number."""
        identity = _NAMES.get(name, name.upper())
        self._measures.append(self._component(identity, name, "", "Double"))

    def add_text(self, name: str) -> None:
        """Add a text or a code that says more of an observation."""
        identity, listed = _NAMES.get(name, name.upper()), ""
        if name == "status":
            listed = "CL_CONF_STATUS"
            self._add_known(listed, name, _SECRECY)
        self._add_attribute(identity, name, listed, {"observation": {}})

    def add_status(self) -> None:
        """Add the status of an observation, and the as-of moment of the whole."""
        text = N_("status of the observation")
        self._add_known("CL_OBS_STATUS", text, _STATUS)
        self._add_attribute("OBS_STATUS", text, "CL_OBS_STATUS", {"observation": {}})
        self._add_attribute("AS_OF", _AS_OF, "", {"dataflow": {}})

    def _add_known(self, identity: str, name: str, codes: Mapping[str, str]) -> None:
        """Add a list of codes of SDMX."""
        rows = [
            {"id": code, **_in_each(_say_in_each(text), self)}
            for code, text in codes.items()
        ]
        self._add_list(identity, name, rows)

    def _add_list(self, identity: str, name: str, codes: list[dict[str, Any]]) -> None:
        """Add a list of codes."""
        self._lists.append({**self._head(identity, name), "codes": codes})

    def _add_attribute(
        self, identity: str, name: str, listed: str, relation: dict[str, Any]
    ) -> None:
        """Add an attribute."""
        made = self._component(identity, name, listed)
        self._attributes.append({**made, "attributeRelationship": relation})

    def _component(
        self, identity: str, name: str, listed: str, kind: str = "String"
    ) -> dict[str, Any]:
        """Return a component, and note its concept."""
        self._concepts.append({"id": identity, **self._texts(name)})
        shape: dict[str, Any] = {"format": {"dataType": kind}}
        if listed:
            shape = {
                "enumeration": self._urn("codelist.Codelist", listed),
                "enumerationFormat": {"dataType": "String"},
            }
        concept = self._urn("conceptscheme.Concept", f"CS_{self._identity}")
        return {
            "id": identity,
            "conceptIdentity": f"{concept}.{identity}",
            "localRepresentation": shape,
        }

    def _texts(self, name: str) -> dict[str, Any]:
        """Return the name of a column, or of a sentence, in each language."""
        if name not in self._layout.table:
            return _in_each(_say_in_each(name), self)
        layout = self._layout
        return _in_each({x: layout.describe_column(name, x) for x in LANGUAGES}, self)

    def _head(self, identity: str, name: str) -> dict[str, Any]:
        """Return what each maintained part begins with."""
        return {
            "id": identity,
            "agencyID": self._agency,
            "version": _VERSION,
            **self._texts(name),
        }

    def _urn(self, kind: str, identity: str) -> str:
        """Return the name of a maintained part."""
        return (
            f"urn:sdmx:org.sdmx.infomodel.{kind}={self._agency}:{identity}({_VERSION})"
        )

    @property
    def lang(self) -> str:
        """The language that comes first."""
        return self._lang

    def message(self) -> dict[str, Any]:
        """Return the whole message."""
        layout = self._layout
        now = read_clock("write", None, "UTC")
        texts = {lang: _all_facts(layout, lang) for lang in LANGUAGES}
        facts = _in_each(texts, self, "description")
        head = {**self._head(self._identity, layout.title), **facts}
        dimensions: dict[str, Any] = {
            "id": "DimensionDescriptor",
            "dimensions": self._dimensions,
        }
        if self._time:
            dimensions["timeDimension"] = self._time
        others = [one for one in LANGUAGES if one != self._lang]
        scheme = self._head(f"CS_{self._identity}", layout.title)
        return {
            "meta": {
                "schema": _SCHEMA,
                "id": self._identity,
                "prepared": f"{now.isoformat()}Z",
                "contentLanguages": [self._lang, *others],
                "sender": {"id": self._agency},
            },
            "data": {
                "conceptSchemes": [{**scheme, "concepts": self._concepts}],
                "codelists": self._lists,
                "dataStructures": [
                    {
                        **head,
                        "dataStructureComponents": {
                            "dimensionList": dimensions,
                            "measureList": {
                                "id": "MeasureDescriptor",
                                "measures": self._measures,
                            },
                            "attributeList": {
                                "id": "AttributeDescriptor",
                                "attributes": self._attributes,
                            },
                        },
                    }
                ],
            },
        }


def _all_facts(layout: Layout, lang: str) -> str:
    """Return what holds for the whole table as a text."""
    rows = [*layout.facts_in(lang)[1:], ("smartrisk", __version__)]
    return "; ".join(f"{label}: {value}" for label, value in rows)


def _say_in_each(text: str) -> dict[str, str]:
    """Return a text of the catalogue in each language."""
    return {lang: catalogue("pages", lang).gettext(text) for lang in LANGUAGES}


def _in_each(
    texts: Mapping[str, str], writer: _Writer, what: str = "name"
) -> dict[str, Any]:
    """Return a name or a description, and that in each language."""
    known = {lang: texts[lang] for lang in LANGUAGES}
    return {what: known[writer.lang], f"{what}s": known}


__all__ = ["Codes", "check_agency", "structure_of", "to_sdmx_rows"]
