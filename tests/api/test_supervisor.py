"""The supervisor with servers that only pretend: order, failure, ending, being started again."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from api.serve import WAITS_SECONDS, Stopped, Supervisor, Trouble
from infra.embedded.places import Places
from infra.embedded.process import Server, StartError
from infra.settings import Settings

PATIENCE_SECONDS = 30.0


class Pretender:
    """Notes when it starts and stops; the first starts may fail or wait to be stopped."""

    def __init__(self, name: str, notes: list[str], urls: list[str], fails: int = 0) -> None:
        self.name = name
        self.notes = notes
        self.urls = urls
        self.fails = fails
        self.alive = False
        self.waits = False
        self.stopped = threading.Event()
        self.looks = 0

    def start(self) -> str:
        if self.waits:
            assert self.stopped.wait(PATIENCE_SECONDS)
            raise StartError(f"{self.name} ended")
        if self.fails:
            self.fails -= 1
            raise StartError(f"{self.name} does not answer")
        self.alive = True
        self.notes.append(f"+{self.name}")
        return self.urls[0] if len(self.urls) == 1 else self.urls.pop(0)

    def is_alive(self) -> bool:
        self.looks += 1
        return self.alive

    def stop(self) -> None:
        if self.alive:
            self.notes.append(f"-{self.name}")
        self.alive = False
        self.stopped.set()


class Silent:
    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []

    def show(self, part: str, state: str) -> None:
        self.shown.append((part, state))


class Stage:
    """A supervisor over two grounds and two jobs, all pretended."""

    def __init__(self, home: Path) -> None:
        self.notes: list[str] = []
        self.stopping = threading.Event()
        self.board = Silent()
        self.bus = Pretender("bus", self.notes, ["nats://here:1"])
        self.ray = Pretender("ray", self.notes, ["here:1", "here:2"])
        self.relay = Pretender("relay", self.notes, [""])
        self.api = Pretender("api", self.notes, [""])
        self.addresses: list[str] = []
        self.supervisor = Supervisor(
            Settings.load({"ONHAND_HOME": str(home)}),
            Places(home, home),
            self.board,
            self.stopping,
            {"nats_url": self.bus, "ray_address": self.ray},
            self.jobs,
        )

    def jobs(self, _places: Places, settings: Settings) -> list[Server]:
        """The same ones the first time; a new pair for each new address."""
        if self.addresses:
            self.relay = Pretender("relay", self.notes, [""])
            self.api = Pretender("api", self.notes, [""])
        self.addresses.append(settings.ray_address)
        return [self.relay, self.api]

    def start(self) -> None:
        for field, server in (("nats_url", self.bus), ("ray_address", self.ray)):
            self.supervisor.use({field: server.start()})
        self.supervisor.start_jobs()

    def watch_until(self, condition: Callable[[], bool]) -> None:
        watcher = threading.Thread(target=self.supervisor.watch)
        watcher.start()
        pause = threading.Event()
        for _ in range(int(PATIENCE_SECONDS / 0.01)):
            if condition():
                break
            pause.wait(0.01)
        self.stopping.set()
        watcher.join(PATIENCE_SECONDS)
        assert condition()
        assert not watcher.is_alive()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_everything_is_stopped_in_reverse(stage: Stage) -> None:
    stage.start()
    stage.notes.clear()
    stage.supervisor.stop()
    assert stage.notes == ["-api", "-relay", "-ray", "-bus"]


def test_a_part_that_does_not_start_ends_the_others_that_wait(stage: Stage) -> None:
    stage.relay.waits = True
    stage.api.fails = 1
    with pytest.raises(StartError, match="api does not answer"):
        stage.start()


def test_who_is_asked_to_end_while_starting_ends(stage: Stage) -> None:
    stage.relay.waits = True
    threading.Timer(0.05, stage.stopping.set).start()
    with pytest.raises(Stopped):
        stage.start()
    stage.supervisor.stop()
    assert not any(s.alive for s in (stage.bus, stage.ray, stage.relay, stage.api))


def test_a_part_that_ends_is_started_again_alone(stage: Stage) -> None:
    stage.start()
    stage.notes.clear()
    stage.bus.alive = False
    stage.watch_until(lambda: "+bus" in stage.notes)
    assert set(stage.notes) <= {"+bus", "-bus"}
    assert ("bus", "ended") in stage.board.shown


def test_a_cluster_at_another_address_takes_what_stands_on_it_along(stage: Stage) -> None:
    stage.start()
    stage.notes.clear()
    stage.ray.alive = False
    stage.watch_until(lambda: {"+api", "+relay"} <= set(stage.notes))
    assert stage.notes[:3] == ["+ray", "-api", "-relay"]
    assert stage.addresses == ["here:1", "here:2"]


def test_what_stood_on_the_cluster_before_it_moved_is_not_started_again(stage: Stage) -> None:
    stage.start()
    stage.ray.alive = False
    before = stage.relay
    stage.watch_until(lambda: stage.relay is not before and stage.api.looks > 3)
    assert not before.alive
    assert [part for part, state in stage.board.shown if state == "ended"] == ["ray"]


def test_a_part_that_does_not_come_back_at_once_is_tried_again(stage: Stage) -> None:
    stage.start()
    stage.notes.clear()
    stage.relay.fails = 1
    stage.relay.alive = False
    stage.watch_until(lambda: "+relay" in stage.notes)
    assert ("relay", "does not start: relay does not answer") in stage.board.shown


def test_waits_grow_and_a_long_life_is_forgiven() -> None:
    trouble = Trouble()
    assert trouble.is_due(now=0.0)
    now, waits = 0.0, []
    for _ in range(8):
        trouble.note(now)
        waits.append(next(w for w in WAITS_SECONDS if trouble.is_due(now + w)))
        now += waits[-1]
    assert waits == [1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 30.0, 30.0]
    trouble.note(now + 100.0)
    assert trouble.is_due(now + 101.0)
