"""Offline stand-ins for the payment providers: their own HTTP APIs and signed webhooks."""
