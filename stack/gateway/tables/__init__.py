"""The table view: schemas, tables and rows as any role sees them. It reads, and cannot write."""

from stack.gateway.tables.page import TablesPage

__all__ = ["TablesPage"]
