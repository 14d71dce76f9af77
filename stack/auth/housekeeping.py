"""Forgets what was begun and never finished, a little with every new beginning."""

from stack.core.database import Connection


async def forget_abandoned(db: Connection) -> None:
    """Delete flows and challenges of the day before, at most a hundred of a kind."""
    await db.execute(
        "with flows as ("
        " delete from auth.flow_state where id in ("
        "   select id from auth.flow_state where created_at < now() - interval '1 day'"
        "   order by created_at limit 100 for update skip locked)"
        "), states as ("
        " delete from auth.oauth_client_states where id in ("
        "   select id from auth.oauth_client_states where created_at < now() - interval '1 day'"
        "   order by created_at limit 100 for update skip locked)"
        ") delete from auth.mfa_challenges where id in ("
        "   select id from auth.mfa_challenges where created_at < now() - interval '1 day'"
        "   order by created_at limit 100 for update skip locked)"
    )
