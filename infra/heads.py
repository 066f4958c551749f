"""Heads of the trail, told outside the database: to a file of the home and to a stream of the bus
that takes no deletion. Whoever rewrites the trail has to rewrite these too.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StorageType, StreamConfig

from domain.trail import Head
from infra.bus import FAILURES, Bus, BusDown

FILE = "audit.heads"
STREAM = "AUDIT"
SUBJECT = "audit.head"
STREAM_CONFIG = StreamConfig(
    name=STREAM,
    description="Heads of the trail; nothing here can be deleted",
    subjects=[SUBJECT],
    storage=StorageType.FILE,
    deny_delete=True,
    deny_purge=True,
    max_msgs=1_000_000,
)
"""The oldest make way: a million heads are two years of one a minute."""
FETCH = 500
FETCH_SECONDS = 2.0
"""The bus says at once when nothing is left; this is for one that says nothing."""


def encode(head: Head) -> bytes:
    return msgspec.json.encode({"seq": head.seq, "hash": head.hash.hex()})


def decode(line: bytes) -> Head:
    """Raises ValueError if this is no head."""
    told = msgspec.json.decode(line, type=dict[str, int | str])
    return Head(int(told["seq"]), bytes.fromhex(str(told["hash"])))


def write_head(home: Path, head: Head) -> None:
    """Durable when it returns; readable by the home's owner only."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    descriptor = os.open(home / FILE, flags, 0o600)
    try:
        os.write(descriptor, encode(head) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_heads(home: Path) -> Iterator[Head]:
    """None where there is no file. Raises ValueError naming a line that is no head; the last may be
    half a line, whose writer died."""
    path = home / FILE
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            if line:
                yield decode(line)
        except (ValueError, KeyError) as error:
            if number < len(lines):
                raise ValueError(f"{path}, line {number}: not a head of the trail") from error


async def publish_head(bus: Bus, head: Head) -> None:
    """Returns when the stream has it. Raises BusDown."""
    bus.must_be_up()
    try:
        await bus.stream.add_stream(STREAM_CONFIG)
        await bus.stream.publish(SUBJECT, encode(head))
    except FAILURES as error:
        raise BusDown(f"the bus did not take the head of the trail: {error!r}") from error


async def bus_heads(bus: Bus) -> list[Head]:
    """All that the bus was told. Raises BusDown."""
    bus.must_be_up()
    every = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE)
    heads: list[Head] = []
    try:
        await bus.stream.add_stream(STREAM_CONFIG)
        reader = await bus.stream.pull_subscribe(SUBJECT, stream=STREAM, config=every)
        try:
            while True:
                heads += [decode(m.data) for m in await reader.fetch(FETCH, FETCH_SECONDS)]
        except TimeoutError:
            return heads
        finally:
            await reader.unsubscribe()
    except FAILURES as error:
        raise BusDown(f"the bus does not tell the heads of the trail: {error!r}") from error
