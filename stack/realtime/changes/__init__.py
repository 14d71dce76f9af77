"""Changes of tables, to whoever subscribed and may see them."""

from stack.realtime.changes.feed import ChangesFeed
from stack.realtime.changes.subscriptions import SubscriptionRefused

__all__ = ["ChangesFeed", "SubscriptionRefused"]
