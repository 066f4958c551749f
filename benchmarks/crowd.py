"""The subscribers' process as the measuring process holds it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from benchmarks.listeners import Heard, Orders

GOODBYE_SECONDS = 20.0


class Listening:
    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self.popen = popen

    def tell(self, text: bytes) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(text + b"\n")
        self.popen.stdin.flush()

    def answer(self) -> bytes:
        assert self.popen.stdout is not None
        said = self.popen.stdout.readline()
        if not said:
            raise RuntimeError("the subscribers' process ended: see above")
        return said

    def measure(self, seconds: float) -> Heard:
        """Blocks for so long."""
        self.tell(str(seconds).encode())
        return msgspec.json.decode(self.answer(), type=Heard)


@contextmanager
def listening(orders: Orders) -> Iterator[Listening]:
    """All of them subscribed; they hang up at the end."""
    argv = [sys.executable, "-m", "benchmarks.listeners"]
    popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    crowd = Listening(popen)
    try:
        crowd.tell(msgspec.json.encode(orders))
        crowd.answer()
        yield crowd
    finally:
        assert popen.stdin is not None
        popen.stdin.close()
        try:
            popen.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()
