"""Replay: the independent check of a published site.

Public face: `verify_site`, `FolderSource`, `copy_site`, `Report`, `Finding`.
"""

from scrutineer.verify.copy import copy_site
from scrutineer.verify.replay import verify_site
from scrutineer.verify.report import Finding, Report
from scrutineer.verify.source import FolderSource

__all__ = ["Finding", "FolderSource", "Report", "copy_site", "verify_site"]
