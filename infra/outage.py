"""Cannot say: the request may or may not have happened. Ask again with the same id."""

from typing import Literal

OutageCode = Literal["UNAVAILABLE", "BUSY"]


class Outage(Exception):
    """Raised where an owner, the database or the bus cannot be reached (UNAVAILABLE), or where an
    inbox is full (BUSY: it certainly has not happened). Always safe to repeat with the same id."""

    def __init__(self, message: str, code: OutageCode = "UNAVAILABLE") -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    def __reduce__(self) -> tuple[type["Outage"], tuple[str, OutageCode]]:
        return Outage, (self.message, self.code)
