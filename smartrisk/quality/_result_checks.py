"""Checks of results: their classes, their days, and the items that they are of."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import numpy as np

from smartrisk.errors import Message, format_values
from smartrisk.items import positions_of
from smartrisk.quality._doubts import SOME, SOME_RESULTS, Doubt
from smartrisk.quality._learning_data import LearningData
from smartrisk.windows import months_without_results

#: Hits, and inspections without a hit, below which a model hardly learns: the 95 %
#: interval of a count of ten reaches from 5 to 18, and the classifier cannot calibrate
#: with fewer.
FEW = 10
#: Results expected in a time that has none: chance leaves it empty in less than one
#: case of 10,000 (exp(-9.2)).
_EXPECTED = 9.2
#: How many times the longest earlier pause between results a pause must exceed: many
#: offices send results once a month.
_TIMES_PAUSE = 3.0
#: What a control leaves besides its result.
_EVIDENCE = ("inspected_at", "known_at", "officer_id", "control_kind")
#: Share of the hits that have evidence, and of the others that have none, from which
#: the others were no controls.
_NEARLY_ALL = 0.9


def few_hits(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where there are few hits, or no results at all."""
    n_hits = int((data.hits > 0).sum())
    if not len(data.hits):
        yield Doubt(
            columns=("illicit",),
            count=0,
            message=Message("quality.no_results", "There are no results."),
            remedy="Add results as they arrive, of items selected at random too: until "
            "then scores are an order by signals.",
        )
    elif 0 < n_hits < FEW:
        yield Doubt(
            columns=("illicit",),
            count=n_hits,
            message=Message(
                "quality.few_hits",
                "Only {count} hits among {n_results} results.",
                count=n_hits,
                n_results=len(data.hits),
            ),
            remedy="Add results until there are 10 hits at least.",
        )


def few_non_hits(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where there are few inspections without a hit."""
    n_others = int((data.hits == 0).sum())
    if 0 < n_others < FEW:
        yield Doubt(
            columns=("illicit",),
            count=n_others,
            message=Message(
                "quality.few_non_hits",
                "Only {count} of {n_results} results are without a hit.",
                count=n_others,
                n_results=len(data.hits),
            ),
            remedy="Add the inspections that found nothing: OUTCOMES holds them all.",
        )


def one_class(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where all results are hits, or none is."""
    n_results, n_hits = len(data.hits), int((data.hits > 0).sum())
    if not n_results or 0 < n_hits < n_results:
        return
    message = Message(
        "quality.no_hit",
        "None of the {count} results is a hit: the column {column!r} has one value.",
        count=n_results,
        column=data.label_column,
    )
    if n_hits:
        message = Message(
            "quality.hits_only",
            "All {count} results are hits: the column {column!r} has one value.",
            count=n_results,
            column=data.label_column,
        )
    yield Doubt(
        columns=("illicit",),
        count=n_results,
        examples=(data.label_column,),
        message=message,
        remedy="Check that it is the column of results and that its words for hits are "
        "read: a model learns from both classes.",
    )


def empty_months(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where months have items but no result."""
    months = months_without_results(
        data.items["lodged_at"], data.inspected, delays=data.delays
    )
    if not len(months):
        return
    names = tuple(f"{month:%Y-%m}" for month in months["month"])
    yield Doubt(
        columns=("lodged_at", "illicit"),
        count=len(names),
        examples=names,
        message=Message(
            "quality.months_without_results",
            "There is no result for any of the {n_items} items lodged in {count} "
            "months: {examples}.",
            n_items=int(months["n_items"].sum()),
            count=len(names),
            examples=format_values(names),
        ),
        remedy="Add the results of these months, set 'label_delay' if they take "
        "longer, or leave the months out if controls stopped: hit rates are out of "
        "date there.",
    )


def everything_inspected(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where every item has a result."""
    if len(data.items) >= SOME and data.inspected.all():
        yield Doubt(
            columns=("illicit",),
            count=len(data.items),
            message=Message(
                "quality.everything_inspected",
                "All {count} items have a result in the column {column!r}, {share:.1%} "
                "of them hits.",
                count=len(data.items),
                column=data.label_column,
                share=float((data.hits > 0).mean()),
            ),
            remedy="Leave items that nobody inspected out of OUTCOMES (they are not "
            "compliant, they are unknown), and pass their declarations.",
        )


def blanks_as_zeros(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where results without a hit have no trace of a control."""
    if data.outcomes is None or len(data.hits) < SOME:
        return
    traces = [
        data.outcomes[name].notna().to_numpy(bool)
        for name in _EVIDENCE
        if name in data.outcomes
    ]
    if "channel" in data.outcomes:
        channel = data.outcomes["channel"]
        traces.append((channel.notna() & (channel != "green")).to_numpy(bool))
    hit = data.hits > 0
    if not traces or not hit.any() or hit.all():
        return
    traced = np.logical_or.reduce(traces)
    n_blank = int((~traced & ~hit).sum())
    if traced[hit].mean() >= _NEARLY_ALL and n_blank >= _NEARLY_ALL * (~hit).sum():
        yield Doubt(
            columns=("illicit",),
            count=n_blank,
            message=Message(
                "quality.blanks_as_zeros",
                "{count} of {n_others} results without a hit have no trace of a "
                "control (day, channel, officer), while {n_hits} hits have: blanks of "
                "the column {column!r} look filled with zeros.",
                count=n_blank,
                n_others=int((~hit).sum()),
                n_hits=int((traced & hit).sum()),
                column=data.label_column,
            ),
            remedy="Leave the label of items that nobody inspected empty: they are not "
            "compliant, they are unknown.",
        )


def few_join(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where less than half of the results have their item."""
    n_results = len(data.hits) + data.n_lost
    if data.n_lost * 2 > n_results:
        yield Doubt(
            columns=("declaration_id",),
            count=data.n_lost,
            examples=data.lost,
            message=Message(
                "quality.results_join_to_few_items",
                "{count} of {n_results} results have no item among the declarations, "
                "such as {examples}.",
                count=data.n_lost,
                n_results=n_results,
                examples=format_values(data.lost),
            ),
            remedy="Compare how both tables write declaration_id and item_number "
            "(leading zeros, an office or year that one of them leaves out), and that "
            "both are of the same period.",
        )


def learned_items(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where an engine is to be judged by what it learned from."""
    if data.learned is None:
        return
    n_learned = int(data.learned[data.rows].sum())
    if n_learned:
        yield Doubt(
            columns=("illicit",),
            count=n_learned,
            message=Message(
                "quality.judged_by_learned_items",
                "The engine learned from {count} of these {n_results} results.",
                count=n_learned,
                n_results=len(data.rows),
            ),
            remedy="Judge it by items that were lodged later: figures on learned items "
            "are too good.",
        )


def results_stop(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where results stop before the end of the extract."""
    if not len(data.known):
        return
    end = data.lodged.max().astype("datetime64[D]")
    days = np.unique(data.known[data.known <= end])
    if len(days) < 2:
        return
    day = np.timedelta64(1, "D")
    pause = float((end - days[-1]) / day)
    span = float((days[-1] - days[0]) / day)
    longest = float(np.diff(days).max() / day)
    expected = float((data.known <= end).sum()) * pause / span
    if pause > _TIMES_PAUSE * longest and expected > _EXPECTED:
        yield Doubt(
            columns=("known_at",),
            count=int(pause),
            examples=(str(days[-1]),),
            message=Message(
                "quality.results_stop",
                "No result became known in the last {count} days, after {last}, while "
                "items were lodged until {end}; about {expected:.0f} were to be "
                "expected.",
                count=int(pause),
                last=str(days[-1]),
                end=str(end),
                expected=expected,
            ),
            remedy="Extract the results again, or end the items when the results end.",
        )


def one_day_for_all(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt where all results have the same day."""
    many = data.recorded and len(data.known) >= SOME_RESULTS
    lodged = data.lodged[data.rows]
    if many and (data.known == data.known[0]).all() and np.ptp(lodged.view(np.int64)):
        yield Doubt(
            columns=("known_at",),
            count=len(data.known),
            examples=(str(data.known[0].astype("datetime64[D]")),),
            message=Message(
                "quality.one_day_for_all",
                "All {count} results have the same known_at, {day}.",
                count=len(data.known),
                day=str(data.known[0].astype("datetime64[D]")),
            ),
            remedy="That is the day of an extract: leave 'known_at' out and set "
            "'label_delay'.",
        )


def known_at_once(data: LearningData) -> Iterator[Doubt]:
    """Yield a note where every result was known on the day of lodgement."""
    many = data.recorded and len(data.known) >= SOME_RESULTS
    if many and (data.delays <= 0).all():
        yield Doubt(
            columns=("known_at", "lodged_at"),
            count=len(data.known),
            severity="note",
            message=Message(
                "quality.known_at_once",
                "All {count} results were known on the day of lodgement.",
                count=len(data.known),
            ),
            remedy="Make sure that 'known_at' is the day of the result.",
        )


#: Flags of `smartrisk.validation` on OUTCOMES -> column, message id, template.
_CONTRADICTIONS = MappingProxyType(
    {
        "dq_contradiction": (
            "revenue_adjustment",
            "quality.amount_without_hit",
            "{count} of {n_results} results have an amount recovered, but no hit.",
        ),
        "dq_negative_adjustment": (
            "revenue_adjustment",
            "quality.negative_amounts",
            "{count} of {n_results} results have a negative amount recovered.",
        ),
        "dq_known_before_inspected": (
            "known_at",
            "quality.known_before_control",
            "{count} of {n_results} results are older than their control.",
        ),
        "dq_known_before_lodged": (
            "known_at",
            "quality.known_before_lodgement",
            "{count} of {n_results} results are older than their item.",
        ),
    }
)


def contradictions(data: LearningData) -> Iterator[Doubt]:
    """Yield a doubt for each way in which results contradict themselves."""
    results = data.outcomes
    if results is None:
        return
    flags = {
        name: results[name].to_numpy(bool)
        for name in _CONTRADICTIONS
        if name in results
    }
    if "known_at" in results:
        place = positions_of(results, data.items)
        known = results["known_at"].to_numpy().astype("datetime64[D]")
        early = known < data.lodged[place].astype("datetime64[D]")
        flags["dq_known_before_lodged"] = early & (place >= 0)
    for name, flag in flags.items():
        column, message_id, template = _CONTRADICTIONS[name]
        count = int(flag.sum())
        if count:
            yield Doubt(
                columns=(column,),
                count=count,
                message=Message(
                    message_id, template, count=count, n_results=len(results)
                ),
                remedy="Compare the labels, amounts and days of these results with "
                "the source.",
            )
