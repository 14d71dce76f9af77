"""Lets hours pass on a stack of this machine: `python examples/clock.py 24`, for the demo.

What waits for time (sessions, settlements, holds of new accounts) is moved back by so much. It
writes as the database's owner, past all guards, so it refuses any database that is not local.
"""

import os
import sys

import psycopg
from psycopg.conninfo import conninfo_to_dict

LOCAL = {"127.0.0.1", "localhost", "::1"}
WAITING = """
    set local session_replication_role = replica;
    update public.bookings set
        starts_at = starts_at - passed.by, ends_at = ends_at - passed.by,
        completes_at = completes_at - passed.by, completed_at = completed_at - passed.by,
        settles_at = settles_at - passed.by
    from (select make_interval(hours => {hours}) as by) as passed
    where closed_at is null;
    update public.connected_accounts set changed_at = changed_at - make_interval(hours => {hours});
"""


def main() -> None:
    """Move the clock, or say why not."""
    url, hours = os.environ["DATABASE_URL"], int(sys.argv[1])
    if conninfo_to_dict(url).get("host") not in LOCAL:
        sys.exit("the clock moves on a database of this machine only")
    with psycopg.connect(url) as db:
        db.execute(WAITING.format(hours=hours).encode())


if __name__ == "__main__":
    main()
