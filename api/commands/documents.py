"""`onhand documents`: the file of known documents, out of the files that a storefront's developers
write or their compiler made. Nothing is written unless the API would take all of it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from api.known_documents import FILE_LIMIT_BYTES, read
from infra.settings import SettingsError, current_settings
from schema.build import build
from schema.document_files import File, Made, Place, Wrong, as_sent, documents_of, hash_of
from schema.documents import Documents

ENDINGS = (".graphql", ".gql")
MANIFEST = ".json"
LEFT_OUT = "node_modules"
FILES_LIMIT = 10_000
SHOWN_LIMIT = 50
"""Lines that say what is wrong."""


class Listed(msgspec.Struct):
    id: str
    body: str


class Manifest(msgspec.Struct):
    """As `generate-persisted-query-manifest` of Apollo writes it; more in it is ignored."""

    operations: list[Listed]


MANIFEST_DECODER = msgspec.json.Decoder(Manifest)
TEXTS_DECODER = msgspec.json.Decoder(dict[str, str])


@click.command("documents")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("documents.json"),
    show_default=True,
    help="The file for ONHAND_DOCUMENTS.",
)
@click.option(
    "--typename",
    is_flag=True,
    help="Ask __typename of every object of a .graphql file, as Apollo's cache does.",
)
def documents_command(paths: tuple[Path, ...], output: Path, typename: bool) -> None:
    """Make the file that ONHAND_DOCUMENTS names, from .graphql and .gql files and folders of them.

    Each operation becomes a document with the fragments it uses, which may stand in any of the
    files. A .json file is taken as a manifest that Apollo's or graphql-codegen's compiler made. All
    is checked against the schema and the limits of these settings.
    """
    try:
        settings = current_settings()
        documents = Documents(build()._schema, settings.limits, not settings.is_production)
        documents.hides = False
        names = list(named(paths))
        made = documents_of(
            [File(str(path), text_of(path)) for path in names if path.suffix in ENDINGS],
            documents,
            with_typename=typename,
        )
        for path in names:
            if path.suffix not in ENDINGS:
                add_manifest(made, path, documents)
        refuse_wrong(made)
        write(output, made.texts)
    except (OSError, ValueError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    if made.unused:
        click.echo(f"used by no operation and left out: {', '.join(made.unused)}", err=True)
    click.echo(f"{len(made.texts)} documents are in {output}: ONHAND_DOCUMENTS={output.resolve()}")


def named(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Files in the order they were named, those of a folder by name; raises ValueError."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(files_in(path)) if path.is_dir() else [path]
        if not path.is_dir() and path.suffix not in (*ENDINGS, MANIFEST):
            raise ValueError(f"{path} does not end in {', '.join(ENDINGS)} or {MANIFEST}")
        found.update(dict.fromkeys(inside))
        if len(found) > FILES_LIMIT:
            raise ValueError(f"{path}: more than {FILES_LIMIT} files")
    yield from found


def files_in(folder: Path) -> Iterator[Path]:
    """Installed packages and hidden folders are somebody else's."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if one != LEFT_OUT and not one.startswith(".")]
        yield from (Path(parent, name) for name in names if Path(name).suffix in ENDINGS)


def text_of(path: Path) -> str:
    if path.stat().st_size > FILE_LIMIT_BYTES:
        raise ValueError(f"{path} has more than {FILE_LIMIT_BYTES} bytes")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error}") from None


def add_manifest(made: Made, path: Path, documents: Documents) -> None:
    """Texts as their compiler wrote them: a client sends the hash of that and of nothing else."""
    for key, text in listed(path):
        hashed = hash_of(text)
        if key.removeprefix("sha256:").lower() != hashed:
            message = f"{key[:80]!r} is not the SHA-256 of its text (set your compiler's to sha256)"
            made.wrong.append(Wrong(Place(str(path)), message))
            continue
        made.wrong.extend(as_sent(documents, text, Place(f"{path} {key[:16]}")))
        made.texts[hashed] = text


def listed(path: Path) -> list[tuple[str, str]]:
    text = text_of(path)
    try:
        return list(TEXTS_DECODER.decode(text).items())
    except msgspec.ValidationError:
        pass
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    try:
        return [(one.id, one.body) for one in MANIFEST_DECODER.decode(text).operations]
    except msgspec.MsgspecError as error:
        message = f"{path} is neither texts by hash nor Apollo's manifest: {error}"
        raise ValueError(message) from None


def refuse_wrong(made: Made) -> None:
    """Raises ValueError with a line for each thing that is wrong, or if there is nothing."""
    lines = [f"{at}: {message}" for at, message in made.wrong]
    if len(lines) > SHOWN_LIMIT:
        lines[SHOWN_LIMIT:] = [f"and {len(lines) - SHOWN_LIMIT} more"]
    if lines:
        raise ValueError("\n".join(["nothing is written:", *lines]))
    if not made.texts:
        raise ValueError("there is no operation in these files")


def write(output: Path, texts: dict[str, str]) -> None:
    """Whole or not at all; read back as the API will read it. By hash, so that an equal set is an
    equal file."""
    content = msgspec.json.encode({f"sha256:{key}": texts[key] for key in sorted(texts)})
    descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(content, indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        read(draft)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
