"""`RiskEngine`: from declarations to scores, reasons and decisions.

Reads DECLARATIONS and OUTCOMES; writes SCORES, reasons and DECISIONS.
"""

from smartrisk.engine._engine import RiskEngine
from smartrisk.engine._guarding import Guard
from smartrisk.engine._scoring import ItemScore
from smartrisk.engine._updating import UpdateReport

__all__ = ["Guard", "ItemScore", "RiskEngine", "UpdateReport"]
