"""Numbers as a language and its country write them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from smartrisk.languages import has_decimal_point, language_of

_NARROW = "\u202f"  # no-break, as French and Spanish typography have it
_MINUS = "\u2212"  # as wide as a plus sign; a hyphen is read as a dash
_FOUR_DIGITS = re.compile(r"([+\u2212]?\d),(\d{3})(\.\d+)?")


@dataclass(frozen=True)
class NumberWording:
    """Numbers of one locale.

    Parameters
    ----------
    lang : str
        One of `smartrisk.languages.LOCALES`.
    """

    lang: str

    @property
    def _is_english(self) -> bool:
        """Whether the language is English."""
        return self.lang == "en"

    def unit_value(self, value: float) -> str:
        """Return a value per kg or unit: two decimals, or three digits when small.

        Parameters
        ----------
        value : float
            In national currency.

        Returns
        -------
        text : str
            Without the currency.
        """
        if value >= 1e6:
            return self.number(value)
        if value >= 999.995:
            return self.localise(f"{value:,.0f}")
        return self.localise(f"{value:.2f}" if value >= 1.0 else f"{value:.3g}")

    def number(self, value: float) -> str:
        """Return a number with the separators of the language.

        Parameters
        ----------
        value : float
            Any number.

        Returns
        -------
        text : str
            Whole, or with three significant digits.
        """
        if value == round(value) or abs(value) >= 999.5:
            whole = f"{value:,.0f}" if abs(value) < 1e15 else f"{value:g}"
            return self.localise(whole)
        return self.localise(f"{value:.3g}")

    def ratio(self, value: float) -> str:
        """Return a ratio with two decimals, or two digits when it is small.

        Parameters
        ----------
        value : float
            Above 0.

        Returns
        -------
        text : str
            Such as "0.41".
        """
        if value >= 1e6:
            return self.localise(f"{value:.1e}")
        if value >= 100:
            return self.localise(f"{value:,.0f}")
        if value >= 10:
            return self.localise(f"{value:.1f}")
        return self.localise(f"{value:.2f}" if value >= 0.1 else f"{value:.2g}")

    def rate(self, value: float) -> str:
        """Return a fraction as a percentage.

        Parameters
        ----------
        value : float
            From 0 to 1. What is not quite 1 is never written as 100 %.

        Returns
        -------
        text : str
            Such as "12 %".
        """
        percent = round(100.0 * value, 6) + 0.0
        whole = abs(percent) >= 10 or percent == round(percent)
        if 99.5 <= percent < 100.0:
            text = self.localise(f"{math.floor(10.0 * percent) / 10.0:.1f}")
        else:
            text = self.localise(f"{percent:.0f}" if whole else f"{percent:.2g}")
        return self._percent(text)

    def share(self, value: float) -> str:
        """Return a ratio below 1 as a percentage, however small it is.

        Parameters
        ----------
        value : float
            Above 0, below 1.

        Returns
        -------
        text : str
            Such as "32 %".
        """
        if value >= 1e-4:
            return self.rate(value)
        return self._percent(self.localise(f"{100.0 * value:.2g}"))

    def _percent(self, number: str) -> str:
        """Return a number with the percent sign of the language."""
        return f"{number} %" if self._is_english else f"{number}{_NARROW}%"

    def signed_number(self, value: float) -> str:
        """Return a contribution with its sign and two decimals.

        Parameters
        ----------
        value : float
            In log-odds.

        Returns
        -------
        text : str
            Such as "+0.40", with a true minus sign.
        """
        return self.localise(f"{value:+.2f}")

    def localise(self, text: str) -> str:
        """Return a number with the separators of the language.

        Parameters
        ----------
        text : str
            A number in English notation, such as "12,345.6".

        Returns
        -------
        text : str
            With the decimal and thousands signs of the language.
        """
        text = text.replace("-", _MINUS)
        if has_decimal_point(self.lang):
            return text
        if language_of(self.lang) == "es" and _FOUR_DIGITS.fullmatch(text):
            text = text.replace(",", "")  # Spanish groups from five digits on
        return text.replace(",", _NARROW).replace(".", ",")
