"""Choosing what to control: scores, rules and a capacity become decisions.

Reads SCORES and DECLARATIONS; writes DECISIONS with the channel, who selected the item,
and the probability of its selection.
"""

from smartrisk.selectivity._conditions import OPERATORS, Condition
from smartrisk.selectivity._criteria import from_criteria, to_criteria
from smartrisk.selectivity._past_controls import novelty, releases_in_a_row
from smartrisk.selectivity._policy import Costs, Policy, select
from smartrisk.selectivity._quotas import Capacity
from smartrisk.selectivity._random_draws import inclusion
from smartrisk.selectivity._rule_compiler import CompiledRules, compile_rules
from smartrisk.selectivity._rule_sets import RuleDraw, RuleReport, RuleSet
from smartrisk.selectivity._rules import Rule
from smartrisk.selectivity._undecided import mark_undecided

__all__ = [
    "OPERATORS",
    "Capacity",
    "CompiledRules",
    "Condition",
    "Costs",
    "Policy",
    "Rule",
    "RuleDraw",
    "RuleReport",
    "RuleSet",
    "compile_rules",
    "from_criteria",
    "inclusion",
    "mark_undecided",
    "novelty",
    "releases_in_a_row",
    "select",
    "to_criteria",
]
