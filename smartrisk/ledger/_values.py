"""What a ledger answers: its head, whether it is whole, what a replay says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from smartrisk.errors import ArgumentError, LedgerError

#: What the first entry follows.
START = hashlib.sha256(b"smartrisk ledger 1").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """The head of a chain at a moment, to be kept elsewhere.

    Printed in an MLflow run, a gazette or a letter, it shows later that nothing before
    it was cut off or written anew.

    Parameters
    ----------
    seq : int
        Number of the last entry; 0 for none.
    digest : str
        Its digest.

    Examples
    --------
    >>> from smartrisk.ledger import Anchor
    >>> Anchor.parse(str(Anchor(seq=3, digest="ab" * 32))).seq
    3
    """

    seq: int
    digest: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Return the anchor that a text stands for.

        Parameters
        ----------
        text : str
            As ``str(anchor)`` gives it.

        Returns
        -------
        anchor : Anchor
            The same.

        Raises
        ------
        ArgumentError
            If the text is no anchor.
        """
        number, _, digest = str(text).partition(":")
        if not number.isdigit() or len(digest) != len(START):
            raise ArgumentError(
                "ledger.expected_number_digest_ledger",
                "Anchor: expected 'number:digest' as Ledger.head() prints it; got "
                "{text!r}.",
                text=text,
            )
        return cls(seq=int(number), digest=digest)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whether a chain is whole.

    Parameters
    ----------
    n_entries : int
        Entries read.
    problems : tuple of str
        What is wrong, the first of each kind; empty when nothing is.

    Examples
    --------
    >>> from smartrisk.ledger import Verification
    >>> Verification(n_entries=3, problems=()).ok
    True
    """

    n_entries: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def check(self) -> None:
        """Raise when anything is wrong.

        Raises
        ------
        LedgerError
            Says all that is wrong.
        """
        if self.problems:
            raise LedgerError(
                "ledger.message",
                "Ledger: {problems}.",
                problems="; ".join(self.problems),
            )


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What an engine says today of an item that was decided on.

    Parameters
    ----------
    seq : int
        Entry of the decision.
    agrees : bool
        Whether score, version and reasons are the same.
    recorded, again : dict
        Score, version and reasons then and now.
    note : str
        Why they differ or cannot be compared; empty when they agree.

    Examples
    --------
    >>> from smartrisk.ledger import Replay
    >>> Replay(seq=1, agrees=True, recorded={}, again={}, note="").agrees
    True
    """

    seq: int
    agrees: bool
    recorded: dict[str, Any]
    again: dict[str, Any]
    note: str
