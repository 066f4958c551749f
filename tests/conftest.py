"""The wall around unit tests: outside tests/integration, tests/soak and tests/e2e nothing opens a
socket to anywhere or starts Ray. An event loop's own socket pair is let through."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

OPEN = ("integration", "soak", "e2e")
WALLED_EVENTS = frozenset({"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"})
TESTS = Path(__file__).parent


class Wall:
    """Audit hooks cannot be taken out again, so one hook stays and asks whether the wall is up."""

    def __init__(self) -> None:
        self.is_up = False

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        if self.is_up and event in WALLED_EVENTS:
            raise RuntimeError(f"a unit test may not do {event}{args[1:]}: use a fake")


WALL = Wall()
sys.addaudithook(WALL.hook)


def refuse_ray(*_: object, **__: object) -> None:
    raise RuntimeError("a unit test may not start Ray: use a fake")


@pytest.fixture(autouse=True)
def wall(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = request.path.relative_to(TESTS).parts[0]
    if folder in OPEN:
        yield
        return
    if ray := sys.modules.get("ray"):
        monkeypatch.setattr(ray, "init", refuse_ray)
    WALL.is_up = True
    try:
        yield
    finally:
        WALL.is_up = False
