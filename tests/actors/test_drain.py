"""The drain loop: what waits is decided together, appended once, and only then answered."""

import asyncio

from actors.drain import BATCH_LIMIT, LINE_LIMIT
from actors.wire import Done, Failed
from domain.commands import Confirm, Read, Receive, Reserve
from domain.refusals import InsufficientStock, Invalid, NotFound
from infra.ledger import Batch
from tests.actors.world import (
    BERLIN,
    CUP,
    NOON,
    PARIS,
    TTL,
    FakeClock,
    ask,
    available,
    fake_store,
    hold_of,
    kinds,
    on,
    one,
    only,
    receive,
    reserve,
    rid,
    running,
    settled,
    until,
)


async def test_a_request_is_answered_only_after_its_append() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        store.gate.clear()
        answer = asyncio.create_task(one(owner, receive(1, 10)))
        await until(lambda: store.at_gate)
        assert not answer.done()
        assert not store.entries
        store.gate.set()
        assert available(await answer) == 10
        assert kinds(store) == ["receive 10"]


async def test_what_waits_during_an_append_shares_the_next_one() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await one(owner, receive(1, 100))
        store.gate.clear()
        first = asyncio.create_task(one(owner, reserve(2, 1)))
        await until(lambda: store.at_gate)
        rest = [asyncio.create_task(one(owner, reserve(10 + n, 1))) for n in range(50)]
        await until(lambda: len(owner.inbox) == 50)
        store.gate.set()
        assert all(isinstance(reply, Done) for reply in await asyncio.gather(first, *rest))
    assert store.appends == 3
    assert kinds(store) == ["receive 100"] + ["reserve 1"] * 51


async def test_requests_of_one_frame_are_decided_in_their_order() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        replies = await owner.submit([receive(1, 5), reserve(2, 3), reserve(3, 3), reserve(4, 2)])
    assert [hold_of(replies[1]).available_after, hold_of(replies[3]).available_after] == [2, 0]
    assert replies[2] == InsufficientStock("TEA", "BERLIN", 3, 2)
    assert store.appends == 1


async def test_the_outbox_gets_one_row_with_the_newest_level_of_each_cell() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 5), reserve(2, 3), receive(3, 7, CUP)])
    (row,) = store.outbox
    assert [(level.sku, level.available, level.reserved, level.seq) for level in row] == [
        ("TEA", 2, 3, 2),
        ("CUP", 7, 0, 1),
    ]


async def test_a_sold_out_answer_writes_nothing() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 1), reserve(2, 1)])
        before = store.appends
        assert await one(owner, reserve(3, 1)) == InsufficientStock("TEA", "BERLIN", 1, 0)
    assert store.appends == before
    assert not any(key[0] == rid(3) for key in store.outcomes)


async def test_a_read_answers_the_level_and_writes_nothing() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await one(owner, receive(1, 4))
        reply = await one(owner, ask(2, (BERLIN, Read())))
    assert available(reply) == 4
    assert store.appends == 1


async def test_all_lines_of_a_request_or_none() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 5), receive(2, 1, CUP)])
        lines = ((BERLIN, Reserve(rid(3), 2, NOON + TTL)), (CUP, Reserve(rid(3), 2, NOON + TTL)))
        assert await one(owner, ask(3, *lines)) == InsufficientStock("CUP", "BERLIN", 2, 1)
        assert kinds(store) == ["receive 5"]
        assert not store.holds
        enough = ((BERLIN, Reserve(rid(4), 2, NOON + TTL)), (CUP, Reserve(rid(4), 1, NOON + TTL)))
        reply = await one(owner, ask(4, *enough))
    assert isinstance(reply, Done)
    assert [line.cell for line in reply.lines] == [BERLIN, CUP]
    assert kinds(store) == ["receive 5", "reserve 2"]
    assert kinds(store, CUP) == ["receive 1", "reserve 1"]


async def test_a_cell_that_cannot_exist_is_not_found_and_its_neighbour_goes_on() -> None:
    store = fake_store()
    nowhere, nothing = BERLIN._replace(warehouse="MARS"), BERLIN._replace(sku="COFFEE")
    async with running(store, FakeClock()) as owner:
        replies = await owner.submit(
            [receive(1, 1, nowhere), receive(2, 1, nothing), receive(3, 1)]
        )
    assert replies[0] == NotFound("warehouse", "MARS")
    assert replies[1] == NotFound("sku", "COFFEE")
    assert available(replies[2]) == 1


async def test_a_request_that_breaks_the_append_fails_alone() -> None:
    store = fake_store()
    store.breaks = lambda batch: any(row[5] == rid(2) for row in batch.entries)
    async with running(store, FakeClock()) as owner:
        replies = await owner.submit([receive(1, 5), receive(2, 5), reserve(3, 2)])
        assert replies[1] == Failed("INTERNAL", "internal error")
        assert [only(replies[0]).fresh, hold_of(replies[2]).available_after] == [True, 3]
        assert kinds(store) == ["receive 5", "reserve 2"]
        assert available(await one(owner, receive(4, 1))) == 4


async def test_a_request_that_breaks_the_decision_fails_alone_and_leaves_nothing() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        line = receive(2, 5).lines[0]._replace(command=None)  # type: ignore[arg-type]
        broken = receive(2, 5)._replace(lines=(line,))
        replies = await owner.submit([receive(1, 5), broken, receive(3, 1)])
        assert replies[1] == Failed("INTERNAL", "internal error")
        assert available(replies[2]) == 6
    assert kinds(store) == ["receive 5", "receive 1"]


async def test_a_request_that_breaks_the_loading_fails_alone() -> None:
    store = fake_store()
    broken = BERLIN._replace(warehouse=["no", "text"])  # type: ignore[arg-type]
    async with running(store, FakeClock()) as owner:
        replies = await owner.submit([receive(1, 5), receive(2, 5, broken), reserve(3, 2)])
        assert replies[1] == Failed("INTERNAL", "internal error")
        assert hold_of(replies[2]).available_after == 3


async def test_a_full_inbox_answers_busy_at_once() -> None:
    store = fake_store()
    async with running(store, FakeClock(), inbox_limit=3) as owner:
        store.gate.clear()
        first = asyncio.create_task(one(owner, receive(1, 10)))
        await until(lambda: store.at_gate)
        waiting = asyncio.create_task(owner.submit([reserve(n, 1) for n in (2, 3, 4)]))
        await until(lambda: len(owner.inbox) == 3)
        busy = await owner.submit([reserve(5, 1)])
        assert busy == [Failed("BUSY", "the owner's inbox is full")]
        assert owner.stats.busy == 1
        store.gate.set()
        assert all(isinstance(reply, Done) for reply in await waiting)
        assert isinstance(await first, Done)
        assert isinstance(await one(owner, reserve(5, 1)), Done)


async def test_a_frame_without_requests_is_answered_at_once() -> None:
    async with running(fake_store(), FakeClock()) as owner:
        assert await owner.submit([]) == []


async def test_a_stopping_owner_settles_what_waits_and_takes_no_more() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        store.gate.clear()
        waiting = asyncio.create_task(owner.submit([receive(1, 10), reserve(2, 1)]))
        await until(lambda: owner.inbox)
        stopping = asyncio.create_task(owner.drain())
        await until(lambda: owner.draining)
        late = await one(owner, reserve(3, 1))
        assert late == Failed("UNAVAILABLE", "the owner is stopping")
        assert not stopping.done()
        store.gate.set()
        assert all(isinstance(reply, Done) for reply in await waiting)
        await stopping
        assert not owner.inbox


async def test_a_batch_is_bounded_by_requests_and_by_lines() -> None:
    store = fake_store()
    sizes: list[int] = []

    def note_size(batch: Batch) -> bool:
        sizes.append(len(batch.entries))
        return False

    store.breaks = note_size
    cells = [BERLIN._replace(sku=f"S{n}") for n in range(LINE_LIMIT // 2)]
    store.skus |= {cell.sku for cell in cells}
    wide = [ask(n, *((cell, Receive(1)) for cell in cells)) for n in (1, 2, 3)]
    async with running(store, FakeClock()) as owner:
        many = [receive(1_000 + n, 1) for n in range(BATCH_LIMIT + 1)]
        assert all(isinstance(reply, Done) for reply in await owner.submit(many))
        assert sizes == [BATCH_LIMIT, 1]
        sizes.clear()
        assert all(isinstance(reply, Done) for reply in await owner.submit(wide))
        assert sizes == [LINE_LIMIT, LINE_LIMIT // 2]


async def test_a_caller_who_left_does_not_disturb_the_others() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        store.gate.clear()
        gone = asyncio.create_task(one(owner, receive(1, 10)))
        stays = asyncio.create_task(one(owner, receive(2, 5)))
        await until(lambda: len(owner.inbox) == 2)
        gone.cancel()
        store.gate.set()
        assert available(await stays) == 15
        await settled(owner)
    assert kinds(store) == ["receive 10", "receive 5"]


async def test_owners_count_what_they_do() -> None:
    store = fake_store()
    async with running(store, FakeClock()) as owner:
        await owner.submit([receive(1, 1), reserve(2, 5), on(Confirm, 3), receive(4, 0)])
        counted = owner.stats.as_dict()
    assert counted["commands"] == {"receive": 2, "reserve": 1, "confirm": 1}
    assert counted["refusals"] == {"INSUFFICIENT_STOCK": 1, "NOT_FOUND": 1, "INVALID": 1}
    assert sum(counted["batch_sizes"]["counts"]) == 1


async def test_a_refusal_names_what_is_wrong() -> None:
    async with running(fake_store(), FakeClock()) as owner:
        reply = await one(owner, receive(1, 0, PARIS))
    assert isinstance(reply, Invalid)
    assert reply.field == "quantity"
