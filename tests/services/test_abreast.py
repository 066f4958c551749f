"""Work done several pieces at a time."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from services.abreast import abreast


async def test_never_more_than_the_limit_is_under_way() -> None:
    under_way: set[int] = set()
    most = 0

    async def piece(number: int) -> None:
        nonlocal most
        under_way.add(number)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.discard(number)

    await abreast(3, map(piece, range(10)))
    assert most == 3


async def test_work_begins_in_its_order() -> None:
    begun: list[int] = []

    async def piece(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)

    await abreast(4, map(piece, range(9)))
    assert begun == list(range(9))


async def test_the_first_failure_ends_all() -> None:
    begun: list[int] = []

    async def piece(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise ValueError("broken")
        await asyncio.Event().wait()

    def work() -> Iterator[Coroutine[Any, Any, None]]:
        return map(piece, range(100))

    with pytest.raises(ValueError, match="broken"):
        await abreast(3, work())
    assert begun == [0, 1, 2]
