-- Rejects a user's second wrong code of a second factor, by what it wrote itself.
create function auth_hooks.mfa_verification_attempt(event jsonb) returns jsonb
language plpgsql as $$
begin
    insert into auth_hooks.calls (hook, event) values ('mfa', event);
    if (
        select count(*) from auth_hooks.calls as c
        where c.hook = 'mfa' and c.event ->> 'factor_id' = mfa_verification_attempt.event ->> 'factor_id'
        and not (c.event ->> 'valid')::boolean
    ) > 1 then
        return '{"decision": "reject", "message": "too many codes"}'::jsonb;
    end if;
    return '{"decision": "continue"}'::jsonb;
end;
$$;
grant execute on function auth_hooks.mfa_verification_attempt to supabase_auth_admin;
revoke execute on function auth_hooks.mfa_verification_attempt from public, anon, authenticated;
