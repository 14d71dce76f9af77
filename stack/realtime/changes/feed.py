"""The feed of changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from stack.core.callers import Caller
from stack.core.database import Database
from stack.realtime.changes.subscriptions import SubscriptionRefused


class ChangesFeed:
    """Refuses every subscription for now."""

    SUBSCRIBED = "Subscribed to PostgreSQL"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def subscribe(
        self, subscriber: object, caller: Caller, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        """Errors: SubscriptionRefused."""
        raise SubscriptionRefused("Changes of tables are not served yet")

    def unsubscribe(self, subscriber: object) -> None: ...
