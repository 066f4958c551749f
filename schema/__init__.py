"""The public GraphQL schema: types, queries, mutations, subscriptions."""
