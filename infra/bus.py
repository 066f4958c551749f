"""The bus: level changes on JetStream, one subject per cell, published by the relay.

It tells, it does not keep: PostgreSQL is the truth, the stream is bounded, and whoever follows it
is told when something may have been missed (`on_gap`) and then reads the truth again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    Header,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError

from infra.levels import CellLevel, decode_level, encode_level
from infra.subjects import CHANGED, changed, consumer_seq

STREAM = "STOCK"
STREAM_CONFIG = StreamConfig(
    name=STREAM,
    description="Levels of cells as they change; the truth is in PostgreSQL",
    subjects=[f"{CHANGED}.>"],
    storage=StorageType.FILE,
    discard=DiscardPolicy.OLD,
    max_age=24 * 3600.0,
    max_bytes=512 * 1024 * 1024,
    duplicate_window=20.0,
)
"""A day or 512 MiB, whichever is less: enough for a consumer that was away to go on where it was,
and one that was away longer is fed from the ledger. The oldest make way, so publishing never stops.
Ids are remembered for as long as a relay needs to restart: the server keeps them all in memory."""

CONNECT_SECONDS = 2
RETRY_SECONDS = 1
PING_SECONDS = 5
ACK_SECONDS = 5.0
HEARTBEAT_SECONDS = 5.0
SILENCE_SECONDS = 12.0
"""So long without a heartbeat, and the consumer is taken for dead."""
CHUNK = 500
"""Messages on their way to the server before their ack is waited for; it refuses above 10,000."""
WAITING_MESSAGES = 65_536
WAITING_BYTES = 32 * 1024 * 1024
CONTROL_STATUS = "100"
MESSAGE_ID = Header.MSG_ID.value
UNKNOWN = -1
FIRST = asyncio.FIRST_COMPLETED
FAILURES = (NatsError, OSError)
"""TimeoutError is an OSError."""

log = logging.getLogger(__name__)


class BusDown(Exception):
    """NATS cannot be reached, or did not take what it was given."""


class Message(NamedTuple):
    subject: str
    payload: bytes
    headers: dict[str, str]


def message_of(level: CellLevel) -> Message:
    named = {MESSAGE_ID: f"{level.cell_id}:{level.seq}"}
    return Message(changed(level.sku, level.warehouse), encode_level(level), named)


class Bus:
    """One connection that is made again for ever; every call ends in time, or in BusDown."""

    keeper: asyncio.Task[None]

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_up = asyncio.Event()
        self.feeds: set[Feed] = set()
        self.last_seq = UNKNOWN
        self.renew()

    def renew(self) -> None:
        self.client = Client()
        self.stream = self.client.jetstream(timeout=ACK_SECONDS, publish_async_max_pending=CHUNK)
        self.ended = asyncio.Event()

    @classmethod
    async def connect(cls, url: str) -> "Bus":
        """Comes back when connected, or after CONNECT_SECONDS, and then goes on trying."""
        bus = cls(url)
        bus.keeper = asyncio.create_task(bus.keep())
        arrival = asyncio.create_task(bus.is_up.wait())
        await asyncio.wait({bus.keeper, arrival}, timeout=CONNECT_SECONDS, return_when=FIRST)
        arrival.cancel()
        if bus.keeper.done():
            bus.keeper.result()
        return bus

    async def keep(self) -> None:
        """The client reconnects by itself; one that the server has closed for good is replaced."""
        while True:
            await self.client.connect(
                self.url,
                name="onhand",
                connect_timeout=CONNECT_SECONDS,
                reconnect_time_wait=RETRY_SECONDS,
                max_reconnect_attempts=-1,
                ping_interval=PING_SECONDS,
                pending_size=0,
                skip_subject_validation=True,
                reconnected_cb=self.came,
                disconnected_cb=self.went,
                closed_cb=self.closed,
                error_cb=self.failed,
            )
            await self.came()
            await self.ended.wait()
            await asyncio.sleep(RETRY_SECONDS)
            self.renew()

    async def came(self) -> None:
        self.last_seq = UNKNOWN
        self.is_up.set()
        log.info("connected to the bus")

    async def went(self) -> None:
        self.is_up.clear()
        for feed in self.feeds:
            feed.broken.set()
        log.info("disconnected from the bus")

    async def closed(self) -> None:
        self.ended.set()

    async def failed(self, error: Exception) -> None:
        log.debug("bus: %r", error)

    async def close(self) -> None:
        self.keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self.keeper
        with suppress(*FAILURES):
            await self.client.close()

    async def ping(self) -> None:
        """There and back: what was sent before has arrived."""
        self.must_be_up()
        try:
            await self.client.rtt(CONNECT_SECONDS)
        except FAILURES as error:
            raise BusDown(f"the bus does not answer: {error!r}") from error

    def must_be_up(self) -> None:
        if not self.client.is_connected:
            raise BusDown("the bus is not connected")

    async def publish(self, levels: Sequence[CellLevel]) -> None:
        """Returns when the stream has all of them, in order; after BusDown publish all again."""
        self.must_be_up()
        try:
            for start in range(0, len(levels), CHUNK):
                await self.publish_chunk(levels[start : start + CHUNK])
        except FAILURES as error:
            self.last_seq = UNKNOWN
            raise BusDown(f"the bus did not take the changes: {error!r}") from error

    async def publish_chunk(self, chunk: Sequence[CellLevel]) -> None:
        """The server works through what one connection sends in order, so the ack of the last
        speaks for all if the stream has grown by all of them. If it has not (some were known,
        somebody else published, something was lost), each is sent again and asked for its ack."""
        if self.last_seq == UNKNOWN:
            self.last_seq = await self.prepare()
        *before, last = [message_of(level) for level in chunk]
        for subject, payload, headers in before:
            await self.client.publish(subject, payload, headers=headers)
        ack = await self.stream.publish(last.subject, last.payload, headers=last.headers)
        if ack.seq - self.last_seq == len(chunk):
            self.last_seq = ack.seq
        else:
            self.last_seq = await self.publish_each(chunk)

    async def publish_each(self, chunk: Sequence[CellLevel]) -> int:
        """Answers the seq of the newest message among them."""
        async with asyncio.timeout(ACK_SECONDS):
            acks = [
                await self.stream.publish_async(subject, payload, headers=headers)
                for subject, payload, headers in map(message_of, chunk)
            ]
            return max(ack.seq for ack in await asyncio.gather(*acks))

    async def prepare(self) -> int:
        """Makes sure that there is a stream as we want it; answers the seq of its last message."""
        try:
            info = await self.stream.add_stream(STREAM_CONFIG)
        except BadRequestError:
            info = await self.stream.update_stream(STREAM_CONFIG)
        return info.state.last_seq

    async def follow(
        self, on_level: Callable[[CellLevel], object], on_gap: Callable[[], None]
    ) -> None:
        """Every change from now on, until cancelled. `on_gap` is called whenever some may have
        been missed, at the start too, and when what comes next can no longer be missed."""
        while True:
            await self.is_up.wait()
            try:
                await self.follow_one(on_level, on_gap)
            except Exception as error:  # tidy: allow broad-except: the feed starts again
                log.warning("the change feed ended and starts again: %r", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def follow_one(
        self, on_level: Callable[[CellLevel], object], on_gap: Callable[[], None]
    ) -> None:
        """The life of one consumer, which lives in the server's memory and dies with it."""
        await self.prepare()
        feed = Feed(self.client, on_level)
        inbox = self.client.new_inbox()
        heard = await self.client.subscribe(
            inbox,
            cb=feed.hear,
            pending_msgs_limit=WAITING_MESSAGES,
            pending_bytes_limit=WAITING_BYTES,
        )
        consumer = ConsumerConfig(
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            idle_heartbeat=HEARTBEAT_SECONDS,
            flow_control=True,
            num_replicas=1,
            mem_storage=True,
        )
        self.feeds.add(feed)
        try:
            await self.stream.add_consumer(STREAM, consumer)
            on_gap()
            await feed.until_broken()
        finally:
            self.feeds.discard(feed)
            with suppress(*FAILURES):
                await heard.unsubscribe()


class Feed:
    """What one ordered consumer hears. The server numbers what it sends: a number that is missing,
    or silence, ends the feed."""

    def __init__(self, client: Client, on_level: Callable[[CellLevel], object]) -> None:
        self.client = client
        self.on_level = on_level
        self.broken = asyncio.Event()
        self.number = 0
        self.heard_at = asyncio.get_running_loop().time()

    async def hear(self, message: Msg) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        if message.headers and message.headers.get(Header.STATUS) == CONTROL_STATUS:
            await self.control(message, message.headers)
            return
        self.number += 1
        if consumer_seq(message.reply) != self.number:
            self.broken.set()
            return
        try:
            self.on_level(decode_level(message.data))
        except msgspec.MsgspecError:
            log.exception("a message on %s is no level", message.subject)

    async def control(self, message: Msg, said: dict[str, str]) -> None:
        """A heartbeat tells the number of the last message; flow control waits for an answer."""
        if said.get(Header.LAST_CONSUMER, str(self.number)) != str(self.number):
            self.broken.set()
        answer = message.reply or said.get(Header.CONSUMER_STALLED)
        if answer:
            await self.client.publish(answer)

    async def until_broken(self) -> None:
        clock = asyncio.get_running_loop().time
        while (left := self.heard_at + SILENCE_SECONDS - clock()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.broken.wait()
                    return
