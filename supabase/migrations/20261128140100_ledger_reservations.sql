-- A reservation moves its money once, under whichever key it is asked to.
set lock_timeout = '5s';

create or replace function private.post_reservation(
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
    -- posted before: by this key, or it is another wish for the same money
    if exists (
        select from public.ledger_reservations as held
        where held.id = post_reservation.reservation_id and held.status = 'posted'
    ) and not exists (
        select from public.ledger_transactions as known
        where known.idempotency_key = post_reservation.key
    ) then
        perform private.reject('ledger.reservation_closed', 'posted');
    end if;
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
$$Move what was held back to another account, whole and once. Safe to repeat under its key.

Errors: ledger.reservation_not_found (404), ledger.reservation_closed (409), also when it was
posted under another key; ledger.key_reused (409).$$;

create or replace function private.close_reservation(reservation_id uuid, status text)
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
    set reserved_minor = account.reserved_minor - v_held.amount_minor,
        -- what is free again is set off first; what is posted leaves by a posting of its own
        floor_minor = case
            when close_reservation.status = 'posted' then account.floor_minor
            else greatest(account.floor_minor, least(
                0, account.posted_minor - account.reserved_minor + v_held.amount_minor
            ))
        end
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
