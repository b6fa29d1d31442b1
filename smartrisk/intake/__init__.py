"""The door: files, databases and frames are read as they are, every line accounted for.

Reads what an administration has (text files, workbooks, Parquet, queries, frames of any
library); writes a frame with the administration's own column names, every cell as it
was written, and a column ``source_row`` with the file and line of every row. Nothing
is interpreted here: that is `smartrisk.validation`.
"""

from smartrisk.intake._describe import FileDescription, describe_file
from smartrisk.intake._documents import join_documents
from smartrisk.intake._joined_documents import JoinedDocuments
from smartrisk.intake._looks import Look
from smartrisk.intake._profile import Profile, profile
from smartrisk.intake._proposal import FieldProposal, Proposal
from smartrisk.intake._propose import propose_map
from smartrisk.intake._read import read_table

__all__ = [
    "FieldProposal",
    "FileDescription",
    "JoinedDocuments",
    "Look",
    "Profile",
    "Proposal",
    "describe_file",
    "join_documents",
    "profile",
    "propose_map",
    "read_table",
]
