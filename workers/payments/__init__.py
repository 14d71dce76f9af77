"""Payments: money coming in, by way of providers. The database decides; this package carries."""
