"""The owners: each cell's stock is decided by one Ray actor at a time. Ray lives here only."""
