"""The embedded servers one by one, for tests: started in a home, given something to keep, ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import nats
import psutil
from redis.asyncio import Redis as RedisClient

from infra.embedded.nats import Nats
from infra.embedded.places import Places
from infra.embedded.postgres import Postgres
from infra.embedded.process import Server, running_in
from infra.embedded.redis import Redis

KINDS: list[Callable[[Places], Server]] = [Postgres, Nats, Redis]
NAMES = {"PostgreSQL": "postgres", "NATS": "nats-server", "Redis": "redis-server"}


@contextmanager
def started(server: Server) -> Iterator[str]:
    try:
        yield server.start()
    finally:
        server.stop()


def processes(server: Server, home: Path) -> list[psutil.Process]:
    name = NAMES[server.name]
    folder = home / "postgres" / "data" if name == "postgres" else home / server.name.lower()
    return running_in(folder, name)


async def keep(url: str) -> None:
    """Puts something where it should be found again."""
    if url.startswith("nats:"):
        client = await nats.connect(url)
        await client.jetstream().add_stream(name="kept", subjects=["kept"])
        await client.close()
    elif url.startswith("postgresql:"):
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()


async def check(url: str) -> None:
    """Finds what was kept. Redis only has to answer: it keeps nothing on purpose."""
    if url.startswith("nats:"):
        client = await nats.connect(url)
        assert (await client.jetstream().stream_info("kept")).config.name == "kept"
        await client.close()
    elif url.startswith("postgresql:"):
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
    else:
        async with RedisClient.from_url(url) as redis:
            assert await redis.ping()
