"""What a service answers: each operation as a function of a body and its options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk import __version__
from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError, SmartRiskWarning, check_choice
from smartrisk.schema import (
    DECLARATIONS,
    KEY,
    OUTCOMES,
    PRESETS,
    SCORES,
    ColumnMap,
    Table,
)
from smartrisk.serving._answers import (
    Answer,
    answer_table,
    plain_records,
    plain_warnings,
    to_json,
)
from smartrisk.serving._bodies import (
    ARROW,
    JSON,
    Items,
    parse,
    read_items,
    read_records,
)
from smartrisk.serving._holder import EngineHolder, Loaded
from smartrisk.serving._problems import RequestError, describe, list_failures
from smartrisk.serving._settings import ServiceSettings
from smartrisk.serving._warnings import listening
from smartrisk.validation import check, validate

_ON_ERROR = ("raise", "set_aside")
_ON_KNOWN = ("raise", "replace", "keep")
_WHOLE = re.compile(r"[0-9]{1,9}")
#: Reasons of one item at most: more than any model has groups of features.
_MOST_REASONS = 50
#: Columns of SCORES that stand beside the reasons of an item.
_EXPLAINED = ("risk_score", "expected_revenue", "score_lower", "score_upper", "stage")


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One request, read: its body and what goes with it."""

    body: bytes
    kind: str
    accept: str
    lang: str
    options: Mapping[str, str]

    def check_options(self, *allowed: str) -> None:
        """Refuse options that the operation does not have."""
        for name in self.options:
            check_choice("the query", "option", name, allowed)

    def choice(self, name: str, allowed: tuple[str, ...]) -> Any:
        """Return an option that is one of several words, by default the first."""
        value = self.options.get(name, allowed[0])
        check_choice("the query", name, value, allowed)
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """Return an option that is a number from 1."""
        text = self.options.get(name, str(default))
        if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= most:
            raise _odd_option(name, f"a whole number from 1 to {most}", text)
        return int(text)


def _odd_option(name: str, wanted: str, text: str) -> RequestError:
    """Return the error for an option that cannot be read."""
    return RequestError(
        422,
        "serving.odd_option",
        "the query: {name!r} must be {wanted}; got {text!r}.",
        name=name,
        wanted=wanted,
        text=text[:40],
    )


def read_capacity(text: str | None) -> float | int:
    """Return a capacity: a share such as ``0.05`` or ``5%``, or a number of items."""
    wanted = "a share (0.05 or 5%) or a number of items (40)"
    if text is None:
        raise _odd_option("capacity", wanted, "")
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        share = float(text[:-1]) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        raise _odd_option("capacity", wanted, text) from None
    if not 0.0 < share <= 1.0:
        raise _odd_option("capacity", wanted, text)
    return share


class Service:
    """Answers calls with the engine that is served at the moment.

    Parameters
    ----------
    settings : ServiceSettings
        The service.
    holder : EngineHolder
        Its engine.
    """

    def __init__(self, settings: ServiceSettings, holder: EngineHolder) -> None:
        self.settings = settings
        self.holder = holder
        self._columns = read_map(settings.columns)
        self._result_columns = read_map(settings.outcome_columns) or self._columns
        self.operations: dict[str, Callable[[Call], Answer]] = {
            "/score": self.score,
            "/explain": self.explain,
            "/select": self.select,
            "/update": self.update,
        }

    def is_quick(self, path: str, kind: str, body: bytes) -> bool:
        """Return whether a call takes a few thousandths of a second: one plain item."""
        quick = path in ("/score", "/explain") and self._columns is None
        return quick and kind == JSON and len(body) < 16_384 and body[:1] == b"{"

    # ------------------------------------------------------------ operations

    def score(self, call: Call) -> Answer:
        """Return SCORES of one item, or of a table of items."""
        call.check_options("on_error")
        on_error = call.choice("on_error", _ON_ERROR)
        loaded = self.holder.current
        items = self._read(call, self.settings.limits.max_items)
        if items.one is not None and call.accept == JSON:
            return self._score_one(loaded, items, call)
        with listening() as caught:
            table = self._canonical(items, on_error)
            scores = loaded.engine.score(table, on_error=on_error)
        frame = scores[[name for name in SCORES.names if name in scores]]
        return self._answer(loaded, items, frame, "scores", call, caught)

    def _score_one(self, loaded: Loaded, items: Items, call: Call) -> Answer:
        """Return the score of one item, as `RiskEngine.score` would have it."""
        item = items.one or {}
        with listening() as caught:
            if self._columns is not None:
                table = self._canonical(items, "raise")
                item = {str(k): v for k, v in table.iloc[0].to_dict().items()}
            score = loaded.engine.score_one(item)
        content: dict[str, Any] = {k: item[k] for k in KEY if k in item}
        content |= score
        content |= self._remarks(loaded, items, call, caught)
        return Answer(body=to_json(content), n_items=1)

    def explain(self, call: Call) -> Answer:
        """Return the reasons of one item, or of each of several."""
        call.check_options("top", "on_error")
        top = call.number("top", 3, _MOST_REASONS)
        on_error = call.choice("on_error", _ON_ERROR)
        if call.accept == ARROW:
            raise RequestError(
                406, "serving.reasons_are_json", "reasons come as JSON only."
            )
        loaded = self.holder.current
        items = self._read(call, self.settings.limits.max_explained)
        with listening() as caught:
            if items.one is not None and self._columns is None:
                scores = [dict(loaded.engine.score_one(items.one))]
                reasons = loaded.engine.explain_one(items.one, top=top)
                positions = [0]
            else:
                table = self._canonical(items, on_error)
                # Each row keeps its position, which the reasons do not.
                scored = loaded.engine.score(table, on_error=on_error)
                positions = [int(k) for k in scored.index]
                names = [n for n in _EXPLAINED if n in scored]
                scores = plain_records(scored[names])
                reasons = loaded.engine.explain(table, top=top, on_error=on_error)
        found = [
            {**score, "sentences": lines, "checks": todo}
            for score, lines, todo in zip(
                scores,
                reasons.sentences(lang=call.lang),
                reasons.checks(lang=call.lang),
                strict=True,
            )
        ]
        about = self._remarks(loaded, items, call, caught)
        if items.one is not None:
            body = to_json({**found[0], "model_version": loaded.version, **about})
            return Answer(body=body, n_items=1)
        about |= self._find_refused(loaded, items, positions)
        placed = [
            {"position": k, **one} for k, one in zip(positions, found, strict=True)
        ]
        body = to_json({"reasons": placed, "model_version": loaded.version, **about})
        return Answer(body=body, n_items=len(found))

    def select(self, call: Call) -> Answer:
        """Return DECISIONS of items under a capacity."""
        call.check_options("capacity", "on_error")
        capacity = read_capacity(call.options.get("capacity"))
        on_error = call.choice("on_error", _ON_ERROR)
        loaded = self.holder.current
        items = self._read(call, self.settings.limits.max_items)
        with listening() as caught:
            table = self._canonical(items, on_error)
            decisions = loaded.engine.select(table, capacity, on_error=on_error)
        return self._answer(loaded, items, decisions, "decisions", call, caught)

    def update(self, call: Call) -> Answer:
        """Add items and results to the history, and answer once they are saved."""
        if not self.settings.writer:
            raise RequestError(
                403,
                "serving.read_only",
                "this service does not take updates. Start one with --writer.",
            )
        call.check_options("table", "on_known", "on_error")
        on_known = call.choice("on_known", _ON_KNOWN)
        on_error = call.choice("on_error", _ON_ERROR)
        items, results = self._read_update(call)

        def change(engine: RiskEngine) -> None:
            engine.update(items, results, on_known=on_known, on_error=on_error)

        with listening() as caught:
            items = self._map(items, DECLARATIONS, on_error)
            results = self._map(results, OUTCOMES, on_error)
            loaded = self.holder.update(change)
        report = loaded.engine.last_update_
        until = loaded.engine.history_until
        content: dict[str, Any] = {
            "model_version": loaded.version,
            "history_until": None if until is None else until.isoformat(),
            "update": {} if report is None else _counts(report.frame()),
        }
        if caught:
            content["warnings"] = plain_warnings(caught, call.lang)
        n_items = sum(len(t) for t in (items, results) if t is not None)
        return Answer(body=to_json(content), n_items=n_items)

    # ----------------------------------------------------------------- parts

    def _read(self, call: Call, most: int) -> Items:
        """Return the items of a call."""
        return read_items(call.body, call.kind, self.settings.limits, most)

    def _read_update(self, call: Call) -> tuple[Any, Any]:
        """Return the items and the results of an update, each None where absent."""
        limits = self.settings.limits
        if call.kind == ARROW:
            table = call.choice("table", ("declarations", "outcomes"))
            frame = read_items(call.body, ARROW, limits, limits.max_items).frame()
            return (frame, None) if table == "declarations" else (None, frame)
        value = parse(call.body)
        names = {"declarations", "outcomes"}
        if not isinstance(value, dict) or not value or set(value) - names:
            raise RequestError(
                422,
                "serving.not_an_update",
                "the body of an update must be an object with 'declarations', "
                "'outcomes' or both, and nothing else.",
            )
        found = [
            read_records(value[name], name, limits.max_items).frame()
            if value.get(name) is not None
            else None
            for name in ("declarations", "outcomes")
        ]
        return found[0], found[1]

    def _canonical(self, items: Items, on_error: Any) -> pd.DataFrame:
        """Return items as a table, by the map of the service where it has one."""
        table = self._map(items.frame(), DECLARATIONS, on_error)
        if table is None:
            raise TypeError("no table")
        return table

    def _map(
        self, table: pd.DataFrame | None, kind: Table, on_error: Any
    ) -> pd.DataFrame | None:
        """Return a table after the map; the engine checks what needs none."""
        columns = self._columns if kind is DECLARATIONS else self._result_columns
        if table is None or columns is None:
            return table
        return validate(table, kind, columns=columns, on_error=on_error)

    def _answer(
        self,
        loaded: Loaded,
        items: Items,
        frame: pd.DataFrame,
        name: str,
        call: Call,
        caught: list[SmartRiskWarning],
    ) -> Answer:
        """Return a table of results with the position of each row."""
        positions = [int(k) for k in frame.index]
        numbered = frame.reset_index(drop=True)
        numbered.insert(0, "position", positions)
        about = self._remarks(loaded, items, call, caught)
        about |= self._find_refused(loaded, items, positions)
        about["model_version"] = loaded.version
        return answer_table(numbered, name=name, about=about, accept=call.accept)

    def _find_refused(
        self, loaded: Loaded, items: Items, positions: list[int]
    ) -> dict[str, Any]:
        """Return what was set aside, each failure with the position of its item."""
        if len(positions) == len(items):
            return {}
        own = self._own_map(loaded)
        report = check(items.frame(), DECLARATIONS, columns=own)
        found, n_failures = list_failures(report.failures)
        aside = sorted(set(range(len(items))) - set(positions))
        return {"set_aside": aside, "failures": found, "n_failures": n_failures}

    def _own_map(self, loaded: Loaded) -> ColumnMap | None:
        """Return the map by which items are read: the service's, or own fields only."""
        if self._columns is not None:
            return self._columns
        own = loaded.engine.own_fields_
        return ColumnMap(own_fields=own) if own else None

    def _remarks(
        self,
        loaded: Loaded,
        items: Items,
        call: Call,
        caught: list[SmartRiskWarning],
    ) -> dict[str, Any]:
        """Return what a client should know about its items, where there is anything."""
        found: dict[str, Any] = {}
        if self._columns is None:
            others = items.names - loaded.fields
            unknown = {n for n in others if n not in DECLARATIONS}
            if unknown:
                found["ignored_fields"] = sorted(n[:40] for n in unknown)
            absent = [n for n in loaded.deciding if n not in items.names]
            if absent:
                found["absent_fields"] = absent
        if caught:
            found["warnings"] = plain_warnings(caught, call.lang)
        return found

    # --------------------------------------------------------------- reports

    def health(self, lang: str, *, whole: bool) -> dict[str, Any]:
        """Return whether the service answers, and with what."""
        state, loaded = self.holder.state, self.holder.current
        content: dict[str, Any] = {"status": "ok"}
        if state.error is not None:
            content["status"] = "old engine"
        if not whole:
            return content
        until = loaded.engine.history_until
        content |= {
            "model_version": loaded.version,
            "stage": loaded.engine.stage_,
            "history_until": None if until is None else until.isoformat(),
            "writer": self.settings.writer,
            "loads": state.n_loads,
            "load_failures": state.n_failures,
        }
        if state.error is not None:
            content["reload"] = {
                "code": state.error.message_id,
                "detail": describe(state.error, lang),
            }
        return content

    def version(self) -> dict[str, Any]:
        """Return which library and which engine answer."""
        loaded = self.holder.current
        return {
            "smartrisk": __version__,
            "model_version": loaded.version,
            "target": loaded.engine.target_,
        }


def _counts(frame: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return the counts of an update that are not zero."""
    rows = zip(frame.index, plain_records(frame), strict=True)
    return {
        str(table): {kind: n for kind, n in row.items() if n} for table, row in rows
    }


def read_map(name_or_path: str | None) -> ColumnMap | None:
    """Return a column map by the name of a built-in one, or from a TOML file."""
    if name_or_path is None:
        return None
    if name_or_path.lower() in PRESETS:
        return ColumnMap.preset(name_or_path.lower())
    if not Path(name_or_path).is_file():
        raise ArgumentError(
            "serving.no_map",
            "--map: {name!r} is neither a file nor one of {built_in}.",
            name=name_or_path,
            built_in=", ".join(PRESETS),
        )
    try:
        return ColumnMap.from_toml(name_or_path)
    except UnicodeDecodeError as error:
        raise ArgumentError(
            "serving.map_not_utf8",
            "--map: {path!r} is not UTF-8 text. Save it as UTF-8.",
            path=name_or_path,
        ) from error
