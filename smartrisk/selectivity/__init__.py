"""Choosing what to control: scores, rules and a capacity become decisions.

Reads SCORES and DECLARATIONS; writes DECISIONS with the channel, who selected the item,
and its probability of having been selected.
"""

from smartrisk.selectivity._criteria import from_criteria, to_criteria
from smartrisk.selectivity._policy import Policy, inclusion, select
from smartrisk.selectivity._rules import OPERATORS, Condition, Rule, RuleSet

__all__ = [
    "OPERATORS",
    "Condition",
    "Policy",
    "Rule",
    "RuleSet",
    "from_criteria",
    "inclusion",
    "select",
    "to_criteria",
]
