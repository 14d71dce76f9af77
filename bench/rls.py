"""What row-level security costs: the same query under policy and as owner without it.

    python bench/rls.py

1,000,000 profiles with settings and private details; medians of 200 runs on one connection.
"""

import json

import psycopg
from ground import guildhall_database, milliseconds, row

PEOPLE = 1_000_000
QUERIES = {
    "own settings": "select * from user_settings where user_id = %s",
    "own private details": "select * from profile_private where user_id = %s",
    "one profile by id": "select * from profiles where id = %s",
    "one profile by handle": "select * from profiles where handle = 'person_500000' and id <> %s",
    "page of 50 profiles": "select * from profiles where id > %s order by id limit 50",
}


def main() -> None:
    with guildhall_database() as url, psycopg.connect(url, autocommit=True) as db:
        _fill(db)
        (person,) = row(db, "select id from profiles where handle = 'person_500000'")
        claims = json.dumps({"sub": str(person), "role": "authenticated"})
        print(f"{'query':<24} {'no RLS ms':>10} {'RLS ms':>10} {'ratio':>7}")
        for name, query in QUERIES.items():
            expected = db.execute(query, [person]).fetchall()
            plain = milliseconds(lambda q=query: db.execute(q, [person]).fetchall())
            db.execute("select set_config('request.jwt.claims', %s, false)", [claims])
            db.execute("set role authenticated")
            assert db.execute(query, [person]).fetchall() == expected, name
            guarded = milliseconds(lambda q=query: db.execute(q, [person]).fetchall())
            db.execute("reset role")
            print(f"{name:<24} {plain:>10.3f} {guarded:>10.3f} {guarded / plain:>7.2f}")


def _fill(db: psycopg.Connection) -> None:
    db.execute("delete from auth.users")  # the demo people
    db.execute("set session_replication_role = replica")  # no triggers: the rows are written here
    db.execute(
        "insert into auth.users (id, aud, role, email)"
        " select gen_random_uuid(), 'authenticated', 'authenticated', n || '@example.com'"
        f" from generate_series(1, {PEOPLE}) as n"
    )
    db.execute(
        "insert into profiles (id, handle, display_name)"
        " select id, 'person_' || split_part(email, '@', 1), 'Person' from auth.users"
    )
    db.execute("insert into user_settings (user_id) select id from profiles")
    db.execute("insert into profile_private (user_id) select id from profiles")
    db.execute("insert into role_assignments (user_id, role) select id, 'creator' from profiles")
    db.execute("reset session_replication_role")
    db.execute("vacuum analyze")


if __name__ == "__main__":
    main()
