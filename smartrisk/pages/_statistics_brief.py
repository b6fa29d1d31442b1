"""Half a page in words: what was expected, found, recovered, its cost, its limits."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from smartrisk.pages._indicators import LEAST_OF_A_RATE, Figures, part_words
from smartrisk.statistics import translate_sentence

#: Rows of `reconcile` that count what is there; the others count what was left out.
_NOT_LEFT_OUT = ("declared items", "items that count", "items of open months")


def write_brief(figures: Figures) -> dict[str, list[str]]:
    """Return sentences by heading."""
    _ = figures.texts.gettext
    parts = {
        _("What was expected"): _state_expected(figures),
        _("What was found"): _state_found(figures),
        _("What was recovered"): _state_recovered(figures),
        _("What it cost"): _state_cost(figures),
        _("What it does not show"): _state_unknown(figures),
    }
    # A number stays on the line of its "n =".
    return {
        title: [text.replace("n = ", "n\u00a0=\u00a0") for text in sentences]
        for title, sentences in parts.items()
    }


def _rate(figures: Figures, row: pd.Series) -> str:
    """Return a rate with its interval and the number that it rests on."""
    texts = figures.texts
    return texts.gettext("%(rate)s (%(low)s … %(high)s; n = %(n)s)") % {
        "rate": texts.fine(row["value"]),
        "low": texts.fine(max(row["low"], 0.0)),
        "high": texts.fine(row["high"]),
        "n": texts.number(row["n"]),
    }


def _no_figure(figures: Figures, id: str) -> str:
    """Return that an indicator has no value, and why."""
    name = figures.definitions[id].name[figures.texts.lang]
    return figures.texts.gettext("%(name)s: no figure (%(why)s).") % {
        "name": name,
        "why": figures.why(id),
    }


def _state_expected(figures: Figures) -> Iterator[str]:
    """Yield how much is irregular, as far as random controls show."""
    _ = figures.texts.gettext
    row = figures.total("non_compliance")
    if row is None:
        yield _no_figure(figures, "non_compliance")
    else:
        yield _(
            "A control of every item lodged would find an irregularity in %(rate)s of "
            "them, that is in about %(hits)s of %(items)s items."
        ) % {
            "rate": _rate(figures, row),
            "hits": figures.texts.number(round(row["numerator"])),
            "items": figures.texts.number(round(row["denominator"])),
        }
    row = figures.total("hit_rate_random")
    if row is None:
        yield _no_figure(figures, "hit_rate_random")
    else:
        yield _("A control drawn at random finds one in %(rate)s of the items.") % {
            "rate": _rate(figures, row)
        }


def _state_found(figures: Figures) -> Iterator[str]:
    """Yield what controls found, and what part of the whole that is."""
    texts = figures.texts
    _ = texts.gettext
    row = figures.total("hit_rate")
    if row is None:
        yield _no_figure(figures, "hit_rate")
        return
    yield _(
        "Controls with a result: %(n)s. An irregularity was found in %(hits)s: "
        "%(rate)s."
    ) % {
        "n": texts.number(row["denominator"]),
        "hits": texts.number(row["numerator"]),
        "rate": _rate(figures, row),
    }
    row = figures.total("detection_yield")
    if row is not None:
        yield _(
            "That is an estimated %(rate)s of all that a control of every item would "
            "find."
        ) % {"rate": _rate(figures, row)}
    row = figures.total("lift")
    if row is not None:
        sentence = _(
            "Selection by risk finds an irregularity %(times)s times as often as the "
            "random draw (%(low)s … %(high)s)."
        )
        if row["low"] <= 1 <= row["high"]:
            sentence = _(
                "No difference between selection by risk and the random draw is shown: "
                "%(times)s times as often (%(low)s … %(high)s)."
            )
        yield sentence % {
            "times": texts.unit_value(row["value"]),
            "low": texts.unit_value(row["low"]),
            "high": texts.unit_value(row["high"]),
        }
    else:
        yield _no_figure(figures, "lift")


def _state_recovered(figures: Figures) -> Iterator[str]:
    """Yield what controls recovered, and what was paid back."""
    texts = figures.texts
    _ = texts.gettext
    row = figures.total("revenue_per_control")
    if row is None:
        yield _no_figure(figures, "revenue_per_control")
        return
    total = {"sum": texts.number(round(row["numerator"]))}
    if row["n"] >= LEAST_OF_A_RATE:
        yield _(
            "Duties and taxes recovered: %(sum)s, which is %(each)s per control with a "
            "result (n = %(n)s)."
        ) % {
            **total,
            "each": texts.number(round(row["value"])),
            "n": texts.number(row["n"]),
        }
    else:
        yield _("Duties and taxes recovered: %(sum)s.") % total
    row = figures.total("revenue_uplift")
    if row is not None:
        yield _("In all, that is %(rate)s of the duties and taxes declared.") % {
            "rate": texts.fine(row["value"])
        }
    row = figures.total("refunds")
    if row is not None and row["value"] > 0:
        yield _("Paid back after controls: %(sum)s.") % {
            "sum": texts.number(round(row["value"]))
        }


def _state_cost(figures: Figures) -> Iterator[str]:
    """Yield how much was controlled, and what time it took."""
    texts = figures.texts
    _ = texts.gettext
    for id, sentence in (
        ("control_rate", _("Controlled: %(part)s of %(whole)s, %(rate)s.")),
        ("physical_rate", _("Physically inspected: %(part)s of %(whole)s, %(rate)s.")),
        ("override_rate", _("Changed by officers: %(part)s of %(whole)s, %(rate)s.")),
    ):
        row = figures.total(id)
        if row is None:
            yield _no_figure(figures, id)
            continue
        yield sentence % {
            "part": texts.number(row["numerator"]),
            "whole": texts.number(row["denominator"]),
            "rate": _rate(figures, row),
        }
    row = figures.total("release_time", "median")
    if row is None:
        yield _no_figure(figures, "release_time")
    else:
        show = figures.show(figures.definitions["release_time"])
        parts = [
            f"{part_words(name, texts)} {show(part['value'])}"
            for name in ("physical", "not physical")
            if (part := figures.total("release_time", f"{name}, median")) is not None
            and part["n"] >= LEAST_OF_A_RATE
        ]
        if row["n"] >= LEAST_OF_A_RATE:
            yield _("Release time, median: %(time)s (n = %(n)s)%(parts)s.") % {
                "time": show(row["value"]),
                "n": texts.number(row["n"]),
                "parts": "".join(f"; {part}" for part in parts),
            }


def _state_unknown(figures: Figures) -> Iterator[str]:
    """Yield what the figures do not say."""
    texts = figures.texts
    _ = texts.gettext
    yield _("What controls miss is in no figure.")
    row = figures.total("hit_rate")
    if row is not None and row["pending"]:
        yield _("Controls whose result does not count yet: %(n)s.") % {
            "n": texts.number(row["pending"])
        }
    if figures.open_periods:
        yield _(
            "Open, and in no rate that rests on results: %(periods)s. Results of these "
            "periods are still coming in."
        ) % {"periods": ", ".join(figures.open_periods)}
    reasons: dict[str, list[str]] = {}
    for id, one in figures.definitions.items():
        rows = figures.rows(id)
        if len(rows) and rows["value"].isna().all() and not rows["is_open"].any():
            reasons.setdefault(figures.why(id), []).append(one.name[texts.lang])
    for why, names in reasons.items():
        yield _("No figure (%(why)s): %(names)s.") % {
            "why": why,
            "names": "; ".join(names),
        }
    checks = figures.statistics.reconcile()
    left = checks[
        checks["expected"].isna()
        & (checks["found"] > 0)
        & ~checks["check"].isin(_NOT_LEFT_OUT)
        & ~checks["check"].str.startswith("declarations with several values")
    ]
    if len(left):
        counts = [
            _("%(what)s (%(n)s)")
            % {"what": translate_sentence(check, texts.lang), "n": texts.number(n)}
            for check, n in zip(left["check"], left["found"], strict=True)
        ]
        yield _("Left out, or not counted yet: %(counts)s.") % {
            "counts": "; ".join(counts)
        }
