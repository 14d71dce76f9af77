select private.close(
    tables => array[
        'public.profiles', 'public.role_assignments', 'public.suspensions',
        'public.profile_private', 'public.user_settings', 'private.password_attempts'
    ]::regclass[],
    functions => array[
        'private.has_role', 'private.is_suspended', 'private.is_active', 'private.is_operator',
        'private.require_active', 'private.require_admin',
        'public.choose_role', 'private.choose_role', 'public.grant_role', 'private.grant_role',
        'public.revoke_role', 'private.revoke_role', 'public.suspend_user', 'private.suspend_user',
        'public.lift_suspension', 'private.lift_suspension',
        'public.delete_account', 'private.delete_account',
        'private.check_time_zone', 'private.welcome_user',
        'private.add_roles_to_token', 'private.limit_password_attempts'
    ]::regproc[]
);

-- Profiles: seen as their visibility says; people edit their own, but never their badge.
create policy select_public on public.profiles for select to anon
using (visibility = 'public');
create policy select_visible on public.profiles for select to authenticated using (
    visibility in ('public', 'members')
    or id = (select auth.uid())
    or (select private.is_operator())
);
create policy update_own on public.profiles for update to authenticated
using (id = (select auth.uid()) and (select private.is_active()))
with check (id = (select auth.uid()));
grant select on table public.profiles to anon, authenticated, service_role;
grant update (handle, display_name, bio, avatar_path, visibility)
on table public.profiles to authenticated;

-- Roles: people see their own, operators all; rows change only through functions.
create policy select_own on public.role_assignments for select to authenticated
using (user_id = (select auth.uid()) or (select private.is_operator()));
create policy select_for_token on public.role_assignments for select to supabase_auth_admin
using (true);
grant select on table public.role_assignments to authenticated, service_role, supabase_auth_admin;

-- Suspensions: people see their own, operators all.
create policy select_own on public.suspensions for select to authenticated
using (user_id = (select auth.uid()) or (select private.is_operator()));
create policy select_for_token on public.suspensions for select to supabase_auth_admin
using (true);
grant select on table public.suspensions to authenticated, service_role, supabase_auth_admin;

-- Private details: one's own; operators read.
create policy select_own on public.profile_private for select to authenticated
using (user_id = (select auth.uid()) or (select private.is_operator()));
create policy update_own on public.profile_private for update to authenticated
using (user_id = (select auth.uid()) and (select private.is_active()))
with check (user_id = (select auth.uid()));
grant select on table public.profile_private to authenticated, service_role;
grant update (legal_name, phone, country) on table public.profile_private to authenticated;

-- Settings: one's own, and nobody else's business.
create policy select_own on public.user_settings for select to authenticated
using (user_id = (select auth.uid()));
create policy update_own on public.user_settings for update to authenticated
using (user_id = (select auth.uid()) and (select private.is_active()))
with check (user_id = (select auth.uid()));
grant select on table public.user_settings to authenticated, service_role;
grant update (locale, time_zone, theme) on table public.user_settings to authenticated;

-- What policies ask.
grant execute on function
private.has_role, private.is_active, private.is_operator
to authenticated;

-- What members do.
grant execute on function
public.choose_role, private.choose_role, public.delete_account, private.delete_account
to authenticated;

-- What operators do; the functions ask who they are.
grant execute on function
public.grant_role, private.grant_role, public.revoke_role, private.revoke_role
to authenticated, service_role;
grant execute on function
public.suspend_user, private.suspend_user, public.lift_suspension, private.lift_suspension
to authenticated;

-- What Supabase Auth asks.
grant usage on schema private to supabase_auth_admin;
grant execute on function private.add_roles_to_token, private.limit_password_attempts
to supabase_auth_admin;
create policy all_attempts on private.password_attempts to supabase_auth_admin
using (true) with check (true);
grant select, insert, update, delete on table private.password_attempts to supabase_auth_admin;

-- Avatars: everyone right in their own folder, no deeper; the bucket is public, so nobody needs to
-- list it.
drop policy if exists guildhall_avatars_select_own on storage.objects;
create policy guildhall_avatars_select_own on storage.objects for select to authenticated using (
    bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text
);
drop policy if exists guildhall_avatars_insert_own on storage.objects;
create policy guildhall_avatars_insert_own on storage.objects for insert to authenticated
with check (
    bucket_id = 'avatars' and storage.foldername(name) = array[(select auth.uid())::text]
    and char_length(storage.filename(name)) between 1 and 100
    and (select private.is_active())
);
drop policy if exists guildhall_avatars_update_own on storage.objects;
create policy guildhall_avatars_update_own on storage.objects for update to authenticated
using (
    bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text
    and (select private.is_active())
) with check (
    bucket_id = 'avatars' and storage.foldername(name) = array[(select auth.uid())::text]
    and char_length(storage.filename(name)) between 1 and 100
);
drop policy if exists guildhall_avatars_delete_own on storage.objects;
create policy guildhall_avatars_delete_own on storage.objects for delete to authenticated using (
    bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text
);
