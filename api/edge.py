"""The outermost layer: every request gets an id that its answer, its logs and its errors carry, and
the address that it came from; pages of foreign sites are turned away; every answer tells browsers
what they may not do with it; and nothing that goes wrong inside tells more than the id.
"""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.visitors import Visitors
from infra.clock import Clock
from infra.logs import CORRELATION, ORIGIN
from infra.settings import Settings

LOG = logging.getLogger("onhand.api")
HEADER = b"x-correlation-id"
ORIGIN_HEADER = b"origin"
READ = frozenset({HEADER, ORIGIN_HEADER, b"x-forwarded-for", b"host"})
SECURITY = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
}
"""What an answer says if it does not say it otherwise."""
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
GOOD_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
"""An id from outside goes into headers and logs as it is."""


FOREIGN_PAGE = 4403
"""Before a socket is accepted a server makes it HTTP 403."""


class Edge:
    def __init__(self, app: ASGIApp, clock: Clock, metrics: Metrics, settings: Settings) -> None:
        self.app = app
        self.clock = clock
        self.metrics = metrics
        self.visitors = Visitors(settings)
        self.security = tuple(SECURITY.items())
        if settings.has_tls or settings.public_url.startswith("https:"):
            self.security += (HTTPS_ONLY,)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = {name: value for name, value in scope["headers"] if name in READ}
        correlation_id = given_id(headers) or self.clock.new_id().hex
        token = CORRELATION.set(correlation_id)
        peer = scope["client"][0] if scope.get("client") else None
        ORIGIN.set(self.visitors.address(peer, headers.get(b"x-forwarded-for", b"")))
        page = headers.get(ORIGIN_HEADER)
        try:
            if page is not None and not self.visitors.may_ask(page, headers.get(b"host", b"")):
                await self.turn_away(scope, receive, send, correlation_id)
            elif scope["type"] == "http":
                await self.serve(scope, receive, send, correlation_id)
            else:
                await self.app(scope, receive, send)
        finally:
            CORRELATION.reset(token)

    def mark(self, start: Message, correlation_id: str) -> None:
        """The start of an answer gets what every answer says."""
        given = start["headers"]
        more = self.security
        if not SECURITY.keys().isdisjoint([name for name, _ in given]):
            said = {name for name, _ in given}
            more = tuple(header for header in more if header[0] not in said)
        start["headers"] = [*given, *more, (HEADER, correlation_id.encode())]
        self.metrics.response(start["status"])

    async def serve(self, scope: Scope, receive: Receive, send: Send, correlation_id: str) -> None:
        is_started = False

        async def send_marked(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                self.mark(message, correlation_id)
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception:  # tidy: allow broad-except: the last place where an error can be masked
            LOG.exception("a request failed: %s %s", scope["method"], scope["path"])
            if is_started:
                raise
            extensions = {"code": "INTERNAL", "correlationId": correlation_id}
            await send_error(
                send_marked, HTTPStatus.INTERNAL_SERVER_ERROR, "internal error", extensions
            )

    async def turn_away(
        self, scope: Scope, receive: Receive, send: Send, correlation_id: str
    ) -> None:
        code = "ORIGIN_NOT_ALLOWED"
        self.metrics.attempts.note((code,), None)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": FOREIGN_PAGE, "reason": "Forbidden"})
            return
        message = "pages of this origin may not ask: ONHAND_ALLOWED_ORIGINS names those that may"
        extensions = {"code": code, "setting": "ONHAND_ALLOWED_ORIGINS"}

        async def send_marked(answer: Message) -> None:
            if answer["type"] == "http.response.start":
                self.mark(answer, correlation_id)
            await send(answer)

        await send_error(send_marked, HTTPStatus.FORBIDDEN, message, extensions)


def given_id(headers: Mapping[bytes, bytes]) -> str | None:
    value = headers.get(HEADER, b"")
    return str(value, "ascii") if GOOD_ID.fullmatch(value) else None


async def send_error(
    send: Send, status: HTTPStatus, message: str, extensions: Mapping[str, str]
) -> None:
    body = msgspec.json.encode({"errors": [{"message": message, "extensions": extensions}]})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
