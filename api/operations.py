"""One operation, whatever the transport: prepared, given its time, counted.

A transport parses what came, asks who sent it, and shows the answers in its own way.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import perf_counter
from typing import NamedTuple

import msgspec

from api.connections import Connections
from api.known_documents import Extensions, KnownDocuments, identifier_of
from api.metrics import Metrics
from api.problems import over, problem, too_late
from api.rates import HOT, changing_too_often, too_often
from domain.access import Caller
from infra.logs import CORRELATION
from schema.documents import Prepared
from schema.engine import Answer, Asker, Engine, Operation
from services.recorded import turned_away

TURNED_AWAY = frozenset({"NOT_PERMITTED", "FORBIDDEN"})
NUL_WRITTEN = re.compile(r"\x00|\\u(0000|\{0+\})")
"""As it is, or as GraphQL's strings escape it."""
ESCAPE = b"\\u"
"""What JSON needs to hold the character, and to hold a document that escapes it."""


class Sent(msgspec.Struct, rename={"name": "operationName", "document_id": "documentId"}):
    """An operation as JSON, over any transport: a document, or the identifier of a known one."""

    query: str | None = None
    variables: dict[str, object] | None = None
    name: str | None = None
    document_id: str | None = None
    extensions: Extensions | None = None

    @property
    def is_empty(self) -> bool:
        return self.query is None and identifier_of(self.document_id, self.extensions) is None


class Asked(NamedTuple):
    """An operation that may be executed or streamed."""

    asker: Asker
    prepared: Prepared
    operation: Operation

    @property
    def kind(self) -> str:
        return self.prepared.kind.value


class Operations:
    def __init__(
        self, engine: Engine, metrics: Metrics, documents: KnownDocuments | None = None
    ) -> None:
        self.engine = engine
        self.metrics = metrics
        self.documents = documents or KnownDocuments()
        self.limits = engine.limits
        self.too_many = over(
            engine.limits,
            "subscriptions_limit",
            "too many operations on one socket",
            retryable=True,
        )
        self.connections = Connections(engine.limits.connections_limit)
        self.going_on: set[asyncio.Task[Answer]] = set()

    def prepare(self, caller: Caller, sent: Sent, raw: bytes | None = None) -> Asked | Answer:
        """`raw` is the JSON that it was read from: one look at it may save one at every text."""
        text = self.text_of(sent)
        if isinstance(text, Answer):
            return self.turned_down(caller, text)
        operation = Operation(text, sent.variables, sent.name)
        has_escape = raw is None or ESCAPE in raw
        wrong = unfit(text, sent.variables) if has_escape else None
        prepared = wrong or self.engine.prepare(operation)
        if isinstance(prepared, Answer):
            return self.turned_down(caller, prepared)
        return Asked(Asker(caller, CORRELATION.get() or ""), prepared, operation)

    def turned_down(self, caller: Caller, answer: Answer) -> Answer:
        self.metrics.attempts.note(answer.errors, caller.subject)
        self.metrics.operation("none", (), (), answer.errors, 0.0)
        return answer

    def text_of(self, sent: Sent) -> str | Answer:
        """Of the document, if it may be asked."""
        if sent.query is not None:
            return sent.query if self.documents.takes(sent.query) else NOT_KNOWN
        identifier = identifier_of(sent.document_id, sent.extensions)
        text = self.documents.text(identifier or "")
        return NOT_FOUND if text is None else text

    async def execute(self, asked: Asked) -> Answer:
        """A query or mutation; what takes too long is told to be asked again."""
        if asked.kind == "mutation" and (answer := await self.too_often(asked)):
            return self.turned_down(asked.asker.caller, answer)
        began = perf_counter()
        try:
            async with asyncio.timeout(self.limits.operation_seconds):
                answer = await self.executed(asked)
        except TimeoutError:
            answer = too_late(self.limits)
        seconds = perf_counter() - began
        verbs = asked.prepared.root_fields
        self.metrics.operation(asked.kind, verbs, answer.refusals, answer.errors, seconds)
        if (answer.refusals or answer.errors) and TURNED_AWAY & {*answer.refusals, *answer.errors}:
            await self.tried(asked)
        return answer

    async def tried(self, asked: Asked) -> None:
        """What may not be done, in the trail; of who goes on trying only the log tells, or anybody
        with a token could fill the trail, which forgets nothing."""
        rt, caller = self.engine.rt, asked.asker.caller
        often = await too_often(rt.rates, self.limits, "attempts_per_minute", caller.subject)
        if often is None:
            await turned_away(rt, caller, asked.prepared.root_fields)
        else:
            self.metrics.attempts.note(often.errors, caller.subject)

    async def executed(self, asked: Asked) -> Answer:
        """A mutation that leaves records goes on to its end, whoever has stopped waiting for it:
        else one could go away in time to leave none of what was done."""
        if asked.kind != "mutation" or HOT.issuperset(asked.prepared.root_fields):
            return await self.engine.execute(*asked)
        task = asyncio.create_task(self.engine.execute(*asked))
        self.going_on.add(task)
        task.add_done_callback(self.going_on.discard)
        return await asyncio.shield(task)

    async def too_often(self, asked: Asked) -> Answer | None:
        acts = asked.prepared.root_fields
        if HOT.issuperset(acts):
            return None
        return await changing_too_often(self.engine.rt.rates, self.limits, asked.asker.caller, acts)

    async def stream(self, asked: Asked) -> AsyncGenerator[Answer, None]:
        """A subscription's answers. The time they take is the events', so only it is counted."""
        self.metrics.operation(asked.kind, asked.prepared.root_fields, (), (), 0.0)
        async with aclosing(self.engine.stream(*asked)) as answers:
            async for answer in answers:
                if TURNED_AWAY.intersection(answer.errors):
                    await self.tried(asked)
                for code in answer.errors:
                    self.metrics.errors.labels(code, self.metrics.worker).inc()
                yield answer


def unfit(text: str, variables: object) -> Answer | None:
    """No text may hold NUL: PostgreSQL cannot store it."""
    try:
        has_nul = NUL_WRITTEN.search(text) is not None or holds_nul(variables)
    except RecursionError:
        return NESTED
    return NUL_SENT if has_nul else None


def holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(map(holds_nul, value.values()))
        case list():
            return any(map(holds_nul, value))
    return False


NOT_KNOWN = problem("only documents that are known here are taken", "DOCUMENT_NOT_ALLOWED")
NOT_FOUND = problem("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
"""The message by which Apollo's clients know it."""
NESTED = problem("variables are nested too deep", "BAD_USER_INPUT")
NUL_SENT = problem("no text may hold the character NUL", "BAD_USER_INPUT")
