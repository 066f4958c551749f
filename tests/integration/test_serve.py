"""`onhand serve` from outside: comes up, refuses in one line, ends clean, survives kill -9."""

import asyncio
import http.client
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from domain.commands import CellKey
from infra.embedded.places import DOOR_MODE, OTHERS
from infra.embedded.process import running_in
from tests.integration.caller import LEVEL, Caller, is_held, new_id
from tests.integration.whole import Whole

PATIENCE_SECONDS = 180.0
MUG = CellKey("MUG", "LON")
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    shop = Whole(tmp_path / "home", workers=1)
    try:
        yield shop
    finally:
        shop.stop()
        for process in of_home(shop.home):
            process.kill()


def of_home(home: Path) -> list[psutil.Process]:
    """Everything that works below this home, whoever started it."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def open_to_others(home: Path) -> list[Path]:
    """What somebody else on this machine could do anything with. Ray opens its folder to all, so
    that one lies in a closed one; root's PostgreSQL passes through three, and sees nothing."""
    passed = {home, home / "postgres", home / "run", home / "run" / "postgres"}
    allowed = dict.fromkeys(passed, DOOR_MODE & OTHERS)
    closed = home / "run" / "ray"
    below = [path for path in home.rglob("*") if closed not in path.parents]
    assert {home / "logs" / "api.log", home / "secret.key", home / "postgres" / "data"} <= {*below}
    modes = [(path, path.lstat().st_mode & OTHERS) for path in (home, *below)]
    return [path for path, mode in modes if mode != allowed.get(path, 0)]


def is_ready(shop: Whole) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.1)


async def stock(shop: Whole) -> None:
    async with Caller(shop) as caller:
        await caller.furnish({MUG: 5})


async def sell_one(shop: Whole) -> int:
    """Reserves a unit; what is available then, according to the owner."""
    async with Caller(shop) as caller:
        assert is_held(await caller.reserve(new_id(), (MUG.sku, MUG.warehouse, 1)))
        level = await caller.ask(LEVEL, **MUG._asdict(), consistency="STRONG")
    available: int = level["available"]
    return available


def refused(shop: Whole, **environ: object) -> str:
    """The one line with which a start is refused."""
    shop.environ |= {name: str(value) for name, value in environ.items()}
    done = shop.run("serve")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


def test_it_comes_up_ends_clean_and_finds_its_data_again(whole: Whole) -> None:
    whole.start()
    asyncio.run(stock(whole))
    assert asyncio.run(sell_one(whole)) == 4
    parts = of_home(whole.home)
    sockets = [c for part in parts for c in part.net_connections("inet")]
    listening = {c.laddr.ip for c in sockets if c.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert open_to_others(whole.home) == []
    assert "already served by process" in refused(whole)
    assert is_ready(whole)
    whole.stop()
    assert of_home(whole.home) == []
    whole.start()
    assert asyncio.run(sell_one(whole)) == 3


def test_after_kill_9_of_everything_it_comes_up_with_its_data(whole: Whole) -> None:
    whole.start()
    asyncio.run(stock(whole))
    whole.kill()
    whole.start()
    assert asyncio.run(sell_one(whole)) == 4


def test_after_kill_9_of_the_supervisor_alone_the_next_one_takes_over(whole: Whole) -> None:
    whole.start()
    asyncio.run(stock(whole))
    before = {process.pid for process in of_home(whole.home)}
    assert whole.popen is not None
    whole.popen.kill()
    whole.popen.wait()
    whole.popen = None
    assert is_ready(whole)
    whole.start()
    assert asyncio.run(sell_one(whole)) == 4
    assert not before & {process.pid for process in of_home(whole.home)}


def test_what_dies_under_it_is_started_again(whole: Whole) -> None:
    whole.start()
    asyncio.run(stock(whole))
    folders = ("relay", "nats", "redis", "api", "owners")
    for folder in folders:
        for process in running_in(whole.home / folder):
            process.kill()
    wait_for(lambda: all(running_in(whole.home / folder) for folder in folders))
    assert asyncio.run(sell_one(whole)) == 4
    for process in running_in(whole.home / "ray", "gcs_server"):
        process.kill()
    wait_for(lambda: not is_ready(whole))
    wait_for(lambda: is_ready(whole))
    assert asyncio.run(sell_one(whole)) == 3


def test_ended_while_it_starts_it_leaves_nothing(whole: Whole) -> None:
    whole.start_without_waiting()
    wait_for(lambda: bool(running_in(whole.home / "ray")))
    popen = whole.popen
    assert popen is not None
    popen.send_signal(signal.SIGINT)
    assert popen.wait(PATIENCE_SECONDS) == 0
    assert of_home(whole.home) == []


def test_a_port_in_use_is_refused_before_anything_starts(whole: Whole) -> None:
    with socket.create_server(("127.0.0.1", whole.port)):
        assert f"ONHAND_PORT {whole.port} is already in use" in refused(whole)
    assert not (whole.home / "postgres" / "data").exists()


def test_a_home_that_cannot_be_written_is_refused(whole: Whole) -> None:
    whole.home.write_text("")
    assert f"ONHAND_HOME {whole.home} cannot be used" in refused(whole)


def test_a_bad_variable_is_refused_by_its_name(whole: Whole) -> None:
    assert "ONHAND_OWNERS" in refused(whole, ONHAND_OWNERS="none")


def test_production_is_refused_without_a_key(whole: Whole) -> None:
    assert "ONHAND_SECRET_KEY" in refused(whole, ONHAND_ENV="production")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ONHAND_DATABASE_URL", "postgresql://nobody:hunter2@127.0.0.1:9/none", "database"),
        ("ONHAND_NATS_URL", "nats://nobody:hunter2@127.0.0.1:9", "ONHAND_NATS_URL"),
        ("ONHAND_REDIS_URL", "unix:///nowhere.sock", "ONHAND_REDIS_URL"),
        ("ONHAND_RAY_ADDRESS", "127.0.0.1:9", "ONHAND_RAY_ADDRESS"),
    ],
)
def test_a_server_of_somebody_else_that_is_not_there_is_refused(
    whole: Whole, name: str, value: str, said: str
) -> None:
    line = refused(whole, **{name: value})
    assert said in line
    assert "hunter2" not in line
    assert of_home(whole.home) == []
