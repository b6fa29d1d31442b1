"""A record of decisions for audits and appeals: append-only, hash-chained.

Reads DECISIONS, SCORES, DECLARATIONS and OUTCOMES; writes entries of a SQLite file in
which every entry holds the digest of the one before it. Identities and declared values
are stored in a second file, from which they can be erased without breaking the chain.
Through SQLAlchemy the same chain is kept on a PostgreSQL server.
Every refusal is a `LedgerError`.
"""

from smartrisk.ledger._entries import KINDS
from smartrisk.ledger._ledger import Ledger
from smartrisk.ledger._values import Anchor, Erasure, Replay, Verification
from smartrisk.ledger._verify import ANCHOR_TAG

__all__ = [
    "ANCHOR_TAG",
    "KINDS",
    "Anchor",
    "Erasure",
    "Ledger",
    "Replay",
    "Verification",
]
