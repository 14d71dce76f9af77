"""The query language: text in, syntax trees out; nothing here knows the database."""
