"""A trail that is kept in a list, and can be told to fail."""

from collections.abc import Sequence

from domain.trail import Record
from infra.trail import Trail


def memory_trail(records: list[Record]) -> Trail:
    async def append(added: Sequence[Record]) -> None:
        records.extend(added)

    return Trail(append)


def broken_trail() -> Trail:
    async def append(added: Sequence[Record]) -> None:
        raise ConnectionError

    return Trail(append)
