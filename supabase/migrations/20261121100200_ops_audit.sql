-- The audit log: what operators change, for good.
set lock_timeout = '5s';

create table public.audit_log (
    id bigint generated always as identity,
    actor_id uuid,
    action text not null,
    subject_id text not null,
    details jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint audit_log_pkey primary key (id),
    constraint audit_log_action_check check (action ~ '^[a-z_]+\.[a-z_]+$')
);
alter table public.audit_log enable row level security;
create index audit_log_created_at_idx on public.audit_log (created_at);
create index audit_log_subject_id_created_at_idx on public.audit_log (subject_id, created_at);
comment on table public.audit_log is
'What operators changed: who, what, on whom, why. Append-only; admins read.';
comment on column public.audit_log.actor_id is
'The operator; null for the service key. No foreign key: the row outlives the person.';
comment on column public.audit_log.action is
'The function that did it, as `<domain>.<verb>_<noun>`.';

create function private.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end;
$$;
comment on function private.refuse_change is 'Trigger: rows of this table are never changed.';
create trigger t10_refuse_change before update or delete or truncate on public.audit_log
for each statement execute function private.refuse_change();

create function private.audit(action text, subject_id text, details jsonb default '{}')
returns void
language sql security definer set search_path = '' as $$
    insert into public.audit_log (actor_id, action, subject_id, details)
    values ((select auth.uid()), audit.action, audit.subject_id, audit.details)
$$;
comment on function private.audit is
'Write down what an operator changed, in the same transaction.';
