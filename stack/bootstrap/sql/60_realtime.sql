-- Realtime's database side: messages, the functions that send them, and what wakes the server.

create table realtime.messages (
    topic text not null,
    extension text not null,
    payload jsonb,
    event text,
    private boolean default false,
    updated_at timestamp without time zone not null default now(),
    inserted_at timestamp without time zone not null default now(),
    id uuid not null default gen_random_uuid(),
    binary_payload bytea,
    skip_broadcast boolean not null default false,
    constraint messages_pkey primary key (id, inserted_at),
    constraint messages_payload_check check (payload is null or binary_payload is null)
) partition by range (inserted_at);
create index messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic)
where extension = 'broadcast' and private is true;
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
-- policies alone decide
grant select, insert, update on table realtime.messages to anon, authenticated, service_role;
grant all on table realtime.messages to postgres, dashboard_user;

create table realtime.schema_migrations (
    version bigint not null,
    inserted_at timestamp without time zone,
    constraint schema_migrations_pkey primary key (version)
);
alter table realtime.schema_migrations owner to supabase_realtime_admin;

-- hosted streams from this publication; here it only completes the picture
create publication supabase_realtime_messages_publication for table realtime.messages;

-- Which topic a policy is asked about.
create function realtime.topic() returns text language sql stable as $$
    select nullif(current_setting('realtime.topic', true), '')
$$;

-- Sends as whoever calls, so an insert policy must allow it; a failure is only a warning.
create function realtime.send(
    payload jsonb, event text, topic text, private boolean default true
) returns void language plpgsql as $$
declare
    v_id uuid := gen_random_uuid();
    v_payload jsonb := payload;
begin
    if not v_payload ? 'id' then
        v_payload := jsonb_set(v_payload, '{id}', to_jsonb(v_id));
    end if;
    perform set_config('realtime.topic', send.topic, true);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (v_id, v_payload, send.event, send.topic, send.private, 'broadcast');
exception when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end;
$$;

create function realtime.send_binary(
    payload bytea, event text, topic text, private boolean default true
) returns void language plpgsql as $$
begin
    perform set_config('realtime.topic', send_binary.topic, true);
    insert into realtime.messages (binary_payload, event, topic, private, extension)
    values (
        send_binary.payload, send_binary.event, send_binary.topic, send_binary.private, 'broadcast'
    );
exception when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end;
$$;

-- For row triggers: one change as one private message.
create function realtime.broadcast_changes(
    topic_name text,
    event_name text,
    operation text,
    table_name text,
    table_schema text,
    new record,
    old record,
    level text default 'ROW'
) returns void language plpgsql as $$
begin
    if level = 'STATEMENT' then
        raise exception
            'function can only be triggered for each row, not for each statement';
    end if;
    if operation not in ('INSERT', 'UPDATE', 'DELETE') then
        raise exception 'Unexpected operation type: %', operation;
    end if;
    perform realtime.send(
        jsonb_build_object(
            'operation', operation, 'table', table_name, 'schema', table_schema,
            'record', new, 'old_record', old
        ),
        event_name,
        topic_name
    );
exception when others then
    raise exception 'Failed to process the row: %', sqlerrm;
end;
$$;

alter function realtime.topic owner to supabase_realtime_admin;
alter function realtime.send owner to supabase_realtime_admin;
alter function realtime.send_binary owner to supabase_realtime_admin;
alter function realtime.broadcast_changes owner to supabase_realtime_admin;

-- Wakes the server with the id alone: a notification holds less than 8,000 bytes.
create function _stack.announce_message() returns trigger
language plpgsql set search_path = '' as $$
begin
    perform pg_catalog.pg_notify('stack_realtime', new.id::text);
    return null;
end;
$$;
create trigger announce_message after insert on realtime.messages for each row
when (new.extension = 'broadcast' and not new.skip_broadcast)
execute function _stack.announce_message();

-- Keeps a partition per day from yesterday to three days ahead, drops those past 72 hours.
create function _stack.keep_message_partitions() returns void
language plpgsql set search_path = '' set lock_timeout = '2s' as $$
declare
    v_today date := (now() at time zone 'utc')::date;
    v_day date;
    v_name text;
begin
    for v_day in select v_today + generate_series from generate_series(-1, 3) loop
        v_name := 'messages_' || to_char(v_day, 'YYYY_MM_DD');
        continue when to_regclass('realtime.' || v_name) is not null;
        execute format(
            'create table realtime.%I partition of realtime.messages for values from (%L) to (%L)',
            v_name, v_day, v_day + 1
        );
        execute format('alter table realtime.%I owner to supabase_realtime_admin', v_name);
        execute format('alter table realtime.%I enable row level security', v_name);
    end loop;
    for v_name in
        select c.relname
        from pg_catalog.pg_inherits as i
        inner join pg_catalog.pg_class as c on c.oid = i.inhrelid
        where i.inhparent = 'realtime.messages'::regclass
            and c.relname ~ '^messages_\d{4}_\d\d_\d\d$'
            and to_date(right(c.relname, 10), 'YYYY_MM_DD') < v_today - 3
    loop
        execute format('drop table realtime.%I', v_name);
    end loop;
end;
$$;
select _stack.keep_message_partitions();

-- What follows is called by the server as authenticator, who can become no more than a caller.
grant usage on schema _stack to authenticator;

-- One row per extension in a topic, to be looked for under the caller's role and rolled back.
create function _stack.place_probes(topic text) returns table (extension text, id uuid)
language sql security definer set search_path = '' as $$
    insert into realtime.messages as m (topic, extension, skip_broadcast)
    select place_probes.topic, probe.extension, true
    from (values ('broadcast'), ('presence')) as probe (extension)
    returning m.extension, m.id
$$;
revoke execute on function _stack.place_probes from public;
grant execute on function _stack.place_probes to authenticator;

-- Runs a query as every caller in turn. One whose policies raise sees nothing and stops nobody.
create function _stack.visible_rows(query text, roles text[], claims text[])
returns table (caller integer, visible integer[]) language plpgsql as $$
begin
    for caller in 1 .. cardinality(roles) loop
        visible := null;
        begin
            perform
                set_config('role', roles[caller], true),
                set_config('request.jwt.claims', claims[caller], true),
                set_config(
                    'request.jwt.claim.sub', coalesce(claims[caller]::jsonb ->> 'sub', ''), true
                ),
                set_config('request.jwt.claim.role', roles[caller], true);
            execute query into visible;
        exception when others then
            visible := null;
        end;
        return next;
    end loop;
    perform set_config('role', 'none', true);
end;
$$;
revoke execute on function _stack.visible_rows from public;
grant execute on function _stack.visible_rows to authenticator;
