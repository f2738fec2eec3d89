"""Replay: the independent check of a published site.

Public face: `verify_site`, `FolderSource`, `copy_site`, `Report`, `Finding`; in `verify.mirror`, verified copies from several
addresses, each a `WebSite`.
"""

from scrutineer.verify.copy import copy_site
from scrutineer.verify.replay import verify_site
from scrutineer.verify.report import Finding, Report
from scrutineer.verify.source import FolderSource
from scrutineer.verify.web import WebSite

__all__ = ["Finding", "FolderSource", "Report", "WebSite", "copy_site", "verify_site"]
