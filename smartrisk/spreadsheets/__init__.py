"""Tables for spreadsheets: CSV and workbooks in which no text acts as a formula."""

from smartrisk.spreadsheets._writing import escape_formula, write_book, write_table

__all__ = ["escape_formula", "write_book", "write_table"]
