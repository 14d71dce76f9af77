"""Escrow: what time does to it. Everything else happens in SQL."""
