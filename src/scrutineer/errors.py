"""The one tree of errors: each class is one kind of failure, each message says what is wrong, where, and what to do."""


class ScrutineerError(Exception):
    """Any failure that Scrutineer expects and explains.

    `code` names the cause for programs, as the intake service reports it; a class has a default for its instances.
    """

    exit_status = 1
    code = "failed"

    def __init__(self, *message: object, code: str | None = None) -> None:
        super().__init__(*message)
        if code is not None:
            self.code = code


class UsageError(ScrutineerError):
    """A command, option, path or setting that cannot be used as given."""

    exit_status = 2


class DefinitionError(ScrutineerError):
    """An election definition that is not valid."""


class LayoutError(ScrutineerError):
    """A layout file, or a table that does not follow its layout."""


class StatementError(ScrutineerError):
    """Bytes that are not a well-formed statement in canonical form."""

    code = "malformed"


class SignatureError(StatementError):
    """A statement whose signature does not verify under the key it names."""

    code = "bad-signature"


class PolicyError(ScrutineerError):
    """A well-formed statement that its signer may not make."""

    code = "not-allowed"


class LogError(ScrutineerError):
    """The log, or a copy of it, does not hold together."""


class ProofError(LogError):
    """An inclusion or consistency proof that does not prove what it says."""


class NoteError(LogError):
    """A signed note or checkpoint that is malformed or not signed by the expected key."""


class ReceiptError(LogError):
    """A receipt that does not prove that its statement is in the log."""


class StoreError(LogError):
    """The store cannot be read or written; nothing acknowledged is lost."""


class CountError(ScrutineerError):
    """Counting was asked for something that the record cannot answer."""


class CallError(ScrutineerError):
    """A verdict on a partial count, or the check of an announcement, was asked for with figures that cannot be used."""


class PublicationError(ScrutineerError):
    """The published files cannot be written or read."""


class TransportError(ScrutineerError):
    """The other side could not be reached, or answered with something else than the protocol allows."""


class ControlError(ScrutineerError):
    """Somebody may not enter the control room, or may not do there what was asked, or not any more."""


class BallotError(ScrutineerError):
    """A key, encrypted ballot, proof or record of ballots that cannot be used, or a step of the ceremony that went wrong."""


class AuditError(ScrutineerError):
    """A plan, manifest, record or count of an audit that cannot be used, or a step that may not be taken yet."""


class TypesettingError(ScrutineerError):
    """A paper that cannot be drawn as PDF from what it was given."""
