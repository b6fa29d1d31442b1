"""What a check finds: a reason to doubt the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from smartrisk.errors import Message
from smartrisk.quality._learning_data import LearningData

Severity: TypeAlias = Literal["ok", "note", "warning"]

#: Items without which a column that has one value, or a table in which every item has a
#: result, can be chance.
SOME = 100
#: Results without which equal days are chance.
SOME_RESULTS = 30


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One reason to doubt the data.

    Parameters
    ----------
    columns : tuple of str
        Fields that it concerns.
    count : int
        Items, results, days, months or columns, as the message says.
    message : Message
        What was found.
    remedy : str
        What to do about it.
    examples : tuple of str, default=()
        Values, such as months.
    severity : {"warning", "note"}, default="warning"
        Whether `RiskEngine.fit` warns of it.

    Examples
    --------
    >>> from smartrisk.errors import Message
    >>> from smartrisk.quality import Doubt
    >>> message = Message("quality.few_hits", "{count} hits.", count=3)
    >>> Doubt(columns=("illicit",), count=3, message=message, remedy="Wait.").severity
    'warning'
    """

    columns: tuple[str, ...]
    count: int
    message: Message
    remedy: str
    examples: tuple[str, ...] = ()
    severity: Severity = "warning"


#: A check yields doubts; none where it has none.
CheckFunction: TypeAlias = Callable[[LearningData], Iterator[Doubt]]
