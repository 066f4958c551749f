"""The house rules as functions: source text in, complaints out.

A rule yields (line, message). `# tidy: allow <rule>: reason` on the line it complains about, or
anywhere in the file for a rule about the whole file, makes an exception.
"""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.house import (
    ALLOWANCE,
    CALLS,
    DOCSTRING_LIMIT,
    DOMAIN_FUNCTION_LIMIT,
    FILE_LIMIT,
    FORBIDDEN_FILES,
    FUNCTION_LIMIT,
    HOMES,
    LAYERS,
    LINE_LIMIT,
    LONG_DOCSTRINGS,
    MODULES,
    NESTING_LIMIT,
    UNFINISHED,
    WHOLE_FILE,
)

NAMELESS = (ast.expr_context, ast.Constant, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)
Complaints = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Source:
    """One file: its path from the root of the repository, and its text."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """What `ast.walk` finds, less what has no name: loads, stores and constants."""
        found: list[ast.AST] = [self.tree]
        for node in found:
            values = (getattr(node, name, None) for name in node._fields)
            listed = (value if type(value) is list else (value,) for value in values)
            found += [c for cs in listed for c in cs if isinstance(c, ast.AST) and has_name(c)]
        return found

    @cached_property
    def names(self) -> list[tuple[int, str]]:
        """What nodes call things by: `b.c` of a.b.c, what they import by name, what they call."""
        found: list[tuple[int, str]] = []
        for node in self.nodes:
            match node:
                case ast.Attribute(value=ast.Name(id=left), attr=right):
                    found.append((node.lineno, f"{left}.{right}"))
                case ast.Attribute(value=ast.Attribute(attr=left), attr=right):
                    found.append((node.lineno, f"{left}.{right}"))
                case ast.ImportFrom(module=module):
                    found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
                case ast.Call(func=ast.Name(id=name)):
                    found.append((node.lineno, name))
        return found

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        if not ALLOWANCE.search(self.text):
            return []
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT]

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in self.nodes if isinstance(node, FUNCTIONS)]

    @property
    def layer(self) -> str:
        return self.path.split("/")[0]

    @property
    def is_production(self) -> bool:
        return self.layer in LAYERS

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name.split(".")[0]) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found.append((node.lineno, (node.module or "").split(".")[0]))
        return found


def has_name(node: ast.AST) -> bool:
    return not isinstance(node, NAMELESS)


def line_length(source: Source) -> Complaints:
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_LIMIT:
            yield number, f"{len(line)} characters"


def file_length(source: Source) -> Complaints:
    if len(source.lines) > FILE_LIMIT:
        yield 1, f"{len(source.lines)} lines: split the feature, in every layer alike"


def function_length(source: Source) -> Complaints:
    limit = DOMAIN_FUNCTION_LIMIT if source.layer == "domain" else FUNCTION_LIMIT
    for node in source.functions:
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > limit:
            yield node.lineno, f"{node.name} has {length} lines, {limit} are allowed"


def nesting(source: Source) -> Complaints:
    for node in source.functions:
        for block, depth in blocks(node, 0):
            if depth == NESTING_LIMIT + 1:
                yield block.lineno, f"{node.name} is nested {depth} deep"


def blocks(parent: ast.AST, depth: int) -> Iterator[tuple[ast.stmt, int]]:
    """Statements that open a block, with their depth; `elif` is as deep as its `if`."""
    for field in ("body", "orelse", "handlers", "finalbody", "cases"):
        children = getattr(parent, field, [])
        is_elif = field == "orelse" and isinstance(parent, ast.If) and len(children) == 1
        for child in children:
            if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                continue
            if isinstance(child, BLOCKS) and not (is_elif and isinstance(child, ast.If)):
                yield child, depth + 1
                yield from blocks(child, depth + 1)
            else:
                yield from blocks(child, depth)


def late_import(source: Source) -> Complaints:
    spans = [range(node.lineno, (node.end_lineno or 0) + 1) for node in source.functions]
    for line in sorted({line for line, _ in source.imports}):
        if any(line in span for span in spans):
            yield line, "a function imports"


def layer(source: Source) -> Complaints:
    if not source.is_production:
        return
    allowed = LAYERS[source.layer] | {source.layer}
    for line, module in source.imports:
        if module in LAYERS and module not in allowed:
            yield line, f"{source.layer} may not import {module}"


def module(source: Source) -> Complaints:
    if not source.is_production:
        return
    for line, name in source.imports:
        if name in LAYERS:
            continue
        if name in sys.stdlib_module_names:
            if source.layer == "domain" and name == "asyncio":
                yield line, "domain is not async"
        elif source.layer == "domain":
            yield line, f"domain is standard library only, not {name}"
        elif not source.path.startswith(MODULES.get(name, ("nowhere",))):
            yield line, f"{name} belongs in {' '.join(MODULES.get(name, ('no layer',)))}"


def home(source: Source, rule: str) -> Complaints:
    if not source.is_production or source.path == HOMES[rule]:
        return
    for line, name in source.names:
        if CALLS.get(name) == rule:
            yield line, f"{name} belongs in {HOMES[rule]}"


def clock(source: Source) -> Complaints:
    return home(source, "clock")


def ids(source: Source) -> Complaints:
    return home(source, "ids")


def environ(source: Source) -> Complaints:
    return home(source, "environ")


def printing(source: Source) -> Complaints:
    return home(source, "print")


def chance(source: Source) -> Complaints:
    for line, name in source.imports:
        if name == "random" and source.is_production:
            yield line, "chance belongs nowhere in production"


def docstring(source: Source) -> Complaints:
    text = ast.get_docstring(source.tree)
    if not source.text.strip():
        return
    if text is None:
        yield 1, "the file does not say what it owns"
    elif len(text.splitlines()) > DOCSTRING_LIMIT and source.path not in LONG_DOCSTRINGS:
        yield 1, f"the docstring has {len(text.splitlines())} lines, not 1 to {DOCSTRING_LIMIT}"


def file_name(source: Source) -> Complaints:
    if source.path.rsplit("/")[-1] in FORBIDDEN_FILES:
        yield 1, "this name says nothing"


def unfinished(source: Source) -> Complaints:
    if source.layer == "tests":
        return
    for number, line in enumerate(source.lines, 1):
        if match := UNFINISHED.search(line):
            yield number, f"unfinished: {match.group()}"


def broad_except(source: Source) -> Complaints:
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught in ("everything", "Exception", "BaseException"):
                yield node.lineno, f"catches {caught} outside a named loop"


RULES = {
    "line-length": line_length,
    "file-length": file_length,
    "function-length": function_length,
    "nesting": nesting,
    "late-import": late_import,
    "layer": layer,
    "module": module,
    "clock": clock,
    "ids": ids,
    "environ": environ,
    "random": chance,
    "print": printing,
    "docstring": docstring,
    "file-name": file_name,
    "unfinished": unfinished,
    "broad-except": broad_except,
}


def complaints(source: Source) -> list[str]:
    """What is wrong with a file, after its named exceptions; an exception nobody needs is wrong."""
    allowed = {
        (match[1], 0 if match[1] in WHOLE_FILE else number)
        for number, comment in source.comments
        if (match := ALLOWANCE.search(comment))
    }
    found = []
    needed = set()
    for rule, check in RULES.items():
        for line, message in check(source):
            place = (rule, 0 if rule in WHOLE_FILE else line)
            needed.add(place)
            if place not in allowed:
                found.append(f"{source.path}:{line}: {rule}: {message}")
    for rule, line in sorted(allowed - needed):
        found.append(f"{source.path}:{line}: the exception from {rule} is not needed")
    return found
