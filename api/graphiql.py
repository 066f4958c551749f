"""GraphiQL for browsers, from files on this machine: those that npm installed and our own.

The page is the same for everybody and holds no secret; what it asks needs a token as anything does.
Without the installed files a plain page says how to get them; the API does not need them.
"""

import asyncio
import gzip
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""GraphiQL's editor writes styles into elements; scripts are only those of the table below."""
SECURITY = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
OURS = Path(__file__).with_name("console")
INSTALLED = Path(__file__).parents[1] / "web" / "console" / "node_modules"
CSS = "text/css"
SCRIPT = "text/javascript"
OWN = {"console.css": CSS, "console.js": SCRIPT}
PACKAGES = {
    "graphiql.min.css": ("graphiql/graphiql.min.css", CSS),
    "graphiql.min.js": ("graphiql/graphiql.min.js", SCRIPT),
    "react.production.min.js": ("react/umd/react.production.min.js", SCRIPT),
    "react-dom.production.min.js": ("react-dom/umd/react-dom.production.min.js", SCRIPT),
}


class Asset(NamedTuple):
    path: Path
    media_type: str


class Console:
    """What a browser is given. A request chooses by name from a table and never sends a path."""

    def __init__(self, installed: Path = INSTALLED) -> None:
        own = {name: Asset(OURS / name, kind) for name, kind in OWN.items()}
        self.packages = {
            name: Asset(installed / path, kind) for name, (path, kind) in PACKAGES.items()
        }
        self.assets = own | self.packages
        self.whole = page("index.html")
        self.absent = page("absent.html")

    def page(self) -> Response:
        """Looked up each time: an installation is seen without a new start."""
        is_whole = all(asset.path.is_file() for asset in self.packages.values())
        return self.whole if is_whole else self.absent

    async def asset(self, request: Request) -> Response:
        asset = self.assets.get(request.path_params["name"])
        if asset is None or not asset.path.is_file():
            return Response("no such file", HTTPStatus.NOT_FOUND, SECURITY, "text/plain")
        headers = {**SECURITY, "cache-control": "public, max-age=3600", "vary": "accept-encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            body = await asyncio.to_thread(asset.path.read_bytes)
            return Response(body, headers=headers, media_type=asset.media_type)
        headers["content-encoding"] = "gzip"
        body = await asyncio.to_thread(packed, asset.path)
        return Response(body, headers=headers, media_type=asset.media_type)


def page(name: str) -> Response:
    headers = {**SECURITY, "cache-control": "no-cache", "vary": "accept"}
    return Response((OURS / name).read_bytes(), headers=headers, media_type="text/html")


@cache
def packed(path: Path) -> bytes:
    """Once per file, when it is first asked for: the largest takes a tenth of a second."""
    return gzip.compress(path.read_bytes())
