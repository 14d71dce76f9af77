-- Events that arrive together are kept together: one statement, one commit for all of them.
set lock_timeout = '5s';

create function private.keep_events(
    providers text[], event_ids text[], kinds text[], bodies bytea[]
) returns boolean[]
language sql security definer set search_path = '' as $$
    with given as (
        select
            told.*,
            row_number() over (
                partition by told.provider, told.event_id order by told.place
            ) = 1 as is_first
        from unnest(providers, event_ids, kinds, bodies)
            with ordinality as told (provider, event_id, kind, body, place)
    ),
    kept as (
        insert into private.webhook_events (provider, event_id, kind, body)
        select given.provider, given.event_id, given.kind, given.body
        from given
        where given.is_first
        -- in one order everywhere, so that two who bring the same do not wait for each other
        order by given.provider, given.event_id
        on conflict on constraint webhook_events_provider_event_id_key do nothing
        returning id, provider, event_id
    ),
    queued as (
        select kept.*, private.enqueue(
            'payments.process_event', jsonb_build_object('event_id', kept.id)
        ) as job_id
        from kept
    )
    select array_agg(
        queued.job_id is not null and given.is_first order by given.place
    )
    from given
    left join queued on given.provider = queued.provider and given.event_id = queued.event_id
$$;
comment on function private.keep_events is
$$Keep verified events and queue their processing; for each whether it is new.

The arrays are parallel. What was kept before, or comes twice here, is kept once.$$;

-- squawk-ignore ban-drop-function
drop function private.keep_event(text, text, text, bytea);
