"""Tasks and verdicts: what is asked for, and the verdict on an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smartrisk.workshop._lab import Lab

#: What a verdict can be, from nothing handed in to the right answer.
STATUSES = ("empty", "wrong", "mistake", "right")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the judge of a task says of an answer.

    Parameters
    ----------
    status : {"wrong", "mistake", "right"}
        "mistake" for one of the catalogued mistakes, found by computing it.
    mistake : str, default=""
        Name of the mistake, such as "counts the same day".
    template : str, default=""
        The sentence, in English, with ``{name}`` for each value.
    values : mapping of str to object
        The values.
    """

    status: str
    mistake: str = ""
    template: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


RIGHT = Verdict(status="right")


def mistake(name: str, template: str, /, **values: Any) -> Verdict:
    """Return the verdict on an answer that equals a catalogued mistake."""
    return Verdict(status="mistake", mistake=name, template=template, values=values)


def wrong(template: str, /, **values: Any) -> Verdict:
    """Return the verdict on any other answer: what is compared, not what is right."""
    return Verdict(status="wrong", template=template, values=values)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task: an object under a name, and how it is judged.

    The solution is in the source of the lab.

    Parameters
    ----------
    id : str
        Lab and number, such as "4.2".
    name : str
        Name of the object asked for.
    asks : str
        What the object is, with its shape and its unit.
    judge : callable
        Takes the object and the learner's `Lab`; returns a `Verdict`. It computes what
        is right, and each mistake that it knows, from the lab's own world.
    meaning : str
        What a right answer means at a border, in one sentence.
    hints : tuple of str
        Two hints: where to look, then how to go about it.
    """

    id: str
    name: str
    asks: str
    judge: Callable[[Any, Lab], Verdict]
    meaning: str
    hints: tuple[str, str]
