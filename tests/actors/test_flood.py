"""More than an owner can bear: the lane says so at once to whom it could not serve soon."""

import asyncio

from actors.lane import FRAME_LIMIT, Lane
from actors.pace import LEAST, MOST
from domain.refusals import NotFound
from tests.actors.test_client import FakeChannel
from tests.actors.world import receive, until


class SlowChannel(FakeChannel):
    """An owner that takes a hundredth of a second for each call."""

    async def call(self, frame: bytes) -> bytes:
        await asyncio.sleep(0.01)
        return await super().call(frame)


async def test_a_flooded_lane_takes_what_is_answered_soon_and_more_when_it_has_drained() -> None:
    lane = Lane(SlowChannel())
    flood = [lane.send(receive(n, 1)) for n in range(60 * FRAME_LIMIT)]
    await asyncio.gather(*flood)
    assert LEAST <= lane.pace.limit < MOST
    again = [lane.send(receive(n, 1)) for n in range(MOST)]
    assert sum(reply.done() for reply in again) == MOST - lane.pace.limit
    await asyncio.gather(*again)
    assert await lane.send(receive(1, 1)) == NotFound("request", "1")


async def test_after_light_load_a_burst_is_not_taken_for_a_flood() -> None:
    """The pace of few buyers is not that of the owner."""
    lane = Lane(FakeChannel())
    for number in range(50):
        await asyncio.gather(lane.send(receive(number, 1)), lane.send(receive(number + 50, 1)))
    burst = [lane.send(receive(n, 1)) for n in range(3 * LEAST)]
    assert not any(reply.done() for reply in burst)
    await asyncio.gather(*burst)


async def test_while_the_owner_is_lost_a_flood_waits_for_the_next() -> None:
    channel = FakeChannel()
    lane = Lane(channel)
    lane.pace.limit = LEAST
    channel.outages = 1
    first = lane.send(receive(1, 1))
    await until(lambda: lane.pace.limit == MOST)
    assert await first == NotFound("request", "1")
