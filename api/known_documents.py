"""The documents that a shop knows, by their SHA-256: clients send the hash instead of the text, and
where only known documents are taken, nobody else's questions are even parsed.

Identified as the GraphQL-over-HTTP draft has it (`documentId`, `sha256:` before the hash), or as
Apollo's clients do (`extensions.persistedQuery.sha256Hash`).
"""

import re
from hashlib import sha256
from pathlib import Path

import msgspec

from infra.settings import Settings, SettingsError

PREFIX = "sha256:"
HASH = re.compile(r"[0-9a-f]{64}")
FILE_LIMIT_BYTES = 16 * 1024 * 1024
FILE = msgspec.json.Decoder(dict[str, str])


class Persisted(msgspec.Struct):
    sha256_hash: str | None = msgspec.field(default=None, name="sha256Hash")


class Extensions(msgspec.Struct):
    """What else a request says; all but this is ignored."""

    persisted: Persisted | None = msgspec.field(default=None, name="persistedQuery")


class KnownDocuments:
    """`texts` by hash. `is_only`: no other text is taken."""

    def __init__(self, texts: dict[str, str] | None = None, is_only: bool = False) -> None:
        self.texts = texts or {}
        self.is_only = is_only
        self.known = frozenset(self.texts.values())

    def text(self, identifier: str) -> str | None:
        return self.texts.get(identifier.removeprefix(PREFIX).lower())

    def takes(self, text: str) -> bool:
        return not self.is_only or text in self.known


def known_documents(settings: Settings) -> KnownDocuments:
    """Read once at the start. Raises SettingsError."""
    path = settings.documents
    if not path:
        if settings.documents_only == "on":
            raise SettingsError("ONHAND_DOCUMENTS_ONLY needs the file ONHAND_DOCUMENTS")
        return KnownDocuments()
    try:
        return KnownDocuments(read(Path(path)), settings.documents_only == "on")
    except (OSError, ValueError) as error:
        raise SettingsError(f"ONHAND_DOCUMENTS cannot be used: {error}") from None


def read(path: Path) -> dict[str, str]:
    if path.stat().st_size > FILE_LIMIT_BYTES:
        raise ValueError(f"{path} has more than {FILE_LIMIT_BYTES} bytes")
    try:
        given = FILE.decode(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no JSON object of texts by hash: {error}") from None
    texts = {key.removeprefix(PREFIX).lower(): text for key, text in given.items()}
    for key, text in texts.items():
        if not HASH.fullmatch(key) or sha256(text.encode()).hexdigest() != key:
            raise ValueError(f"{path}: {key[:80]!r} is not the SHA-256 of its text")
    return texts


def identifier_of(document_id: str | None, extensions: Extensions | None) -> str | None:
    if document_id is not None:
        return document_id
    persisted = extensions.persisted if extensions else None
    return persisted.sha256_hash if persisted else None
