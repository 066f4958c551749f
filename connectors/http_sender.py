"""How bytes travel to a running server: POST over kept connections, with a bearer token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from connectors.public_api import ConnectionLost, Send, Sent

ANSWER_SECONDS = 30.0
"""A server that is silent for longer is asked again."""
PATH = "/graphql"


def endpoint(url: str) -> str:
    """The GraphQL endpoint of a server named by its address, or by the endpoint itself."""
    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + PATH


@asynccontextmanager
async def http_sender(url: str, token: str, connections: int) -> AsyncIterator[Send]:
    address = endpoint(url)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
    ) as session:

        async def send(body: bytes) -> Sent:
            try:
                async with session.post(address, data=body, allow_redirects=False) as answer:
                    return Sent(answer.status, await answer.read())
            except aiohttp.ClientConnectorCertificateError as error:
                raise ConnectionLost(str(error.certificate_error)) from error
            except aiohttp.ClientConnectorError as error:
                raise ConnectionLost(str(error.os_error)) from error
            except (aiohttp.ClientError, TimeoutError) as error:
                raise ConnectionLost(str(error) or type(error).__name__) from error

        yield send
