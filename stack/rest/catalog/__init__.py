"""The database's shape, read once and looked up by name: no request pays for its size."""
