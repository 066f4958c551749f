"""Commits, a bus that is late, repeats itself and loses, subscribers that take when they like and
read their snapshots in the middle of it all: what each saw last of a cell is the newest."""

import asyncio
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from infra.hub import Hub, Interest, Subscriber
from infra.levels import CellLevel
from tests.infra.fakes import Committed, level

MARKS = st.sampled_from([None, 4])


@given(data=st.data())
def test_whatever_the_order_of_things_the_last_seen_is_the_newest(data: st.DataObject) -> None:
    asyncio.run(anything(data))


async def anything(data: st.DataObject) -> None:
    truth = Committed()
    hub = Hub(truth)
    bus: list[CellLevel] = []
    clients = [
        Client(hub, truth, Interest(at_most=mark))
        for mark in data.draw(st.lists(MARKS, max_size=3))
    ]
    for client in clients:
        client.start()
    for event in data.draw(st.lists(st.sampled_from("cccbbblgtttT"), max_size=60)):
        if event == "c":
            cell = data.draw(st.integers(1, 3))
            seq = truth.cells[cell].seq + 1 if cell in truth.cells else 1
            bus.append(truth.commit(level(cell, seq, data.draw(st.integers(0, 9)))))
        elif event == "b" and bus:
            hub.offer(bus[0] if data.draw(st.booleans()) else bus.pop(0))
        elif event == "l" and bus:
            bus.pop(0)
        elif event == "g":
            await hub.read_again()
        elif event in "tT" and clients:
            data.draw(st.sampled_from(clients)).take()
        await asyncio.sleep(0)
    for item in bus:
        hub.offer(item)
    await hub.read_again()
    for client in clients:
        await client.finish()
        client.check()


class Client:
    """Reads a snapshot, then takes changes, one at a time, each when it is allowed to."""

    def __init__(self, hub: Hub, truth: Committed, interest: Interest) -> None:
        self.hub = hub
        self.truth = truth
        self.interest = interest
        self.seen: dict[int, list[CellLevel]] = defaultdict(list)
        self.turns = asyncio.Semaphore(0)

    def start(self) -> None:
        self.task = asyncio.create_task(self.live())

    def take(self) -> None:
        self.turns.release()

    async def live(self) -> None:
        with self.hub.subscribed(self.interest) as subscriber:
            after = 0
            while page := await self.truth.page(after, None):
                after = page[-1].cell_id
                for item in filter(self.matches, page):
                    await self.read(subscriber, item)
            while True:
                await self.turns.acquire()
                change = await subscriber.next()
                assert change is not None
                self.seen[change.cell_id].append(change)

    async def read(self, subscriber: Subscriber, item: CellLevel) -> None:
        await self.turns.acquire()
        if self.hub.offer(item):
            subscriber.given(item.cell_id)
            self.seen[item.cell_id].append(item)

    async def finish(self) -> None:
        for _ in range(200):
            self.turns.release()
            await asyncio.sleep(0)
        self.task.cancel()

    def matches(self, item: CellLevel) -> bool:
        return self.interest.at_most is None or item.available <= self.interest.at_most

    def check(self) -> None:
        for items in self.seen.values():
            seqs = [item.seq for item in items]
            assert seqs == sorted(set(seqs)), "it went back, or was told twice"
        for cell, newest in self.truth.cells.items():
            last = self.seen[cell][-1] if self.seen[cell] else None
            if self.matches(newest):
                assert last == newest
            elif last is not None:
                assert not self.matches(last), "a cell above the mark is still shown below it"
