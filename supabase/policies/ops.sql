select private.close(
    tables => array[
        'private.error_codes', 'private.job_keys', 'private.failed_jobs', 'public.audit_log'
    ]::regclass[],
    functions => array[
        'private.reject', 'private.close', 'private.touch_updated_at', 'private.refuse_change',
        'private.enqueue', 'private.audit', 'private.forget_job_keys'
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
