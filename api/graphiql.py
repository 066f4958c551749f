"""GraphiQL for browsers, with everything it needs from our own files: it works without a network.

The page is the same for everybody and holds no secret; what it asks needs a token as anything does.
"""

import gzip
from http import HTTPStatus
from importlib.resources import files

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
"""GraphiQL's editor writes styles into elements; scripts are only ours."""
SECURITY = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
ASSETS = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "graphiql.min.css": "text/css",
    "graphiql.min.js": "text/javascript",
    "react.production.min.js": "text/javascript",
    "react-dom.production.min.js": "text/javascript",
}
FOLDER = files("api") / "console"


def compressed(name: str) -> bytes:
    """Those of others are kept compressed, ours are not."""
    packed = FOLDER / f"{name}.gz"
    return packed.read_bytes() if packed.is_file() else gzip.compress((FOLDER / name).read_bytes())


PACKED = {name: compressed(name) for name in ASSETS}
CONSOLE = Response(
    (FOLDER / "index.html").read_bytes(),
    headers={**SECURITY, "cache-control": "no-cache", "vary": "accept"},
    media_type="text/html",
)


async def asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in PACKED:
        return Response("no such file", HTTPStatus.NOT_FOUND, SECURITY, "text/plain")
    headers = {**SECURITY, "cache-control": "public, max-age=3600", "vary": "accept-encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        body = gzip.decompress(PACKED[name])
        return Response(body, headers=headers, media_type=ASSETS[name])
    headers["content-encoding"] = "gzip"
    return Response(PACKED[name], headers=headers, media_type=ASSETS[name])
