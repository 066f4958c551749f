"""One file per command of `onhand`."""
