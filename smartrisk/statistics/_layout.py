"""A result as it is written to files: rows, their keys, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from smartrisk.languages import N_, catalogue
from smartrisk.statistics._definitions import Definition
from smartrisk.statistics._population import PERIODS
from smartrisk.statistics._words import COLUMNS, GROUP, translate_sentence

#: Columns that say more of a row.
_TEXTS = ("unit", "status", "reason")


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """What a result gives to be written.

    Attributes
    ----------
    kind : str
        Name of the table, as the identifier of its structure.
    title : str
        Title, in English, of the catalogue "pages".
    table : DataFrame
        The rows.
    keys, numbers, texts : tuple of str
        Columns that name a row, that are numbers, and that say more of a row.
    period : str
        Key that is a period; empty for none.
    facts : tuple of (str, str)
        What holds for the whole table: a label of the catalogue, and a value.
    definitions : mapping of str to Definition
        What each indicator is.
    left_out : DataFrame
        What was left out or hidden.
    moment : str
        The as-of moment, in ISO 8601.
    """

    kind: str
    title: str
    table: pd.DataFrame
    keys: tuple[str, ...]
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    period: str
    facts: tuple[tuple[str, str], ...]
    definitions: Mapping[str, Definition]
    left_out: pd.DataFrame
    moment: str

    def describe_column(self, name: str, lang: str) -> str:
        """Return what a column holds."""
        say = catalogue("pages", lang).gettext
        if name in COLUMNS:
            return say(COLUMNS[name])
        return say(GROUP).format(name=name)

    def facts_in(self, lang: str) -> list[tuple[str, str]]:
        """Return what holds for the whole table, title first."""
        say = catalogue("pages", lang).gettext
        return [(say(self.title), ""), *((say(x), y) for x, y in self.facts)]

    def definitions_in(self, lang: str) -> pd.DataFrame:
        """Return the definitions as a table."""
        rows = [
            {
                "indicator": one.id,
                "name": one.name[lang],
                "definition": one.definition[lang],
                "numerator": one.numerator,
                "denominator": one.denominator,
                "unit": one.unit,
                "excludes": one.excludes[lang],
                "anchor": one.anchor,
            }
            for one in self.definitions.values()
        ]
        return pd.DataFrame(rows)

    def left_out_in(self, lang: str) -> pd.DataFrame:
        """Return what was left out, in a language."""
        table = self.left_out.copy()
        for name in ("check", "reason"):
            if name in table:
                texts = [translate_sentence(x, lang) for x in table[name]]
                table[name] = pd.Series(texts, dtype="str")
        return table


def make_layout(
    table: pd.DataFrame,
    by: tuple[str, ...],
    definitions: Mapping[str, Definition],
    *,
    as_of: pd.Timestamp,
    left_out: pd.DataFrame,
    about: tuple[str, str],
    facts: tuple[tuple[str, str], ...],
) -> Layout:
    """Return the layout of a table of indicators.

    Parameters
    ----------
    table : DataFrame
        The figures.
    by : tuple of str
        Fields of the groups.
    definitions : mapping of str to Definition
        What each indicator is.
    as_of : Timestamp
        Nothing known at this moment or later counts.
    left_out : DataFrame
        What was left out or hidden.
    about : tuple of str
        Name of the kind of table, and its title.
    facts : tuple of (str, str)
        What else holds for the whole table.
    """
    named = table["indicator"].unique()
    there = {name: one for name, one in definitions.items() if name in named}
    if "unit" not in by:  # what is counted, which a result may have chosen
        units = table.groupby("indicator", sort=False)["unit"].first()
        there = {x: replace(one, unit=str(units[x])) for x, one in there.items()}
    periods = [name for name in by if name in PERIODS]
    keys = tuple(x for x in ("indicator", "part", *by) if x in table)
    texts = tuple(name for name in _TEXTS if name in table and name not in keys)
    return Layout(
        kind=about[0],
        title=about[1],
        table=table,
        keys=keys,
        numbers=tuple(str(x) for x in table if x not in (*keys, *texts)),
        texts=texts,
        period=periods[0] if len(periods) == 1 else "",
        facts=(
            (N_("as of: nothing known at this moment or later counts"), str(as_of)),
            (N_("grouped by"), ", ".join(by)),
            *facts,
        ),
        definitions=there,
        left_out=left_out,
        moment=as_of.isoformat(),
    )


__all__ = ["Layout", "make_layout"]
