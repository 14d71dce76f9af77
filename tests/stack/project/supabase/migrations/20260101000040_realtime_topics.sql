-- Topics of the realtime tests: `rt:<kind>:…`, the kind says who may do what.
create policy rt_select on realtime.messages for select to authenticated using (
    case split_part((select realtime.topic()), ':', 2)
        when 'open' then true
        when 'listen' then true
        when 'own' then split_part((select realtime.topic()), ':', 3) = (select auth.uid())::text
        when 'presence' then extension = 'presence'
        when 'silent' then extension = 'broadcast'
        when 'raise' then 1 / (length(topic) - length(topic)) = 1
        when 'header' then
            (select current_setting('request.headers', true)::json ->> 'x-pass') = 'yes'
        else false
    end
);
create policy rt_insert on realtime.messages for insert to authenticated with check (
    case split_part((select realtime.topic()), ':', 2)
        when 'open' then true
        when 'own' then split_part((select realtime.topic()), ':', 3) = (select auth.uid())::text
        when 'presence' then extension = 'presence'
        when 'silent' then extension = 'broadcast'
        else false
    end
);

-- Announced by trigger, as the documentation recommends: definer, so clients need no policy.
create table public.rt_announced (
    id bigint generated always as identity primary key,
    topic text not null,
    note text
);
grant select, insert, update, delete on public.rt_announced to anon, authenticated, service_role;
create schema rt_private;
create function rt_private.announce() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform realtime.broadcast_changes(
        coalesce(new.topic, old.topic), tg_op, tg_op, tg_table_name, tg_table_schema, new, old
    );
    return null;
end;
$$;
create trigger announce after insert or update or delete on public.rt_announced
for each row execute function rt_private.announce();
