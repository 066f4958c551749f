"""Replies between processes that are lost: whoever asks again with the same id gets the first
answer, and there is one effect."""

import asyncio
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import msgspec
import psutil
import pytest

from actors.drain import Owner
from actors.lane import Lane
from actors.stream import Address, Listener, StreamChannel
from actors.wire import Done, Reply, decode_requests, encode_replies
from domain.commands import CellKey, Line, Request, Reserve
from tests.integration.books import books_of
from tests.integration.caller import Caller, new_code, new_id
from tests.integration.load import load
from tests.integration.lossy import LOOPBACK, lossy
from tests.integration.owner_pids import owner_pids
from tests.integration.second_owner import TAKEN_OVER, second_owners
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
UNITS = 150
ORDERS = 200
AT_ONCE = 10
OPENING = 10_000
SEED = 23
KEY = b"k" * 32
CHAOS = {
    "CoreWorkerService.grpc_client.PushTask": {
        "num_failures": -1,
        "req_failure_prob": 15,
        "resp_failure_prob": 15,
        "in_flight_failure_prob": 10,
    },
    "ActorInfoGcsService.grpc_client.GetNamedActorInfo": {
        "num_failures": 5,
        "req_failure_prob": 20,
        "resp_failure_prob": 20,
    },
}
"""The calls of Ray that we make: to the owners' methods, and to find them by name."""


async def buy(lane: Lane, owner: Owner, key: CellKey, ids: list[str]) -> list[Reply]:
    """One after the other."""
    deadline = owner.clock.now() + timedelta(seconds=600)
    requests = [
        Request(UUID(id), 1, key, (Line(key, Reserve(UUID(id), 1, deadline)),), TAKEN_OVER)
        for id in ids
    ]
    return [await lane.send(request) for request in requests]


async def test_replies_lost_on_the_stream_leave_one_effect_per_id(shop: Whole) -> None:
    key = CellKey(new_code(), new_code())
    async with Caller(shop) as caller, books_of(shop) as books, second_owners(shop) as (owner,):
        await caller.furnish({key: UNITS})

        async def answer(frame: bytes) -> bytes:
            return encode_replies(await owner.submit(decode_requests(frame)))

        listener = Listener(answer, KEY)
        async with lossy(await listener.open(LOOPBACK), Random(SEED)) as (road, begin):

            async def find() -> Address:
                return begin

            lanes = [Lane(StreamChannel(find)) for _ in range(AT_ONCE)]
            ids = [new_id() for _ in range(ORDERS)]
            shares = [ids[place::AT_ONCE] for place in range(AT_ONCE)]
            bought = [buy(*pair) for pair in zip_of(lanes, owner, key, shares)]
            answers = [reply for replies in await asyncio.gather(*bought) for reply in replies]
            assert min(road.lost["request cut"], road.lost["reply cut"]) > 0, road.lost
            road.is_calm = True
            again = [buy(*pair) for pair in zip_of(lanes, owner, key, shares)]
            repeated = [reply for replies in await asyncio.gather(*again) for reply in replies]
            for lane in lanes:
                lane.channel.close()
        listener.close()

        held = [reply for reply in answers if isinstance(reply, Done)]
        assert len(held) == UNITS, answers
        assert [facts(reply) for reply in repeated] == [facts(reply) for reply in answers]
        booked = await books.entries_of(key, "reserve")
        assert sorted(seq for seqs in booked.values() for seq in seqs) == sorted(map(seq_of, held))
        assert len(booked) == UNITS
        await books.balance([key])
        await caller.furnish({key: 1})  # its own owner learns what the stranger did


def zip_of(
    lanes: list[Lane], owner: Owner, key: CellKey, shares: list[list[str]]
) -> Iterator[tuple[Lane, Owner, CellKey, list[str]]]:
    for lane, share in zip(lanes, shares, strict=True):
        yield lane, owner, key, share


def facts(reply: Reply) -> object:
    """What a repetition must say again."""
    return seq_of(reply) if isinstance(reply, Done) else type(reply)


def seq_of(reply: Done) -> int:
    assert reply.lines[0].hold is not None
    return reply.lines[0].hold.seq


async def test_calls_of_ray_that_get_lost_leave_one_effect_per_id(tmp_path: Path) -> None:
    shop = Whole(tmp_path / "home")
    shop.environ |= {"RAY_testing_rpc_failure": msgspec.json.encode(CHAOS).decode()}
    await asyncio.to_thread(shop.start)
    try:
        assert any("RAY_testing_rpc_failure" in keeper.environ() for keeper in keepers(shop))
        await prove_under_kills(shop, [CellKey(new_code(), new_code()) for _ in range(4)])
    finally:
        await asyncio.to_thread(shop.stop)


def keepers(shop: Whole) -> list[psutil.Process]:
    """The processes that make calls of Ray."""
    return shop.children(lambda process: "actors" in process.cmdline())


async def prove_under_kills(shop: Whole, keys: list[CellKey]) -> None:
    """Owners are killed so that they have to be found again, by calls of Ray."""
    async with books_of(shop) as books, Caller(shop) as watcher:
        async with load(shop, keys, buyers=8, opening=OPENING) as orders:
            for pid in (await owner_pids(watcher)).values():
                os.kill(pid, signal.SIGKILL)
                await orders.more(40)
        await orders.prove(books, OPENING)
