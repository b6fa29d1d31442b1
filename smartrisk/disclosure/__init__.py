"""Statistical disclosure control for tables of sums and counts with totals.

Reads parts: what each trader adds to each cell; writes which cells to hide, and why.
"""

from smartrisk.disclosure._rules import Rules
from smartrisk.disclosure._suppression import Suppression, suppress

__all__ = ["Rules", "Suppression", "suppress"]
