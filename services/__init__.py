"""Use cases: one function a verb, the same for GraphQL, REST, webhooks and schedulers."""
