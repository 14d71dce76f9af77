"""Who follows which changes."""


class SubscriptionRefused(Exception):
    """A subscription that cannot be; the message is what the client reads."""
