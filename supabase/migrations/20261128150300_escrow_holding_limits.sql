-- Money may not be held for ever: a warning before the provider's limit, a rule at its end.
set lock_timeout = '5s';

alter table public.escrows
add column hold_until timestamptz,
add column hold_warn_at timestamptz,
add column hold_warned_at timestamptz;
-- squawk-ignore require-concurrent-index-creation
create index escrows_hold_until_idx on public.escrows (hold_until)
where remaining_minor > 0;
-- squawk-ignore require-concurrent-index-creation
create index escrows_hold_warn_at_idx on public.escrows (hold_warn_at)
where remaining_minor > 0 and hold_warned_at is null;
comment on column public.escrows.hold_until is
'Until when the provider lets the money be held; then it is released if the review of what was
handed in is over, and goes back if nothing was. Anything else is for the operators to decide.';
comment on column public.escrows.hold_warn_at is
'When both parties are to be warned of it, as the limit says that `hold_until` comes from.';
comment on column public.escrows.hold_warned_at is 'When both parties were warned of it.';

create function private.limit_hold() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    select
        new.funded_at + make_interval(days => rule.hold_days::integer),
        new.funded_at + make_interval(days => (rule.hold_days - rule.warn_days)::integer)
    into new.hold_until, new.hold_warn_at
    from private.holding_limits as rule
    where rule.provider = new.provider and rule.country in ('', coalesce((
        select paying.payer_country from public.orders as paying
        where paying.escrow_id = new.id
        order by paying.paid_at desc nulls last
        limit 1
    ), ''))
    order by rule.country desc
    limit 1;
    return new;
end;
$$;
comment on function private.limit_hold is
'Trigger: a paid escrow knows until when its money may be held, and when to warn of it.';
create trigger t50_limit_hold before update of funded_at on public.escrows
for each row when (old.funded_at is null and new.funded_at is not null)
execute function private.limit_hold();

create function private.warn_of_holds() returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
    v_count bigint := 0;
begin
    for v_escrow in
        update public.escrows as held set hold_warned_at = now()
        where held.id in (
            select ending.id
            from public.escrows as ending
            where ending.remaining_minor > 0 and ending.hold_warned_at is null
                and ending.hold_warn_at <= now()
            order by ending.hold_warn_at
            limit 500
            for no key update skip locked
        )
        returning held.*
    loop
        insert into public.escrow_events (escrow_id, from_status, to_status, reason)
        values (
            v_escrow.id, v_escrow.status, v_escrow.status,
            format('money is held until %s at the longest', v_escrow.hold_until::date)
        );
        perform realtime.send(
            jsonb_build_object('escrow_id', v_escrow.id, 'hold_until', v_escrow.hold_until),
            'escrow_hold_ends', 'user:' || party.id, true
        )
        from unnest(array[v_escrow.sponsor_id, v_escrow.creator_id]) as party (id);
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.warn_of_holds is
'Tell both parties, once, that their escrow''s money cannot be held much longer; how many.';

create function private.end_next_hold() returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
    v_why text := 'the provider holds money no longer';
    v_review interval;
begin
    select due.* into v_escrow from public.escrows as due
    where due.remaining_minor > 0 and due.hold_until <= now() and due.frozen_at is null
        and due.status in (
            'locked', 'work_in_progress', 'rejected', 'work_submitted', 'under_review'
        )
        and not exists (
            select from private.escrow_failures as failure
            where failure.escrow_id = due.id and failure.failed_at > now() - interval '1 day'
        )
    order by due.hold_until
    limit 1
    for no key update skip locked;
    if not found then
        return null;
    end if;
    select make_interval(days => terms.review_days::integer) into strict v_review
    from public.escrow_agreements as terms where terms.id = v_escrow.agreement_id;
    begin
        if v_escrow.status = 'work_submitted' then
            v_escrow := private.move_escrow(v_escrow.id, 'under_review', v_why);
        end if;
        -- neither side wins by what it does in the last moment
        if (
            v_escrow.status = 'under_review' and (v_escrow.review_due_at > now()) is not false
        ) or (
            v_escrow.status in ('rejected', 'work_in_progress') and exists (
                select from public.escrow_events as refused
                where refused.escrow_id = v_escrow.id and refused.to_status = 'rejected'
                    and refused.from_status <> 'rejected'
                    and refused.created_at > now() - v_review
            )
        ) then
            perform private.move_escrow(v_escrow.id, 'disputed', v_why);
        elsif v_escrow.status = 'under_review' then
            perform private.move_escrow(v_escrow.id, 'approved', v_why);
            perform private.divide_escrow(v_escrow.id, 0, v_why);
        else
            if v_escrow.status = 'rejected' then
                perform private.move_escrow(v_escrow.id, 'work_in_progress', v_why);
            end if;
            perform private.divide_escrow(v_escrow.id, v_escrow.remaining_minor, v_why);
        end if;
        delete from private.escrow_failures as mended where mended.escrow_id = v_escrow.id;
    exception
        -- not the escrow's fault: it is due again
        when transaction_rollback or lock_not_available or insufficient_resources
            or operator_intervention or system_error
        then
            raise;
        -- again tomorrow, though the provider's limit stays what it is; operators see it among
        -- the stuck
        when others then
            insert into private.escrow_failures (escrow_id, reason) values (v_escrow.id, sqlerrm)
            on conflict on constraint escrow_failures_pkey do update
            set reason = excluded.reason, failed_at = now();
    end;
    return v_escrow.id;
end;
$$;
comment on function private.end_next_hold is
$$End one escrow whose money may be held no longer.

Released is what nobody objected to within its review, refunded where nothing was handed in. What is
still under review, or was rejected within as many days, becomes a dispute.

Disputed and frozen ones wait for whoever decides them. Its id, or null: none left.$$;
