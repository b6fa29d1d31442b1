"""A record of decisions for audits and appeals: append-only, hash-chained.

Reads DECISIONS, SCORES, DECLARATIONS and OUTCOMES; writes entries of a SQLite file in
which every entry holds the digest of the one before it. Identities and declared values
are stored in a second file, from which they can be erased without breaking the chain.
"""

from smartrisk.ledger._ledger import KINDS, Ledger
from smartrisk.ledger._values import Anchor, Replay, Verification

__all__ = ["KINDS", "Anchor", "Ledger", "Replay", "Verification"]
