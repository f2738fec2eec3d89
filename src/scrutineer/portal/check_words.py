"""`check-words.js`: what check.js and qr.js say on the pages of stations, once for each language.

The texts stand in a file of their own, because the pages are many; and in a script rather than JSON, because a browser lets
a page that was opened from a folder load scripts and nothing else. They are plain text: scripts put them into pages as such.
"""

import json
from collections.abc import Iterator
from typing import Final

from scrutineer.language import PlainSay, msg
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages

WORDS_FILE: Final = "check-words.js"

WORDS: Final = {
    "button": msg("Check in this browser"),
    "running": msg("Checking …"),
    "heading": msg("Sheet of log entry {index}"),
    # The outcome of all steps.
    "all.good": msg("Everything that this page can check about itself is right."),
    "all.bad": msg("Something does not fit. The steps below say what; the others still stand."),
    "all.open": msg("What could be checked is right. Some steps could not be done; they are marked below."),
    "took": msg("Done in {ms} milliseconds, on this device alone."),
    # What stands before each step.
    "good": msg("Right"),
    "bad": msg("Does not fit"),
    "open": msg("Not checked"),
    # Why a step could not be done.
    "skipped": msg("This step rests on one above that could not be done: {step}."),
    "folder": msg(
        "This page was opened from a folder, and a browser then reads no other file. Open it from a web address to do this step."
    ),
    "unreachable": msg("The file {file} could not be fetched. Try again, or use another copy of this site."),
    "old-browser": msg("This browser cannot check signatures of this kind (Ed25519). A newer one can."),
    "no-crypto": msg(
        "Browsers offer their means of checking only to pages that come over https or from this device. Open this page so."
    ),
    "unexpected": msg("This step ended with an error, which must not happen. Please report it: {error}"),
    # The steps by name, then what each of them may find.
    "statement": msg("The signed sheet"),
    "statement.good": msg("The signed sheet can be read, and its hash is the one that this page shows."),
    "statement.unreadable": msg(
        "The signed sheet cannot be read: it is not in the one form in which a station's device writes it ({why})."
    ),
    "statement.hash": msg("The signed sheet has another hash than this page shows."),
    "signature": msg("The signature"),
    "signature.good": msg("The signature is that of this station's device."),
    "signature.no-key": msg("This page shows no key for whoever signed the sheet, so the signature cannot be checked here."),
    "signature.kid": msg("The sheet says that another key signed it than the one that this page shows for the station's device."),
    "signature.bad": msg("The signature does not fit: the sheet was changed after it was signed, or another key signed it."),
    "about": msg("What the sheet is about"),
    "about.good": msg("It is the sheet of this station, for this contest, in this election."),
    "about.station": msg("The sheet is of another station than this page says: {signed}."),
    "about.contest": msg("The sheet is of another contest than this page says: {signed}."),
    "about.election": msg("The sheet is of another election than this page says: {signed}."),
    "figures": msg("The figures"),
    "figures.good": msg("The figures that the table shows are the signed ones ({n} of them)."),
    "figures.other": msg("In the row “{row}” the table shows “{shown}”; what was signed is “{signed}”."),
    "figures.rows": msg("The table has other rows than the signed sheet has figures."),
    "figures.none": msg("not stated"),
    "receipt": msg("The receipt"),
    "receipt.good": msg("The log's receipt fits: it holds the sheet as entry {index} of its first {size}."),
    "receipt.unreadable": msg("The receipt cannot be read: it is not in the form in which a log writes it ({why})."),
    "receipt.other": msg("The receipt is for another entry of the log, another size or another log than this page says."),
    "receipt.bad": msg(
        "The receipt does not fit: it belongs to another sheet, or it or the sheet was changed, or another key signed it."
    ),
    "definition": msg("The definition of the election"),
    "definition.good": msg(
        "The definition of the election has the hash that the sheet names, and it names this log and the key of its receipt."
    ),
    "definition.hash": msg("The definition that is published here has another hash than the one that the sheet names."),
    "definition.unreadable": msg("The definition that is published here cannot be read ({why})."),
    "definition.log": msg("The definition names another log, or another key of the log, than this page shows."),
    "names": msg("The names in the table"),
    "names.good": msg("The rows of the table carry the names of the definition, in its order."),
    "names.other": msg("In the table a row is called “{shown}”; the definition calls it “{signed}”."),
    "register": msg("The station's key"),
    "register.good": msg("The list of keys has the hash that the definition names, and it gives this key to this station."),
    "register.hash": msg("The list of keys that is published here has another hash than the one that the definition names."),
    "register.key": msg(
        "The list of keys does not give this key to this station. Where a device was replaced, a later statement of the "
        "authority admits the new one, and “scrutineer verify” checks that; otherwise the key is not the station's."
    ),
    "register.large": msg(
        "The list of keys has {megabytes} megabytes, which is much to fetch for one sheet. “scrutineer verify” checks it."
    ),
    "checkpoint": msg("The log's newest head"),
    "checkpoint.good": msg(
        "The newest head of the log, over {size} entries, is signed by the log's key (Ed25519). It also carries a signature of "
        "the kind ML-DSA-44, which no browser can check yet; “scrutineer verify” can."
    ),
    "checkpoint.unreadable": msg("The newest head of the log cannot be read ({why})."),
    "checkpoint.missing": msg("The newest head of the log lacks a signature by one of the log's keys."),
    "checkpoint.bad": msg("The newest head of the log is not signed by the log's key: it was changed, or is not the log's."),
    "checkpoint.old": msg("The newest head of the log that is published here covers fewer entries than this page speaks of."),
    "witnesses": msg("The witnesses"),
    "witnesses.none": msg("The definition names no witnesses: nobody but the log itself has signed this head."),
    "witnesses.good": msg("Witnesses who have cosigned this head: {cosigned}. Needed: {needed}."),
    "witnesses.few": msg("Too few witnesses have cosigned this head: {cosigned}. Needed: {needed}."),
    "witnesses.bad": msg("The cosignature by {witness} does not fit."),
    "witnesses.ahead": msg("The cosignature by {witness} is of a day that has not come yet, by this device's clock."),
    "witnesses.kind": msg(
        "Witnesses whose cosignatures hold: {cosigned}. Needed: {needed}. The others sign in a way that no browser can check yet "
        "(ML-DSA-44); “scrutineer verify” can."
    ),
    "included": msg("The sheet's place in the log"),
    "included.good": msg("The sheet is in the log today: from it, the published hashes lead to the signed head."),
    "included.bad": msg("From this sheet the published hashes do not lead to the signed head of the log."),
    "included.unreadable": msg("A file of the log's hashes cannot be read ({why})."),
    # What stands below the steps.
    "compare": msg(
        "A page that was replaced as a whole could also lie about its check. So compare these with another copy of this site, "
        "with what observers or newspapers have printed, or with what another device shows."
    ),
    "compare.sheet": msg("Hash of the sheet"),
    "compare.definition": msg("Hash of the definition"),
    "compare.size": msg("Entries in the log"),
    "compare.root": msg("Root of the log"),
    "rest": msg(
        "What this does not check: totals, rules, decisions, replaced keys and every other page. The command “scrutineer verify” "
        "with this site's address checks all of it."
    ),
    # qr.js
    "qr.button": msg("Show as a QR code"),
    "qr.alt": msg("QR code with the signed sheet"),
    "qr.part": msg("QR code {part} of {parts} with the signed sheet"),
    "qr.large": msg("The sheet is too large for QR codes; it travels as a file."),
}


def check_words(pages: Pages) -> Iterator[SiteFile]:
    """`check-words.js` of one language."""
    plain = PlainSay(pages.language)
    words = {key: plain.later(text) for key, text in WORDS.items()}
    script = f'"use strict";\nconst CHECK_WORDS = {json.dumps(words, ensure_ascii=False, indent=1)};\n'
    yield SiteFile(pages.path(WORDS_FILE), (script.encode(),))
