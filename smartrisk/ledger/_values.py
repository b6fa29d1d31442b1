"""What a ledger returns: anchors, verifications and replays."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from smartrisk.errors import LedgerError, Message, format_values
from smartrisk.results import Result


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """The head of a chain at a moment, to be kept elsewhere.

    Published in an MLflow run, a gazette or a letter, it proves later that nothing
    before it was cut off or rewritten.

    Parameters
    ----------
    seq : int
        Number of the last entry; 0 for an empty chain.
    digest : str
        Digest of the last entry.

    Examples
    --------
    >>> from smartrisk.ledger import Anchor
    >>> Anchor.parse(str(Anchor(seq=3, digest="ab" * 32))).seq
    3
    """

    seq: int
    digest: str

    def __str__(self) -> str:
        """Return the anchor as text: number and digest."""
        return f"{self.seq}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Return the anchor that a text states.

        Parameters
        ----------
        text : str
            As ``str(anchor)`` returns it.

        Returns
        -------
        anchor : Anchor
            The anchor.

        Raises
        ------
        LedgerError
            If the text is not an anchor.
        """
        number, _, digest = str(text).partition(":")
        if not number.isdecimal() or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise LedgerError(
                "ledger.malformed_anchor",
                "Anchor: expected 'number:digest' as Ledger.head() prints it; got "
                "{text}.",
                text=format_values([text]),
            )
        return cls(seq=int(number), digest=digest)


class Verification(Result):
    """Whether a chain is intact.

    Made by `Ledger.verify`.

    Parameters
    ----------
    n_entries : int
        Number of entries read.
    messages : sequence of smartrisk.errors.Message, default=()
        What is wrong, the first of each kind; empty when the chain is intact.
    doubts : sequence of smartrisk.errors.Message, default=()
        What is no change, and still weakens the proof: a clock that was set back, or
        identities that could not be verified for want of the key.

    Examples
    --------
    >>> from smartrisk.ledger import Verification
    >>> Verification(n_entries=3).ok
    True
    """

    def __init__(
        self,
        *,
        n_entries: int,
        messages: Sequence[Message] = (),
        doubts: Sequence[Message] = (),
    ) -> None:
        self._n_entries = n_entries
        self._messages = tuple(messages)
        self._doubts = tuple(doubts)

    @property
    def n_entries(self) -> int:
        """Number of entries read."""
        return self._n_entries

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is wrong, the first of each kind."""
        return self._messages

    @property
    def doubts(self) -> tuple[Message, ...]:
        """What is no change, and still weakens the proof."""
        return self._doubts

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in English."""
        return tuple(map(str, self._messages))

    @property
    def ok(self) -> bool:
        """Whether the chain is intact."""
        return not self._messages

    def frame(self) -> pd.DataFrame:
        """Return one row per problem.

        Returns
        -------
        frame : DataFrame
            Columns message_id and problem; empty when the chain is intact.
        """
        return pd.DataFrame(
            {
                "message_id": [message.message_id for message in self._messages],
                "problem": list(self.problems),
            },
            dtype="str",
        )

    def __repr__(self) -> str:
        """Return the number of entries and of problems."""
        state = "intact" if self.ok else f"{len(self._messages)} problems"
        return f"Verification({self._n_entries} entries, {state})"

    def check(self) -> None:
        """Raise when anything is wrong.

        Raises
        ------
        LedgerError
            Lists all that is wrong.
        """
        if self._messages:
            raise LedgerError(
                "ledger.chain_not_intact",
                "Ledger: {problems}.",
                problems="; ".join(self.problems),
            )


class Erasure(Result):
    """What was erased from a ledger, or would be.

    Made by `Ledger.retain` and `Ledger.forget`.

    Parameters
    ----------
    n_identities : int
        Number of identities.
    n_items : int
        Number of items whose declared values are erased.
    is_done : bool
        Whether it is done; False after a dry run.

    Examples
    --------
    >>> from smartrisk.ledger import Erasure
    >>> Erasure(n_identities=1, n_items=3, is_done=False)
    Erasure(would erase 1 identities, 3 items)
    """

    def __init__(self, *, n_identities: int, n_items: int, is_done: bool) -> None:
        self._n_identities = n_identities
        self._n_items = n_items
        self._is_done = is_done

    @property
    def n_identities(self) -> int:
        """Number of identities."""
        return self._n_identities

    @property
    def n_items(self) -> int:
        """Number of items whose declared values are erased."""
        return self._n_items

    @property
    def n_erased(self) -> int:
        """Number of identities and items."""
        return self._n_identities + self._n_items

    @property
    def is_done(self) -> bool:
        """Whether it is done; False after a dry run."""
        return self._is_done

    def frame(self) -> pd.DataFrame:
        """Return one row per kind of value.

        Returns
        -------
        frame : DataFrame
            Columns content ("identities", "items"), n and is_done.
        """
        counts = [self._n_identities, self._n_items]
        return pd.DataFrame(
            {"content": ["identities", "items"], "n": counts, "is_done": self._is_done}
        )

    def __repr__(self) -> str:
        """Return the counts, and whether it is done."""
        verb = "erased" if self._is_done else "would erase"
        return f"Erasure({verb} {self._n_identities} identities, {self._n_items} items)"


class Replay(Result):
    """What an engine computes today for an item that was decided on.

    Made by `Ledger.replay`.

    Parameters
    ----------
    seq : int
        Entry of the decision.
    recorded, again : mapping of str to object
        Score, reasons and versions then and now.
    message : smartrisk.errors.Message, default=None
        Why the two differ or cannot be compared; None when they agree.

    Examples
    --------
    >>> from smartrisk.ledger import Replay
    >>> Replay(seq=1, recorded={}, again={}).agrees
    True
    """

    def __init__(
        self,
        *,
        seq: int,
        recorded: Mapping[str, Any],
        again: Mapping[str, Any],
        message: Message | None = None,
    ) -> None:
        self._seq = seq
        self._recorded = dict(recorded)
        self._again = dict(again)
        self._message = message

    @property
    def seq(self) -> int:
        """Entry of the decision."""
        return self._seq

    @property
    def agrees(self) -> bool:
        """Whether score, version and reasons are equal."""
        return self._message is None

    @property
    def exact(self) -> bool:
        """Whether the figures are bit-identical, not only equal but for rounding."""
        then, today = (
            part.get("score") or {} for part in (self._recorded, self._again)
        )
        figures = [name for name, value in then.items() if isinstance(value, float)]
        return self.agrees and all(then[name] == today.get(name) for name in figures)

    @property
    def other_versions(self) -> dict[str, tuple[Any, Any]]:
        """Versions of what computes that differ: then, and now."""
        then, today = (
            part.get("versions") or {} for part in (self._recorded, self._again)
        )
        return {
            name: (then.get(name), now)
            for name, now in today.items()
            if then.get(name) != now
        }

    @property
    def recorded(self) -> dict[str, Any]:
        """Score, version and reasons as recorded; a copy."""
        return copy.deepcopy(self._recorded)

    @property
    def again(self) -> dict[str, Any]:
        """Score, version and reasons as computed today; a copy."""
        return copy.deepcopy(self._again)

    @property
    def message(self) -> Message | None:
        """Why the two differ or cannot be compared; None when they agree."""
        return self._message

    @property
    def note(self) -> str:
        """The message in English; empty when they agree."""
        return "" if self._message is None else str(self._message)

    @property
    def state(self) -> Message:
        """Whether it agrees, and where bits differ by which versions of libraries."""
        if self._message is not None:
            return self._message
        if self.exact:
            return Message("ledger.replay_exact", "agrees exactly")
        return Message(
            "ledger.replay_rounded",
            "agrees but for rounding (versions that differ: {versions})",
            versions=name_versions(self.other_versions),
        )

    def frame(self) -> pd.DataFrame:
        """Return what is compared, one row per value.

        Returns
        -------
        frame : DataFrame
            Columns name, recorded and again: the fields of the score, then reasons.
        """
        then, today = (_comparable(part) for part in (self._recorded, self._again))
        names = list(dict.fromkeys((*then, *today)))
        return pd.DataFrame(
            {
                "name": names,
                "recorded": [then.get(name) for name in names],
                "again": [today.get(name) for name in names],
            },
            dtype=object,
        )

    def __repr__(self) -> str:
        """Return the entry, and whether the replay agrees."""
        return f"Replay(entry {self._seq}: {self.state})"


def name_versions(other: Mapping[str, tuple[Any, Any]]) -> str:
    """Return versions that differ, then and now, in words."""
    texts = [f"{name} {then} then, {now} now" for name, (then, now) in other.items()]
    return ", ".join(texts) or "none"


def _comparable(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a score, and the reasons by place."""
    reasons = part.get("reasons") or []
    out = dict(part.get("score") or {})
    return out | {f"reason {k}": text for k, text in enumerate(reasons, start=1)}
