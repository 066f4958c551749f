"""What keeps an owner from deciding requests that are another's."""

from typing import Protocol

from actors.wire import Reply
from domain.commands import CellKey, Request


class Guard(Protocol):
    """Says which requests are this owner's to decide."""

    def holds(self) -> bool: ...

    def is_mine(self, key: CellKey) -> bool: ...

    def turn_away(self, request: Request) -> Reply | None: ...


class NoGuard:
    """Decides whatever it is asked."""

    def holds(self) -> bool:
        return True

    def is_mine(self, key: CellKey) -> bool:
        return True

    def turn_away(self, request: Request) -> Reply | None:
        return None
