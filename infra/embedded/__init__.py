"""PostgreSQL, NATS and Redis as child processes, for a machine that has none of them."""
