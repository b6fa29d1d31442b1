"""What OpenAPI states of the service: typed models with examples, made of the schema.

Imported when a service is made, and not before: it needs the extra ``serve``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from smartrisk.schema import DECISIONS, DECLARATIONS, OUTCOMES, SCORES, Table
from smartrisk.serving._bodies import ARROW, JSON
from smartrisk.serving._problems import PROBLEM

_TYPES: dict[str, Any] = {
    "text": str,
    "code": str,
    "number": float,
    "integer": int,
    "boolean": bool,
    "datetime": datetime,
}
#: An invented item.
EXAMPLE = {
    "declaration_id": "24-000017",
    "item_number": 1,
    "lodged_at": "2024-05-14T10:31:00",
    "office": "HQ01",
    "importer_id": "IMP-0042",
    "tariff_code": "640399",
    "origin": "IT",
    "customs_value": 1250.5,
    "net_mass_kg": 84.0,
    "gross_mass_kg": 90.0,
    "quantity": 120.0,
    "duty_rate": 0.17,
}
_SCORE = {
    "declaration_id": "24-000017",
    "item_number": 1,
    "risk_score": 0.084,
    "expected_revenue": 31.7,
    "score_lower": 0.051,
    "score_upper": 0.122,
    "model_version": "0f3c2a17",
}


def _model(name: str, table: Table, example: dict[str, Any], **more: Any) -> Any:
    """Return a model of a row of a table; what it does not name is allowed."""
    fields: dict[str, Any] = {}
    for field in table:
        kind = _TYPES[field.kind]
        unit = f" ({field.unit})" if field.unit else ""
        about = f"{field.description}{unit}"
        if field.required:
            fields[field.name] = (kind, Field(description=about))
        else:
            fields[field.name] = (kind | None, Field(None, description=about))
    config = ConfigDict(
        extra="allow", json_schema_extra={"example": example}, protected_namespaces=()
    )
    return create_model(name, __config__=config, **fields, **more)


_POSITION = (int, Field(description="position among the items that were sent, from 0"))
ItemModel: Any = _model("Item", DECLARATIONS, EXAMPLE)
OutcomeModel: Any = _model(
    "Outcome", OUTCOMES, {"declaration_id": "24-000017", "illicit": True}
)
ScoreModel: Any = _model("Score", SCORES, _SCORE)
PlacedScore: Any = _model(
    "PlacedScore", SCORES, {"position": 0, **_SCORE}, position=_POSITION
)
DecisionModel: Any = _model(
    "Decision",
    DECISIONS,
    {"position": 0, "declaration_id": "24-000017", "channel": "red", "rank": 1},
    position=_POSITION,
)


class _Open(BaseModel):
    """An object that may have more than it names."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())


class Remark(_Open):
    """A warning by its code."""

    code: str
    detail: str


class Failure(_Open):
    """A value that was refused, by the position of its item."""

    position: int
    field: str | None
    reason: str
    value: Any = None


class ProblemModel(_Open):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(
        description="stable name of the error", examples=["serving.not_json"]
    )
    detail: str = Field(description="in the language of Accept-Language: en, fr, es")
    request: str = Field(description="under which the log has it")
    failures: list[Failure] | None = None
    n_failures: int | None = None


class Remarks(_Open):
    """What a client should know about its items; absent where there is nothing."""

    model_version: str
    warnings: list[Remark] | None = None
    ignored_fields: list[str] | None = Field(None, description="that no field takes")
    absent_fields: list[str] | None = Field(None, description="that the scores use")
    set_aside: list[int] | None = Field(None, description="positions without a result")
    failures: list[Failure] | None = None
    n_failures: int | None = None


class Scores(Remarks):
    """SCORES of several items."""

    scores: list[PlacedScore]


class Decisions(Remarks):
    """DECISIONS of several items."""

    decisions: list[DecisionModel]


class Reason(_Open):
    """Why an item has its score."""

    position: int | None = Field(None, description="absent where one item was sent")
    risk_score: float
    expected_revenue: float
    sentences: list[str] = Field(examples=[["declared: duty rate 12 %"]])
    checks: list[str]


class ReasonsModel(Remarks):
    """Reasons of several items."""

    reasons: list[Reason]


class UpdateBody(BaseModel):
    """Items and results that became known."""

    declarations: list[ItemModel] | None = None
    outcomes: list[OutcomeModel] | None = None


class Updated(_Open):
    """What an update did; it is saved."""

    model_version: str
    history_until: str | None
    update: dict[str, dict[str, int]] = Field(examples=[{"items": {"taken": 40}}])


class Health(_Open):
    """Whether the service answers; the rest for who knows the token."""

    status: str = Field(examples=["ok", "old engine"])


class Version(_Open):
    """Which library and which engine answer."""

    smartrisk: str
    model_version: str
    target: str = Field(examples=["hit", "offence:origin"])


_ON_ERROR = ("on_error", ["raise", "set_aside"], "refuse all, or leave out and count")
_ABOUT: dict[str, dict[str, Any]] = {
    "/score": {
        "summary": "Score one item, or several",
        "answer": ScoreModel | Scores,
        "options": [_ON_ERROR],
        "table": True,
    },
    "/explain": {
        "summary": "Reasons of one item, or of several",
        "answer": Reason | ReasonsModel,
        "options": [("top", None, "reasons of an item at most"), _ON_ERROR],
    },
    "/select": {
        "summary": "Decide on items under a capacity",
        "answer": Decisions,
        "options": [
            ("capacity", None, "a share (0.05 or 5%) or a number of items (40)"),
            _ON_ERROR,
        ],
        "table": True,
    },
    "/update": {
        "summary": "Add items and results to the history; answered once they are saved",
        "answer": Updated,
        "options": [
            ("on_known", ["raise", "replace", "keep"], "of known ones that differ"),
            ("table", ["declarations", "outcomes"], "which, where the body is Arrow"),
            _ON_ERROR,
        ],
    },
    "/health": {"summary": "Whether the service answers", "answer": Health},
    "/version": {"summary": "Which library and engine answer", "answer": Version},
    "/metrics": {"summary": "Counts and times, for Prometheus", "answer": None},
}


def describe_operation(path: str) -> dict[str, Any]:
    """Return what a route is given, besides its path and its function."""
    about = _ABOUT[path]
    done: dict[str, Any] = {"description": "Done."}
    if about["answer"] is not None:
        done["model"] = about["answer"]
    if about.get("table"):
        done["content"] = {ARROW: {}}
    refused = {"model": ProblemModel, "content": {PROBLEM: {}}}
    codes = (401,) if "options" not in about else (400, 401, 413, 415, 422, 503)
    extra: dict[str, Any] = {"security": [{}, {"token": []}]}
    if "options" in about:
        extra["parameters"] = [_parameter(*option) for option in about["options"]]
        extra["requestBody"] = _request_body(path)
    return {
        "summary": about["summary"],
        "operation_id": path[1:],
        "responses": {
            200: done,
            **{c: {**refused, "description": "Refused."} for c in codes},
        },
        "openapi_extra": extra,
        "response_model": None,
    }


def _parameter(name: str, words: list[str] | None, about: str) -> dict[str, Any]:
    """Return an option of the query."""
    kind: dict[str, Any] = {"type": "string"}
    if words is not None:
        kind |= {"enum": words, "default": words[0]}
    return {"name": name, "in": "query", "description": about, "schema": kind}


def _request_body(path: str) -> dict[str, Any]:
    """Return the body of an operation; an item is described where it is one."""
    item = ItemModel.model_json_schema()
    if path == "/update":
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {
                "declarations": {"type": "array", "items": item},
                "outcomes": {
                    "type": "array",
                    "items": OutcomeModel.model_json_schema(),
                },
            },
        }
        outcome = {"declaration_id": "24-000017", "item_number": 1, "illicit": True}
        example: Any = {"declarations": [EXAMPLE], "outcomes": [outcome]}
    else:
        schema = {"oneOf": [item, {"type": "array", "items": item}]}
        example = EXAMPLE if path != "/select" else [EXAMPLE]
    binary = {"type": "string", "format": "binary"}
    return {
        "required": True,
        "content": {
            JSON: {"schema": schema, "example": example},
            ARROW: {"schema": binary},
        },
    }
