"""Who signed a statement, in words: the name they are known by, their role, and the id that the log knows them by."""

from typing import Final

from markupsafe import Markup

from scrutineer.count import Count
from scrutineer.election.register import Role
from scrutineer.language import HtmlSay, msg
from scrutineer.observation import Speaker

ROLE_WORDS: Final[dict[Role, str]] = {
    "authority": msg("election authority"),
    "station": msg("polling station"),
    "poll-worker": msg("poll worker"),
    "agent": msg("party or candidate agent"),
    "observer": msg("observer"),
    "auditor": msg("auditor"),
    "tribunal": msg("tribunal"),
    "candidate": msg("candidate"),
    "operator": msg("operator"),
}


def named(say: HtmlSay, speaker: Speaker) -> Markup:
    """Name and role of who signed; the id alone where no name was given. An id begins with the role."""
    code = Markup("<code>{}</code>").format(speaker.issuer)
    if not speaker.name:
        return code
    return say("{name}, {role}", name=say.name(speaker.name), role=say.later(ROLE_WORDS[speaker.role])) + Markup(" ") + code


def officer(say: HtmlSay, count: Count, issuer: str) -> Markup:
    """An officer of the authority: the name, where one was given, and the id, because offices may share a name."""
    name = next((known.name for known in count.accreditations.find(issuer) if known.name), "")
    code = Markup("<code>{}</code>").format(issuer)
    return say.name(name) + Markup(" ") + code if name else code
