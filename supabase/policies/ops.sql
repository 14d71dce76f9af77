select private.close(
    tables => array[
        'private.error_codes', 'private.job_keys', 'private.failed_jobs', 'public.audit_log',
        'private.rate_tiers', 'private.request_rates', 'private.idempotency_keys'
    ]::regclass[],
    functions => array[
        'private.reject', 'private.close', 'private.touch_updated_at', 'private.refuse_change',
        'private.enqueue', 'private.audit', 'private.forget_job_keys',
        'private.rate_tier', 'private.rate_limit', 'private.spend_request',
        'private.client_address', 'private.check_request', 'private.begin_request',
        'private.commit_request', 'private.finish_request', 'private.prune_limits',
        'private.readiness'
    ]::regproc[]
);

-- Triggers run as whoever writes, and refuse in words.
grant execute on function private.reject to authenticated;

-- Workers queue further work; everyone else only through the functions of a domain.
grant execute on function private.enqueue, private.forget_job_keys to guildhall_worker;

-- The audit log: admins read; only functions write.
create policy select_admins on public.audit_log for select to authenticated
using ((select private.has_role('admin')) and (select private.is_active()));
grant select on table public.audit_log to authenticated, service_role;

-- Every request of the Data API passes here first; the api asks for the limits it will count.
grant execute on function private.check_request to anon, authenticated, service_role;
grant execute on function private.rate_limit to anon, authenticated;

-- The api keeps what it answered, and asks whether it can serve; workers forget what is old.
grant execute on function
private.begin_request, private.commit_request, private.finish_request, private.prune_limits,
private.readiness
to guildhall_worker;
