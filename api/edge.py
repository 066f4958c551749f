"""The outermost layer: every request gets an id that its answer, its logs and its errors carry, and
nothing that goes wrong inside tells more than that id."""

import logging
import re
from http import HTTPStatus

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from infra.clock import Clock
from infra.logs import CORRELATION, ORIGIN

LOG = logging.getLogger("onhand.api")
HEADER = b"x-correlation-id"
GOOD_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
"""An id from outside goes into headers and logs as it is."""


class Edge:
    def __init__(self, app: ASGIApp, clock: Clock, metrics: Metrics) -> None:
        self.app = app
        self.clock = clock
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        correlation_id = given_id(scope) or self.clock.new_id().hex
        token = CORRELATION.set(correlation_id)
        ORIGIN.set(scope["client"][0] if scope.get("client") else None)
        try:
            if scope["type"] == "http":
                await self.serve(scope, receive, send, correlation_id)
            else:
                await self.app(scope, receive, send)
        finally:
            CORRELATION.reset(token)

    async def serve(self, scope: Scope, receive: Receive, send: Send, correlation_id: str) -> None:
        is_started = False

        async def send_marked(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                message["headers"] = [*message["headers"], (HEADER, correlation_id.encode())]
                self.metrics.response(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception:  # tidy: allow broad-except: the last place where an error can be masked
            LOG.exception("a request failed: %s %s", scope["method"], scope["path"])
            if is_started:
                raise
            await send_failure(send_marked, correlation_id)


def given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER and GOOD_ID.fullmatch(value):
            return str(value, "ascii")
    return None


async def send_failure(send: Send, correlation_id: str) -> None:
    extensions = {"code": "INTERNAL", "correlationId": correlation_id}
    body = msgspec.json.encode(
        {"errors": [{"message": "internal error", "extensions": extensions}]}
    )
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    status = HTTPStatus.INTERNAL_SERVER_ERROR.value
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
