"""A road between a client and an owner on which replies are lost: it stands before the owner's
port, passes frames on, and at random swallows a reply or cuts the connection before or after it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

from actors.stream import HEADER, Address

LOOPBACK = "127.0.0.1"


class Road:
    """`lost` counts what happened to calls, by kind of loss."""

    def __init__(self, owner: Address, chance: Random) -> None:
        self.owner = owner
        self.chance = chance
        self.lost: Counter[str] = Counter()
        self.is_calm = False
        self.legs: set[asyncio.Task[None]] = set()
        self.ends: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(self.owner.host, self.owner.port)
        inner_writer.write(await reader.readexactly(len(self.owner.key)))
        ends = [writer, inner_writer]
        self.ends += ends
        for leg in (
            self.carry(reader, inner_writer, ends, "request"),
            self.carry(inner_reader, writer, ends, "reply"),
        ):
            task = asyncio.create_task(leg)
            self.legs.add(task)
            task.add_done_callback(self.legs.discard)

    async def carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: list[asyncio.StreamWriter],
        what: str,
    ) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                header = await reader.readexactly(HEADER.size)
                frame = header + await reader.readexactly(HEADER.unpack(header)[0])
                fate = self.fate(what)
                if fate == "swallowed":
                    continue
                if fate == "cut":
                    break
                writer.write(frame)
                await writer.drain()
        for end in ends:
            end.close()

    def fate(self, what: str) -> str:
        """A swallowed reply is noticed only after the client's timeout, so it is rare."""
        fates = ["passed", "cut", "swallowed"]
        (fate,) = self.chance.choices(fates, [80, 20, 1 if what == "reply" else 0])
        if self.is_calm or fate == "passed":
            return "passed"
        self.lost[f"{what} {fate}"] += 1
        return fate


@asynccontextmanager
async def lossy(owner: Address, chance: Random) -> AsyncIterator[tuple[Road, Address]]:
    """The road, and the address at which it begins."""
    road = Road(owner, chance)
    server = await asyncio.start_server(road.serve, LOOPBACK, 0)
    try:
        yield road, owner._replace(host=LOOPBACK, port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for end in road.ends:
            end.close()
        closed = (end.wait_closed() for end in road.ends)
        await asyncio.gather(*closed, *road.legs, return_exceptions=True)
