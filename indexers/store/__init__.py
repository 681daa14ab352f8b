"""The index on disk: SQLite with page checksums is the source of truth, vectors lie in immutable segments."""
