"""Connections as Relay clients know them: edges with cursors, and whether more follows."""

from typing import Annotated, Generic, TypeVar

import strawberry

from domain.refusals import NotPermitted
from schema.context import allowed
from services.pages import Page

T = TypeVar("T")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more items follow this page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the page's last item: pass it as `after` to go on."
    )


@strawberry.type(description="An item of a page and its place in the list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="The item's place: pass it as `after`.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items of this page, in order.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")


PAGE_SIZE = 50  # items of a page, if the client does not say

First = Annotated[
    int | None, strawberry.argument(description="How many items, 1 to 100; 50 if null.")
]
After = Annotated[
    str | None, strawberry.argument(description="Go on after this cursor of an earlier page.")
]


def connection(answer: Page[T] | NotPermitted) -> Connection[T]:
    page = allowed(answer)
    edges = [
        Edge(cursor=cursor, node=item)
        for cursor, item in zip(page.cursors, page.items, strict=True)
    ]
    end = page.cursors[-1] if page.cursors else None
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=end))
