"""Where a voter finds her ballot by the words on her slip: a page of elections whose definition names trustees' keys."""

import json
from collections.abc import Iterator

from scrutineer.portal.ballot_files import INDEX_FILE
from scrutineer.portal.ballot_parts import FIELD_WORDS, STATUS_SENTENCES
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages

PAGE = "track.html"


def track_page(pages: Pages) -> Iterator[SiteFile]:
    """`track.html`."""
    record, say = pages.view.record, pages.say
    if record.ballots_table is None:
        return
    ballots = sum(own.ballots for own in record.ballots.values())
    contests = {
        contest.id: {"title": contest.title, "options": {option.id: option.name for option in contest.options}}
        for contest in pages.view.election.contests
    }
    yield pages.render(
        "track.html",
        PAGE,
        say("Find your ballot"),
        scripts=("proofs.js", "track.js"),
        definition=record.election.hash.hex(),
        origin=record.verifier.origin,
        log_key=record.verifier.ed25519_public_key.hex(),
        contests=json.dumps(contests, ensure_ascii=False),
        published=say.several("{n} encrypted ballot is published here.", "{n} encrypted ballots are published here.", ballots)
        if ballots
        else "",
        outcomes={name: say.later(sentence) for name, sentence in STATUS_SENTENCES.items()},
        fields={name: say.later(word) for name, word in FIELD_WORDS.items()},
        index=INDEX_FILE,
        # Where stations have no pages in this language, those of the first one serve.
        stations=pages.links(PAGE).href("stations/").removesuffix("stations/"),
    )
