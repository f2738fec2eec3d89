"""Verified copies of a published site that anyone can serve, and readers that are given several of them.

Public face: `Mirror` does a round over several `WebSite`s in a `MirrorFolder`, and returns a `MirrorRound` with its
`SourceFinding`s. The copy is the folder `SITE` in the mirror's.
"""

from scrutineer.verify.mirror.folder import SITE, MirrorFolder
from scrutineer.verify.mirror.mirror import Mirror, MirrorRound
from scrutineer.verify.mirror.offers import SourceFinding

__all__ = ["SITE", "Mirror", "MirrorFolder", "MirrorRound", "SourceFinding"]
