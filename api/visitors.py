"""Where a request comes from: the address of the client, which only proxies of ours may say, and
the page of a browser, which may be of our own site or of one that is set.

No cookie lets anybody in, so a foreign page can ask nothing in its visitor's name; to refuse it
all the same keeps a token that leaked into a page from being used there.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from infra.internet_variables import listed
from infra.settings import Settings

HOPS_LIMIT = 32
"""Addresses that are looked at in one header, from its end."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Visitors:
    def __init__(self, settings: Settings) -> None:
        self.is_development = not settings.is_production
        self.proxies = [ip_network(one) for one in listed(settings.trusted_proxies)]
        own = urlsplit(settings.public_url)
        ours = [f"{own.scheme}://{own.netloc}"] if own.netloc else []
        self.origins = frozenset(one.lower() for one in (*listed(settings.allowed_origins), *ours))
        self.is_ours = lru_cache(1_000)(self.is_proxy)

    def is_proxy(self, address: str) -> bool:
        parsed = parsed_address(address)
        return parsed is not None and any(parsed in network for network in self.proxies)

    def address(self, peer: str | None, forwarded: bytes) -> str | None:
        """Of the client: behind proxies of ours, the last forwarded one that is none of them."""
        if peer is None or not forwarded or not self.is_ours(peer):
            return peer
        client = peer
        for entry in reversed(forwarded.decode("latin-1").split(",")[-HOPS_LIMIT:]):
            found = parsed_address(entry.strip())
            if found is None:
                break
            client = str(found)
            if not self.is_ours(client):
                break
        return client

    def may_ask(self, origin: bytes, host: bytes) -> bool:
        """Whether a page of this origin may. Programs that are no browser say none."""
        given = origin.decode("latin-1").lower()
        try:
            parts = urlsplit(given)
            is_local = self.is_development and parts.hostname in LOOPBACK
        except ValueError:
            return False
        is_own = bool(parts.netloc) and parts.netloc == host.decode("latin-1").lower()
        return given in self.origins or is_own or is_local


def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """Some proxies add the port, and IPv6 is then in brackets."""
    for one in candidates(text):
        try:
            found = ip_address(one)
        except ValueError:
            continue
        mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
        return mapped or found
    return None


def candidates(text: str) -> Iterable[str]:
    yield text
    if text.startswith("["):
        yield text[1:].partition("]")[0]
    elif text.count(":") == 1:
        yield text.partition(":")[0]
