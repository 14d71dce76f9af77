-- Money back after release: whoever got it gives it back in proportion, also after a withdrawal.
set lock_timeout = '5s';

-- A floor below zero is a debt, not a credit: it follows the balance up.
create function private.lift_ledger_floor() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.floor_minor := greatest(
        new.floor_minor, least(0, new.posted_minor - new.reserved_minor)
    );
    return new;
end;
$$;
comment on function private.lift_ledger_floor is
'Trigger: what was earned against a debt cannot be owed anew.';
create trigger t50_lift_floor before update of posted_minor on public.ledger_accounts
for each row when (new.floor_minor < 0 and new.posted_minor > old.posted_minor)
execute function private.lift_ledger_floor();

create function private.take_back(
    escrow_id uuid, reference text, amount_minor bigint, reason text
) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
    v_key text := format('escrow:%s:take_back:%s', escrow_id, reference);
    v_known bigint;
    v_left bigint;
    v_accounts bigint[];
    v_amounts bigint[];
    v_memo text;
begin
    select locked.* into v_escrow from public.escrows as locked
    where locked.id = take_back.escrow_id
    for no key update;
    if not found then
        perform private.reject('escrow.not_found');
    end if;
    if coalesce(take_back.amount_minor, 0) <= 0 then
        perform private.reject('escrow.invalid_amount', 'amount_minor');
    end if;
    select entry.amount_minor into v_known
    from public.ledger_transactions as moved
    inner join public.ledger_entries as entry on moved.id = entry.transaction_id
    inner join public.ledger_accounts as account
        on entry.account_id = account.id and account.kind = 'clearing'
    where moved.idempotency_key = v_key;
    if found then
        if v_known <> take_back.amount_minor then
            perform private.reject('ledger.key_reused', reference);
        end if;
        return v_escrow;
    end if;
    v_left := v_escrow.released_minor - v_escrow.taken_back_minor;
    if take_back.amount_minor > v_left then
        perform private.reject('escrow.amount_exceeded', v_left::text);
    end if;
    with got as (
        select account.id, account.owner_id, sum(entry.amount_minor) as minor
        from public.ledger_transactions as moved
        inner join public.ledger_entries as entry on moved.id = entry.transaction_id
        inner join public.ledger_accounts as account on entry.account_id = account.id
        where moved.subject_id = v_escrow.id
            and moved.kind in ('escrow.release', 'escrow.split', 'escrow.take_back')
            and account.kind in ('available', 'fees')
            and account.owner_id is distinct from v_escrow.sponsor_id
        group by account.id, account.owner_id
        having sum(entry.amount_minor) > 0
    ),
    floors as (
        select
            got.id, got.owner_id, div(got.minor * take_back.amount_minor, v_left) as minor,
            row_number() over (
                order by (got.owner_id is not distinct from v_escrow.creator_id) desc, got.id
            ) as place
        from got
    ),
    -- units lost to rounding, fewer than there are people: one each, the creator first
    shares as (
        select
            floors.id, floors.owner_id,
            (floors.minor + (
                floors.place <= take_back.amount_minor - sum(floors.minor) over ()
            )::integer)::bigint as minor
        from floors
    )
    select
        array_agg(shares.id order by shares.id), array_agg(-shares.minor order by shares.id),
        string_agg(
            format(
                '%s %s from %s', shares.minor, v_escrow.currency,
                coalesce(shares.owner_id::text, 'the platform')
            ), '; ' order by shares.minor desc, shares.id
        )
    into v_accounts, v_amounts, v_memo
    from shares
    where shares.minor > 0;
    -- down to what this takes and no further
    perform from public.ledger_accounts as account
    where account.id = any(v_accounts) and not account.is_folded
    order by account.id
    for no key update;
    update public.ledger_accounts as account
    set floor_minor = least(
        account.floor_minor, account.posted_minor - account.reserved_minor + line.minor
    )
    from unnest(v_accounts, v_amounts) as line (account_id, minor)
    where account.id = line.account_id and not account.is_folded;
    perform private.post_transaction(
        key => v_key,
        kind => 'escrow.take_back',
        accounts => v_accounts || private.ledger_account(
            'clearing', v_escrow.currency, provider => v_escrow.provider
        ),
        amounts => v_amounts || take_back.amount_minor,
        subject_id => v_escrow.id,
        memo => format('Back to the payer: %s (%s)', v_memo, left(reason, 200))
    );
    update public.escrows as smaller
    set taken_back_minor = smaller.taken_back_minor + take_back.amount_minor
    where smaller.id = v_escrow.id
    returning smaller.* into v_escrow;
    insert into public.escrow_events
        (escrow_id, actor_id, from_status, to_status, reason, amount_minor)
    values (
        v_escrow.id, (select auth.uid()), v_escrow.status, v_escrow.status, reason,
        take_back.amount_minor
    );
    return v_escrow;
end;
$$;
comment on function private.take_back is
$$The payer's bank took released money back: so do we, from everyone in proportion to their part.

Balances may go below zero, down to what they got; what they earn next is set off. `reference` is
the provider's, and makes it safe to repeat.
Errors: escrow.not_found (404), escrow.amount_exceeded (409), escrow.invalid_amount (422),
ledger.key_reused (409).$$;
