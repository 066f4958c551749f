"""The supervisor with servers that only pretend: order, failure, ending, being started again."""

import threading
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from api.jobs import Part
from api.serve import WAITS_SECONDS, Stopped, Supervisor, Trouble
from infra.embedded.places import Places
from infra.embedded.process import StartError
from infra.settings import Settings

PATIENCE_SECONDS = 30.0


class Pretender:
    """Notes when it starts and stops; the first starts may fail or wait to be stopped."""

    def __init__(
        self, name: str, notes: list[str], urls: list[str], needs: Collection[str] = ()
    ) -> None:
        self.name = name
        self.needs = frozenset(needs)
        self.notes = notes
        self.urls = urls
        self.fails = 0
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

    def drop(self) -> None:
        if self.alive or (self.waits and not self.stopped.is_set()):
            self.notes.append(f"!{self.name}")
        self.alive = False
        self.stopped.set()

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
    """A supervisor over two grounds and three parts, all pretended."""

    def __init__(self, home: Path) -> None:
        self.notes: list[str] = []
        self.stopping = threading.Event()
        self.board = Silent()
        self.bus = Pretender("bus", self.notes, ["nats://here:1"])
        self.ray = Pretender("ray", self.notes, ["here:1", "here:2"])
        self.addresses: list[str] = []
        self.make()
        self.supervisor = Supervisor(
            Settings.load({"ONHAND_HOME": str(home)}),
            Places(home, home),
            self.board,
            self.stopping,
            {"nats_url": self.bus, "ray_address": self.ray},
            self.jobs,
        )

    def make(self) -> None:
        self.relay = Pretender("relay", self.notes, [""], ["nats_url"])
        self.owners = Pretender("owners", self.notes, [""], ["ray_address"])
        self.api = Pretender("api", self.notes, [""], ["nats_url"])

    def jobs(self, _places: Places, settings: Settings) -> list[Part]:
        """The same ones the first time; new ones for each new address."""
        if self.addresses:
            self.make()
        self.addresses.append(settings.ray_address)
        return [self.relay, self.owners, self.api]

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
    assert stage.notes == ["-api", "-owners", "-relay", "-ray", "-bus"]


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


def test_a_cluster_that_ended_takes_along_only_what_had_joined_it(stage: Stage) -> None:
    stage.start()
    stage.notes.clear()
    stage.ray.alive = False
    before = stage.owners
    stage.watch_until(lambda: "+owners" in stage.notes and stage.owners.looks > 3)
    assert stage.notes == ["!owners", "+ray", "+owners"]
    assert stage.addresses == ["here:1", "here:2"]
    assert not before.alive
    assert [part for part, state in stage.board.shown if state == "ended"] == ["ray"]


def test_a_bus_that_moved_takes_along_what_needs_it_and_not_the_owners(stage: Stage) -> None:
    stage.bus.urls = ["nats://here:1", "nats://here:2"]
    stage.start()
    stage.notes.clear()
    stage.bus.alive = False
    stage.watch_until(lambda: {"+api", "+relay"} <= set(stage.notes))
    assert stage.notes[:3] == ["+bus", "-api", "-relay"]
    assert not {"-owners", "!owners"} & set(stage.notes)


def test_owners_are_not_started_before_there_is_a_cluster_again(stage: Stage) -> None:
    stage.start()
    stage.notes.clear()
    stage.ray.fails = 1
    stage.ray.alive = False
    stage.watch_until(lambda: "+owners" in stage.notes and stage.owners.looks > 3)
    assert stage.notes == ["!owners", "+ray", "+owners"]


def test_owners_whose_cluster_ends_while_they_start_are_not_waited_for(stage: Stage) -> None:
    stage.start()
    stage.notes.clear()
    stage.owners.waits = True
    stage.owners.alive = False
    falling = threading.Timer(0.3, lambda: setattr(stage.ray, "alive", False))
    falling.start()
    stage.watch_until(lambda: "+owners" in stage.notes and stage.owners.looks > 3)
    assert stage.notes == ["!owners", "+ray", "+owners"]


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
    assert waits == [1.0, 2.0, 5.0, 10.0, 10.0, 10.0, 10.0, 10.0]
    trouble.note(now + 100.0)
    assert trouble.is_due(now + 101.0)
