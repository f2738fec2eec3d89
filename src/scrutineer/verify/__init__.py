"""Replay: the independent check of a published site.

Public face: `FolderSource`, `Report`, `Finding`. What loads every kind of page, or a client of the web, is taken from its own
module: `verify_site` (replay.py), `copy_site` (copy.py), `WebSite` (web.py); and from `verify.mirror`, verified copies from
several addresses, each a `WebSite`.
"""

from scrutineer.verify.report import Finding, Report
from scrutineer.verify.source import FolderSource

__all__ = ["Finding", "FolderSource", "Report"]
