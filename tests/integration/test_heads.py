"""Heads of the trail in the file and on the bus: what was told is there, and does not go away."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.js.errors import Error as StreamError

from domain.trail import Head
from infra import heads
from infra.bus import Bus, BusDown
from infra.embedded.nats import Nats
from infra.embedded.places import prepare

TOLD = [Head(number, bytes([number]) * 32) for number in range(1, 4)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    nats = Nats(prepare(tmp_path_factory.mktemp("home")))
    try:
        yield nats.start()
    finally:
        nats.stop()


@pytest.fixture
async def bus(url: str) -> AsyncIterator[Bus]:
    connected = await Bus.connect(url)
    yield connected
    await connected.close()


def test_the_file_keeps_what_was_told(tmp_path: Path) -> None:
    assert list(heads.file_heads(tmp_path)) == []
    for head in TOLD:
        heads.write_head(tmp_path, head)
    assert list(heads.file_heads(tmp_path)) == TOLD
    assert (tmp_path / heads.FILE).stat().st_mode & 0o777 == 0o600


def test_half_a_last_line_is_passed_over(tmp_path: Path) -> None:
    heads.write_head(tmp_path, TOLD[0])
    with (tmp_path / heads.FILE).open("ab") as file:
        file.write(b'{"seq": 2, "ha')
    assert list(heads.file_heads(tmp_path)) == TOLD[:1]


def test_a_line_that_is_no_head_is_named(tmp_path: Path) -> None:
    (tmp_path / heads.FILE).write_bytes(b"nonsense\n")
    with pytest.raises(ValueError, match="line 1: not a head"):
        list(heads.file_heads(tmp_path))


async def test_the_bus_keeps_what_was_told_and_refuses_to_forget(bus: Bus) -> None:
    assert await heads.bus_heads(bus) == []
    for head in TOLD:
        await heads.publish_head(bus, head)
    with pytest.raises(StreamError):
        await bus.stream.purge_stream(heads.STREAM)
    with pytest.raises(StreamError):
        await bus.stream.delete_msg(heads.STREAM, 1)
    assert await heads.bus_heads(bus) == TOLD


async def test_a_bus_that_is_away_is_said() -> None:
    away = await Bus.connect("nats://127.0.0.1:1")
    try:
        with pytest.raises(BusDown):
            await heads.publish_head(away, TOLD[0])
        with pytest.raises(BusDown):
            await heads.bus_heads(away)
    finally:
        await away.close()
