"""What must leave the database: tasks and the domain code that `api/` shares."""
