-- Whether somebody is an operator is asked by nearly every read: answered from a kept plan, and for
-- nearly everybody by one look at their roles.
set lock_timeout = '5s';

create or replace function private.is_operator() returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
    return exists (
        select from public.role_assignments as held
        where held.user_id = (select auth.uid()) and held.role in ('moderator', 'admin')
    ) and private.is_active();
end;
$$;
comment on function private.is_operator is
'Whether the caller is a moderator or an admin, and not suspended.';
