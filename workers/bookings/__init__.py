"""Bookings: what time does to them. Everything else happens in SQL."""
