"""Folders of text, JSON and Arrow tables with checksums, and single files.

Reads and writes folders that cannot contain code. A folder is replaced as a whole:
after a kill it is the old one or the new one, never half of each. Every file is
compared with its digest before any parser reads it.
"""

from smartrisk.artefact._deferred import DeferredTables
from smartrisk.artefact._files import write_file
from smartrisk.artefact._json import parse_json
from smartrisk.artefact._kept import KeptFile
from smartrisk.artefact._manifest import FORMAT, MANIFEST, SIGNATURE
from smartrisk.artefact._reading import FolderContent, folder_digest, read_folder
from smartrisk.artefact._signing import create_key, sign_folder
from smartrisk.artefact._sweeping import draft_folder
from smartrisk.artefact._tables import Arrays, TablesOnDemand, block_file, table_file
from smartrisk.artefact._writing import check_place, write_folder

__all__ = [
    "FORMAT",
    "MANIFEST",
    "SIGNATURE",
    "Arrays",
    "DeferredTables",
    "FolderContent",
    "KeptFile",
    "TablesOnDemand",
    "block_file",
    "check_place",
    "create_key",
    "draft_folder",
    "folder_digest",
    "parse_json",
    "read_folder",
    "sign_folder",
    "table_file",
    "write_file",
    "write_folder",
]
