"""Identity: what must leave the database when people go."""
