"""Subscriptions: what people pay every month, and what it opens for them."""
