"""The compiled path: a known document, parsed and validated once, becomes a plan from variables to
bytes beside graphql-core, which keeps everything that a plan does not cover."""
