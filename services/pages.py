"""Pages of a list, by cursor: a cursor is the key of the last item seen, so pages hold still while
rows come and go."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from infra.models import CODE_LENGTH
from services.checks import is_storable

PAGE_LIMIT = 100
"""Items in one page."""
CURSOR_LIMIT = 400
"""Characters of a cursor."""
ROW_LIMIT = 2**31 - 1
"""The highest number in a cursor: that of the database's columns."""
T = TypeVar("T")
R = TypeVar("R")


class BadPage(Exception):
    """`first` is out of range or the cursor is not one of ours; `field` names which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`cursors` has one cursor per item."""

    items: list[T]
    cursors: list[str]
    has_next: bool


def page_of(
    rows: Sequence[R], first: int, key: Callable[[R], tuple[str | int, ...]], item: Callable[[R], T]
) -> Page[T]:
    """A page from up to `first` + 1 rows; the extra row only tells that there is more."""
    shown = rows[:first]
    return Page([item(r) for r in shown], [cursor(key(r)) for r in shown], len(rows) > first)


def check_first(first: int) -> None:
    if not 1 <= first <= PAGE_LIMIT:
        raise BadPage("first", f"must be between 1 and {PAGE_LIMIT}")


def cursor(key: tuple[str | int, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


def after_key(after: str | None, kinds: tuple[type, ...]) -> tuple[str | int, ...] | None:
    """The key inside a cursor, or None for the first page."""
    if after is None:
        return None
    try:
        if len(after) > CURSOR_LIMIT:
            raise ValueError
        key = msgspec.json.decode(base64.urlsafe_b64decode(after), type=list[str | int])
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise BadPage("after", "is not a cursor of this list") from error
    if len(key) != len(kinds) or not all(map(is_ours, key, kinds)):
        raise BadPage("after", "is not a cursor of this list")
    return tuple(key)


def is_ours(part: str | int, kind: type) -> bool:
    if not isinstance(part, kind):
        return False
    return is_storable(part, CODE_LENGTH) if isinstance(part, str) else 0 <= part <= ROW_LIMIT
