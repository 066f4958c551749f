"""One whole shop for all tests that leave it as it is, and one for those that do not."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from infra.embedded.process import open_many_files
from tests.integration.javascript import installed
from tests.integration.office import Office, opened
from tests.integration.sale_shop import database
from tests.integration.whole import Whole


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Three owners, so that the lines of an order have them all; two API workers."""
    open_many_files()
    yield from started(Whole(tmp_path_factory.mktemp("shop") / "home", owners=3))


@pytest.fixture(scope="session")
def battered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """The shop whose servers are killed."""
    yield from started(Whole(tmp_path_factory.mktemp("battered") / "home"))


@pytest.fixture(scope="session")
def people_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for people, sessions and keys: whoever uses it empties their tables first."""
    with database(tmp_path_factory.mktemp("people")) as url:
        yield url


@pytest.fixture(scope="session")
def javascript() -> Path:
    """The folder in which the JavaScript clients are installed."""
    return installed()


@pytest.fixture
async def office(people_url: str) -> AsyncIterator[Office]:
    async with opened(people_url) as here:
        yield here


def started(whole: Whole) -> Iterator[Whole]:
    try:
        whole.start()
        yield whole
    finally:
        whole.stop()
