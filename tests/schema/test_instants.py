"""Instants that no database and no clock has are refused by name, wherever they are read."""

from collections.abc import Callable
from uuid import UUID

import pytest
from graphql import GraphQLError

from schema.scalars import read
from services import flash_sales, newest
from services.pages import BadPage

OUT_OF_RANGE = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("text", [*OUT_OF_RANGE, "2030-01-01T12:00:00", "noon"])
def test_what_is_no_instant_is_not_taken(text: str) -> None:
    with pytest.raises(GraphQLError):
        read(text)


@pytest.mark.parametrize("text", [*OUT_OF_RANGE, "2030-01-01T12:00:00", "noon"])
@pytest.mark.parametrize("place_of", [newest.place_of, flash_sales.place_of])
def test_nor_is_a_cursor_that_holds_it(place_of: Callable[..., object], text: str) -> None:
    with pytest.raises(BadPage):
        place_of((text, str(UUID(int=1))))
