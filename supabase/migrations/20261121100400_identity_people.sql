-- What belongs to a person: private details, settings, a picture; how they come and go.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('identity.invalid_time_zone', 422, 'The time zone is unknown (IANA name, like Europe/Paris).');

create table public.profile_private (
    user_id uuid not null,
    legal_name text,
    phone text,
    country text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint profile_private_pkey primary key (user_id),
    constraint profile_private_user_id_fkey foreign key (user_id)
    references public.profiles on delete cascade,
    constraint profile_private_legal_name_check check (char_length(legal_name) between 1 and 200),
    constraint profile_private_phone_check check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    constraint profile_private_country_check check (country ~ '^[A-Z]{2}$')
);
alter table public.profile_private enable row level security;
comment on table public.profile_private is 'What only a person and the operators know of them.';
comment on column public.profile_private.phone is 'E.164: `+` and 7 to 15 digits.';
comment on column public.profile_private.country is 'ISO 3166-1 alpha-2, upper case.';
create trigger t10_touch_updated_at before update on public.profile_private
for each row execute function private.touch_updated_at();

create table public.user_settings (
    user_id uuid not null,
    locale text not null default 'en',
    time_zone text not null default 'UTC',
    theme text not null default 'system',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint user_settings_pkey primary key (user_id),
    constraint user_settings_user_id_fkey foreign key (user_id)
    references public.profiles on delete cascade,
    constraint user_settings_locale_check check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    constraint user_settings_theme_check check (theme in ('system', 'light', 'dark'))
);
alter table public.user_settings enable row level security;
comment on table public.user_settings is 'How a person wants to be served.';
comment on column public.user_settings.locale is 'Language, with a country if need be: en, pt-BR.';
comment on column public.user_settings.time_zone is 'IANA name, like Europe/Paris.';

create function private.check_time_zone() returns trigger
language plpgsql set search_path = '' as $$
begin
    if not exists (
        select from pg_catalog.pg_timezone_names as known where known.name = new.time_zone
    ) then
        perform private.reject('identity.invalid_time_zone', 'time_zone');
    end if;
    return new;
end;
$$;
comment on function private.check_time_zone is 'Trigger: the time zone is one that Postgres knows.';
create trigger t10_check_time_zone before insert or update of time_zone on public.user_settings
for each row execute function private.check_time_zone();
create trigger t10_touch_updated_at before update on public.user_settings
for each row execute function private.touch_updated_at();

-- A failing trigger here would block sign-up, so every input has an answer.
create function private.welcome_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    v_name text := btrim(left(btrim(new.raw_user_meta_data ->> 'display_name'), 80));
    v_role text := new.raw_user_meta_data ->> 'role';
begin
    insert into public.profiles (id, display_name)
    values (new.id, coalesce(nullif(v_name, ''), 'Member'))
    on conflict on constraint profiles_pkey do nothing;
    insert into public.profile_private (user_id) values (new.id)
    on conflict on constraint profile_private_pkey do nothing;
    insert into public.user_settings (user_id) values (new.id)
    on conflict on constraint user_settings_pkey do nothing;
    if v_role in ('creator', 'sponsor', 'agent') then
        insert into public.role_assignments (user_id, role) values (new.id, v_role)
        on conflict on constraint role_assignments_pkey do nothing;
    end if;
    return null;
end;
$$;
comment on function private.welcome_user is
'Trigger: a new login gets its rows, and the role it asked for if people may choose it.';
create trigger t90_welcome_user after insert on auth.users
for each row execute function private.welcome_user();

-- Avatars: public to see, written by their owner into a folder named by their id.
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values (
    'avatars', 'avatars', true, 2 * 1024 * 1024,
    array['image/png', 'image/jpeg', 'image/webp']
)
on conflict (id) do nothing;

create function private.delete_account() returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_user uuid := (select auth.uid());
begin
    if v_user is null then
        perform private.reject('identity.user_not_found');
    end if;
    if exists (
        select from public.role_assignments as held
        where held.user_id = v_user and held.role = 'admin'
    ) then
        perform private.revoke_role(v_user, 'admin');
    end if;
    -- what others hold against or owe to this person stays provable, without the person in it
    update public.profiles
    set display_name = 'Deleted member', handle = null, bio = '', avatar_path = null,
        visibility = 'private', is_verified = false, deleted_at = now()
    where id = v_user;
    delete from public.profile_private where user_id = v_user;
    delete from public.user_settings where user_id = v_user;
    delete from public.role_assignments where user_id = v_user;
    delete from auth.sessions where user_id = v_user;
    delete from auth.identities where user_id = v_user;
    delete from auth.mfa_factors where user_id = v_user;
    delete from auth.one_time_tokens where user_id = v_user;
    update auth.users
    set email = null, phone = null, encrypted_password = null,
        raw_user_meta_data = '{}', raw_app_meta_data = '{}',
        -- a hundred years and not for ever: Auth cannot read 'infinity', and lists nobody then
        banned_until = now() + interval '100 years', deleted_at = now()
    where id = v_user;
    perform private.enqueue(
        'identity.remove_files', jsonb_build_object('user_id', v_user),
        format('identity:%s:remove_files', v_user)
    );
end;
$$;
create function public.delete_account() returns void
language sql set search_path = '' as $$ select private.delete_account() $$;
comment on function public.delete_account is
$$Delete the caller's account, for good: the login ends, everything personal goes.

The empty profile stays, so that contracts and ledger entries keep their party.
Errors: identity.last_admin (409), escrow.still_open (409), ledger.balance_left (409).$$;
