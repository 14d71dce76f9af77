-- Seals of bounded size that say whose accounts moved; a check of the whole that stays linear in
-- the number of seals and entries.
set lock_timeout = '5s';

-- what was sealed before is verified as it was sealed
alter table private.ledger_seals add column form bigint not null default 1;
alter table private.ledger_seals alter column form set default 2;
comment on column private.ledger_seals.form is
$$What of an entry is hashed. 1: account id, amount, balance, time. 2: also the account's kind,
currency, owner, subject and provider, which never change: money does not move by renaming whose
it is.$$;
-- squawk-ignore ban-drop-function
drop function private.hash_postings(bytea, int8multirange);
create function private.hash_postings(
    previous bytea, transaction_ids int8multirange, form bigint,
    out transaction_count bigint, out entry_count bigint, out hash bytea
)
language sql stable security definer set search_path = '' as $$
    select
        count(*),
        coalesce(sum(posting.entry_count), 0)::bigint,
        sha256(
            hash_postings.previous
            || convert_to(coalesce(string_agg(posting.line, e'\n' order by posting.id), ''), 'UTF8')
        )
    from (
        select
            moved.id,
            count(entry.account_id) as entry_count,
            jsonb_build_array(
                moved.id, moved.kind, moved.idempotency_key, encode(moved.input_hash, 'hex'),
                moved.subject_id, moved.memo, extract(epoch from moved.posted_at),
                jsonb_agg(
                    case hash_postings.form
                        when 1 then jsonb_build_array(
                            entry.account_id, entry.amount_minor, entry.balance_minor,
                            extract(epoch from entry.posted_at)
                        )
                        else jsonb_build_array(
                            entry.account_id, entry.amount_minor, entry.balance_minor,
                            extract(epoch from entry.posted_at), account.kind, account.currency,
                            account.owner_id, account.subject_id, account.provider
                        )
                    end order by entry.account_id, entry.amount_minor
                )
            )::text as line
        from public.ledger_transactions as moved
        left join public.ledger_entries as entry on moved.id = entry.transaction_id
        left join public.ledger_accounts as account on entry.account_id = account.id
        where moved.id >= lower(hash_postings.transaction_ids)
            and moved.id < upper(hash_postings.transaction_ids)
            and moved.id <@ hash_postings.transaction_ids
        group by moved.id
    ) as posting
$$;
comment on function private.hash_postings is
'SHA-256 over the previous seal and the named postings, in id order, in a seal''s form.';

-- Ids are drawn before they commit: a posting under way during a seal is taken by a later one.
create or replace function private.unsealed_ids() returns int8multirange
language sql stable security definer set search_path = '' as $$
    with recent as (
        -- a posting that took longer than a day to commit would be told by verify_ledger
        select
            coalesce(range_agg(seal.transaction_ids), '{}'::int8multirange) as ids,
            coalesce(min(lower(seal.transaction_ids)), 0) as first_id
        from private.ledger_seals as seal
        where seal.sealed_at > now() - interval '1 day' or seal.id = (
            select max(newest.id) from private.ledger_seals as newest
        )
    )
    select range_agg(int8range(unsealed.id, unsealed.id, '[]'))
    from (
        select moved.id
        from public.ledger_transactions as moved, recent
        where moved.id >= recent.first_id and not moved.id <@ recent.ids
        order by moved.id
        -- what one seal hashes is held in memory
        limit 100000
    ) as unsealed
$$;
comment on function private.unsealed_ids is
'Postings that no seal names yet, the hundred thousand oldest, or null.';

create or replace function private.seal_ledger() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_ids int8multirange;
    v_id bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger.seal', 0));
    v_ids := private.unsealed_ids();
    if v_ids is null then
        return null;
    end if;
    insert into private.ledger_seals (transaction_ids, transaction_count, entry_count, hash, form)
    select v_ids, made.transaction_count, made.entry_count, made.hash, 2
    from private.hash_postings(
        coalesce((select seal.hash from private.ledger_seals as seal order by seal.id desc limit 1), ''),
        v_ids, 2
    ) as made
    returning id into v_id;
    return v_id;
end;
$$;

create function private.seal_next() returns boolean
language plpgsql security definer set search_path = '' as $$
declare
    v_seal_id bigint := private.seal_ledger();
begin
    return exists (
        select from private.ledger_seals as made
        where made.id = v_seal_id and made.transaction_count = 100000
    );
end;
$$;
comment on function private.seal_next is
$$Seal what was posted since the last seal; true: the seal is full, more may be left.

Call it, a transaction each, until it says no: what is posted meanwhile is the next seal's.$$;

-- Also what foreign keys kept out before.
create or replace function private.verify_ledger()
returns table (finding text, subject text)
language sql stable security definer set search_path = '' as $$
    with chain as (
        select seal.*, coalesce(lag(seal.hash) over (order by seal.id), '') as previous
        from private.ledger_seals as seal
    )
    select 'seal broken', format('seal %s of %s', chain.id, chain.sealed_at)
    from chain
    cross join lateral private.hash_postings(
        chain.previous, chain.transaction_ids, chain.form
    ) as made
    where (made.hash, made.transaction_count, made.entry_count)
        is distinct from (chain.hash, chain.transaction_count, chain.entry_count)
    union all
    select 'sealed twice', format('transactions from %s', named.first_id)
    from (
        select
            lower(part.ids) as first_id,
            max(upper(part.ids)) over (
                order by lower(part.ids), seal.id
                rows between unbounded preceding and 1 preceding
            ) as end_id
        from private.ledger_seals as seal
        cross join lateral unnest(seal.transaction_ids) as part (ids)
    ) as named
    where named.first_id < named.end_id
    union all
    select 'never sealed', format('transaction %s', moved.id)
    from public.ledger_transactions as moved
    where moved.posted_at < now() - interval '1 day'
        and moved.id < (select max(lower(seal.transaction_ids)) from private.ledger_seals as seal)
        and not moved.id <@ (
            select range_agg(seal.transaction_ids) from private.ledger_seals as seal
        )
    union all
    select 'transaction unbalanced', format('transaction %s, %s', entry.transaction_id, account.currency)
    from public.ledger_entries as entry
    left join public.ledger_accounts as account on account.id = entry.account_id
    group by entry.transaction_id, account.currency
    having sum(entry.amount_minor) <> 0
    union all
    select 'entry of no account', format('transaction %s', entry.transaction_id)
    from public.ledger_entries as entry
    where not exists (
        select from public.ledger_accounts as account where account.id = entry.account_id
    )
    union all
    select 'entry of no transaction', format('account %s', entry.account_id)
    from public.ledger_entries as entry
    where not exists (
        select from public.ledger_transactions as moved where moved.id = entry.transaction_id
    )
    union all
    select 'transaction empty', format('transaction %s', moved.id)
    from public.ledger_transactions as moved
    where not exists (
        select from public.ledger_entries as entry where entry.transaction_id = moved.id
    )
    union all
    select 'balance differs from its entries', format('account %s', account.id)
    from public.ledger_accounts as account
    left join public.ledger_entries as entry on account.id = entry.account_id
    group by account.id
    having private.account_balance(account.id) <> coalesce(sum(entry.amount_minor), 0)
    union all
    select 'reserved differs from its reservations', format('account %s', account.id)
    from public.ledger_accounts as account
    left join public.ledger_reservations as held
        on held.account_id = account.id and held.status = 'pending'
    group by account.id
    having account.reserved_minor <> coalesce(sum(held.amount_minor), 0)
$$;
comment on function private.verify_ledger is
'Everything that must hold of the ledger and does not: no row means that it is whole.';
