-- A posting at half the cost, every guarantee kept: what it cannot break is not checked by it.
set lock_timeout = '5s';

update private.error_codes
set message = 'The amount must be a whole number of minor units, above zero and in range.'
where code = 'ledger.invalid_amount';

-- What an account is, is checked once, when it is opened, and never changes: a check constraint
-- would be parsed and evaluated anew by each statement that moves a balance.
create function private.check_account_shape() returns trigger
language plpgsql set search_path = '' as $$
begin
    if not (
        case new.kind
            when 'available'
                then new.owner_id is not null and num_nonnulls(new.subject_id, new.provider) = 0
            when 'escrow'
                then new.subject_id is not null and num_nonnulls(new.owner_id, new.provider) = 0
            when 'clearing'
                then new.provider is not null and num_nonnulls(new.owner_id, new.subject_id) = 0
            else num_nonnulls(new.owner_id, new.subject_id, new.provider) = 0
        end
    ) then
        raise exception 'a ledger account of kind % belongs to something else', new.kind
            using errcode = 'check_violation';
    end if;
    return new;
end;
$$;
comment on function private.check_account_shape is
'Trigger: a person''s, an escrow''s, a provider''s or the platform''s account, as its kind says.';
create trigger t10_check_shape before insert on public.ledger_accounts
for each row execute function private.check_account_shape();
create trigger t10_refuse_other_identity
before update of id, kind, currency, owner_id, subject_id, provider on public.ledger_accounts
for each statement execute function private.refuse_change();
-- squawk-ignore ban-drop-constraint
alter table public.ledger_accounts drop constraint ledger_accounts_shape_check;

-- Accounts and transactions are never removed or renumbered: an entry needs no lock on them to be
-- sure of them. A foreign key takes one: all who post to a provider's or the platform's account
-- would write to its row, one after another.
-- squawk-ignore ban-drop-constraint
alter table public.ledger_entries drop constraint ledger_entries_account_id_fkey;
-- squawk-ignore ban-drop-constraint
alter table public.ledger_entries drop constraint ledger_entries_transaction_id_fkey;

create or replace function private.check_entries_balance() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    v_is_orphan boolean;
begin
    select bool_or(wrong.is_orphan) into v_is_orphan
    from (
        select bool_or(account.id is null or moved.id is null) as is_orphan
        from written
        left join public.ledger_accounts as account on account.id = written.account_id
        left join public.ledger_transactions as moved on moved.id = written.transaction_id
        group by written.transaction_id, account.currency
        having sum(written.amount_minor) <> 0 or bool_or(account.id is null or moved.id is null)
    ) as wrong;
    if v_is_orphan then
        raise exception 'ledger entries of an account or a transaction that does not exist'
            using errcode = 'foreign_key_violation';
    elsif not v_is_orphan then
        raise exception 'ledger entries do not sum to zero'
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end;
$$;
comment on function private.check_entries_balance is
$$Trigger: the entries of one statement sum to zero per transaction and currency, and belong to
accounts and transactions that exist.$$;

-- The posting itself lets a floor follow the balance up.
drop trigger t50_lift_floor on public.ledger_accounts;
-- squawk-ignore ban-drop-function
drop function private.lift_ledger_floor();

create or replace function private.post_transaction(
    key text, kind text, accounts bigint[], amounts bigint[],
    subject_id uuid default null, memo text default ''
) returns bigint
language plpgsql security definer set search_path = ''
-- Planned once per connection, rows found by their key whatever the statistics say: a new plan for
-- each pair of arrays costs more than the posting itself.
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    c_most constant bigint := 1000000000000000;
    v_sum bigint := 0;
    v_hash bytea;
    v_exact bigint[];
    v_exact_amounts bigint[];
    v_exact_balances bigint[];
    v_is_short boolean;
    v_now timestamptz;
    v_id bigint;
    v_known_hash bytea;
begin
    if coalesce(cardinality(accounts), 0) < 2
        or cardinality(accounts) is distinct from cardinality(amounts) then
        perform private.reject('ledger.invalid_posting');
    end if;
    for v_line in 1..cardinality(accounts) loop
        -- amounts far above any sum of money, far below what sums of many of them hold
        if accounts[v_line] is null or array_position(accounts, accounts[v_line]) <> v_line
            or amounts[v_line] is null or amounts[v_line] = 0
            or amounts[v_line] not between -c_most and c_most then
            if abs(amounts[v_line]::numeric) > c_most then
                perform private.reject('ledger.invalid_amount', amounts[v_line]::text);
            end if;
            perform private.reject('ledger.invalid_posting');
        end if;
        v_sum := v_sum + amounts[v_line];
    end loop;
    if v_sum <> 0 then
        perform private.reject('ledger.invalid_posting');
    end if;
    v_hash := sha256(convert_to(concat_ws(
        '|', post_transaction.kind, post_transaction.subject_id, accounts::text, amounts::text
    ), 'UTF8'));

    -- locks before the id is drawn: an account's entries then follow each other in id order
    select
        coalesce(array_agg(locked.id), '{}'), array_agg(locked.amount_minor),
        array_agg(locked.balance_minor), bool_or(locked.is_short),
        greatest(clock_timestamp(), max(locked.last_posted_at) + interval '1 microsecond')
    into v_exact, v_exact_amounts, v_exact_balances, v_is_short, v_now
    from (
        select
            account.id, line.amount_minor, account.last_posted_at,
            account.posted_minor + line.amount_minor as balance_minor,
            line.amount_minor < 0
            and account.posted_minor + line.amount_minor - account.reserved_minor
            < account.floor_minor as is_short
        from unnest(accounts, amounts) as line (account_id, amount_minor)
        inner join public.ledger_accounts as account on account.id = line.account_id
        where not account.is_folded
        order by account.id
        for no key update of account
    ) as locked;

    insert into public.ledger_transactions
        (kind, idempotency_key, input_hash, subject_id, memo, posted_at)
    values (
        post_transaction.kind, post_transaction.key, v_hash, post_transaction.subject_id,
        post_transaction.memo, v_now
    )
    on conflict on constraint ledger_transactions_idempotency_key_key do nothing
    returning id into v_id;
    if v_id is null then
        select known.id, known.input_hash into strict v_id, v_known_hash
        from public.ledger_transactions as known
        where known.idempotency_key = post_transaction.key;
        if v_known_hash <> v_hash then
            perform private.reject('ledger.key_reused', post_transaction.key);
        end if;
        return v_id;
    end if;
    if v_is_short then
        perform private.reject('ledger.insufficient_funds');
    end if;

    update public.ledger_accounts as account
    set posted_minor = line.balance_minor, last_posted_at = v_now,
        -- a floor below zero is a debt, not a credit: what is earned against it is not owed anew
        floor_minor = case
            when line.balance_minor > account.posted_minor then greatest(
                account.floor_minor, least(0, line.balance_minor - account.reserved_minor)
            )
            else account.floor_minor
        end
    from unnest(v_exact, v_exact_balances) as line (account_id, balance_minor)
    where account.id = line.account_id;
    -- all entries by one statement, which the trigger then weighs
    insert into public.ledger_entries
        (transaction_id, account_id, amount_minor, balance_minor, posted_at)
    select v_id, line.account_id, line.amount_minor, line.balance_minor, v_now
    from unnest(v_exact, v_exact_amounts, v_exact_balances)
        as line (account_id, amount_minor, balance_minor)
    union all
    select v_id, line.account_id, line.amount_minor, null, v_now
    from unnest(accounts, amounts) as line (account_id, amount_minor)
    where line.account_id <> all(v_exact);
    if cardinality(v_exact) < cardinality(accounts) then
        insert into private.ledger_unfolded (account_id, amount_minor)
        select line.account_id, line.amount_minor
        from unnest(accounts, amounts) as line (account_id, amount_minor)
        where line.account_id <> all(v_exact);
    end if;
    return v_id;
end;
$$;
comment on function private.post_transaction is
$$Move money: one balanced transaction, all of it or nothing. Safe to repeat under its key.

`accounts` and `amounts` are parallel: signed minor units that sum to zero, each account once.
Returns the transaction's id, the first one's on a repeat.
Errors: ledger.invalid_posting (422), ledger.invalid_amount (422, an amount beyond 10^15),
ledger.insufficient_funds (409), ledger.key_reused (409); foreign_key_violation for an account that
does not exist.$$;
