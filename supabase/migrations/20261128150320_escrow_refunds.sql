-- Who pays takes all of an escrow back or nothing: its creator works for what was agreed.
set lock_timeout = '5s';

create or replace function private.refund_escrow(
    escrow_id uuid, reason text, amount_minor bigint default null
) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'both');
    v_amount bigint;
begin
    -- work has begun: only the creator gives back
    if (select auth.uid()) = v_escrow.sponsor_id and v_escrow.status <> 'locked'
        and v_escrow.remaining_minor > 0
    then
        perform private.reject('escrow.wrong_party', 'creator');
    end if;
    perform private.check_text(reason, 'reason');
    if v_escrow.remaining_minor = 0 or v_escrow.status = 'disputed' then
        perform private.reject('escrow.invalid_transition', v_escrow.status || ' -> refunding');
    end if;
    v_amount := coalesce(refund_escrow.amount_minor, v_escrow.remaining_minor);
    if v_amount <= 0 then
        perform private.reject('escrow.invalid_amount', 'amount_minor');
    elsif v_amount > v_escrow.remaining_minor then
        perform private.reject('escrow.amount_exceeded', v_escrow.remaining_minor::text);
    elsif v_amount < v_escrow.remaining_minor then
        -- the creator agreed to the whole: who pays takes it back, or leaves it
        if (select auth.uid()) = v_escrow.sponsor_id then
            perform private.reject('escrow.wrong_party', 'creator');
        end if;
        return private.refund_part(v_escrow.id, v_amount, btrim(reason));
    end if;
    return private.divide_escrow(v_escrow.id, v_amount, btrim(reason));
end;
$$;
comment on function public.refund_escrow is
$$Give money back: the sponsor all of it before work begins, the creator also later and in parts.

`amount_minor` in minor units; null: all that remains. A part leaves the escrow as it is, with
less in it; the fee shrinks in proportion.
Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.invalid_transition (409),
escrow.amount_exceeded (409), escrow.invalid_amount (422), escrow.invalid_text (422),
identity.not_active (403).$$;
