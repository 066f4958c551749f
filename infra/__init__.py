"""The outside world: settings, clock, database, ledger store, bus, cache and embedded servers."""
