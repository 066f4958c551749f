"""Requests as they wait for their round, and the calls that brought them."""

import asyncio
from typing import NamedTuple

from actors.wire import Reply
from domain.commands import Request


class Frame:
    """Requests that came in one call, and the call's answer when all are settled."""

    def __init__(self, requests: list[Request]) -> None:
        self.replies: list[Reply | None] = [None] * len(requests)
        self.missing = len(requests)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, index: int, reply: Reply) -> None:
        self.replies[index] = reply
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)


class Waiting(NamedTuple):
    request: Request
    frame: Frame | None
    place: int
