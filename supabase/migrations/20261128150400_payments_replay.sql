-- Events once more: what could not be booked is booked after its cause was mended.
set lock_timeout = '5s';

create function private.replay_event(event_id bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
    update private.webhook_events as kept
    set status = 'kept', note = null, processed_at = null
    where kept.id = replay_event.event_id;
    if not found then
        return false;
    end if;
    perform private.enqueue(
        'payments.process_event', jsonb_build_object('event_id', replay_event.event_id)
    );
    return true;
end;
$$;
-- squawk-ignore require-concurrent-index-creation
create index webhook_events_ignored_note_idx on private.webhook_events (note, provider)
where status = 'ignored' and note is not null;
comment on function private.replay_event is
'Process a kept event again; harmless, since every fact is booked once. False: no such event.';

create function private.hold_reference(provider text, reference text) returns void
language sql security definer set search_path = '' as $$
    select pg_advisory_xact_lock(hashtextextended(
        format('payments.reference:%s:%s', hold_reference.provider, hold_reference.reference), 0
    ))
$$;
comment on function private.hold_reference is
$$Until this transaction ends: who books a payment, and who gives up an event that speaks of it,
come one after the other, or the event would be neither booked nor replayed.$$;

create function private.replay_early(provider text, code text, reference text) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform private.hold_reference(provider, reference);
    perform private.replay_event(early.id)
    from private.webhook_events as early
    where early.status = 'ignored' and early.provider = replay_early.provider
        and early.note = format('%s: %s', replay_early.code, replay_early.reference);
end;
$$;
comment on function private.replay_early is
'Process anew what was told of something before it was known here, and ignored with this code.';

create or replace function private.finish_event(
    event_id bigint, status text, note text default null
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_provider text;
    v_unknown text[] := regexp_match(
        finish_event.note, '^(payments\.payment|billing\.invoice)_not_found: (.+)$'
    );
begin
    update private.webhook_events as kept
    set status = finish_event.status, note = finish_event.note, processed_at = now()
    where kept.id = finish_event.event_id
    returning kept.provider into v_provider;
    if finish_event.status = 'ignored' and v_unknown is not null then
        perform private.hold_reference(v_provider, v_unknown[2]);
        if exists (
            select from public.payments as paid
            where paid.provider = v_provider and paid.reference = v_unknown[2]
        ) or exists (
            select from private.invoice_payments as paid
            where paid.provider = v_provider and paid.reference = v_unknown[2]
        ) or exists (
            select from public.invoices as billed
            where billed.provider = v_provider and billed.reference = v_unknown[2]
        ) then
            perform private.replay_event(finish_event.event_id);
        end if;
    end if;
end;
$$;
comment on function private.finish_event is
$$Close an event as processed or ignored, saying why.

One that was given up while its payment was being booked is processed again.$$;
