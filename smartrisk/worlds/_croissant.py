"""A description of an exported world in Croissant, the format of MLCommons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from smartrisk.schema import DECLARATIONS, OUTCOMES
from smartrisk.worlds._scenario import Scenario

#: What the columns of the truth, the events and the officers mean; the columns of the
#: other tables are described by the schema.
COLUMNS = {
    "typology": "kind of fraud, 'none' for honest items",
    "true_value": "value that is true, in national currency",
    "true_tariff_code": "tariff code that is true",
    "true_origin": "origin that is true",
    "true_net_mass_kg": "net mass that is true, in kg",
    "true_quantity": "quantity that is true",
    "true_procedure": "procedure that is true",
    "evaded_revenue": "duties and taxes that the false declaration saves",
    "actor_id": "who is behind an illicit item",
    "since": "when the habit began; the day of the item for a single case",
    "inspected": "whether an office inspected the item",
    "propensity": "probability of having been inspected under the past policy",
    "selected_by": "rule or random",
    "suppressed": "whether an officer hid the finding",
    "at": "when it took effect",
    "kind": "kind of change, or 'reaction'",
    "detail": "what happened, in words",
    "goods": "HS chapters it bears on",
    "size": "how much, by kind",
    "successor_id": "name under which an importer goes on",
    "skill": "factor on the probability of finding what is there",
    "partner_id": "declarant whose findings the officer hides",
}
_KINDS = {
    "b": "sc:Boolean",
    "i": "sc:Integer",
    "u": "sc:Integer",
    "f": "sc:Float",
    "M": "sc:DateTime",
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "rai:dataBiases",
    "dataCollection": "rai:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "rai:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def described(
    scenario: Scenario,
    seed: int,
    frames: Mapping[str, pd.DataFrame],
    files: Mapping[str, tuple[int, str]],
) -> dict[str, Any]:
    """Return the description; `files` holds size and SHA-256 of each file."""
    n_items = len(frames["declarations"])
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": f"smartrisk-world-{scenario.name.replace(' ', '-')}-{n_items}-{seed}",
        "description": f"Made-up declarations whose truth is known. {scenario.story}",
        "license": "https://www.apache.org/licenses/LICENSE-2.0",
        "url": "https://www.apache.org/licenses/LICENSE-2.0",
        "version": "1.0.0",
        "datePublished": str(scenario.end),
        "citeAs": (
            f"smartrisk: make_declarations({n_items}, scenario={scenario.name!r}, "
            f"random_state={seed})"
        ),
        "isLiveDataset": False,
        "dataCollection": (
            "Made by a mechanistic generator from a seed; no administration's data are "
            "in it, and no trader exists."
        ),
        "dataBiases": (
            "Results exist for inspected items only, chosen by rough rules and at "
            "random with the propensities in the truth; officers miss and err, and "
            "late results are cut off at the end."
        ),
        "personalSensitiveInformation": "None: all names are made up.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": name,
                "contentSize": f"{size} B",
                "encodingFormat": _format(name),
                "sha256": digest,
            }
            for name, (size, digest) in files.items()
        ],
        "recordSet": [_records(name, frame) for name, frame in frames.items()],
    }


def _format(name: str) -> str:
    """Return the media type of a file."""
    return "application/toml" if name.endswith(".toml") else "application/x-parquet"


def _records(table: str, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the description of a table."""
    fields = [_field(table, str(name), frame[name]) for name in frame]
    out: dict[str, Any] = {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "field": fields,
    }
    keys = ["declaration_id", "item_number"]
    if set(keys) <= set(frame):
        out["key"] = [{"@id": f"{table}/{name}"} for name in keys]
    return out


def _field(table: str, name: str, values: pd.Series) -> dict[str, Any]:
    """Return the description of a column."""
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{name}",
        "name": name,
        "description": _meaning(name),
        "dataType": _KINDS.get(str(values.dtype.kind), "sc:Text"),
        "source": {
            "fileObject": {"@id": f"{table}.parquet"},
            "extract": {"column": name},
        },
    }


def _meaning(name: str) -> str:
    """Return what a column means."""
    for table in (DECLARATIONS, OUTCOMES):
        if name in table.names:
            unit = f" [{table[name].unit}]" if table[name].unit else ""
            return f"{table[name].description}{unit}"
    return COLUMNS.get(name, name)
