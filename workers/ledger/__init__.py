"""Ledger: housekeeping. Money itself moves only in SQL."""
