"""The intake service without its transport: known already, checked, sequenced, answered."""

from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from scrutineer.errors import LogError, ScrutineerError, StoreError
from scrutineer.http.problems import Problem, problem_of, reason_of
from scrutineer.intake.checkers import Checkers
from scrutineer.intake.frames import Verdict
from scrutineer.intake.sequencer import Recorder, Sequencer
from scrutineer.log import Integrated, Log
from scrutineer.statements.audit import AuditPlan, AuditSeed
from scrutineer.statements.audit_order import orders_audits
from scrutineer.statements.policy import changes_policy
from scrutineer.statements.statement import parse_statement, statement_hash

QUEUE_LIMIT: Final = 8_192  # statements on their way at a time


OUT_OF_REACH: Final = (
    "the log's store is out of reach: nothing that was recorded is lost; send the statement again in a little while"
)


class Answer(NamedTuple):
    """What a submitter is told: the receipt, whether it is new, and the statement's name; or the problem."""

    receipt: bytes
    fresh: bool
    leaf: bytes
    problem: Problem | None = None
    notice: str = ""
    """Why this is worth noting although it is recorded: 'revoked-key'; empty for everything usual."""

    @property
    def outcome(self) -> str:
        """In one word: 'accepted', 'duplicate', or the reason of the refusal."""
        if self.problem is not None:
            return self.problem.code
        return "accepted" if self.fresh else "duplicate"


Done = Callable[[Answer], object]


class Visit(Protocol):
    """One statement's stay: it was let in, and is on its way to the log or to its refusal."""

    def leave(self, outcome: str) -> None:
        """Hear, once, what came of it: 'accepted', 'duplicate', or the reason of a refusal."""
        ...


class Gate(Protocol):
    """Decides who is let in before anything dear is done for him: limits per key and per network, with a reserve."""

    def enter(self, data: bytes, peer: str) -> Problem | Visit:
        """Let a statement in that came from an address (empty: from this program itself), or say why it is turned away."""
        ...

    def recorded(self, data: bytes) -> None:
        """Hear of each statement that is new in the log, whoever put it there, before its submitter is answered."""
        ...


class Intake:
    """Takes statements in: each is answered exactly once, with its receipt or with the reason why it is not recorded."""

    def __init__(
        self,
        log: Log,
        checkers: Checkers,
        *,
        limit: int = QUEUE_LIMIT,
        gate: Gate | None = None,
        recorder: "Callable[[Intake], Recorder] | None" = None,
    ) -> None:
        """Take an open log and its checkers; `limit` is how many statements may be on their way where no gate keeps a limit."""
        self.log = log
        self.checkers = checkers
        self.counts: Counter[str] = Counter()
        """Answers so far: 'accepted', 'duplicate', and each reason of refusal."""
        self.failure: ScrutineerError | None = None
        self.failed: Callable[[], object] = lambda: None
        """Called once, when the service cannot go on."""
        self._limit = limit
        self._gate = gate
        self._under_way = 0
        self._claims: dict[str | bytes, bytes] = {}
        """What took the name of an audit, or the one seed of a plan, since this service began, by name or plan."""
        self._stopping = False
        checkers.failed = self.fail
        self._recorder: Recorder = (
            Sequencer(log.append, recorded=self.recorded, failed=self.fail) if recorder is None else recorder(self)
        )

    @property
    def batches(self) -> int:
        """Commits so far."""
        return self._recorder.batches

    @property
    def role(self) -> str:
        """Whether this process writes the log: see `Recorder.role`. What one process alone may do, the one that leads does."""
        return self._recorder.role

    @property
    def trouble(self) -> str | None:
        """In one sentence for the operator, why nothing can be recorded at the moment; None where it can."""
        return None if self.failure is None and self._recorder.trouble is None else str(self.failure or self._recorder.trouble)

    @property
    def under_way(self) -> int:
        """Statements taken in and not answered yet."""
        return self._under_way

    def submit(self, data: bytes, done: Done, peer: str = "") -> None:
        """Take in a statement that came from an address; `done` gets the answer, now or later, from the event loop."""
        leaf = statement_hash(data)
        index = self.log.find(leaf)
        if index is not None:
            done(self._known(leaf, index))
            return
        if self._stopping or self.failure is not None:
            done(self._stopped())
            return
        if self._recorder.trouble is not None:
            done(self._refuse(Problem("store-failed", OUT_OF_REACH)))
            return
        gate = self._gate
        if gate is None:
            if self._under_way >= self._limit:
                detail = f"{self._limit} statements are on their way: send this one again a little later"
                done(self._refuse(Problem("queue-full", detail)))
                return
        else:
            visit = gate.enter(data, peer)
            if isinstance(visit, Problem):
                done(self._refuse(visit))
                return
            answer = done

            def done(result: Answer) -> None:
                visit.leave(result.outcome)
                answer(result)

        self._under_way += 1
        notice = ""

        def noticed(reason: str) -> None:
            nonlocal notice
            notice = reason

        def sequenced(result: Integrated | ScrutineerError) -> None:
            self._under_way -= 1
            if isinstance(result, Integrated):
                self.counts["accepted" if result.fresh else "duplicate"] += 1
                done(Answer(result.receipt, result.fresh, leaf, notice=notice))
            elif not isinstance(result, LogError):
                done(self._refuse(problem_of(result)))
            else:
                done(self._refuse(Problem("store-failed", f"the statement is not recorded: {result}")))

        def checked(verdict: Verdict) -> None:
            if verdict is None and orders_audits(data):
                verdict = self._claim(data, leaf)
            if verdict is None:
                self._recorder.put(data, sequenced)
            else:
                self._under_way -= 1
                code, detail = verdict
                done(self._refuse(Problem(reason_of(code), detail)))

        self.checkers.check(data, checked, noticed)

    def _claim(self, data: bytes, leaf: bytes) -> Verdict:
        """Let one plan of a name, and one seed of a plan, go to the log where several are on their way in the same moment.

        The checkers know what is logged, and not what is about to be. A claim whose commit fails lapses with this service.
        """
        payload = parse_statement(data).payload
        if not isinstance(payload, AuditPlan | AuditSeed):
            return None
        claim = payload.name if isinstance(payload, AuditPlan) else payload.plan
        if self._claims.setdefault(claim, leaf) == leaf:
            return None
        if isinstance(payload, AuditPlan):
            return "second-plan", f"another plan of audit {claim!r} came first: give this one another name"
        return "second-seed", "another seed of this plan came first: a plan is drawn from once"

    async def close(self) -> None:
        """Refuse what comes from now on; wait until the running commit has ended."""
        self._stopping = True
        await self._recorder.close()
        await self.checkers.close()

    def stop_accepting(self) -> None:
        """Refuse what comes from now on."""
        self._stopping = True

    def _known(self, leaf: bytes, index: int) -> Answer:
        try:
            receipt = self.log.receipt(index)
        except LogError as error:
            if isinstance(error, StoreError):
                self.fail(error)
            return self._refuse(Problem("store-failed", f"the receipt cannot be read: {error}"))
        self.counts["duplicate"] += 1
        return Answer(receipt, False, leaf)

    def _refuse(self, problem: Problem) -> Answer:
        self.counts[problem.code] += 1
        return Answer(b"", False, b"", problem)

    def _stopped(self) -> Answer:
        if self.failure is not None:
            return self._refuse(Problem("store-failed", f"nothing can be recorded: {self.failure}"))
        return self._refuse(Problem("stopping", "the service is being stopped: send the statement again after its restart"))

    def recorded(self, data: bytes) -> None:
        """Take note of an entry that is new in the log, whichever process put it there; in log order."""
        if changes_policy(data):
            self.checkers.apply(data)
        if self._gate is not None:
            self._gate.recorded(data)

    def fail(self, error: ScrutineerError) -> None:
        """Take note that nothing can be recorded any more: from now on everything new is refused."""
        if self.failure is None:
            self.failure = error
            self.failed()
