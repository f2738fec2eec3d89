"""The public site: static files that anyone can serve, mirror and check, rendered as a pure function of the record.

Public face: `Record` and `SiteOptions` (record.py), `render_tiles` and `render_head` (log_files.py), `Manifest`, `open_manifest`
(manifest.py), `read_site_info`, `read_head` and the names of fixed files (formats.py). Two functions are taken from their own
modules, because these load every kind of page: `render_site` (site.py), and `publish` (publish.py), the only module here that
touches a disk.
"""

from scrutineer.portal.formats import SiteFile, SiteInfo, read_head, read_site_info
from scrutineer.portal.log_files import render_head, render_tiles
from scrutineer.portal.manifest import Manifest, check_path, open_manifest, sign_manifest
from scrutineer.portal.publication import PublicationSummary
from scrutineer.portal.record import Record, SiteOptions, default_options

__all__ = [
    "Manifest",
    "PublicationSummary",
    "Record",
    "SiteFile",
    "SiteInfo",
    "SiteOptions",
    "check_path",
    "default_options",
    "open_manifest",
    "read_head",
    "read_site_info",
    "render_head",
    "render_tiles",
    "sign_manifest",
]
