"""Mail that is handed to a real server: over TLS, with a password, in time, or not at all."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from infra.mail import Mail
from infra.outage import Outage
from infra.settings import Settings, SettingsError
from tests.infra.certificates import Certified, certified
from tests.integration.mail_server import LOGIN, Mailbox, known, mailbox

FROM = "Onhand <stock@shop.example>"
TO = "ann@shop.example"
TEXT = "12345678\n批准\n"
ELSEWHERE = "127.0.0.2"
"""Not this machine by any of its names."""
USER = ":".join(quote(part.decode(), safe="") for part in LOGIN)


@pytest.fixture
def files(tmp_path: Path) -> Certified:
    return certified(tmp_path / "certificates")


def speaks(files: Certified) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    return context


def trusts(files: Certified) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=files.authority)


async def sent(mail: Mail) -> None:
    await mail.send(TO, "A code / 验证码", TEXT)


async def test_what_is_sent_arrives(files: Certified) -> None:
    async with mailbox() as kept:
        await sent(Mail(f"smtp://127.0.0.1:{kept.port}", FROM))
    (message,) = kept.messages
    assert (message["From"], message["To"]) == (FROM, TO)
    assert (message["Subject"], kept.text()) == ("A code / 验证码", TEXT)


async def test_it_goes_over_tls_with_a_password(files: Certified) -> None:
    for scheme, options in (
        ("smtps", {"implicit": speaks(files)}),
        ("smtp", {"tls_context": speaks(files), "require_starttls": True}),
    ):
        login = {"authenticator": known, "auth_required": True, "auth_require_tls": False}
        async with mailbox(**options, **login) as kept:  # type: ignore[arg-type]
            url = f"{scheme}://{USER}@localhost:{kept.port}"
            await sent(Mail(url, FROM, trusts(files)))
            assert kept.text() == TEXT
            with pytest.raises(Outage) as refused:
                await sent(Mail(url.replace("onhand:", "onhand:x"), FROM, trusts(files)))
            assert "secret" not in str(refused.value)
            assert len(kept.messages) == 1


async def test_a_certificate_that_nobody_vouches_for_gets_nothing(files: Certified) -> None:
    async with mailbox(implicit=speaks(files)) as kept:
        with pytest.raises(Outage):
            await sent(Mail(f"smtps://localhost:{kept.port}", FROM))
    assert kept.messages == []


async def test_another_machine_gets_nothing_in_the_clear() -> None:
    async with mailbox(ELSEWHERE) as kept:
        with pytest.raises(Outage):
            await sent(Mail(f"smtp://{ELSEWHERE}:{kept.port}", FROM))
    assert kept.messages == []


@asynccontextmanager
async def silent() -> AsyncIterator[Mailbox]:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        yield Mailbox("127.0.0.1", server.sockets[0].getsockname()[1])


async def test_a_server_that_is_silent_or_away_is_an_outage() -> None:
    async with silent() as kept:
        with pytest.raises(Outage):
            await sent(Mail(f"smtp://127.0.0.1:{kept.port}", FROM, seconds=0.2))
    with pytest.raises(Outage):
        await sent(Mail(f"smtp://127.0.0.1:{kept.port}", FROM))


@pytest.mark.parametrize("to", ["ann@shop.example\nBcc: eve@x.example", "ann@x\r\nSubject: x"])
async def test_nobody_writes_headers_of_their_own(to: str) -> None:
    async with mailbox() as kept:
        with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
            await Mail(f"smtp://127.0.0.1:{kept.port}", FROM).send(to, "s", "t")
    assert kept.messages == []


@pytest.mark.parametrize(
    "value",
    ["http://mail", "smtp://", "smtp://mail:0", "smtp://mail:x", "smtp://mail/x", "smtps://m?x=1"],
)
def test_a_server_that_cannot_be_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="ONHAND_SMTP_URL"):
        Settings.load({"ONHAND_SMTP_URL": value, "ONHAND_MAIL_FROM": FROM})


@pytest.mark.parametrize("value", ["shop", "a@b@c", "Onhand <stock>", "a@b\nBcc: c@d"])
def test_an_address_that_cannot_be_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="ONHAND_MAIL_FROM"):
        Settings.load({"ONHAND_SMTP_URL": "smtp://mail", "ONHAND_MAIL_FROM": value})


def test_a_server_needs_an_address_and_its_password_is_not_shown() -> None:
    with pytest.raises(SettingsError, match="ONHAND_MAIL_FROM"):
        Settings.load({"ONHAND_SMTP_URL": "smtp://mail"})
    for password in ("plain", "a%2Fb", "a@b"):
        url = f"smtp://onhand:{password}-planted@mail:25"
        settings = Settings.load({"ONHAND_SMTP_URL": url, "ONHAND_MAIL_FROM": FROM})
        assert "planted" not in f"{settings.shown()} {settings}"


@pytest.mark.parametrize("password", ["a/b", "a#b", "a?b"])
def test_a_password_that_is_not_encoded_is_refused_and_not_told(password: str) -> None:
    url = f"smtp://onhand:{password}-planted@mail:25"
    with pytest.raises(SettingsError) as refused:
        Settings.load({"ONHAND_SMTP_URL": url, "ONHAND_MAIL_FROM": FROM})
    assert "planted" not in str(refused.value)
