"""Settling due bookings: set-based by 1, 2 and 4 workers, beside one by one, in the same run.

    python bench/settlement.py [bookings]

Default Postgres settings, fsync on. 100,000 bookings of 1,000 hosts and 1,000 guests are due, a
third of them not rated, a tenth with a penalty that goes back to the guest. Each worker is a
process with one connection and asks until nothing is due. One by one: the same function with
batches of one; and a loop over 500 in one transaction, a posting and an update for each, as it
would be written without private.post_transactions. The last column is how often as fast as that.
"""

import multiprocessing
import sys
import time

import psycopg
from ground import guildhall_database, row

WORKERS = (1, 2, 4)
PEOPLE = 2000

# what the set-based one does, row by row: the posting, the booking, its event and its broadcasts
LOOP = """
create function bench_settle(batch_size integer) returns integer
language plpgsql as $$
declare
    v_due record;
    v_part record;
    v_count integer := 0;
begin
    for v_due in
        select * from public.bookings
        where status in ('completed', 'no_show') and settles_at <= now()
            and frozen_at is null and not is_stuck
        order by settles_at limit batch_size for no key update skip locked
    loop
        select * into strict v_part from private.divide_bookings(
            array[v_due.id], array[0], array['released'], array['settled']
        );
        perform private.post_transaction(
            'booking:' || v_due.id || ':close', 'bookings.settle',
            array_agg(line.account_id), array_agg(line.minor), v_due.id, v_part.memo
        )
        from (
            values
                (
                    private.ledger_account('escrow', v_due.currency, subject_id => v_due.id),
                    -v_due.remaining_minor
                ),
                (
                    private.ledger_account('available', v_due.currency, owner_id => v_due.host_id),
                    v_part.host_minor
                ),
                (
                    private.ledger_account('available', v_due.currency, owner_id => v_due.guest_id),
                    v_part.guest_minor
                ),
                (private.ledger_account('fees', v_due.currency), v_part.platform_minor)
        ) as line (account_id, minor)
        where line.minor <> 0;
        update public.bookings
        set status = 'released', status_reason = 'settled', remaining_minor = 0,
            refunded_minor = v_part.guest_minor, host_minor = v_part.host_minor,
            released_minor = v_part.host_minor + v_part.platform_minor,
            penalty_minor = v_part.penalty_minor, band = v_part.band, closed_at = now()
        where id = v_due.id;
        if v_part.guest_minor > 0 then
            perform private.request_refund(
                v_due.provider, v_due.payment_reference, v_part.guest_minor,
                'booking:' || v_due.id || ':refund', 'settled'
            );
        end if;
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$
"""
# what is to go back must have come: payments of those whose guests get the penalty
PAYMENTS = """
with paid as (
    insert into public.orders (
        payer_id, purpose, amount_minor, currency, status, provider, provider_reference, paid_at,
        booking_id
    )
    select
        guest_id, 'x', total_minor, currency, 'paid', provider, payment_reference, now(), id
    from public.bookings where status = 'completed' and policy_version = 2
    returning *
)
insert into public.payments
(order_id, payer_id, provider, reference, amount_minor, currency, applied_minor)
select id, payer_id, provider, provider_reference, amount_minor, currency, amount_minor from paid
"""
SCENES = {
    "a loop in one transaction, 500": "select bench_settle(500)",
    "batches of one": "select private.settle_due_bookings(1)",
    "set-based, batches of 500": "select private.settle_due_bookings(500)",
}


def main() -> None:
    bookings = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with guildhall_database() as url:
        hosts, guests = _people(url)
        print(f"{'':<32}" + "".join(f"{head:>11}" for head in ("workers", "seconds", "per s", "×")))
        base: float | None = None
        for name, query in SCENES.items():
            # one by one takes long: a part of it tells its rate
            count = bookings if name.startswith("set") else max(1, bookings // 10)
            for workers in WORKERS:
                _due(url, hosts, guests, count)
                seconds = _run(url, query, workers)
                rate = count / seconds
                base = base or rate
                print(
                    f"{name:<32}{workers:>11}{seconds:>11.1f}{rate:>11.0f}{rate / base:>11.2f}",
                    flush=True,
                )
        with psycopg.connect(url) as db:
            findings = "private.check_bookings() union all select * from private.verify_ledger()"
            print("findings:", db.execute(f"select * from {findings}".encode()).fetchall())
            print(
                "bookings:",
                db.execute("select status, count(*) from bookings group by 1").fetchall(),
            )


def _people(url: str) -> tuple[list[object], list[object]]:
    with psycopg.connect(url) as db:
        db.execute(LOOP)
        db.execute(
            "insert into auth.users (id, aud, role) select gen_random_uuid(), 'authenticated',"
            f" 'authenticated' from generate_series(1, {PEOPLE})"
        )
        people = [
            found for (found,) in db.execute(f"select id from profiles order by id limit {PEOPLE}")
        ]
        db.execute(
            "insert into booking_offers (host_id, title, duration_minutes, price_minor, currency)"
            " select unnest(%s::uuid[]), 'A lesson', 60, 10000, 'EUR'",
            [people[::2]],
        )
        db.execute("create sequence bench_number")
        # the second version: a penalty that goes back to its guest
        db.execute("insert into settlement_policies (version) values (2)")
        db.execute(
            "insert into settlement_bands values (2, 'satisfied', 3, 5, 9000, 0, 'guest'),"
            " (2, 'unsatisfied', 1, 2, 9000, 3000, 'guest')"
        )
    return people[::2], people[1::2]


def _due(url: str, hosts: list[object], guests: list[object], count: int) -> None:
    """So many bookings more, paid by postings as any other, completed, their hold over."""
    with psycopg.connect(url) as db:
        # made as they are after all their steps; the guards would ask for each of these
        db.execute("alter table bookings disable trigger user")
        db.execute(
            "with made as materialized ("
            " select gen_random_uuid() as id, nextval('bench_number') as n"
            " from generate_series(1, %(count)s)"
            ") insert into bookings (id, offer_id, host_id, guest_id, title, currency, starts_at,"
            " ends_at, expires_at, completes_at, total_minor, remaining_minor, policy_version,"
            " status, rating, completed_at, settles_at, provider, payment_reference, funded_at)"
            " select made.id, offer.id, offer.host_id, (%(guests)s::uuid[])[1 + n %% 1000], 'x',"
            " 'EUR', now() - n * interval '1 h', now() - n * interval '1 h' + interval '30 min',"
            " now(), now(), 10000, 10000, 1 + (n %% 10 = 1)::int, 'completed',"
            " case when n %% 10 = 1 then 1 when n %% 3 > 0 then 1 + n %% 5 end,"
            " now(), now() - (n %% 5000) * interval '1 s', 'razorpay', 'pay_' || n, now()"
            " from made join booking_offers as offer"
            " on offer.host_id = (%(hosts)s::uuid[])[1 + n %% 1000]",
            {"count": count, "guests": guests, "hosts": hosts},
        )
        db.execute("alter table bookings enable trigger user")
        db.execute(
            "insert into ledger_accounts (kind, currency, subject_id)"
            " select 'escrow', 'EUR', id from bookings where status = 'completed'"
        )
        (clearing,) = row(
            db, "select private.ledger_account('clearing', 'EUR', provider => 'razorpay')"
        )
        for _ in range(0, count, 5000):
            db.execute(
                "select private.post_transactions(array_agg('booking:' || due.id || ':fund'),"
                " array_agg('bookings.fund'::text), array_agg(due.id), array_agg('paid'::text),"
                " array_agg(due.n) || array_agg(due.n), array_agg(due.account_id) ||"
                " array_agg(%(clearing)s::bigint), array_agg(10000::bigint) ||"
                " array_agg(-10000::bigint)) from (select booking.id, account.id as account_id,"
                "  row_number() over () as n from bookings as booking"
                "  join ledger_accounts as account"
                "  on account.subject_id = booking.id and account.owner_id is null"
                "  and account.kind = 'escrow' where booking.status = 'completed'"
                "  and account.posted_minor = 0 limit 5000) as due",
                {"clearing": clearing},
            )
        db.execute(
            "insert into booking_events (booking_id, to_status)"
            " select id, 'completed' from bookings where status = 'completed'"
        )
        db.execute(PAYMENTS)
        db.execute("select private.fold_balances()")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("vacuum analyze")


def _worker(url: str, query: str) -> int:
    done = 0
    with psycopg.connect(url, autocommit=True) as db:
        while taken := int(str(row(db, query)[0])):
            done += taken
    return done


def _run(url: str, query: str, workers: int) -> float:
    with multiprocessing.Pool(workers) as pool:
        pool.starmap(_worker, [(url, "select 0")] * workers)
        begun = time.perf_counter()
        pool.starmap(_worker, [(url, query)] * workers)
        return time.perf_counter() - begun


if __name__ == "__main__":
    main()
