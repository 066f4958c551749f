"""From an operation as it was sent to the bytes of its answer.

Strawberry's own `execute` costs more than reserving stock does, so operations go to graphql-core
directly, and the usual ones past it, by a plan made once per document (compiled/). Every event of a
subscription is executed and encoded once for all clients that asked the same."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, NamedTuple, cast

import msgspec
from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution import Executor, create_source_event_stream, execute

from domain.access import Caller
from infra.limits import DEFAULTS, Limits
from schema.build import build
from schema.compiled.inputs import Uncovered
from schema.compiled.outcome import Failed, Outcome, Resolved
from schema.context import Context
from schema.documents import Documents, Prepared
from schema.errors import code_of, told
from schema.executor import executor_for, is_awaitable
from schema.sharing import Shared
from services.runtime import Runtime

ENCODER = msgspec.json.Encoder()


class Operation(NamedTuple):
    """What a client sends, whatever the transport."""

    query: str
    variables: dict[str, Any] | None = None
    name: str | None = None


class Asker(NamedTuple):
    """Who sent it, and the id under which the logs tell of it."""

    caller: Caller
    correlation_id: str


class Answer(NamedTuple):
    """`body` is the response as JSON. `was_executed` is False where the document or its variables
    were wrong, and not what they led to. `refusals` and `errors` are the codes of what was refused
    and of what failed. `wait_seconds`: it was asked too often,
    and may be asked again then."""

    body: bytes
    was_executed: bool = True
    refusals: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    wait_seconds: int = 0


class Engine:
    """`is_open`: the schema is told to who asks for it, and guessed at for who mistypes a name."""

    def __init__(
        self,
        rt: Runtime,
        schema: GraphQLSchema | None = None,
        limits: Limits = DEFAULTS,
        is_open: bool = True,
    ) -> None:
        self.rt = rt
        self.limits = limits
        self.schema = schema or build()._schema
        self.documents = Documents(self.schema, limits, is_open)
        self.hides = not is_open
        self.executor = executor_for(self.schema)
        self.shared: Shared[Answer] = Shared()

    def prepare(self, operation: Operation) -> Prepared | Answer:
        """Whoever gets it looks at its `kind` and takes the road of `execute` or of `stream`."""
        prepared = self.documents.prepare(operation.query, operation.name)
        if isinstance(prepared, list):
            return wrong(prepared)
        if prepared.cost.is_fixed:
            return prepared
        problem = self.documents.too_dear(prepared.cost, operation.variables or {})
        return prepared if problem is None else wrong([problem])

    async def execute(self, asker: Asker, prepared: Prepared, operation: Operation) -> Answer:
        """A query or a mutation: by its plan, if it has one and the variables fit."""
        given = None
        if prepared.plan is not None:
            with suppress(Uncovered):
                given = prepared.plan.given(operation.variables or {})
        if prepared.plan is None or given is None:
            return await self.execute_all(asker, prepared, operation, None)
        context = Context(self.rt, asker.caller)
        outcome = None
        try:
            outcome = Resolved(await prepared.plan.resolve(context, given))
            body = ENCODER.encode({"data": prepared.plan.shown(context, outcome.get())})
            return Answer(body, refusals=tuple(context.refusals))
        except Exception as error:  # tidy: allow broad-except: graphql-core tells what went wrong
            return await self.execute_all(asker, prepared, operation, outcome or Failed(error))

    async def execute_all(
        self, asker: Asker, prepared: Prepared, operation: Operation, outcome: Outcome | None
    ) -> Answer:
        """By graphql-core. With an outcome, the only root field has been resolved already."""
        context = Context(self.rt, asker.caller)
        result = execute(
            self.schema,
            prepared.document,
            root_value=outcome,
            context_value=context,
            variable_values=operation.variables,
            operation_name=operation.name,
            executor_class=self.executor,
            hide_suggestions=self.hides,
            is_awaitable=is_awaitable,
        )
        if is_awaitable(result):
            result = await result
        return answer_of(cast("ExecutionResult", result), asker, context)

    async def stream(
        self, asker: Asker, prepared: Prepared, operation: Operation
    ) -> AsyncGenerator[Answer, None]:
        """A subscription: an answer for each event, until the events or the client end."""
        context = Context(self.rt, asker.caller)
        executor = self.executor.build(
            self.schema,
            prepared.document,
            context_value=context,
            raw_variable_values=operation.variables,
            operation_name=operation.name,
            is_awaitable=is_awaitable,
            hide_suggestions=self.hides,
        )
        if isinstance(executor, list):
            yield answer_of(ExecutionResult(None, executor), asker, context)
            return
        source: Any = create_source_event_stream(executor)
        if is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield answer_of(source, asker, context)._replace(was_executed=False)
            return
        variables = ENCODER.encode(operation.variables)
        asked = (operation.query, operation.name, variables, asker.caller.sight)
        latest = self.shared.subscription(asked)
        async with aclosing(source) as events:
            try:
                async for event in events:
                    make = partial(self.show, executor, event, asker)
                    yield latest.of(event) or await latest.once(event, make)
            except Exception as error:  # tidy: allow broad-except: its client is told
                failed = GraphQLError(str(error), original_error=error)
                yield answer_of(ExecutionResult(None, [failed]), asker, context)

    async def show(self, executor: Executor[Any], event: object, asker: Asker) -> Answer:
        """One event, executed by a copy of the subscription's executor with loaders of its own."""
        one = executor.build_per_event_executor(event)
        one.context_value = Context(self.rt, asker.caller)
        result: Any = one.execute_operation(False)
        if is_awaitable(result):
            result = await result
        return answer_of(result, asker, one.context_value)


def answer_of(result: ExecutionResult, asker: Asker, context: Context) -> Answer:
    refusals = tuple(context.refusals)
    if not result.errors:
        return Answer(ENCODER.encode({"data": result.data}), refusals=refusals)
    errors = [told(error, asker.correlation_id) for error in result.errors]
    codes = tuple(code_of(error) for error in errors)
    was_executed = result.data is not None or any(error.path for error in result.errors)
    response = {"errors": errors, "data": result.data} if was_executed else {"errors": errors}
    return Answer(ENCODER.encode(response), was_executed, refusals, codes)


def wrong(errors: list[GraphQLError]) -> Answer:
    """The answer to a document that cannot be executed."""
    codes = tuple(str((error.extensions or {})["code"]) for error in errors)
    body = ENCODER.encode({"errors": [error.formatted for error in errors]})
    return Answer(body, was_executed=False, errors=codes)
