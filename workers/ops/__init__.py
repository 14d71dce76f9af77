"""Ops: what keeps the queue itself healthy."""
