-- Jobs that gave up, for operators; and the end of old keys.
set lock_timeout = '5s';

create view private.failed_jobs with (security_invoker = true) as
select
    job.id,
    job.queue_name,
    job.task_name,
    job.args,
    job.attempts,
    (
        select max(event.at) from procrastinate.procrastinate_events as event
        where event.job_id = job.id
    ) as failed_at
from procrastinate.procrastinate_jobs as job
where job.status = 'failed';
comment on view private.failed_jobs is
'Jobs that failed for good; `guildhall jobs retry` queues them again. Their errors are in the log.';

create function private.forget_job_keys() returns void
language sql security definer set search_path = '' as $$
    delete from private.job_keys as old where old.created_at < now() - interval '90 days'
$$;
comment on function private.forget_job_keys is
'Forget keys of 90 days ago: nothing repeats a fact so late.';
