-- Hooks as a project writes them: functions in a schema of their own, for supabase_auth_admin only.
create schema auth_hooks;
grant usage on schema auth_hooks to supabase_auth_admin;

create table auth_hooks.calls (
    id bigint generated always as identity primary key,
    hook text not null,
    event jsonb not null
);
grant insert, select on auth_hooks.calls to supabase_auth_admin;

-- Adds a claim; misbehaves for users whose metadata ask for it.
create function auth_hooks.custom_access_token(event jsonb) returns jsonb
language plpgsql as $$
declare
    v_wish text := event -> 'claims' -> 'user_metadata' ->> 'hook';
begin
    case v_wish
        when 'raise' then raise exception 'a secret of the project';
        when 'sleep' then perform pg_sleep(5);
        when 'refuse' then
            return '{"error": {"http_code": 403, "message": "not today"}}'::jsonb;
        when 'approve' then
            return '{"error": {"http_code": 200, "message": "a refusal is no success"}}'::jsonb;
        when 'strip' then return '{"claims": {"sub": "x"}}'::jsonb;
        when 'nonsense' then return '[1]'::jsonb;
        else null;
    end case;
    return jsonb_set(event, '{claims,ran_as}', to_jsonb(current_user));
end;
$$;

-- Refuses after the second wrong password, by what it wrote itself.
create function auth_hooks.password_verification_attempt(event jsonb) returns jsonb
language plpgsql as $$
begin
    insert into auth_hooks.calls (hook, event) values ('password', event);
    if (
        select count(*) from auth_hooks.calls as c
        where c.hook = 'password' and c.event ->> 'user_id' = password_verification_attempt.event ->> 'user_id'
        and not (c.event ->> 'valid')::boolean
    ) > 2 then
        return '{"decision": "reject", "message": "too many", "should_logout_user": true}'::jsonb;
    end if;
    return '{"decision": "continue"}'::jsonb;
end;
$$;

create function auth_hooks.before_user_created(event jsonb) returns jsonb
language plpgsql as $$
begin
    if event -> 'user' ->> 'email' like '%@blocked.example' then
        return '{"error": {"http_code": 422, "message": "no sign-ups from there"}}'::jsonb;
    end if;
    return '{}'::jsonb;
end;
$$;

create function auth_hooks.send_email(event jsonb) returns jsonb
language plpgsql as $$
begin
    insert into auth_hooks.calls (hook, event) values ('send_email', event);
    return '{}'::jsonb;
end;
$$;

grant execute on all functions in schema auth_hooks to supabase_auth_admin;
revoke execute on all functions in schema auth_hooks from public, anon, authenticated;

-- What every project has: a profile per user, made by a trigger on auth.users.
create table auth_hooks.profiles (
    id uuid primary key references auth.users (id) on delete cascade,
    full_name text
);
create function auth_hooks.make_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if new.raw_user_meta_data ->> 'full_name' = 'refused' then
        raise exception 'the trigger refuses';
    end if;
    insert into auth_hooks.profiles (id, full_name)
    values (new.id, new.raw_user_meta_data ->> 'full_name');
    return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users
for each row execute function auth_hooks.make_profile();
