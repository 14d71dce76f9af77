-- What Supabase Auth asks us: before it issues a token, and after it checked a password.
set lock_timeout = '5s';

-- Not definer functions: they run as supabase_auth_admin, with what policies/identity.sql grants.
create function private.add_roles_to_token(event jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
    v_user uuid := (event ->> 'user_id')::uuid;
    v_roles jsonb;
begin
    if exists (
        select from public.suspensions as open
        where open.user_id = v_user and open.lifted_at is null
            and (open.ends_at is null or open.ends_at > now())
    ) then
        return jsonb_build_object('error', jsonb_build_object(
            'http_code', 403, 'message', 'This account is suspended.'
        ));
    end if;
    select coalesce(jsonb_agg(held.role order by held.role), '[]') into v_roles
    from public.role_assignments as held
    where held.user_id = v_user;
    return jsonb_build_object(
        'claims', (event -> 'claims') || jsonb_build_object('app_roles', v_roles)
    );
end;
$$;
comment on function private.add_roles_to_token is
'Auth hook, custom access token: the claim `app_roles` for front ends; the suspended get no token.';

create table private.password_attempts (
    user_id uuid not null,
    failures bigint not null default 0,
    last_failed_at timestamptz,
    locked_until timestamptz,
    constraint password_attempts_pkey primary key (user_id),
    constraint password_attempts_user_id_fkey foreign key (user_id)
    references auth.users on delete cascade
);
alter table private.password_attempts enable row level security;
comment on table private.password_attempts is 'Wrong passwords in a row, and the lock they led to.';

create function private.limit_password_attempts(event jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
    c_failures constant bigint := 10;
    c_window constant interval := '15 minutes';
    v_user uuid := (event ->> 'user_id')::uuid;
    v_locked_until timestamptz;
begin
    select tried.locked_until into v_locked_until
    from private.password_attempts as tried
    where tried.user_id = v_user
    for update;
    -- even the right password waits, else the lock would tell a guesser that it was right
    if v_locked_until > now() then
        return jsonb_build_object(
            'decision', 'reject',
            'message', 'Too many wrong passwords. Try again later or reset your password.',
            'should_logout_user', false
        );
    end if;
    if (event ->> 'valid')::boolean then
        delete from private.password_attempts as tried where tried.user_id = v_user;
    else
        insert into private.password_attempts as tried (user_id, failures, last_failed_at)
        values (v_user, 1, now())
        on conflict on constraint password_attempts_pkey do update set
            failures = case
                when tried.last_failed_at < now() - c_window then 1 else tried.failures + 1
            end,
            last_failed_at = now(),
            locked_until = case
                when tried.last_failed_at >= now() - c_window
                    and tried.failures + 1 >= c_failures then now() + c_window
            end;
    end if;
    return jsonb_build_object('decision', 'continue');
end;
$$;
comment on function private.limit_password_attempts is
$$Auth hook, password verification: ten wrong in a row lock the account for 15 minutes.

Source: Source Impact, security checklist: account lockout after failed attempts.$$;
