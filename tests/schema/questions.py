"""A question for every root field of the schema, made of its types: the arguments that it must
have, texts that are `word`, and of an answer only what kind it is."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
)

from schema.build import build

ID = "00000000-0000-4000-8000-000000000001"
AT = "2031-01-01T12:00:00Z"
VALUES: dict[str, Any] = {
    "ID": ID,
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": AT,
}
"""Of scalars; of any other it is the word."""
SCHEMA = build()._schema
ROOTS: dict[str, GraphQLObjectType] = {
    kind: root
    for kind, root in (
        ("query", SCHEMA.query_type),
        ("mutation", SCHEMA.mutation_type),
        ("subscription", SCHEMA.subscription_type),
    )
    if root is not None
}
FIELDS = {
    (kind, name): field for kind, root in ROOTS.items() for name, field in root.fields.items()
}


def question(kind: str, name: str, **words: Any) -> tuple[str, dict[str, Any]]:
    """A document and its variables. `words` are values for arguments and input fields by name,
    whether they must be given or not."""
    field = FIELDS[kind, name]
    given = {
        argument: value
        for argument, declared in field.args.items()
        if (value := value_of(argument, declared.type, words)) is not None
    }
    declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in given)
    passed = ", ".join(f"{argument}: ${argument}" for argument in given)
    head = f"{kind} ({declared}) {{ {name}({passed})" if given else f"{kind} {{ {name}"
    return f"{head} {shown(field)} }}", given


def shown(field: GraphQLField) -> str:
    answer = get_named_type(field.type)
    if isinstance(answer, GraphQLUnionType):
        return "{ __typename ... on Refusal { code message } }"
    if answer.name == "RowResult":
        return "{ refusal { code message } }"
    return "{ __typename }" if isinstance(answer, GraphQLObjectType) else ""


def value_of(name: str, declared: GraphQLInputType, words: dict[str, Any]) -> Any:
    """None: it is left out."""
    is_needed = isinstance(declared, GraphQLNonNull)
    if isinstance(declared, GraphQLNonNull):
        declared = declared.of_type
    if isinstance(declared, GraphQLList):
        inner = declared.of_type
        needed = inner if isinstance(inner, GraphQLNonNull) else GraphQLNonNull(inner)
        value = value_of(name, needed, words)
        return [value] if is_needed and value is not None else None
    if isinstance(declared, GraphQLInputObjectType):
        return inputs(declared, words) if is_needed else None
    if name in words:
        return words[name]
    if not is_needed:
        return None
    if isinstance(declared, GraphQLEnumType):
        return next(iter(declared.values))
    assert isinstance(declared, GraphQLScalarType)
    return VALUES.get(declared.name, "word")


def inputs(declared: GraphQLInputObjectType, words: dict[str, Any]) -> dict[str, Any]:
    given = {name: value_of(name, field.type, words) for name, field in declared.fields.items()}
    return {name: value for name, value in given.items() if value is not None}
