"""GraphQL over HTTP: POST, GET for queries, and the console for browsers, at one address.

Follows the GraphQL-over-HTTP specification: a document that cannot be executed is answered 400 to
clients that accept application/graphql-response+json, and 200 to those that know only
application/json. Without a good token everything but signing in is answered 401, in GraphQL's form.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qs

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.attempts import BAD_TOKEN
from api.authentication import Gate
from api.graphiql import Console
from api.graphql_sse import EventStream
from api.known_documents import Extensions
from api.open_door import OpenDoor
from api.operations import Asked, Operations, Sent
from api.problems import over, problem
from domain.access import Caller
from infra.limits import Limits
from infra.outage import Outage
from schema.engine import Answer
from services.identify import STRANGER

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENTS = "text/event-stream"
PAGE = "text/html"
DECODER = msgspec.json.Decoder(Sent)
VARIABLES = msgspec.json.Decoder(dict[str, object] | None)
EXTENSIONS = msgspec.json.Decoder(Extensions | None)
RETRY_AFTER_SECONDS = "1"
Headers = Mapping[bytes, bytes]
T = TypeVar("T")


class Refused(Exception):
    """The request cannot be taken as an operation; `answer` says why."""

    def __init__(self, status: HTTPStatus, answer: Answer, headers: dict[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.answer = answer
        self.headers = headers
        self.caller: str | None = None


class GraphQLOverHTTP:
    """An ASGI application for one route."""

    def __init__(
        self, operations: Operations, door: OpenDoor, gate: Gate, console: Console | None
    ) -> None:
        """No console: browsers are told what programs are told."""
        self.operations = operations
        self.door = door
        self.gate = gate
        self.console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        accept = text_of(headers, b"accept")
        if self.console and scope["method"] in ("GET", "HEAD") and PAGE in accept:
            await self.console.page()(scope, receive, send)
            return
        try:
            asked = await self.asked(scope, headers, accept, receive)
        except Refused as refused:
            shows = b"authorization" in headers and refused.status is HTTPStatus.UNAUTHORIZED
            codes = (BAD_TOKEN,) if shows else refused.answer.errors
            self.operations.metrics.attempts.note(codes, refused.caller)
            response = shown(refused.answer, accept, refused.status, refused.headers)
            await response(scope, receive, send)
            return
        if EVENTS in accept:
            await self.streamed(asked, accept, headers)(scope, receive, send)
            return
        if isinstance(asked, Asked):
            asked = await self.operations.execute(asked)
        await shown(asked, accept)(scope, receive, send)

    def streamed(self, asked: Asked | Answer, accept: str, headers: Headers) -> ASGIApp:
        caller = asked.asker.caller if isinstance(asked, Asked) else STRANGER
        if not self.operations.connections.came(caller.subject):
            answer = over(self.operations.limits, "connections_limit", "too many connections")
            self.operations.metrics.attempts.note(answer.errors, caller.subject)
            wait = {"retry-after": RETRY_AFTER_SECONDS}
            return shown(answer, accept, HTTPStatus.TOO_MANY_REQUESTS, wait)
        still = partial(self.gate.is_still, caller, text_of(headers, b"authorization"))
        is_welcome = None if caller is STRANGER else still
        events = EventStream(self.operations, asked, is_welcome=is_welcome)
        return partial(self.stream, events, caller.subject)

    async def stream(
        self, events: EventStream, subject: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            await events(scope, receive, send)
        finally:
            self.operations.connections.went(subject)

    async def asked(
        self, scope: Scope, headers: Headers, accept: str, receive: Receive
    ) -> Asked | Answer:
        """What is asked, or the answer where the document cannot be executed; or Refused."""
        method = scope["method"]
        if method not in ("GET", "POST"):
            raise refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, "use POST, or GET for queries", "GET, POST"
            )
        try:
            caller = await self.gate.caller_of(text_of(headers, b"authorization"))
        except Outage as outage:
            raise unavailable(outage) from None
        if caller is None:
            return await self.asked_by_stranger(method, headers, receive)
        try:
            return await self.asked_by(caller, scope, headers, accept, receive)
        except Refused as refused:
            refused.caller = caller.subject
            raise

    async def asked_by(
        self, caller: Caller, scope: Scope, headers: Headers, accept: str, receive: Receive
    ) -> Asked | Answer:
        method = scope["method"]
        limits = self.operations.limits
        raw = None if method == "GET" else await body_of(headers, receive, limits)
        sent = from_query(scope) if raw is None else from_body(raw)
        asked = self.operations.prepare(caller, sent, raw)
        if isinstance(asked, Answer):
            return asked
        if method == "GET" and asked.kind == "mutation":
            raise refusal(HTTPStatus.METHOD_NOT_ALLOWED, "mutations need POST", "POST")
        if asked.kind == "subscription" and EVENTS not in accept:
            message = f"a subscription needs WebSocket, or Accept: {EVENTS}"
            raise refusal(HTTPStatus.NOT_ACCEPTABLE, message)
        return asked

    async def asked_by_stranger(self, method: str, headers: Headers, receive: Receive) -> Asked:
        """Whatever is wrong with it, a stranger is told nothing but that a token is needed."""
        asked = None
        if method == "POST":
            with suppress(Refused):
                raw = await body_of(headers, receive, self.door.limits)
                asked = self.door.asked(from_body(raw), raw)
        if asked is None:
            raise unauthenticated()
        return asked


def from_query(scope: Scope) -> Sent:
    given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=16)
    one = {name: values[-1] for name, values in given.items()}
    variables = parameter(one, "variables", VARIABLES)
    extensions = parameter(one, "extensions", EXTENSIONS)
    name = one.get("operationName")
    return checked(Sent(one.get("query"), variables, name, one.get("documentId"), extensions))


def parameter(given: Mapping[str, str], name: str, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(given.get(name, "null"))
    except RecursionError:
        raise refusal(HTTPStatus.BAD_REQUEST, f"{name} are nested too deep") from None
    except msgspec.MsgspecError as error:
        raise refusal(HTTPStatus.BAD_REQUEST, f"{name}: {error}") from None


def checked(sent: Sent) -> Sent:
    if sent.is_empty:
        raise refusal(HTTPStatus.BAD_REQUEST, "query is missing")
    return sent


def text_of(headers: Headers, name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def from_body(raw: bytes) -> Sent:
    if raw.lstrip()[:1] == b"[":
        raise refusal(HTTPStatus.BAD_REQUEST, "a request is one operation, not a list of them")
    try:
        return checked(DECODER.decode(raw))
    except RecursionError:
        raise refusal(HTTPStatus.BAD_REQUEST, "the body is nested too deep") from None
    except msgspec.MsgspecError as error:
        raise refusal(HTTPStatus.BAD_REQUEST, f"the body is not an operation: {error}") from None
    except UnicodeDecodeError:
        raise refusal(HTTPStatus.BAD_REQUEST, "the body is not UTF-8") from None


async def body_of(headers: Headers, receive: Receive, limits: Limits) -> bytes:
    media_type = text_of(headers, b"content-type")
    if media_type != JSON and media_type.partition(";")[0].strip().lower() != JSON:
        raise refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type must be {JSON}")
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limits.body_limit:
        raise too_large(limits)
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limits.body_limit:
            raise too_large(limits)
    if message["type"] == "http.disconnect":
        raise refusal(HTTPStatus.BAD_REQUEST, "the client went away")
    return body


def refusal(status: HTTPStatus, message: str, allow: str | None = None) -> Refused:
    headers = {} if allow is None else {"allow": allow}
    return Refused(status, problem(message, status.name), headers)


def too_large(limits: Limits) -> Refused:
    answer = over(limits, "body_limit", "the body has too many bytes")
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, answer, {})


def unauthenticated() -> Refused:
    answer = problem("a good token is needed: Authorization: Bearer <token>", "UNAUTHENTICATED")
    return Refused(HTTPStatus.UNAUTHORIZED, answer, {"www-authenticate": "Bearer"})


def unavailable(outage: Outage) -> Refused:
    answer = problem(outage.message, outage.code, retryable=True)
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, answer, {"retry-after": RETRY_AFTER_SECONDS})


class Shown(Response):
    """As Starlette's, whose own way to its headers costs more than reading the request."""

    def __init__(
        self, answer: Answer, status: int, headers: dict[str, str] | None, media_type: str
    ) -> None:
        self.status_code = status
        self.body = answer.body
        self.background = None
        self.raw_headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", b"%d" % len(answer.body)),
        ]
        if headers:
            self.raw_headers += [(name.encode(), value.encode()) for name, value in headers.items()]


def shown(
    answer: Answer,
    accept: str,
    status: HTTPStatus | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    media_type = GRAPHQL_JSON if GRAPHQL_JSON in accept else JSON
    if answer.wait_seconds:
        status = HTTPStatus.TOO_MANY_REQUESTS
        headers = {**(headers or {}), "retry-after": str(answer.wait_seconds)}
    if status is None:
        is_bad = media_type == GRAPHQL_JSON and not answer.was_executed
        status = HTTPStatus.BAD_REQUEST if is_bad else HTTPStatus.OK
    return Shown(answer, status.value, headers, media_type)
