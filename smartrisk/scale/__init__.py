"""Fit, update, score and select on Parquet files larger than memory, or on a cluster.

Reads DECLARATIONS, SCORES and OUTCOMES in partitions; writes the history of an engine,
SCORES and DECISIONS. One code runs in a loop on one machine or on a Dask cluster, and
gives what `RiskEngine` gives for all items at once, bit for bit.
"""

from smartrisk.scale._fit import fit
from smartrisk.scale._pieces import Dataset
from smartrisk.scale._score import score
from smartrisk.scale._select import select
from smartrisk.scale._update import update

__all__ = ["Dataset", "fit", "score", "select", "update"]
