-- What people may act as: roles they choose, and roles that admins grant.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('identity.operator_required', 403, 'Only an operator may do this.'),
('identity.role_not_selectable', 403, 'Only creator, sponsor and agent can be chosen.'),
('identity.user_not_found', 404, 'There is no such person.'),
('identity.last_admin', 409, 'The last admin cannot be removed.'),
('identity.not_active', 403, 'This account is suspended or deleted.'),
('identity.already_suspended', 409, 'This account is suspended already.'),
('identity.not_suspended', 409, 'This account is not suspended.'),
('identity.invalid_reason', 422, 'A reason of 1 to 500 characters is needed.'),
('identity.invalid_time', 422, 'The time must lie in the future.');

create domain public.app_role as text constraint app_role_check
check (value in ('creator', 'sponsor', 'agent', 'moderator', 'admin'));
create domain public.profile_visibility as text constraint profile_visibility_check
check (value in ('public', 'members', 'private'));

-- Profiles: what others may know of a person.
create table public.profiles (
    id uuid not null,
    handle text,
    display_name text not null,
    bio text not null default '',
    avatar_path text,
    visibility public.profile_visibility not null default 'members',
    is_verified boolean not null default false,
    deleted_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint profiles_pkey primary key (id),
    constraint profiles_id_fkey foreign key (id) references auth.users on delete cascade,
    constraint profiles_handle_key unique (handle),
    constraint profiles_handle_check check (handle ~ '^[a-z0-9_]{3,30}$'),
    constraint profiles_display_name_check
    check (char_length(display_name) <= 80 and btrim(display_name) <> ''),
    constraint profiles_bio_check check (char_length(bio) <= 500),
    -- an avatar lies in its owner's folder of the bucket `avatars`
    constraint profiles_avatar_path_check check (
        starts_with(avatar_path, id::text || '/')
        and char_length(avatar_path) <= 200
        and not '..' = any(string_to_array(avatar_path, '/'))
    )
);
alter table public.profiles enable row level security;
comment on table public.profiles is
'A person, one row per login, made at sign-up. Seen as `visibility` says.';
comment on column public.profiles.handle is 'Unique name for links, lower case; null until chosen.';
comment on column public.profiles.visibility is
'Who sees the row: everyone, members who are signed in, or only its owner and operators.';
comment on column public.profiles.deleted_at is
'When the account was deleted; the row stays, without anything personal.';
create trigger t10_touch_updated_at before update on public.profiles
for each row execute function private.touch_updated_at();

-- Role assignments: what a person may act as.
create table public.role_assignments (
    user_id uuid not null,
    role public.app_role not null,
    granted_by uuid,
    created_at timestamptz not null default now(),
    constraint role_assignments_pkey primary key (user_id, role),
    constraint role_assignments_user_id_fkey foreign key (user_id)
    references public.profiles on delete cascade,
    constraint role_assignments_granted_by_fkey foreign key (granted_by)
    references public.profiles on delete set null
);
alter table public.role_assignments enable row level security;
create index role_assignments_role_user_id_idx on public.role_assignments (role, user_id);
create index role_assignments_granted_by_idx on public.role_assignments (granted_by);
comment on table public.role_assignments is
'Roles of a person: creator, sponsor, agent by their own choice; moderator, admin by an admin''s.';
comment on column public.role_assignments.granted_by is 'The admin; null when chosen by oneself.';

-- Suspensions: while one is open, its person reads their own and changes nothing.
create table public.suspensions (
    id uuid not null default gen_random_uuid(),
    user_id uuid not null,
    reason text not null,
    suspended_by uuid,
    ends_at timestamptz,
    lifted_at timestamptz,
    lifted_by uuid,
    created_at timestamptz not null default now(),
    constraint suspensions_pkey primary key (id),
    constraint suspensions_user_id_fkey foreign key (user_id)
    references public.profiles on delete cascade,
    constraint suspensions_suspended_by_fkey foreign key (suspended_by)
    references public.profiles on delete set null,
    constraint suspensions_lifted_by_fkey foreign key (lifted_by)
    references public.profiles on delete set null,
    constraint suspensions_reason_check check (char_length(btrim(reason)) between 1 and 500)
);
alter table public.suspensions enable row level security;
create index suspensions_user_id_created_at_idx on public.suspensions (user_id, created_at);
create index suspensions_suspended_by_idx on public.suspensions (suspended_by);
create index suspensions_lifted_by_idx on public.suspensions (lifted_by);
comment on table public.suspensions is 'Why and how long a person was shut out, and who lifted it.';
comment on column public.suspensions.ends_at is 'When it ends by itself; null: until it is lifted.';

create function private.has_role(role public.app_role) returns boolean
language sql stable security definer set search_path = '' as $$
    select exists (
        select from public.role_assignments as held
        where held.user_id = (select auth.uid()) and held.role = has_role.role
    )
$$;
comment on function private.has_role is
'Whether the caller acts in this role. In policies: `(select private.has_role(''admin''))`.';

create function private.is_suspended(user_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
    select exists (
        select from public.suspensions as open
        where open.user_id = is_suspended.user_id
            and open.lifted_at is null
            and (open.ends_at is null or open.ends_at > now())
    )
$$;
comment on function private.is_suspended is 'Whether a person is shut out now.';

create function private.is_active() returns boolean
language sql stable security definer set search_path = '' as $$
    select exists (
        select from public.profiles as person
        where person.id = (select auth.uid()) and person.deleted_at is null
    ) and not private.is_suspended((select auth.uid()))
$$;
comment on function private.is_active is
'Whether the caller is signed in, not suspended, not deleted: whatever lets people write asks it.';

create function private.is_operator() returns boolean
language sql stable security definer set search_path = '' as $$
    select private.is_active() and exists (
        select from public.role_assignments as held
        where held.user_id = (select auth.uid()) and held.role in ('moderator', 'admin')
    )
$$;
comment on function private.is_operator is
'Whether the caller is a moderator or an admin, and not suspended.';

create function private.require_active() returns uuid
language plpgsql stable security definer set search_path = '' as $$
begin
    if not private.is_active() then
        perform private.reject('identity.not_active');
    end if;
    return (select auth.uid());
end;
$$;
comment on function private.require_active is
$$The caller's id, for functions that change something on their behalf.

Errors: identity.not_active (403).$$;

-- The service key acts for the operators' own scripts: it is how the first admin comes to be.
create function private.require_admin() returns void
language plpgsql stable security definer set search_path = '' as $$
begin
    if not (
        coalesce((select auth.role()), '') = 'service_role'
        or (private.is_active() and private.has_role('admin'))
    ) then
        perform private.reject('identity.operator_required', 'admin');
    end if;
end;
$$;
comment on function private.require_admin is
$$Pass for an admin or the service key.

Errors: identity.operator_required (403).$$;

create function private.choose_role(role public.app_role) returns void
language plpgsql security definer set search_path = '' as $$
begin
    if choose_role.role is null or choose_role.role not in ('creator', 'sponsor', 'agent') then
        perform private.reject('identity.role_not_selectable', 'role');
    end if;
    insert into public.role_assignments (user_id, role)
    values (private.require_active(), choose_role.role)
    on conflict on constraint role_assignments_pkey do nothing;
end;
$$;
create function public.choose_role(role public.app_role) returns void
language sql set search_path = '' as $$ select private.choose_role(role) $$;
comment on function public.choose_role is
$$Act as creator, sponsor or agent from now on. Safe to repeat.

Errors: identity.role_not_selectable (403), identity.not_active (403).
Source: Source Impact, user roles.$$;

create function private.grant_role(user_id uuid, role public.app_role) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform private.require_admin();
    if not exists (
        select from public.profiles as person
        where person.id = grant_role.user_id and person.deleted_at is null
    ) then
        perform private.reject('identity.user_not_found', 'user_id');
    end if;
    insert into public.role_assignments (user_id, role, granted_by)
    values (grant_role.user_id, grant_role.role, (select auth.uid()))
    on conflict on constraint role_assignments_pkey do nothing;
    if found then
        perform private.audit(
            'identity.grant_role', grant_role.user_id::text, jsonb_build_object('role', role)
        );
    end if;
end;
$$;
create function public.grant_role(user_id uuid, role public.app_role) returns void
language sql set search_path = '' as $$ select private.grant_role(user_id, role) $$;
comment on function public.grant_role is
$$Give somebody a role, as an admin. Safe to repeat.

Errors: identity.operator_required (403), identity.user_not_found (404).$$;

create function private.revoke_role(user_id uuid, role public.app_role) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform private.require_admin();
    if revoke_role.role = 'admin' then
        -- two admins who remove each other at once must not leave none
        perform pg_advisory_xact_lock(hashtextextended('identity.admins', 0));
        if not exists (
            select from public.role_assignments as other
            where other.role = 'admin' and other.user_id <> revoke_role.user_id
        ) then
            perform private.reject('identity.last_admin');
        end if;
    end if;
    delete from public.role_assignments as held
    where held.user_id = revoke_role.user_id and held.role = revoke_role.role;
    if found then
        perform private.audit(
            'identity.revoke_role', revoke_role.user_id::text, jsonb_build_object('role', role)
        );
    end if;
end;
$$;
create function public.revoke_role(user_id uuid, role public.app_role) returns void
language sql set search_path = '' as $$ select private.revoke_role(user_id, role) $$;
comment on function public.revoke_role is
$$Take a role from somebody, as an admin. Safe to repeat.

Errors: identity.operator_required (403), identity.last_admin (409).$$;

create function private.suspend_user(
    user_id uuid, reason text, ends_at timestamptz default null
) returns public.suspensions
language plpgsql security definer set search_path = '' as $$
declare
    v_suspension public.suspensions;
begin
    if not private.is_operator() then
        perform private.reject('identity.operator_required', 'moderator');
    end if;
    if coalesce(char_length(btrim(suspend_user.reason)), 0) not between 1 and 500 then
        perform private.reject('identity.invalid_reason', 'reason');
    end if;
    if suspend_user.ends_at <= now() then
        perform private.reject('identity.invalid_time', 'ends_at');
    end if;
    perform from public.profiles as person where person.id = suspend_user.user_id for update;
    if not found then
        perform private.reject('identity.user_not_found', 'user_id');
    end if;
    -- a moderator judges members, not admins; nobody shuts themselves out
    if suspend_user.user_id = (select auth.uid()) or (
        not private.has_role('admin') and exists (
            select from public.role_assignments as held
            where held.user_id = suspend_user.user_id and held.role in ('moderator', 'admin')
        )
    ) then
        perform private.reject('identity.operator_required', 'admin');
    end if;
    if private.is_suspended(suspend_user.user_id) then
        perform private.reject('identity.already_suspended');
    end if;
    insert into public.suspensions (user_id, reason, suspended_by, ends_at)
    values (
        suspend_user.user_id, btrim(suspend_user.reason), (select auth.uid()), suspend_user.ends_at
    )
    returning * into v_suspension;
    -- the refresh tokens go with the sessions: no new access token
    delete from auth.sessions as login where login.user_id = suspend_user.user_id;
    perform private.audit(
        'identity.suspend_user', suspend_user.user_id::text, to_jsonb(v_suspension)
    );
    return v_suspension;
end;
$$;
create function public.suspend_user(
    user_id uuid, reason text, ends_at timestamptz default null
) returns public.suspensions
language sql set search_path = '' as $$ select private.suspend_user(user_id, reason, ends_at) $$;
comment on function public.suspend_user is
$$Shut somebody out, as a moderator or admin: sessions end, writes are refused at once.

`ends_at` null: until lifted. Operators are suspended by admins only.
Errors: identity.operator_required (403), identity.user_not_found (404),
identity.already_suspended (409), identity.invalid_reason (422), identity.invalid_time (422).$$;

create function private.lift_suspension(user_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
    if not private.is_operator() then
        perform private.reject('identity.operator_required', 'moderator');
    end if;
    -- as in suspend_user: a colleague does not undo what an admin judged
    if not private.has_role('admin') and exists (
        select from public.role_assignments as held
        where held.user_id = lift_suspension.user_id and held.role in ('moderator', 'admin')
    ) then
        perform private.reject('identity.operator_required', 'admin');
    end if;
    update public.suspensions as open
    set lifted_at = now(), lifted_by = (select auth.uid())
    where open.user_id = lift_suspension.user_id
        and open.lifted_at is null
        and (open.ends_at is null or open.ends_at > now());
    if not found then
        perform private.reject('identity.not_suspended');
    end if;
    perform private.audit('identity.lift_suspension', lift_suspension.user_id::text);
end;
$$;
create function public.lift_suspension(user_id uuid) returns void
language sql set search_path = '' as $$ select private.lift_suspension(user_id) $$;
comment on function public.lift_suspension is
$$Let somebody in again, as a moderator or admin. Operators are let in by admins only.

Errors: identity.operator_required (403), identity.not_suspended (409).$$;
