"""Proposals: a column map for a file, with what speaks for each part of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from smartrisk.errors import Message, check_choice
from smartrisk.results import Result
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap

Render = Callable[[Message], str] | None

_COLUMNS = ["field", "columns", "confidence", "sure", "evidence", "alternatives"]
#: Characters of a comment line of the TOML text.
_LINE = 88
#: Blanks that do not break a line, as French texts have them before some signs.
_BLANKS = "\u00a0\u202f"


@dataclass(frozen=True, kw_only=True)
class FieldProposal:
    """Where one field, or one option, of a map comes from.

    Parameters
    ----------
    field : str
        Field of a table, or option of `smartrisk.schema.ColumnMap`.
    columns : tuple of str
        The administration's columns; empty for an option.
    confidence : float
        How well names and values fit, from 0 to 1.
    evidence : tuple of Message
        What speaks for it.
    doubts : tuple of Message
        What is unsure; empty when it is sure.
    alternatives : tuple of str
        Other columns that may be meant.

    Examples
    --------
    >>> from smartrisk.intake import FieldProposal
    >>> FieldProposal(field="origin", columns=("pays",), confidence=0.9).sure
    True
    """

    field: str
    columns: tuple[str, ...] = ()
    confidence: float = 0.0
    evidence: tuple[Message, ...] = ()
    doubts: tuple[Message, ...] = ()
    alternatives: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.doubts


class Proposal(Result):
    """A proposed column map, with evidence and doubts. Made by `propose_map`.

    Parameters
    ----------
    columns : ColumnMap
        The map.
    fields : sequence of FieldProposal
        Where its parts come from.
    table : str
        "declarations" or "outcomes": what the rows of the file are.
    not_carried : sequence of str
        Fields of the tables that the file does not have.
    unused : sequence of str
        Columns of the file that no field takes.
    results : Proposal, default=None
        The proposal for a second file with results.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.intake import propose_map
    >>> frame = pd.DataFrame({
    ...     "no_declaration": ["A1", "A2"], "date_enreg": ["31/01/2024", "01/02/2024"],
    ...     "espece_tarifaire": ["870323", "220300"], "pays_origine": ["FR", "DE"]})
    >>> proposal = propose_map(frame)
    >>> proposal.columns.mapping["tariff_code"], proposal.columns.day_first
    ('espece_tarifaire', True)
    """

    def __init__(
        self,
        columns: ColumnMap,
        fields: Sequence[FieldProposal],
        *,
        table: str = "declarations",
        not_carried: Sequence[str] = (),
        unused: Sequence[str] = (),
        results: Proposal | None = None,
    ) -> None:
        self.columns = columns
        self.fields = tuple(fields)
        self.table = table
        self.not_carried = tuple(not_carried)
        self.unused = tuple(unused)
        self.results = results

    def frame(self) -> pd.DataFrame:
        """Return one row per field and option.

        Returns
        -------
        frame : DataFrame
            Columns ``field``, ``columns``, ``confidence``, ``sure``, ``evidence``
            (with the doubts, if any), ``alternatives``.
        """
        rows = [
            (
                f.field,
                ", ".join(f.columns),
                round(f.confidence, 2),
                f.sure,
                " ".join(map(str, (*f.evidence, *f.doubts))),
                ", ".join(f.alternatives),
            )
            for f in self.fields
        ]
        return pd.DataFrame(rows, columns=_COLUMNS)

    def __repr__(self) -> str:
        """Return the number of fields, and of doubts."""
        n_doubts = len(self.questions)
        return f"Proposal({len(self.fields)} parts, {n_doubts} unsure)"

    @property
    def questions(self) -> tuple[FieldProposal, ...]:
        """Parts that are unsure, those of required fields first."""
        required = {*DECLARATIONS.required, *OUTCOMES.required}
        unsure = [f for f in self.fields if not f.sure]
        return tuple(sorted(unsure, key=lambda f: f.field not in required))

    def answer(self, field: str, value: str | bool | None) -> Proposal:
        """Return the proposal with one part decided.

        Parameters
        ----------
        field : str
            Field of a table, or option of the map.
        value : str, bool or None
            The column of a field, or the value of an option; None leaves the field out.

        Returns
        -------
        proposal : Proposal
            A new proposal, in which this part is sure.

        Raises
        ------
        ArgumentError
            If there is no such field or option, or the map cannot have that value.

        Examples
        --------
        >>> import pandas as pd
        >>> from smartrisk.intake import propose_map
        >>> frame = pd.DataFrame({"dua": ["1", "2"], "fecha": ["01/02/2024"] * 2,
        ...                       "partida": ["870323", "220300"]})
        >>> proposal = propose_map(frame)
        >>> proposal.answer("day_first", False).columns.day_first
        False
        """
        settings = self.columns.settings()
        options = [f.name for f in dataclasses.fields(ColumnMap)]
        known = [f.name for table in (DECLARATIONS, OUTCOMES) for f in table]
        check_choice("Proposal.answer", "field", field, dict.fromkeys(known + options))
        is_field = field in DECLARATIONS or field in OUTCOMES
        if not is_field:
            settings[field] = value
        else:
            for option in ("mapping", "join", "sums", "dates"):
                settings[option] = {
                    k: v for k, v in settings.get(option, {}).items() if k != field
                }
            if value is not None:
                settings["mapping"] = {**settings["mapping"], field: value}
        decided = FieldProposal(
            field=field,
            columns=(str(value),) if is_field and value is not None else (),
            confidence=1.0,
            evidence=(Message("intake.answered", "decided by the user."),),
        )
        kept = [f for f in self.fields if f.field != field]
        return Proposal(
            ColumnMap(**settings),
            [*kept, *([decided] if value is not None else [])],
            table=self.table,
            not_carried=self.not_carried,
            unused=self.unused,
            results=self.results,
        )

    def to_toml(self, render: Render = None) -> str:
        """Return the map as TOML, a comment above each part that says why.

        Parameters
        ----------
        render : callable, default=None
            Takes a `smartrisk.errors.Message`, returns its text in another language.

        Returns
        -------
        text : str
            TOML that `ColumnMap.from_toml` reads; unsure parts are marked ``UNSURE``.
        """
        return _write_toml(self, render or str)


#: Words of the TOML comments, in catalogues like all messages.
_TITLE = Message(
    "intake.map_title",
    "A proposal: look at every part marked {mark}, change what is wrong, keep the "
    "file.",
    mark="UNSURE",
)


def _write_toml(proposal: Proposal, render: Callable[[Message], str]) -> str:
    """Return the TOML of the map with comments."""
    comments = {f.field: _comment(f, render) for f in proposal.fields}
    lines: list[str] = [*_wrap(render(_TITLE)), ""]
    for line in proposal.columns.to_toml().splitlines():
        name = _find_name(line)
        lines.extend(comments.pop(name, ()))
        lines.append(line)
    if comments:
        lines.append("")
        lines.extend(line for rest in comments.values() for line in rest)
    if proposal.not_carried:
        message = Message(
            "intake.not_carried",
            "The file does not have: {fields}.",
            fields=", ".join(proposal.not_carried),
        )
        lines.extend(["", *_wrap(render(message))])
    if proposal.unused:
        message = Message(
            "intake.unused_columns",
            "Columns that no field takes: {columns}. Name one under [own_fields] to "
            "keep it.",
            columns=", ".join(proposal.unused),
        )
        lines.extend(["", *_wrap(render(message))])
    return "\n".join(lines) + "\n"


def _find_name(line: str) -> str:
    """Return the field or option that a line of TOML sets, or an empty text."""
    name = line.partition("=")[0] if "=" in line else line.strip("[]").split(".")[-1]
    return name.strip().strip('"') if not line.startswith("#") else ""


def _comment(part: FieldProposal, render: Callable[[Message], str]) -> list[str]:
    """Return the comment lines of one part."""
    lines = [render(m) for m in part.evidence]
    lines += [f"UNSURE: {render(m)}" for m in part.doubts]
    return [w for text in lines for w in _wrap(f"{part.field}: {text}")]


def _wrap(text: str) -> list[str]:
    """Return a text as comment lines; control characters of the data are escaped."""
    import textwrap

    clean = "".join(
        c if c.isprintable() or c in _BLANKS else repr(c)[1:-1] for c in text
    )
    return [f"# {line}" for line in textwrap.wrap(clean, _LINE - 2)]
