"""What the parts of a use-case sheet state, from counts and shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from smartrisk.displays import Texts
from smartrisk.explanations import Wording
from smartrisk.intervals import wilson_interval
from smartrisk.items import ANY_HIT
from smartrisk.languages import N_
from smartrisk.pages._page import Table

if TYPE_CHECKING:
    from smartrisk.pages._use_case import UseCaseFacts

#: Counts below this are left out: few items can be one trader's.
LEAST = 10
#: Controls of a segment from which its precision says something.
_LEAST_OF_SEGMENT = 30
#: Segments that are named as doing badly.
_MOST_SEGMENTS = 3
#: Words of the members of the model.
_MEMBERS = {
    "boosting": N_("boosted trees"),
    "forest": N_("a random forest"),
    "extra_trees": N_("extremely random trees"),
    "signals": N_("signals that need no results"),
}
#: Groups of features, by their names in the settings.
_GROUPS = {
    "item": N_("declared values"),
    "codes": N_("codes"),
    "incentive": N_("incentives of the tariff"),
    "structuring": N_("structuring"),
    "history": N_("history of parties, goods and routes"),
    "prices": N_("prices against peers"),
    "digits": N_("digits of amounts"),
    "market": N_("market of the goods"),
    "siblings": N_("other items of the declaration"),
}


def _count(value: Any, texts: Texts) -> str:
    """Return a count, or that it is too small to be shared."""
    if value is None or not math.isfinite(float(value)):
        return "–"
    if float(value) < LEAST:
        return texts.gettext("fewer than %(n)s") % {"n": texts.number(LEAST)}
    return texts.number(round(float(value)))


def state_data(facts: Mapping[str, Any], texts: Texts) -> list[str]:
    """Return number, period and fields of the data, and the results among them."""
    _ = texts.gettext
    data = facts.get("data", {})
    roles = {
        "training": _("Learned from: %(n)s items, %(period)s."),
        "evaluation": _("Judged on: %(n)s later items, %(period)s."),
    }
    out = []
    for context, role in roles.items():
        if context in data:
            about = data[context]
            months = [about.get("first_month"), about.get("last_month")]
            period = " … ".join(str(month) for month in months if month) or "–"
            out.append(role % {"n": _count(about["n_items"], texts), "period": period})
    stage = facts.get("stage", {})
    if "n_results" in stage:
        out.append(
            _(
                "Results of controls that it learned from: %(n)s, with an "
                "irregularity: %(hits)s. Items without a result feed the history and "
                "are never taken for compliant."
            )
            % {
                "n": _count(stage["n_results"], texts),
                "hits": _count(stage["n_hits"], texts),
            }
        )
    fields: list[str] = next((about["fields"] for about in data.values()), [])
    if fields:
        names = texts.words.join([texts.words.field(name) for name in fields])
        out.append(_("Fields present: %(fields)s.") % {"fields": names})
    return out or [_("The run states nothing about its data.")]


def method_points(facts: UseCaseFacts, texts: Texts) -> list[str]:
    """Return stage, members, features and settings of the engine."""
    _ = texts.gettext
    settings = facts.settings
    stage = facts.facts.get("stage", {}).get("name")
    stages = {
        "no results": _("Stage: no results yet, an order by signals."),
        "few results": _("Stage: few results, signals and a model together."),
        "model": _("Stage: a model of enough results."),
    }
    out = [stages[stage]] if stage in stages else []
    target = str(settings.get("target", ANY_HIT))
    if target != ANY_HIT:
        finding = Wording(texts.lang, target).finding()
        out.append(_("It looks for: %(target)s.") % {"target": finding})
    members = [_MEMBERS[m] for m in facts.facts.get("members", ()) if m in _MEMBERS]
    if members:
        names = texts.words.join([_(name) for name in members])
        out.append(
            _("The score is a calibrated blend of: %(names)s.") % {"names": names}
        )
    groups = [_GROUPS[g] for g in settings.get("features.parts", ()) if g in _GROUPS]
    if groups:
        out.append(
            _(
                "%(n)s features, which use only what was known on the day of "
                "lodgement: %(groups)s."
            )
            % {
                "n": texts.number(settings.get("n_features")),
                "groups": texts.words.join([_(name) for name in groups]),
            }
        )
    delay = settings.get("label_delay")
    if isinstance(delay, int | float):
        out.append(
            _("A result counts as known after %(n)s days.") % {"n": texts.number(delay)}
        )
    return out


def _overall(facts: UseCaseFacts) -> Mapping[str, float]:
    """Return the overall figures of the evaluation."""
    found: Mapping[str, float] = facts.facts.get("evaluation", {}).get("overall", {})
    return found


def _hits(line: Mapping[str, Any]) -> float:
    """Return how many controls of a row find something."""
    return float(line["n_inspected"]) * float(line["precision"])


def is_shareable(line: Mapping[str, Any]) -> bool:
    """Return whether the figures of a row rest on enough controls and findings."""
    return line["n_inspected"] >= LEAST and _hits(line) >= LEAST


def figures_table(facts: UseCaseFacts, texts: Texts) -> Table:
    """Return the figures of each order at the capacity, with intervals."""
    _ = texts.gettext
    orders = {"risk_score": _("risk"), "expected_revenue": _("expected revenue")}
    overall = _overall(facts)
    heads, columns = [texts.pgettext("head: rate", "Measure")], []
    for line in facts.rates:
        heads += [
            _("Ordered by %(order)s") % {"order": orders[line["rank_by"]]},
            _("Interval"),
        ]
        columns.append(_column(line, overall, texts))
    names = [
        _("Items controlled"),
        _("Precision: controls that find something"),
        _("Recall: irregular items that are found"),
        _("Revenue share that is found"),
        _("Lift: precision against a random draw"),
        _("Hit rate of a random draw"),
    ]
    rows = [
        (name, *(cell for column in columns for cell in column[k]))
        for k, name in enumerate(names)
    ]
    rate = facts.capacity
    share = texts.rate(rate) if rate < 1 else texts.number(rate)
    return Table(
        caption=_(
            "Capacity %(share)s; judged on %(n)s items with a result, without one: "
            "%(left)s. Intervals of 95 per cent"
        )
        % {
            "share": share,
            "n": _count(overall.get("n_items"), texts),
            "left": _count(overall.get("n_unlabelled"), texts)
            if overall.get("n_unlabelled")
            else texts.number(0),
        },
        heads=heads,
        rows=rows,
        numeric=frozenset(range(1, len(heads))),
    )


def _column(
    line: Mapping[str, Any], overall: Mapping[str, float], texts: Texts
) -> list[tuple[str, str]]:
    """Return the figures of one order, each with its interval."""
    few = texts.pgettext("cell: figure", "not shared")
    n, base = overall.get("n_items", math.nan), overall.get("base_rate", math.nan)
    if not is_shareable(line) or not n * base >= LEAST:
        return [(_count(line["n_inspected"], texts), ""), *[(few, "")] * 5]
    measures = []
    for name in ("precision", "recall", "revenue_share"):
        bounds = line.get(f"{name}_low"), line.get(f"{name}_high")
        measures.append((texts.rate(line.get(name)), texts.between(*bounds)))
    # lift = recall x items / controls, so it has the interval of the recall.
    times = n / float(line["n_inspected"])
    low, high = line.get("recall_low"), line.get("recall_high")
    spread = "–"
    if low is not None and high is not None and np.isfinite([low, high]).all():
        spread = f"{texts.unit_value(low * times)} … {texts.unit_value(high * times)}"
    random = wilson_interval(base, n)
    return [
        (_count(line["n_inspected"], texts), ""),
        *measures,
        (texts.unit_value(float(line["recall"]) * times), spread),
        (texts.fine(base), f"{texts.fine(random[0])} … {texts.fine(random[1])}"),
    ]


def state_outcome(
    facts: UseCaseFacts, cost_per_control: float | None, texts: Texts
) -> list[str]:
    """Return what the controls find, and what is left after their cost."""
    _ = texts.gettext
    lines = {row["rank_by"]: row for row in facts.rates if is_shareable(row)}
    line = lines.get("risk_score")
    if line is None:
        return []
    overall = _overall(facts)
    hits = _hits(line)
    out = [
        _(
            "%(n)s controls in the order of risk find %(hits)s irregular items; as "
            "many drawn at random would find %(random)s."
        )
        % {
            "n": _count(line["n_inspected"], texts),
            "hits": _count(hits, texts),
            "random": _count(line["n_inspected"] * overall["base_rate"], texts),
        }
    ]
    total = facts.facts.get("evaluation", {}).get("revenue")
    line = lines.get("expected_revenue")
    if line is None or not total or not math.isfinite(float(line["revenue_share"])):
        return out
    found = float(line["revenue_share"]) * float(total)
    values = {
        "found": texts.number(round(found)),
        "n": _count(line["n_inspected"], texts),
    }
    if cost_per_control is None:
        return [
            *out,
            _(
                "Ordered by expected revenue, %(n)s controls recover %(found)s. What "
                "is left after their cost: state the cost of one control."
            )
            % values,
        ]
    cost = cost_per_control * float(line["n_inspected"])
    return [
        *out,
        _(
            "Ordered by expected revenue, %(n)s controls recover %(found)s and cost "
            "%(cost)s (%(each)s each): %(net)s are left."
        )
        % {
            **values,
            "cost": texts.number(round(cost)),
            "each": texts.number(cost_per_control),
            "net": texts.number(round(found - cost)),
        },
    ]


def list_limits(facts: UseCaseFacts, texts: Texts) -> list[str]:
    """Return calibration, weak segments, drift, and what the run warns of."""
    _ = texts.gettext
    out = _state_calibration(facts, texts)
    weak = _find_weak(facts)
    if weak:
        listed = "; ".join(
            _("%(segment)s %(value)s: %(precision)s of %(n)s controls")
            % {
                "segment": texts.segment(row["segment"]),
                "value": texts.segment_value(row["value"]),
                "precision": texts.rate(row["precision"]),
                "n": _count(row["n_inspected"], texts),
            }
            for row in weak
        )
        out.append(_("Lowest precision by segment: %(listed)s.") % {"listed": listed})
    if facts.drift:
        names = texts.words.join([texts.words.field(name) for name in facts.drift])
        out.append(
            _("Declared fields that moved since it learned: %(fields)s.")
            % {"fields": names}
        )
    evaluation = facts.facts.get("evaluation", {})
    known = {_hit_note(): None} | dict.fromkeys(_NOTES)
    out += [
        _(template).format(n_hits=_count(_n_hits(facts), texts))
        for template in evaluation.get("messages", ())
        if template in known
    ]
    if facts.facts.get("stage", {}).get("name") == "few results":
        out.append(_("With few results, the probabilities are uncertain."))
    if _overall(facts).get("n_unlabelled"):
        out.append(
            _(
                "The figures are those of controlled items, which were not chosen at "
                "random: they are not those of the whole flow."
            )
        )
    return out


#: The messages of an evaluation without values.
_NOTES = (
    N_("All outcomes are equal: rankings cannot be compared."),
    N_("No revenue_adjustment: revenue shares are not given."),
)


def _hit_note() -> str:
    """Return the message of an evaluation on few hits."""
    return N_("Few hits ({n_hits}): intervals are wide.")


def _n_hits(facts: UseCaseFacts) -> float:
    """Return the number of hits among the items judged."""
    overall = _overall(facts)
    return float(overall.get("n_items", 0.0)) * float(overall.get("base_rate", 0.0))


def _state_calibration(facts: UseCaseFacts, texts: Texts) -> list[str]:
    """Return how far the scores are from what was found."""
    _ = texts.gettext
    overall = _overall(facts)
    error = overall.get("calibration_error", math.nan)
    if facts.facts.get("stage", {}).get("name") == "no results":
        return [_("The scores are no probabilities: there were no results.")]
    if not math.isfinite(error):
        return []
    return [
        _("Calibration: score and finding differ by %(error)s on average.")
        % {"error": texts.fine(error)}
    ]


def _find_weak(facts: UseCaseFacts) -> Sequence[Mapping[str, Any]]:
    """Return the segments with the lowest precision at the capacity."""
    rows = [
        row
        for row in facts.facts.get("evaluation", {}).get("segments", ())
        if row["rate"] == facts.capacity and row["n_inspected"] >= _LEAST_OF_SEGMENT
    ]
    return sorted(rows, key=lambda row: float(row["precision"]))[:_MOST_SEGMENTS]


def repeat_code(facts: UseCaseFacts) -> str:
    """Return lines of Python that repeat the case on a synthetic world."""
    world, settings = facts.world, facts.settings
    target = str(settings.get("target", ANY_HIT))
    given = [f"random_state={int(settings.get('random_state') or 0)}"]
    truth = "world.full_outcomes()"
    if target != ANY_HIT:
        given.append(f"target={target!r}")
        truth = "sr.items.label_outcomes(world.outcomes, engine.target_)"
    return "\n".join(
        (
            "import smartrisk as sr",
            "",
            f"world = sr.datasets.make_declarations({int(world['n_items']):_}, "
            f"scenario={str(world['scenario'])!r}, random_state={int(world['seed'])})",
            "split = sr.windows.time_split(world.declarations, world.outcomes)",
            f"engine = sr.RiskEngine({', '.join(given)})",
            "engine.fit(split.past, split.known)",
            "engine.update(split.later)",
            f"truth = {truth}",
            "result = sr.evaluation.evaluate(",
            f"    engine.score(split.later), truth, rates=({facts.capacity!r},)",
            ")",
            "print(result.frame().round(3).T)",
        )
    )
