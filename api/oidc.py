"""Signing in at an OpenID Connect provider: authorization code with PKCE, by Authlib.

State, nonce and code verifier wait in a cookie of the browser that began, signed, for ten minutes:
an answer that another browser brings is refused.
"""

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from httpx2 import HTTPError
from joserfc.errors import JoseError
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from api.attempts import BAD_TOKEN, Attempts
from api.graphql_http import JSON, shown, unavailable
from api.problems import problem
from api.rates import signing_in_too_often
from domain.refusals import InvalidCredentials
from infra.database import LOST
from infra.outage import Outage
from infra.settings import Settings
from schema.scalars import written
from services.oidc_sign_in import Claims, sign_in_with
from services.runtime import Runtime
from services.sessions import Session

LOG = logging.getLogger("onhand.api")
PATH = "/sign-in/oidc"
DISCOVERY = "/.well-known/openid-configuration"
COOKIE = "onhand_sign_in"
COOKIE_SECONDS = 600
PROVIDER_SECONDS = 10.0
PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
FAILED = (AuthlibBaseError, JoseError, KeyError, RuntimeError, ValueError)
"""What Authlib raises where the provider's answer is not good, or belongs to another browser."""


def oidc_routes(rt: Runtime, attempts: Attempts) -> list[Mount]:
    """Empty where no provider is set."""
    if not rt.settings.oidc_issuer:
        return []
    door = ProviderDoor(rt, attempts)
    cookie = Middleware(
        SessionMiddleware,
        secret_key=f"{COOKIE} {rt.settings.secret_key}",
        session_cookie=COOKIE,
        max_age=COOKIE_SECONDS,
        path=PATH,
        same_site="lax",
        https_only=public_url(rt.settings).startswith("https:"),
    )
    inside = [Route("/", door.begin), Route("/callback", door.end)]
    return [Mount(PATH, routes=inside, middleware=[cookie])]


def public_url(settings: Settings) -> str:
    return (settings.public_url or settings.own_url).rstrip("/")


class ProviderDoor:
    def __init__(self, rt: Runtime, attempts: Attempts) -> None:
        self.rt = rt
        self.attempts = attempts
        settings = rt.settings
        oauth = OAuth()
        self.provider: Any = oauth.register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=settings.oidc_issuer.rstrip("/") + DISCOVERY,
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "timeout": PROVIDER_SECONDS,
            },
        )

    async def begin(self, request: Request) -> Response:
        often = await signing_in_too_often(self.rt.rates, self.rt.settings.limits)
        if often is not None:
            self.attempts.note(often.errors, None)
            return shown(often, JSON, headers=PRIVATE)
        back = f"{public_url(self.rt.settings)}{PATH}/callback"
        try:
            response: Response = await self.provider.authorize_redirect(request, back)
        except (HTTPError, *FAILED) as error:
            return no_provider(error)
        response.headers.update(PRIVATE)
        return response

    async def end(self, request: Request) -> Response:
        """The session as JSON; for a browser, in the part of the address that it sends nowhere."""
        try:
            token = await self.provider.authorize_access_token(request)
            claims = claims_of(token["userinfo"])
        except HTTPError as error:
            return no_provider(error)
        except FAILED as error:
            LOG.warning("a sign-in at the provider failed: %s", type(error).__name__)
            self.attempts.note((BAD_TOKEN,), None)
            return refused(InvalidCredentials())
        finally:
            request.session.clear()
        try:
            session = await sign_in_with(self.rt, claims)
        except (Outage, *LOST):
            no = unavailable(Outage("the database cannot be reached: sign in again"))
            return shown(no.answer, JSON, no.status, no.headers)
        if isinstance(session, InvalidCredentials):
            return refused(session)
        fields = urlencode({"token": session.access_token, "refreshToken": session.refresh_token})
        has_page = not self.rt.settings.is_production
        if has_page and "text/html" in request.headers.get("accept", ""):
            place = f"{public_url(self.rt.settings)}/graphql#{fields}"
            return RedirectResponse(place, HTTPStatus.SEE_OTHER, PRIVATE)
        return Response(as_json(session), media_type=JSON, headers=PRIVATE)


def claims_of(told: Any) -> Claims:
    return Claims(
        issuer=str(told["iss"]),
        subject=str(told["sub"]),
        email=str(told.get("email") or ""),
        is_verified=told.get("email_verified") is True,
        name=str(told.get("name") or ""),
    )


def as_json(session: Session) -> bytes:
    return msgspec.json.encode(
        {
            "personId": session.person,
            "accessToken": session.access_token,
            "accessExpiresAt": written(session.access_expires_at),
            "refreshToken": session.refresh_token,
            "refreshExpiresAt": written(session.refresh_expires_at),
        }
    )


def refused(no: InvalidCredentials) -> Response:
    answer = problem("the provider's answer signs nobody in here", no.code)
    return shown(answer, JSON, HTTPStatus.FORBIDDEN, PRIVATE)


def no_provider(error: Exception) -> Response:
    LOG.warning("the OpenID Connect provider does not answer: %s", type(error).__name__)
    answer = problem("the OpenID Connect provider does not answer", "UNAVAILABLE", retryable=True)
    return shown(answer, JSON, HTTPStatus.SERVICE_UNAVAILABLE, {**PRIVATE, "retry-after": "5"})
