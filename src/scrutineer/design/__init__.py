"""One look for every page: the tokens, the frame and the parts that site, control room and devices share.

Public face: `environment` (templates.py) makes the Jinja environment of a room, `asset` and `assets` (files.py) give style
sheets, scripts and pictures under names that change with their bytes.
"""

from scrutineer.design.files import Asset, asset, assets
from scrutineer.design.templates import environment

__all__ = ["Asset", "asset", "assets", "environment"]
