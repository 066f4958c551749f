"""The supervisor of `onhand serve`: starts every part, keeps it alive, stops it in reverse.

What is embedded starts side by side; what needs it follows. No request goes through here: if the
supervisor is killed the shop goes on, and the next supervisor clears up first.
"""

import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Protocol

from actors.head import Head
from api import jobs
from infra.credentials import secret_key
from infra.embedded.ledger_server import LedgerServer
from infra.embedded.nats import Nats
from infra.embedded.places import Places, close_what_is_there, leave, lock, prepare
from infra.embedded.process import Server, end_all, last_line, open_many_files, running_in
from infra.embedded.reach import listens, reach
from infra.embedded.redis import Redis
from infra.running import forget, tell
from infra.settings import Settings
from infra.tls import may_listen

POLL_SECONDS = 0.2
WAITS_SECONDS = (0.0, 1.0, 2.0, 5.0, 10.0)
"""Before a part that ended again and again is started; one that lived long is forgiven."""
FORGIVEN_SECONDS = 10.0

Task = Callable[[], str]


class Board(Protocol):
    """Tells the person at the terminal how a part is."""

    def show(self, part: str, state: str) -> None: ...


class Stopped(Exception):
    """Asked to end before everything had started."""


@dataclasses.dataclass(slots=True)
class Trouble:
    """How often a part ended lately."""

    times: int = 0
    last_at: float = -FORGIVEN_SECONDS

    def is_due(self, now: float) -> bool:
        return now >= self.due_at()

    def due_at(self) -> float:
        return self.last_at + WAITS_SECONDS[min(self.times, len(WAITS_SECONDS) - 1)]

    def note(self, now: float) -> None:
        self.times = 1 if now - self.due_at() > FORGIVEN_SECONDS else self.times + 1
        self.last_at = now


class Supervisor:
    """`grounds` are the embedded servers by the setting that would replace them; `parts` makes the
    processes that stand on them; they are stopped in the opposite order."""

    def __init__(
        self,
        settings: Settings,
        places: Places,
        board: Board,
        stopping: threading.Event,
        grounds: dict[str, Server],
        parts: Callable[[Places, Settings], list[jobs.Part]],
    ) -> None:
        self.settings = settings
        self.places = places
        self.board = board
        self.stopping = stopping
        self.grounds = grounds
        self.parts = parts
        self.jobs: list[jobs.Part] = []
        self.demo: jobs.Job | None = None
        self.troubles: dict[str, Trouble] = {}

    def start(self) -> None:
        for folder in jobs.FOLDERS:
            end_all(running_in(self.places.data(folder), jobs.PYTHON), signal.SIGKILL)
        may_listen(self.settings)
        listens(self.settings)
        for field in jobs.FIELDS:
            if field not in self.grounds:
                reach(self.settings, field)
        tasks = [partial(self.ground, field) for field in jobs.FIELDS]
        urls = self.side_by_side(tasks, list(self.grounds.values()))
        self.use(dict(zip(jobs.FIELDS, urls, strict=True)))
        self.start_jobs()

    def use(self, urls: dict[str, Any]) -> None:
        self.settings = dataclasses.replace(self.settings, **urls)

    def ground(self, field: str) -> str:
        server = self.grounds.get(field)
        url: str = self.begin(server) if server else getattr(self.settings, field)
        if field == "database_url":
            self.migrate(url, server)
        return url

    def migrate(self, url: str, server: Server | None) -> None:
        owner_url = self.settings.migration_url
        if isinstance(server, LedgerServer):
            owner_url = server.owner_url
        given = dataclasses.replace(self.settings, database_url=url, migration_url=owner_url)
        jobs.migrate(self.places, given)

    def start_jobs(self) -> None:
        self.jobs = self.parts(self.places, self.settings)
        self.begin_all(self.jobs)
        tell(self.settings)

    def begin_all(self, parts: Sequence[jobs.Part]) -> None:
        self.side_by_side([partial(self.begin, part) for part in parts], parts, parts)

    def start_demo(self) -> None:
        self.demo = jobs.demo(self.places, self.settings)
        if self.demo is not None:
            self.demo.start()
            self.board.show(self.demo.name, f"filling, see {self.demo.log}")

    def begin(self, server: Server) -> str:
        self.board.show(server.name, "starting")
        began = time.monotonic()
        url = server.start()
        self.board.show(server.name, f"ready, {time.monotonic() - began:.1f} s")
        return url

    def side_by_side(
        self, tasks: Sequence[Task], servers: Sequence[Server], parts: Sequence[jobs.Part] = ()
    ) -> list[str]:
        """When one fails, or nobody wants it any more, these servers are stopped, so that no task
        waits for them; nor for parts whose cluster has ended meanwhile."""
        with ThreadPoolExecutor(len(tasks)) as pool:
            futures = [pool.submit(task) for task in tasks]
            pending = set(futures)
            while pending and not self.stopping.is_set() and not failed(futures):
                pending = wait(pending, POLL_SECONDS).not_done
                for part in filter(self.is_adrift, parts):
                    part.drop()
            error = failed(futures)
            for server in servers if pending else ():
                server.stop()
        if error is not None:
            raise error
        if self.stopping.is_set():
            raise Stopped
        return [future.result() for future in futures]

    def watch(self) -> None:
        """Until it is asked to end. A part that ended is started again, later and later."""
        while not self.stopping.wait(POLL_SECONDS):
            for server in self.standing():
                try:
                    self.look_after(server)
                except Stopped:
                    return
                except Exception as error:  # tidy: allow broad-except: this loop must not end
                    self.board.show(server.name, f"does not start: {error}")
            self.look_at_demo()
            self.places.cut_logs()

    def standing(self) -> Iterator[Server]:
        """The jobs are looked up after the grounds: a ground that has moved makes new ones."""
        yield from self.grounds.values()
        yield from self.jobs

    def look_after(self, server: Server) -> None:
        trouble = self.troubles.setdefault(server.name, Trouble())
        now = time.monotonic()
        if server.is_alive() or not trouble.is_due(now):
            return
        part = next((job for job in self.jobs if job is server), None)
        if part is not None and self.is_adrift(part):
            return
        trouble.note(now)
        self.board.show(server.name, "ended")
        if part is not None:
            self.begin_all([part])
        else:
            self.mend(server)

    def is_adrift(self, part: jobs.Part) -> bool:
        """Its cluster has ended: it cannot start before there is another."""
        cluster = self.grounds.get(jobs.CLUSTER)
        return cluster is not None and jobs.CLUSTER in part.needs and not cluster.is_alive()

    def mend(self, ground: Server) -> None:
        """Only what needs the ground goes with it when it moves."""
        for part in filter(self.is_adrift, self.jobs):
            part.drop()
        (url,) = self.side_by_side([partial(self.begin, ground)], [ground])
        field = next(field for field, held in self.grounds.items() if held is ground)
        if url == getattr(self.settings, field):
            return
        self.use({field: url})
        for part in reversed(self.jobs):
            if field in part.needs:
                self.finish(part)
        fresh = self.parts(self.places, self.settings)
        pairs = list(zip(self.jobs, fresh, strict=True))
        self.jobs = [new if field in new.needs else old for old, new in pairs]
        self.begin_all([part for part in self.jobs if field in part.needs])
        tell(self.settings)

    def look_at_demo(self) -> None:
        if self.demo is None or self.demo.child is None or self.demo.is_alive():
            return
        if self.demo.child.popen.returncode == 0:
            (self.demo.folder / jobs.PLAYED).touch()
            self.board.show(self.demo.name, "filled and played")
        else:
            self.board.show(self.demo.name, f"broken off: {last_line(self.demo.child.log)}")
        self.demo = None

    def stop(self) -> None:
        self.stop_jobs()
        for server in reversed(self.grounds.values()):
            self.finish(server)
        forget(self.settings.home)

    def stop_jobs(self) -> None:
        if self.demo is not None:
            self.finish(self.demo)
        for job in reversed(self.jobs):
            self.finish(job)

    def finish(self, server: Server) -> None:
        if server.is_alive():
            self.board.show(server.name, "stopping")
            server.stop()
            self.board.show(server.name, "stopped")


def failed(futures: Sequence[Future[str]]) -> BaseException | None:
    return next((f.exception() for f in futures if f.done() and f.exception()), None)


def embedded(settings: Settings, places: Places) -> dict[str, Server]:
    """The servers no setting replaces, by the setting that would."""
    makers: dict[str, Callable[[], Server]] = {
        "database_url": lambda: LedgerServer(places),
        "nats_url": lambda: Nats(places),
        "redis_url": lambda: Redis(places),
        "ray_address": lambda: Head(places, settings.owners),
    }
    return {field: make() for field, make in makers.items() if not getattr(settings, field)}


def serve(
    settings: Settings,
    board: Board,
    stopping: threading.Event,
    greet: Callable[[Settings], None],
    with_demo: bool,
) -> None:
    """Returns when `stopping` is set and everything has been stopped. Raises SettingsError,
    StartError or Outage when it cannot start, with nothing left behind."""
    open_many_files()
    places = prepare(settings.home)
    with lock(settings.home):
        close_what_is_there(settings.home)
        settings = dataclasses.replace(settings, secret_key=secret_key(settings))
        grounds = embedded(settings, places)
        supervisor = Supervisor(settings, places, board, stopping, grounds, jobs.all_jobs)
        try:
            supervisor.start()
            greet(supervisor.settings)
            if with_demo:
                supervisor.start_demo()
            supervisor.watch()
        except Stopped:
            pass
        finally:
            supervisor.stop()
        leave(settings.home)
