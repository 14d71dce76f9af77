-- What the ledger tells: balances now and then, statements, reservations, folds and seals.
set lock_timeout = '5s';

-- Reservations: part of a balance held back until it is posted, voided or expires.
create table public.ledger_reservations (
    id uuid not null default gen_random_uuid(),
    account_id bigint not null,
    amount_minor bigint not null,
    status text not null default 'pending',
    idempotency_key text not null,
    input_hash bytea not null,
    subject_id uuid,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint ledger_reservations_pkey primary key (id),
    constraint ledger_reservations_account_id_fkey foreign key (account_id)
    references public.ledger_accounts on delete restrict,
    constraint ledger_reservations_idempotency_key_key unique (idempotency_key),
    constraint ledger_reservations_amount_minor_check check (amount_minor > 0),
    constraint ledger_reservations_status_check
    check (status in ('pending', 'posted', 'voided', 'expired')),
    constraint ledger_reservations_closed_at_check
    check ((status = 'pending') = (closed_at is null))
);
alter table public.ledger_reservations enable row level security;
create index ledger_reservations_account_id_created_at_idx
on public.ledger_reservations (account_id, created_at);
create index ledger_reservations_expires_at_idx on public.ledger_reservations (expires_at)
where status = 'pending';
comment on table public.ledger_reservations is
'Money held back from its owner: pending, then posted, voided or expired.';

create function private.reserve(
    key text, account_id bigint, amount_minor bigint,
    subject_id uuid default null, expires_at timestamptz default null
) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_hash bytea;
    v_known public.ledger_reservations;
    v_account public.ledger_accounts;
begin
    if coalesce(reserve.amount_minor, 0) <= 0 then
        perform private.reject('ledger.invalid_amount', 'amount_minor');
    end if;
    v_hash := sha256(convert_to(concat_ws(
        '|', reserve.account_id, reserve.amount_minor, reserve.subject_id
    ), 'UTF8'));
    select account.* into v_account from public.ledger_accounts as account
    where account.id = reserve.account_id and not account.is_folded
    for no key update;
    if not found then
        perform private.reject('ledger.account_not_found');
    end if;
    insert into public.ledger_reservations
        (account_id, amount_minor, idempotency_key, input_hash, subject_id, expires_at)
    values (
        reserve.account_id, reserve.amount_minor, reserve.key, v_hash, reserve.subject_id,
        reserve.expires_at
    )
    on conflict on constraint ledger_reservations_idempotency_key_key do nothing
    returning * into v_known;
    if not found then
        select held.* into strict v_known from public.ledger_reservations as held
        where held.idempotency_key = reserve.key;
        if v_known.input_hash <> v_hash then
            perform private.reject('ledger.key_reused', reserve.key);
        end if;
        return v_known.id;
    end if;
    -- never into the floor: what may be owed back is not there to be reserved
    if v_account.posted_minor - v_account.reserved_minor < reserve.amount_minor then
        perform private.reject('ledger.insufficient_funds');
    end if;
    update public.ledger_accounts as account
    set reserved_minor = account.reserved_minor + reserve.amount_minor
    where account.id = reserve.account_id;
    return v_known.id;
end;
$$;
comment on function private.reserve is
$$Hold back part of a balance, checked under the account's lock. Safe to repeat under its key.

Returns the reservation's id. Errors: ledger.invalid_amount (422),
ledger.account_not_found (404), ledger.insufficient_funds (409), ledger.key_reused (409).$$;

create function private.close_reservation(reservation_id uuid, status text)
returns public.ledger_reservations
language plpgsql security definer set search_path = '' as $$
declare
    v_held public.ledger_reservations;
begin
    -- the account first, as everywhere: the lock order of all money functions
    perform from public.ledger_accounts as account
    where account.id = (
        select held.account_id from public.ledger_reservations as held
        where held.id = close_reservation.reservation_id
    )
    for no key update;
    select held.* into v_held from public.ledger_reservations as held
    where held.id = close_reservation.reservation_id
    for update;
    if not found then
        perform private.reject('ledger.reservation_not_found');
    end if;
    if v_held.status = close_reservation.status then
        return v_held;
    end if;
    if v_held.status <> 'pending' then
        perform private.reject('ledger.reservation_closed', v_held.status);
    end if;
    update public.ledger_accounts as account
    set reserved_minor = account.reserved_minor - v_held.amount_minor
    where account.id = v_held.account_id;
    update public.ledger_reservations as held
    set status = close_reservation.status, closed_at = now()
    where held.id = v_held.id
    returning held.* into v_held;
    return v_held;
end;
$$;
comment on function private.close_reservation is
$$End a reservation as posted, voided or expired; the same end twice changes nothing.

Errors: ledger.reservation_not_found (404), ledger.reservation_closed (409).$$;

create function private.post_reservation(
    reservation_id uuid, key text, kind text, to_account_id bigint, memo text default ''
) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_held public.ledger_reservations;
begin
    -- both accounts in id order, before anything else is locked
    perform from public.ledger_accounts as account
    where account.id in (
        select held.account_id from public.ledger_reservations as held
        where held.id = post_reservation.reservation_id
        union all select post_reservation.to_account_id
    ) and not account.is_folded
    order by account.id
    for no key update;
    v_held := private.close_reservation(post_reservation.reservation_id, 'posted');
    return private.post_transaction(
        key => post_reservation.key,
        kind => post_reservation.kind,
        accounts => array[v_held.account_id, post_reservation.to_account_id],
        amounts => array[-v_held.amount_minor, v_held.amount_minor],
        subject_id => v_held.subject_id,
        memo => post_reservation.memo
    );
end;
$$;
comment on function private.post_reservation is
'Move what was held back to another account, whole. Safe to repeat under its key.';

create function private.expire_reservations() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_id uuid;
    v_count bigint := 0;
begin
    for v_id in
        select held.id from public.ledger_reservations as held
        where held.status = 'pending' and held.expires_at <= now()
        order by held.account_id, held.id
        limit 1000
    loop
        begin
            perform private.close_reservation(v_id, 'expired');
            v_count := v_count + 1;
        exception when sqlstate 'PGRST' then
            null;  -- somebody posted or voided it just now
        end;
    end loop;
    return v_count;
end;
$$;
comment on function private.expire_reservations is
'Give back what was held until now, a thousand at a time; how many there were.';

create function private.account_balance(account_id bigint) returns bigint
language sql stable security definer set search_path = '' as $$
    select case
        when not account.is_folded then account.posted_minor
        else coalesce((
            select fold.balance_minor from private.ledger_folds as fold
            where fold.account_id = account.id
        ), 0) + (
            select coalesce(sum(unfolded.amount_minor), 0)::bigint
            from private.ledger_unfolded as unfolded
            where unfolded.account_id = account.id
        )
    end
    from public.ledger_accounts as account
    where account.id = account_balance.account_id
$$;
comment on function private.account_balance is 'What an account holds now, in minor units.';

create function private.fold_balances() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_count bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger.fold', 0));
    -- one snapshot: a row is either still in the queue or in the fold, for every reader
    with taken as (
        delete from private.ledger_unfolded as unfolded
        returning unfolded.account_id, unfolded.amount_minor
    ),
    folded as (
        insert into private.ledger_folds as fold (account_id, balance_minor)
        select taken.account_id, sum(taken.amount_minor)::bigint
        from taken
        group by taken.account_id
        on conflict on constraint ledger_folds_pkey do update
        set balance_minor = fold.balance_minor + excluded.balance_minor, folded_at = now()
    )
    select count(*) into v_count from taken;
    return v_count;
end;
$$;
comment on function private.fold_balances is
'Fold in what was posted to folded accounts since the last time; how many amounts that were.';

create function private.balance_at(account_id bigint, moment timestamptz) returns bigint
language sql stable security definer set search_path = '' as $$
    select case
        when account.is_folded then (
            select coalesce(sum(entry.amount_minor), 0)::bigint
            from public.ledger_entries as entry
            where entry.account_id = account.id and entry.posted_at <= balance_at.moment
        )
        else coalesce((
            select entry.balance_minor from public.ledger_entries as entry
            where entry.account_id = account.id and entry.posted_at <= balance_at.moment
            order by entry.posted_at desc, entry.transaction_id desc
            limit 1
        ), 0)
    end
    from public.ledger_accounts as account
    where account.id = balance_at.account_id
$$;
comment on function private.balance_at is 'What an account held at a time, in minor units.';

-- What people see of their own money; operators see all of it.
create view public.ledger_balances with (security_invoker = true) as
select
    account.id as account_id,
    account.kind,
    account.currency,
    account.owner_id,
    account.posted_minor,
    account.reserved_minor,
    account.posted_minor - account.reserved_minor as available_minor
from public.ledger_accounts as account
where not account.is_folded;
comment on view public.ledger_balances is
'One''s balances by currency, in minor units: available = posted − reserved.';

create view public.ledger_statement with (security_invoker = true) as
select
    entry.account_id,
    entry.posted_at,
    entry.transaction_id,
    moved.kind,
    moved.memo,
    moved.subject_id,
    entry.amount_minor,
    entry.balance_minor,
    account.currency
from public.ledger_entries as entry
inner join public.ledger_transactions as moved on entry.transaction_id = moved.id
inner join public.ledger_accounts as account on entry.account_id = account.id;
comment on view public.ledger_statement is
'What moved on one''s accounts and why; page by `posted_at` descending. Minor units.';

create function private.my_ledger_account_ids() returns setof bigint
language sql stable security definer set search_path = '' as $$
    select account.id from public.ledger_accounts as account
    where account.owner_id = (select auth.uid())
$$;
comment on function private.my_ledger_account_ids is 'The caller''s own accounts, for policies.';

create function private.get_balance_at(account_id bigint, moment timestamptz) returns bigint
language plpgsql stable security definer set search_path = '' as $$
begin
    if not exists (
        select from public.ledger_accounts as account
        where account.id = get_balance_at.account_id
            and (account.owner_id = (select auth.uid()) or private.is_operator())
    ) then
        perform private.reject('ledger.account_not_found');
    end if;
    return private.balance_at(get_balance_at.account_id, get_balance_at.moment);
end;
$$;
create function public.get_balance_at(account_id bigint, moment timestamptz) returns bigint
language sql stable set search_path = '' as $$
    select private.get_balance_at(account_id, moment)
$$;
comment on function public.get_balance_at is
$$What one's account held at a time, in minor units.

Errors: ledger.account_not_found (404).$$;

-- Nobody leaves money, or a debt, behind.
create function private.keep_balance_owner() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if exists (
        select from public.ledger_accounts as account
        where account.owner_id = new.id
            and (account.posted_minor <> 0 or account.reserved_minor <> 0)
    ) then
        perform private.reject('ledger.balance_left');
    end if;
    return new;
end;
$$;
comment on function private.keep_balance_owner is
'Trigger: an account with a balance keeps its owner.';
create trigger t10_keep_balance_owner before update of deleted_at on public.profiles
for each row when (new.deleted_at is not null)
execute function private.keep_balance_owner();

-- Seals: a chain of hashes over everything posted, so that tampering shows.
create table private.ledger_seals (
    id bigint generated always as identity,
    transaction_ids int8multirange not null,
    transaction_count bigint not null,
    entry_count bigint not null,
    hash bytea not null,
    sealed_at timestamptz not null default now(),
    constraint ledger_seals_pkey primary key (id),
    constraint ledger_seals_transaction_count_check check (transaction_count > 0)
);
alter table private.ledger_seals enable row level security;
create index ledger_seals_sealed_at_idx on private.ledger_seals (sealed_at);
create trigger t10_refuse_change before update or delete or truncate on private.ledger_seals
for each statement execute function private.refuse_change();
comment on table private.ledger_seals is
'Each seal hashes the seal before it and the postings it names, with their entries.';

create function private.hash_postings(
    previous bytea, transaction_ids int8multirange,
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
                    jsonb_build_array(
                        entry.account_id, entry.amount_minor, entry.balance_minor,
                        extract(epoch from entry.posted_at)
                    ) order by entry.account_id, entry.amount_minor
                )
            )::text as line
        from public.ledger_transactions as moved
        left join public.ledger_entries as entry on moved.id = entry.transaction_id
        where moved.id >= lower(hash_postings.transaction_ids)
            and moved.id < upper(hash_postings.transaction_ids)
            and moved.id <@ hash_postings.transaction_ids
        group by moved.id
    ) as posting
$$;
comment on function private.hash_postings is
'SHA-256 over the previous seal and the named postings, in id order.';

-- Ids are drawn before they commit: a posting under way during a seal is taken by a later one.
create function private.unsealed_ids() returns int8multirange
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
    select range_agg(int8range(moved.id, moved.id, '[]'))
    from public.ledger_transactions as moved, recent
    where moved.id >= recent.first_id and not moved.id <@ recent.ids
$$;
comment on function private.unsealed_ids is 'Postings that no seal names yet, or null.';

create function private.seal_ledger() returns bigint
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
    insert into private.ledger_seals (transaction_ids, transaction_count, entry_count, hash)
    select v_ids, made.transaction_count, made.entry_count, made.hash
    from private.hash_postings(
        coalesce((select seal.hash from private.ledger_seals as seal order by seal.id desc limit 1), ''),
        v_ids
    ) as made
    returning id into v_id;
    return v_id;
end;
$$;
comment on function private.seal_ledger is
'Seal what was posted since the last seal; its id, or null when there was nothing.';

create function private.verify_ledger()
returns table (finding text, subject text)
language sql stable security definer set search_path = '' as $$
    with chain as (
        select seal.*, coalesce(lag(seal.hash) over (order by seal.id), '') as previous
        from private.ledger_seals as seal
    )
    select 'seal broken', format('seal %s of %s', chain.id, chain.sealed_at)
    from chain
    cross join lateral private.hash_postings(chain.previous, chain.transaction_ids) as made
    where (made.hash, made.transaction_count, made.entry_count)
        is distinct from (chain.hash, chain.transaction_count, chain.entry_count)
    union all
    select 'sealed twice', format('seals %s and %s', one.id, other.id)
    from private.ledger_seals as one
    inner join private.ledger_seals as other
        on one.id < other.id and one.transaction_ids && other.transaction_ids
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
    inner join public.ledger_accounts as account on account.id = entry.account_id
    group by entry.transaction_id, account.currency
    having sum(entry.amount_minor) <> 0
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
