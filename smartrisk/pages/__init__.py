"""Pages: results and tables as HTML for officers, managers and auditors.

Reads an engine, results and tables; writes pages. A page is one HTML file, in English,
French or Spanish, that loads nothing from elsewhere. `save` writes the same bytes every
time.
"""

from smartrisk.pages._case_sheet import CaseSheet
from smartrisk.pages._competition_rules import CompetitionRules
from smartrisk.pages._data_card import DataCard
from smartrisk.pages._data_profile import DataProfile
from smartrisk.pages._demo_index import DemoIndex
from smartrisk.pages._evaluation_report import EvaluationReport
from smartrisk.pages._handout import Handout
from smartrisk.pages._leader_board import LeaderBoard
from smartrisk.pages._model_card import ModelCard
from smartrisk.pages._page import PageTerms
from smartrisk.pages._policy_report import PolicyReport
from smartrisk.pages._readiness_report import ReadinessReport
from smartrisk.pages._reading_back import read_exported, table_from_words
from smartrisk.pages._statistics_report import StatisticsReport
from smartrisk.pages._use_case import UseCaseFacts, UseCaseSheet
from smartrisk.pages._watch_list import WatchList
from smartrisk.pages._write_pages import write_pages
from smartrisk.spreadsheets import escape_formula, write_table

__all__ = [
    "CaseSheet",
    "CompetitionRules",
    "DataCard",
    "DataProfile",
    "DemoIndex",
    "EvaluationReport",
    "Handout",
    "LeaderBoard",
    "ModelCard",
    "PageTerms",
    "PolicyReport",
    "ReadinessReport",
    "StatisticsReport",
    "UseCaseFacts",
    "UseCaseSheet",
    "WatchList",
    "escape_formula",
    "read_exported",
    "table_from_words",
    "write_pages",
    "write_table",
]
