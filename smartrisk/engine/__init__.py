"""`RiskEngine`: from declarations to scores, reasons and decisions.

Reads DECLARATIONS and OUTCOMES; writes SCORES, reasons and DECISIONS. The folder of a
saved engine has a digest and can be signed.
"""

from smartrisk.artefact import create_key, folder_digest, sign_folder
from smartrisk.engine._engine import RiskEngine
from smartrisk.engine._guarding import Guard
from smartrisk.engine._partitions import FitPlan, fit_learned, take_over
from smartrisk.engine._scoring import ItemScore
from smartrisk.engine._stages import StageReport
from smartrisk.engine._updating import UpdateReport

__all__ = [
    "FitPlan",
    "Guard",
    "ItemScore",
    "RiskEngine",
    "StageReport",
    "UpdateReport",
    "create_key",
    "fit_learned",
    "folder_digest",
    "sign_folder",
    "take_over",
]
