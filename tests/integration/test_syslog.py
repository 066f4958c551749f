"""Lines of the log at a syslog receiver: over each transport, through its absence, and without ever
holding back who logs."""

import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from infra.logs import JsonFormatter
from infra.syslog import Syslog, has_ended
from tests.infra.certificates import Certified, certified
from tests.integration.receiver import Receiver

KINDS = ("unix", "udp", "tcp", "tls")
PATIENCE_SECONDS = 30.0
Open = Callable[..., Syslog]


@pytest.fixture
def files(tmp_path: Path) -> Certified:
    return certified(tmp_path / "certificates")


@pytest.fixture
def receiver(request: pytest.FixtureRequest, files: Certified) -> Iterator[Receiver]:
    tls = None
    if request.param == "tls":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(files.certificate, files.key)
    with TemporaryDirectory(prefix="s") as folder:
        made = Receiver(request.param, Path(folder), tls)
        yield made
        made.end()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, files: Certified) -> Iterator[Open]:
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    made: list[Syslog] = []

    def open_one(url: str, **more: int) -> Syslog:
        handler = Syslog(url, **more)
        handler.setFormatter(JsonFormatter())
        made.append(handler)
        return handler

    yield open_one
    for handler in made:
        handler.close()
        assert not handler.thread.is_alive()


def say(handler: Syslog, text: str, level: int = logging.INFO) -> None:
    handler.handle(logging.LogRecord("onhand.test", level, "", 0, text, (), None))


@pytest.mark.parametrize("receiver", KINDS, indirect=True)
def test_a_line_arrives_in_the_form_of_rfc_5424(receiver: Receiver, opened: Open) -> None:
    handler = opened(receiver.url)
    say(handler, "ein Gruß\nin two lines", logging.WARNING)
    say(handler, "then an error", logging.ERROR)
    first, second = receiver.until("ein Gruß\nin two lines", "then an error")
    assert (first.priority, second.priority) == (16 * 8 + 4, 16 * 8 + 3)
    assert (first.kind, first.pid) == ("onhand.test", os.getpid())
    assert first.line["level"] == "warning"


@pytest.mark.parametrize("receiver", ["tcp", "tls", "unix"], indirect=True)
def test_a_receiver_that_goes_away_gets_what_was_said_meanwhile(
    receiver: Receiver, opened: Open
) -> None:
    handler = opened(receiver.url)
    say(handler, "before")
    receiver.until("before")
    receiver.end()
    assert until(lambda: is_gone(handler))
    said = [f"meanwhile {number}" for number in range(20)]
    for text in said:
        say(handler, text)
    assert until(lambda: handler.is_lost)
    receiver.begin()
    told = [one.line["message"] for one in receiver.until(*said)]
    assert [text for text in told if text in said] == said
    say(handler, "after")
    receiver.until("after")
    assert not handler.is_lost


@pytest.mark.parametrize("receiver", ["tcp"], indirect=True)
def test_what_finds_no_room_is_counted_and_told_when_it_is_back(
    receiver: Receiver, opened: Open
) -> None:
    receiver.end()
    handler = opened(receiver.url, waiting_limit=3)
    say(handler, "the first")
    assert until(lambda: handler.is_lost)
    for number in range(10):
        say(handler, f"line {number}")
    dropped = handler.dropped
    assert dropped >= 7
    receiver.begin()
    told = receiver.until("the first", "lines were left out: nobody took them")
    (count,) = [one.line for one in told if "dropped" in one.line]
    assert count["dropped"] == dropped
    assert handler.dropped == 0


def test_a_receiver_that_reads_nothing_holds_nobody_back(opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        handler = opened(f"tcp://127.0.0.1:{deaf.getsockname()[1]}", waiting_limit=10)
        for _ in range(2_000):
            say(handler, "x" * 10_000)
        assert until(lambda: handler.dropped > 0)
        handler.closing.set()


@pytest.mark.parametrize("receiver", ["tls"], indirect=True)
def test_whose_certificate_is_not_good_is_told_nothing(
    receiver: Receiver, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    handler = opened(receiver.url)
    say(handler, "a secret")
    assert until(lambda: handler.is_lost)
    assert receiver.messages == []


@pytest.mark.parametrize("receiver", ["udp"], indirect=True)
def test_a_line_that_is_too_long_is_cut_off(receiver: Receiver, opened: Open) -> None:
    handler = opened(receiver.url)
    handler.setFormatter(logging.Formatter('{"message": "%(message).10s"}'))
    say(handler, "0123456789" + "x" * 100_000)
    receiver.until("0123456789")
    long = handler.message(logging.LogRecord("a", logging.INFO, "", 0, "x" * 100_000, (), None))
    handler.setFormatter(logging.Formatter("%(message)s"))
    long = handler.message(logging.LogRecord("a", logging.INFO, "", 0, "x" * 100_000, (), None))
    assert len(long) == 60_000


def test_a_name_that_is_none_is_asked_for_again_and_again(opened: Open) -> None:
    handler = opened("udp://a..b:514")
    say(handler, "to nobody")
    assert until(lambda: handler.is_lost)
    assert handler.thread.is_alive()


def is_gone(handler: Syslog) -> bool:
    """Whether this machine knows that the receiver went: until then it takes lines for it."""
    if handler.url.scheme == "unix" or handler.link is None:
        return True
    try:
        return has_ended(handler.link)
    except OSError:
        return True


def until(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.01)):
        if condition():
            return True
        pause.wait(0.01)
    return False
