"""Mail by SMTP, with aiosmtplib: text to one address. The port through which people are told
something outside the shop; a medium of another kind has the same method."""

import ssl
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from infra.outage import Outage

SECONDS = 10.0
"""For connecting and for each answer."""
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Notifier(Protocol):
    async def send(self, to: str, subject: str, text: str) -> None:
        """Returns when whoever delivers it has taken it. Raises Outage: nobody knows whether it
        arrives."""


class Mail:
    """`url` is smtp://user:password@host:587, which has to offer STARTTLS unless it is this
    machine, or smtps://user:password@host:465."""

    def __init__(
        self,
        url: str,
        sender: str,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.port = parts.port or PORTS[parts.scheme]
        self.user = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None
        self.is_tls = parts.scheme == "smtps"
        self.sender = sender
        self.trust = trust
        self.seconds = seconds

    async def send(self, to: str, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message.set_content(text)
        is_here = self.host in LOOPBACK
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                use_tls=self.is_tls,
                start_tls=None if is_here or self.is_tls else True,
                tls_context=self.trust,
                timeout=self.seconds,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Outage("the mail server does not take the mail: ask again") from error
