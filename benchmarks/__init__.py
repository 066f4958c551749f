"""What Onhand does per second, measured beside rivals in the same run: `python -m benchmarks`."""
