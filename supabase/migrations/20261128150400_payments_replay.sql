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
