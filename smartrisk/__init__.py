"""Customs declaration risk scoring: features, models, reasons, decisions, evidence.

Every name below is loaded on first use; ``import smartrisk`` loads no third-party
package. The library writes to one logger, ``smartrisk``, which is silent until a
program gives it a handler; its records name no trader and no declaration.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

__version__ = "0.1.0"

# Without it, Python would print warnings of a library that nobody has configured.
logging.getLogger(__name__).addHandler(logging.NullHandler())

_PACKAGES = (
    "benchmark",
    "cli",
    "datasets",
    "disclosure",
    "displays",
    "engine",
    "errors",
    "evaluation",
    "explanations",
    "features",
    "intake",
    "intervals",
    "items",
    "languages",
    "ledger",
    "lineage",
    "models",
    "monitoring",
    "pages",
    "quality",
    "readiness",
    "resumable",
    "results",
    "scale",
    "schema",
    "selectivity",
    "serving",
    "settings",
    "simulation",
    "spreadsheets",
    "statistics",
    "tracking",
    "validation",
    "windows",
    "workshop",
    "worlds",
)

__all__ = ["RiskEngine", "__version__", *_PACKAGES]


def __getattr__(name: str) -> Any:
    """Load a package, or the engine, on first use."""
    if name in _PACKAGES:
        return importlib.import_module(f"smartrisk.{name}")
    if name == "RiskEngine":
        return importlib.import_module("smartrisk.engine").RiskEngine
    raise AttributeError(f"module 'smartrisk' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
