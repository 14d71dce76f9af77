select private.close(
    tables => array[
        'private.error_codes', 'private.job_keys', 'private.failed_jobs', 'public.audit_log',
        'private.rate_tiers', 'private.request_rates', 'private.idempotency_keys',
        'private.approval_actions', 'public.operator_approvals',
        'private.findings', 'private.ledger_days', 'private.stuck_escrows',
        'private.doubtful_requests', 'private.failed_events', 'private.debts'
    ]::regclass[],
    functions => array[
        'private.reject', 'private.close', 'private.touch_updated_at', 'private.refuse_change',
        'private.enqueue', 'private.audit', 'private.forget_job_keys',
        'private.rate_tier', 'private.rate_limit', 'private.spend_request',
        'private.client_address', 'private.check_request', 'private.begin_request',
        'private.commit_request', 'private.finish_request', 'private.prune_limits',
        'private.readiness',
        'private.guard_approval', 'private.require_operator', 'private.propose',
        'private.lock_approval', 'private.require_unchanged',
        'public.confirm_approval', 'private.confirm_approval',
        'public.decline_approval', 'private.decline_approval',
        'private.in_sight_since', 'private.check_invariants', 'private.check_everything',
        'private.watch_invariants',
        'private.open_days', 'private.close_day', 'private.close_next_day',
        'private.list_findings', 'public.list_findings', 'private.figures',
        'private.get_trial_balance', 'public.get_trial_balance'
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

-- What takes two operators: they read, propose through the functions of a domain, and decide here.
create policy select_operators on public.operator_approvals for select to authenticated
using ((select private.is_operator()));
grant select on table public.operator_approvals to authenticated, service_role;
grant execute on function
public.confirm_approval, private.confirm_approval,
public.decline_approval, private.decline_approval
to authenticated;

-- Every request of the Data API passes here first; the api asks for the limits it will count.
grant execute on function private.check_request to anon, authenticated, service_role;
grant execute on function private.rate_limit to anon, authenticated;

-- The api keeps what it answered, and asks whether it can serve; workers forget what is old.
grant execute on function
private.begin_request, private.commit_request, private.finish_request, private.prune_limits,
private.readiness, private.figures, private.check_invariants, private.watch_invariants,
private.close_day, private.close_next_day
to guildhall_worker;

-- Operators see what is wrong with money.
grant execute on function
public.list_findings, private.list_findings, public.get_trial_balance, private.get_trial_balance
to authenticated;
