"""A real mail server on loopback, in the loop of the test, that keeps what it is given."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from warnings import catch_warnings, simplefilter

from aiosmtpd.smtp import SMTP, AuthResult

LOGIN = (b"onhand", b"a/secret@#?")


@dataclass(slots=True)
class Mailbox:
    """What came in, the newest last; it listens on `host` and `port`."""

    host: str
    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 kept"

    def text(self) -> str:
        text: str = self.messages[-1].get_content()
        return text.replace("\r\n", "\n")


def known(_server: object, _session: object, _envelope: object, _how: str, told: Any) -> AuthResult:
    return AuthResult(success=(told.login, told.password) == LOGIN, handled=False)


@asynccontextmanager
async def mailbox(
    host: str = "127.0.0.1", implicit: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[Mailbox]:
    """`implicit`: TLS from the first byte."""
    kept = Mailbox(host)
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        with catch_warnings():
            simplefilter("ignore")  # it does not see that TLS is there from the first byte
            return SMTP(kept, enable_SMTPUTF8=True, loop=loop, **options)

    server = await loop.create_server(protocol, host, 0, ssl=implicit)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        await server.wait_closed()
