"""Pages of what was made, the newest first: a cursor is time and id of the last one seen."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from tortoise.expressions import Q
from tortoise.models import Model
from tortoise.queryset import QuerySet

from services.checks import instant
from services.pages import BadPage, Page, after_key, check_first, page_of

M = TypeVar("M", bound=Model)
T = TypeVar("T")


async def newest_first(
    query: QuerySet[M], first: int, after: str | None, item: Callable[[M], T]
) -> Page[T]:
    """Of rows with `created_at` and `id`."""
    check_first(first)
    key = after_key(after, (str, str))
    if key is not None:
        at, id = place_of(key)
        query = query.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=id))
    rows: list[Any] = await query.order_by("-created_at", "-id").limit(first + 1)
    return page_of(rows, first, lambda row: (row.created_at.isoformat(), str(row.id)), item)


def place_of(key: tuple[str | int, ...]) -> tuple[datetime, UUID]:
    try:
        at, id = instant(str(key[0])), UUID(str(key[1]))
    except ValueError:
        raise BadPage("after", "is not a cursor of this list") from None
    return at, id
