"""Postgres 17 as a child process, and the official CLI that migrates it."""
