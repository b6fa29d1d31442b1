"""Column maps of exports whose columns are published."""

from __future__ import annotations

from smartrisk.schema._column_map import ColumnMap

#: The Korean declarations of Jeong et al. (2022), English column names.
KCS = ColumnMap.preset("kcs")

#: Columns of the DATE and customs-selection-simulator exports.
DATE = ColumnMap.preset("date")

#: Columns of exports in the style of ASYCUDA.
ASYCUDA = ColumnMap.preset("asycuda")
