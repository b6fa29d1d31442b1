"""Words and numbers of pages and pictures in a language."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.explanations import Wording
from smartrisk.languages import catalogue
from smartrisk.results import clean_text

#: Characters of a name in a picture: longer labels leave no space for the axes.
_MOST_CHARACTERS = 40


class Texts:
    """Words and numbers of a page or picture in a language.

    Parameters
    ----------
    lang : str
        One of `smartrisk.languages.LOCALES`.
    channel_names : mapping of str to str, default=None
        What the administration calls a channel: "orange" for "yellow".
    currency : str, default=None
        Currency of amounts, where it is stated.

    Examples
    --------
    >>> from smartrisk.displays import Texts
    >>> Texts("fr").rate(0.125)
    '12\u202f%'
    """

    def __init__(
        self,
        lang: str,
        *,
        channel_names: Mapping[str, str] | None = None,
        currency: str | None = None,
    ) -> None:
        found = catalogue("pages", lang)
        self.lang = lang
        self.words = Wording(lang)
        self.currency = currency
        self._channel_names = dict(channel_names or {})
        self.gettext = found.gettext
        self.ngettext = found.ngettext
        self.pgettext = found.pgettext

    def number(self, value: Any) -> str:
        """Return a number, a dash when it is missing."""
        return "–" if _missing(value) else self.words.number(float(value))

    def decimal(self, value: Any) -> str:
        """Return a figure with three digits after the point."""
        return "–" if _missing(value) else self.words.localise(f"{float(value):.3f}")

    def rate(self, value: Any) -> str:
        """Return a fraction as a percentage."""
        return "–" if _missing(value) else self.words.rate(float(value))

    def score(self, value: Any, stage: str = "model") -> str:
        """Return a risk score: a percentage only where results stand behind it."""
        return "–" if _missing(value) else self.words.score(float(value), stage)

    def fine(self, value: Any) -> str:
        """Return a fraction as a percentage with one digit after the point."""
        if _missing(value):
            return "–"
        return self._percent(f"{100.0 * float(value):.1f}")

    def unit_value(self, value: Any) -> str:
        """Return a value per kg or unit."""
        return "–" if _missing(value) else self.words.unit_value(float(value))

    def between(self, low: Any, high: Any) -> str:
        """Return an interval of fractions."""
        if _missing(low) or _missing(high):
            return "–"
        return f"{self.rate(low)} … {self.rate(high)}"

    def moment_in_words(self, value: Any) -> str:
        """Return a moment as a sentence has it: 17 December 2024, 10:30."""
        return "–" if _missing(value) else self.words.moment(pd.Timestamp(value))

    def day_in_words(self, value: Any) -> str:
        """Return a day as a sentence has it: 17 December 2024."""
        return "–" if _missing(value) else self.words.day(pd.Timestamp(value))

    def amount(self, value: Any) -> str:
        """Return an amount, with its currency where that is stated."""
        text = self.number(value)
        return f"{text}\u00a0{self.currency}" if self.currency else text

    def moment(self, value: Any) -> str:
        """Return a moment to the minute as a table has it, a date when it is midnight.

        Dates of tables and files are those of ISO 8601 in every language.
        """
        if _missing(value):
            return "–"
        found = pd.Timestamp(value)
        whole = found == found.normalize()
        return f"{found:%Y-%m-%d}" if whole else f"{found:%Y-%m-%d %H:%M}"

    def value(self, name: str, value: Any) -> str:
        """Return a declared value as a page shows it."""
        if _missing(value):
            return "–"
        if isinstance(value, bool | np.bool_):
            return self.words.text("yes" if value else "no")
        if name == "duty_rate":
            return self.rate(value)
        if name == "tariff_code":
            return clean_text(self.words.code(str(value)))
        if name == "quantity_unit":
            return clean_text(self.words.unit_with_code(str(value)))
        if isinstance(value, pd.Timestamp | np.datetime64):
            return self.moment(value)
        if isinstance(value, float | np.floating | int | np.integer):
            unit = " kg" if name.endswith("_kg") else ""
            return f"{self.number(value)}{unit}"
        return clean_text(str(value))

    def name(self, value: Any) -> str:
        """Return a name given by a user, cleaned and cut for a picture."""
        return clean_text(str(value), _MOST_CHARACTERS).strip()

    def wrap(self, text: str, width: int = 34) -> str:
        """Return a text broken into lines for the axis of a narrow panel."""
        return "\n".join(textwrap.wrap(text, width, break_on_hyphens=False))

    def channel(self, name: str) -> str:
        """Return the words for a channel: its colour, and what is done with the item.

        A colour has another meaning in another country; the name that the
        administration gave comes without ours.
        """
        pgettext = self.pgettext
        known = {
            "green": pgettext("channel", "green (release)"),
            "yellow": pgettext("channel", "yellow (documents)"),
            "red": pgettext("channel", "red (physical)"),
            "blue": pgettext("channel", "blue (post-clearance)"),
        }
        given = self._channel_names.get(name)
        return self.name(given) if given else known.get(name) or self.name(name)

    def selected_by(self, name: str, stage: str = "model") -> str:
        """Return the words for what selected an item."""
        _ = self.gettext
        if stage == "no results" and name == "model":
            return _("selected by its score")
        known = {
            "model": _("selected by the model"),
            "rule": _("selected by a rule"),
            "random": _("selected at random"),
            "exploration": _("selected to learn"),
            "mandatory": _("mandatory control"),
            "manual": _("selected by an officer"),
        }
        return known.get(name) or self.name(name)

    def segment(self, name: str) -> str:
        """Return the words for a segment."""
        _ = self.gettext
        known = {
            "importer_size": _("size of the importer"),
            "importer_novelty": _("novelty of the importer"),
            "section": _("section of the tariff"),
            "month": _("month"),
        }
        return known.get(name) or self.words.field(name)

    def segment_value(self, value: Any) -> str:
        """Return the words for a value of a segment, whatever the segment is."""
        pgettext = self.pgettext
        known = {
            "other": pgettext("value of a segment", "other"),
            "new": pgettext("value of a segment", "new"),
            "known": pgettext("value of a segment", "known"),
            "100 or more": pgettext("value of a segment", "100 or more"),
            "not declared": pgettext("value of a segment", "not declared"),
            "missing": pgettext("value of a segment", "missing"),
        }
        return known.get(str(value)) or self.name(value)

    def tick(self, value: float, _: Any = None) -> str:
        """Return a number at an axis."""
        return self.words.localise(f"{round(value, 9) + 0.0:g}")

    def percent_tick(self, value: float, _: Any = None) -> str:
        """Return a fraction at an axis, in percent."""
        return self._percent(f"{round(100.0 * value, 6) + 0.0:g}")

    def points_tick(self, value: float, _: Any = None) -> str:
        """Return a difference of fractions at an axis, in percentage points."""
        return self.tick(100.0 * value)

    def points(self, value: Any) -> str:
        """Return a difference of fractions in percentage points, with its sign."""
        if _missing(value):
            return "–"
        return self.words.localise(f"{100.0 * float(value) + 0.0:+.1f}")

    def share(self, line: Any, n_items: float) -> str:
        """Return an inspection rate as a percentage, also of a number of items."""
        rate = float(line["rate"])
        if rate >= 1.0 and n_items:
            rate = float(line["n_inspected"]) / float(n_items)
        return self.rate(rate)

    def _percent(self, number: str) -> str:
        """Return a number with the percent sign of the language."""
        return self.rate(0.0).replace("0", self.words.localise(number), 1)


def _missing(value: Any) -> bool:
    """Return whether there is no value."""
    return value is None or bool(pd.isna(value))
