"""The site as a stream of files: a pure, deterministic function of the record, so that `verify` can make every byte again."""

from collections.abc import Iterator

from scrutineer.portal.formats import SiteFile
from scrutineer.portal.record import Record


def render_site(record: Record) -> Iterator[SiteFile]:
    """Every file of the site but `log/*` and `manifest`, in a fixed order and in bounded memory.

    Take each file's chunks before asking for the next file. Raises CountError or LogError where the record does not hold
    together.
    """
    raise NotImplementedError
