"""The processes that check statements: a parent that holds the election, and the workers that it forks.

The parent has one thread and nothing open but its control connection, so that it may fork at any time; the election's
tables are loaded once and shared with every worker. When the service ends, however it ends, the connections close and all
these processes end too.
"""

import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import Final

from scrutineer.errors import PolicyError, ScrutineerError, StatementError
from scrutineer.intake.frames import APPLY, BY_REVOKED_KEY, Verdict, read_statements, verdicts_frame
from scrutineer.statements.bootstrap import open_election
from scrutineer.statements.envelope import open_envelope
from scrutineer.statements.policy import Policy
from scrutineer.statements.statement import parse_statement

FORK: Final = b"F"
"""Control message: fork a worker for the connection that comes with it."""
APPLY_HERE: Final = b"A"
"""Control message: take note of the logged statement that follows."""
READY: Final = b"R"
"""Control answer: the election is loaded; its hash follows."""
FAILED: Final = b"E"
"""Control answer: the election cannot be loaded; the message follows."""

CONTROL_SIZE: Final = 70_000  # bytes; a statement has at most 65,535


def check_all(policy: Policy, statements: list[bytes]) -> list[Verdict]:
    """One verdict for each statement."""
    verdicts: list[Verdict] = []
    check = policy.check
    for statement in statements:
        try:
            check(statement)
        except (StatementError, PolicyError) as error:
            verdicts.append((error.code, str(error)))
        else:
            verdicts.append(BY_REVOKED_KEY if _is_by_revoked_key(policy, statement) else None)
    return verdicts


def _is_by_revoked_key(policy: Policy, statement: bytes) -> bool:
    accreditations = policy.accreditations
    if not accreditations.any_revoked:
        return False
    envelope = open_envelope(statement)
    return accreditations.is_revoked(envelope.issuer, envelope.kid)


def work(policy: Policy, connection: socket.socket) -> None:
    """Check what comes until the connection closes."""
    while (frame := read_statements(connection)) is not None:
        kind, statements = frame
        if kind == APPLY:
            for statement in statements:
                policy.apply(parse_statement(statement))
        else:
            try:
                connection.sendall(verdicts_frame(check_all(policy, statements)))
            except ConnectionError:
                return


def lead(policy: Policy, control: socket.socket) -> None:
    """Fork workers and keep the policy up to date until the control connection closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for workers; the kernel takes them away.
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, CONTROL_SIZE, 1)
        if not message:
            return
        if message[:1] == APPLY_HERE:
            policy.apply(parse_statement(message[1:]))
        elif message == FORK and descriptors:
            if os.fork() == 0:
                control.close()
                with socket.socket(fileno=descriptors[0]) as connection:
                    work(policy, connection)
                return
            os.close(descriptors[0])


def main(arguments: list[str]) -> int:
    """Load the election, say so, and serve; given: descriptor of the control connection, definition and tables.

    Ctrl-C is the service's to handle.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, *paths = arguments
    with socket.socket(fileno=int(descriptor)) as control:
        try:
            election = open_election(*(Path(path).read_bytes() for path in paths))
        except (ScrutineerError, OSError) as error:
            control.send(FAILED + str(error).encode()[: CONTROL_SIZE - 1])
            return 1
        with contextlib.suppress(ConnectionError):  # The service has ended meanwhile.
            control.send(READY + election.hash)
            lead(Policy(election), control)
    return 0
