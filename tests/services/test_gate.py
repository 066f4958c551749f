"""Many at once, or one alone."""

import asyncio

from services.gate import Gate


async def test_many_are_inside_at_once() -> None:
    gate = Gate()
    async with gate.among_others(), gate.among_others():
        assert gate.inside == 2
    assert gate.inside == 0


async def test_one_is_alone_and_newcomers_wait() -> None:
    gate = Gate()
    told: list[str] = []
    leave = asyncio.Event()

    async def other(name: str) -> None:
        async with gate.among_others():
            told.append(f"{name} in")
            await leave.wait()
            told.append(f"{name} out")

    async def loner() -> None:
        async with gate.alone():
            told.append("alone")
            await asyncio.sleep(0)
            told.append("alone no more")

    tasks = [asyncio.ensure_future(other("first")), asyncio.ensure_future(loner())]
    await asyncio.sleep(0)
    tasks.append(asyncio.ensure_future(other("second")))
    await asyncio.sleep(0)
    assert told == ["first in"]
    leave.set()
    await asyncio.gather(*tasks)
    assert told[:4] == ["first in", "first out", "alone", "alone no more"]
    assert told[4:] == ["second in", "second out"]


async def test_who_fails_inside_lets_the_others_in() -> None:
    gate = Gate()
    for way in (gate.among_others, gate.alone):
        try:
            async with way():
                raise ValueError("broken")
        except ValueError:
            continue
    async with gate.alone():
        assert gate.inside == 0
