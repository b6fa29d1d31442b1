"""`propose_map`: the column map of a file, from the names and values of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from smartrisk.errors import Message, SmartRiskError, TableError, format_values
from smartrisk.intake._columns import ColumnValues, read_columns
from smartrisk.intake._documents_found import find_key, group_documents
from smartrisk.intake._formats_found import find_options
from smartrisk.intake._found import Found, find_day, make_parts
from smartrisk.intake._headers import has_meaning
from smartrisk.intake._known import describe_known, find_known
from smartrisk.intake._match import Rating, assign, rate_all, weigh_documents
from smartrisk.intake._money_found import find_money
from smartrisk.intake._proposal import FieldProposal, Proposal
from smartrisk.intake._unnamed import assign_by_values, find_key_by_values
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap, TableInput
from smartrisk.tables import read_table as read_frame
from smartrisk.validation import check

#: Rows that are looked at: formats and shares do not change with more.
_MOST_ROWS = 20_000
#: Best rating of a header below which a file counts as one without names.
_NO_NAME = 0.5
#: Share of the rows that the door refuses from which a field is unsure.
_REFUSED = 0.01
#: How well a header must name a mass for a total of documents to be shared out.
_TOTAL_NAME = 0.3
#: Fields without which a table without tariff codes is not one of declarations.
_FEW = 3
_MISSING = "validation.columns_missing"
_ORDINALS = re.compile(
    r"(column|col|field|f|c|v|var|unnamed:?|champ|campo)?[_ ]?[0-9]+"
)


def propose_map(
    frame: TableInput,
    *more: TableInput,
    known_layouts: bool = True,
    max_rows: int = _MOST_ROWS,
) -> Proposal:
    """Return a proposed column map for a table, with evidence and doubts.

    Headers are compared with words in several languages and with those of published
    layouts; values decide between columns, and give the formats. Nothing is asked:
    what is unsure is marked in the proposal.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        Items as an administration has them, with or without results.
    *more : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        A further table, with the results.
    known_layouts : bool, default=True
        Whether a table in the layout of a map that comes with the library is proposed
        that map (`smartrisk.schema.PRESETS`).
    max_rows : int, default=20000
        Rows that are looked at, from the top.

    Returns
    -------
    proposal : Proposal
        Its ``columns`` is the `smartrisk.schema.ColumnMap`; its ``results`` is the
        proposal for the further table.

    Raises
    ------
    TableError
        If no table holds items: aggregates without documents, or headers without
        goods.

    See Also
    --------
    smartrisk.validation.check : Whether a table fits under a map.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.intake import propose_map
    >>> frame = pd.DataFrame({
    ...     "DUA": ["118-1", "118-2"], "FECH_INGSI": ["20240131", "20240201"],
    ...     "PART_NANDI": ["8703239000", "2203000000"], "PAIS_ORIGE": ["JP", "DE"]})
    >>> propose_map(frame).columns.mapping["lodged_at"]
    'FECH_INGSI'
    """
    proposals = [
        _propose_one(f, max_rows, known_layouts=known_layouts) for f in (frame, *more)
    ]
    items = [p for p in proposals if p.table == "declarations"]
    results = [p for p in proposals if p.table == "outcomes"]
    if not items:
        return proposals[0]
    first = items[0]
    first.results = results[0] if results else None
    return first


def _propose_one(frame: TableInput, max_rows: int, *, known_layouts: bool) -> Proposal:
    """Return the proposal for one table."""
    if not isinstance(frame, pd.DataFrame):
        frame = read_frame("propose_map", "the table", frame)
    sample = frame.head(max_rows)
    columns = read_columns(sample)
    known = None
    if known_layouts:
        known = find_known(sample, has_names=not _has_no_names(columns))
    if known is not None:
        return describe_known(known)
    found = _find_declarations(columns)
    table = _judge_table(found)
    if table == "outcomes":
        found = _find_outcomes(columns)
    else:
        find_day(found)
        _add_results(found)
        _find_formats(found)
    parts = make_parts(found)
    settings = _make_settings(found)
    proposal = _make_proposal(found, settings, parts, table)
    return _check_at_the_door(proposal, sample)


def _find_declarations(columns: Mapping[str, ColumnValues]) -> Found:
    """Return what the columns hold of DECLARATIONS."""
    named = not _has_no_names(columns)
    ratings = rate_all(columns, "declarations", by_values=not named)
    found = Found(columns, ratings, {}, named=named)
    _find_documents(found)
    if not named:
        item = _best(found.ratings["item_number"], least=0.3)
        found.assigned = assign_by_values(
            columns, item, found.documents, found.key.columns
        )
    else:
        found.assigned = _assign(found)
    _share_totals(found)
    found.money = find_money(columns, found.assigned, found.documents)
    _find_formats(found)
    return found


def _share_totals(found: Found) -> None:
    """Take a mass that is printed per document, to be shared out by value.

    Only where the file has no mass of the items.
    """
    masses = ("gross_mass_kg", "net_mass_kg")
    if found.documents is None or any(
        name in found.assigned
        and not found.documents.is_per_document(
            found.columns[found.assigned[name].column]
        )
        for name in masses
    ):
        return
    value = found.assigned.get("customs_value")
    if value is None or found.documents.is_per_document(found.columns[value.column]):
        return
    used = {r.column for r in found.assigned.values()}
    totals = [
        r
        for name in masses
        for r in found.ratings.get(name, ())
        if r.name >= _TOTAL_NAME
        and r.values > 0.0
        and (r.column not in used or found.assigned.get(name) == r)
        and found.documents.is_per_document(found.columns[r.column])
    ]
    for rating in sorted(totals, key=lambda r: -r.name)[:1]:
        found.assigned[rating.field] = rating
        found.options.settings["shared"] = {rating.field: "customs_value"}


def _has_no_names(columns: Mapping[str, ColumnValues]) -> bool:
    """Return whether columns have no names, or values in their place."""
    ordinals = sum(
        _ORDINALS.fullmatch(n.strip().casefold()) is not None for n in columns
    )
    return ordinals > len(columns) / 2


def _find_documents(found: Found) -> None:
    """Find the key of documents, and weigh all ratings by it."""
    if not found.named:
        found.key, item = find_key_by_values(found.columns)
        if item is not None:
            found.ratings = {"item_number": [Rating("item_number", item, 0, 0.9, 0.6)]}
        if found.key.columns:
            found.documents = group_documents(found.columns, found.key)
        return
    item = _best(found.ratings["item_number"], least=0.3)
    office = _best(found.ratings["office"], least=0.3)
    taken = {item, office}
    ids = [
        (r.column, r.total)
        for r in found.ratings["declaration_id"]
        if r.total >= 0.15 and r.column not in taken
    ]
    found.key = find_key(found.columns, ids, item, office)
    if found.key.columns:
        found.documents = group_documents(found.columns, found.key)
        found.ratings = weigh_documents(found.ratings, found.columns, found.documents)


def _best(rated: Sequence[Rating], least: float) -> str | None:
    """Return the best column of a field, or None."""
    return rated[0].column if rated and rated[0].total >= least else None


def _assign(found: Found) -> dict[str, Rating]:
    """Return one column per field; office and year of the key stay free."""
    ratings = {k: v for k, v in found.ratings.items() if k != "declaration_id"}
    return assign(ratings, taken=found.key.columns[-1:])


def _judge_table(found: Found) -> str:
    """Return what the rows are; refuse aggregates, and documents without goods."""
    has_goods = "tariff_code" in found.assigned
    results = assign(rate_all(found.columns, "outcomes", by_values=False))
    is_result = {"illicit", "channel", "revenue_adjustment", "offence"} & results.keys()
    if not has_goods and found.key.columns and is_result:
        return "outcomes"
    months = any(has_meaning(n, "month") for n in found.columns)
    has_day = "lodged_at" in found.assigned
    if has_goods and not has_day and (months or not found.key.columns):
        raise TableError(
            "intake.aggregates",
            "these rows are no declarations: there is no {missing}, so each is a total "
            "of many items, such as trade statistics by month. Scores need a table "
            "with one row per item of a document; the table has {columns}.",
            missing="day of lodgement, no document"
            if not found.key.columns
            else "day of lodgement",
            columns=format_values(found.columns),
        )
    if not has_goods and not is_result and _n_found(found) < _FEW:
        raise TableError(
            "intake.nothing_found",
            "no column looks like one of declarations or of results: there are no "
            "tariff codes, and names and values are of something else. Check that it "
            "is the right file; the table has {columns}.",
            columns=format_values(found.columns),
        )
    if not has_goods and found.key.columns:
        raise TableError(
            "intake.no_goods",
            "this table has documents ({key}) but no goods: no column holds tariff "
            "codes. Join it to the table of the items with "
            "smartrisk.intake.join_documents, or with --header FILE of the commands; "
            "the table has {columns}.",
            key=format_values(found.key.columns),
            columns=format_values(found.columns),
        )
    return "declarations"


def _n_found(found: Found) -> int:
    """Return the number of fields that columns were found for."""
    return len(found.assigned) + len(found.key.columns)


def _find_outcomes(columns: Mapping[str, ColumnValues]) -> Found:
    """Return what the columns hold of OUTCOMES."""
    ratings = rate_all(columns, "outcomes", by_values=False)
    declared = rate_all(columns, "declarations", by_values=False)
    ratings["office"] = declared["office"]
    found = Found(columns, ratings, {})
    _find_documents(found)
    found.assigned = _assign(found)
    found.assigned.pop("office", None)
    _find_formats(found)
    return found


def _add_results(found: Found) -> None:
    """Add results that stand beside the items."""
    used = [c for r in found.assigned.values() for c in (r.column,)]
    used += [*found.key.columns, *found.money.columns]
    rated = rate_all(found.columns, "outcomes", by_values=False)
    rated = {k: v for k, v in rated.items() if k not in DECLARATIONS}
    results = assign(rated, taken=used)
    if not {"illicit", "channel", "revenue_adjustment"} & results.keys():
        return
    found.ratings.update({k: rated[k] for k in results})
    found.assigned.update(results)


def _find_formats(found: Found) -> None:
    """Find dates, numbers and codes of the columns that are used."""
    kinds: dict[str, list[str]] = {"dates": [], "numbers": []}
    for name, rating in found.assigned.items():
        declared = DECLARATIONS[name] if name in DECLARATIONS else OUTCOMES[name]
        if declared.kind == "datetime":
            kinds["dates"].append(rating.column)
        elif declared.kind == "number":
            kinds["numbers"].append(rating.column)
        kinds[name] = [rating.column]
    kinds["numbers"] += found.money.columns
    shared = found.options.settings.get("shared")
    found.options = find_options(found.columns, kinds)
    if shared is not None:
        found.options.settings["shared"] = shared


def _make_settings(found: Found) -> dict[str, Any]:
    """Return the arguments of the map."""
    mapping = {
        name: r.column
        for name, r in found.assigned.items()
        if name != "declaration_id" and name not in found.money.sums
    }
    settings: dict[str, Any] = {**found.options.settings, **found.money.settings}
    if found.key.separator:
        settings["split"] = [
            {
                "column": found.key.columns[0],
                "fields": ["declaration_id", "item_number"],
                "separator": found.key.separator,
            }
        ]
        mapping.pop("item_number", None)
    elif len(found.key.columns) > 1:
        settings["join"] = {"declaration_id": {"columns": list(found.key.columns)}}
    elif found.key.columns:
        mapping["declaration_id"] = found.key.columns[0]
    formats = settings.get("date_format")
    if formats is not None:
        fields = {found.assigned[n].column: n for n in found.assigned}
        settings["date_format"] = {fields[c]: f for c, f in formats.items()}
        _simplify_dates(settings, found)
    order = [*(f.name for f in DECLARATIONS), *(f.name for f in OUTCOMES)]
    settings["mapping"] = {n: mapping[n] for n in dict.fromkeys(order) if n in mapping}
    return settings


def _simplify_dates(settings: dict[str, Any], found: Found) -> None:
    """Give one format where all dates have it, and widths where zeros are lost."""
    formats = settings["date_format"]
    for name, form in formats.items():
        column = found.columns[found.assigned[name].column]
        if form == "%d%m%Y" and column.share_matching("[0-9]{7}") > 0.0:
            settings.setdefault("widths", {})[name] = 8
    dates = [n for n in found.assigned if _is_date(n)]
    if len(set(formats.values())) == 1 and len(formats) == len(dates):
        settings["date_format"] = next(iter(formats.values()))


def _is_date(name: str) -> bool:
    """Return whether a field is a moment."""
    table = DECLARATIONS if name in DECLARATIONS else OUTCOMES
    return table[name].kind == "datetime"


def _make_proposal(
    found: Found, settings: dict[str, Any], parts: list[FieldProposal], table: str
) -> Proposal:
    """Return the proposal, and what the file does not carry or the map not use."""
    columns = ColumnMap(**settings)
    carried = {*columns.mapping, *columns.made}
    fields = DECLARATIONS if table == "declarations" else OUTCOMES
    missing = [f.name for f in fields if f.name not in carried]
    used = {c for n in carried for c in columns.sources(n)}
    used |= set(found.key.columns)
    return Proposal(
        columns,
        parts,
        table=table,
        not_carried=missing,
        unused=[n for n in found.columns if n not in used],
    )


def _check_at_the_door(proposal: Proposal, sample: pd.DataFrame) -> Proposal:
    """Mark the fields of which validation refuses more than a few rows."""
    table = DECLARATIONS if proposal.table == "declarations" else OUTCOMES
    try:
        report = check(sample, table, columns=proposal.columns)
    except SmartRiskError as error:
        if error.message_id in ("validation.column_missing", _MISSING):
            return proposal
        doubt = Message("intake.door_refuses", "{problem}", problem=str(error))
        extra = FieldProposal(field="map", doubts=(doubt,))
        return _with_fields(proposal, [*proposal.fields, extra])
    failures = report.failures
    if table is DECLARATIONS and "illicit" in proposal.columns.mapping:
        results = check(sample, OUTCOMES, columns=proposal.columns).failures
        is_result = ~results["field"].isin([f.name for f in DECLARATIONS])
        failures = pd.concat([failures, results[is_result]], ignore_index=True)
    failures = failures[failures["severity"] == "error"]
    counts = failures.groupby("field")["row"].nunique()
    limit = _REFUSED * max(1, len(sample))
    return _with_fields(
        proposal, [_add_refusal(f, counts, failures, limit) for f in proposal.fields]
    )


def _add_refusal(
    part: FieldProposal, counts: pd.Series, failures: pd.DataFrame, limit: float
) -> FieldProposal:
    """Return a part with the doubt that validation refuses its values."""
    if counts.get(part.field, 0) <= limit:
        return part
    rows = failures[failures["field"] == part.field]
    doubt = Message(
        "intake.values_refused",
        "validation refuses {n_rows} rows ({reason}): {values}.",
        n_rows=int(counts[part.field]),
        reason=str(rows["reason"].iloc[0]),
        values=format_values(rows["value"].drop_duplicates(), 3),
    )
    return FieldProposal(
        field=part.field,
        columns=part.columns,
        confidence=min(part.confidence, 0.5),
        evidence=part.evidence,
        doubts=(*part.doubts, doubt),
        alternatives=part.alternatives,
    )


def _with_fields(proposal: Proposal, fields: Sequence[FieldProposal]) -> Proposal:
    """Return a proposal with other parts."""
    return Proposal(
        proposal.columns,
        fields,
        table=proposal.table,
        not_carried=proposal.not_carried,
        unused=proposal.unused,
        results=proposal.results,
    )
