-- Two operators: what one proposes is done when another confirms it, and not before.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('ops.approval_not_found', 404, 'There is no such proposal.'),
('ops.approval_closed', 409, 'The proposal was confirmed or declined before.'),
('ops.approval_expired', 409, 'The proposal has expired or its matter changed: make it again.'),
('ops.second_operator_required', 403, 'Another operator must decide, whom it does not concern.');

create table private.approval_actions (
    action text not null,
    title text not null,
    expires_hours bigint not null default 72,
    constraint approval_actions_pkey primary key (action),
    constraint approval_actions_action_check check (action ~ '^[a-z_]+\.[a-z_]+$'),
    constraint approval_actions_expires_hours_check check (expires_hours between 1 and 720)
);
alter table private.approval_actions enable row level security;
comment on table private.approval_actions is
$$What needs two operators. `<domain>.<verb>_<noun>` is carried out by `private.<verb>_<noun>`,
which takes the proposal and returns what it did as jsonb.$$;

create table public.operator_approvals (
    id uuid not null default gen_random_uuid(),
    action text not null,
    subject_id uuid,
    owner_id uuid,
    input jsonb not null,
    reason text not null,
    status text not null default 'proposed',
    proposed_by uuid not null,
    decided_by uuid,
    note text,
    result jsonb,
    expires_at timestamptz not null,
    decided_at timestamptz,
    created_at timestamptz not null default now(),
    constraint operator_approvals_pkey primary key (id),
    constraint operator_approvals_action_fkey foreign key (action)
    references private.approval_actions on delete restrict,
    constraint operator_approvals_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint operator_approvals_proposed_by_fkey foreign key (proposed_by)
    references public.profiles on delete restrict,
    constraint operator_approvals_decided_by_fkey foreign key (decided_by)
    references public.profiles on delete restrict,
    constraint operator_approvals_status_check
    check (status in ('proposed', 'confirmed', 'declined')),
    constraint operator_approvals_reason_check
    check (char_length(btrim(reason)) between 1 and 500),
    constraint operator_approvals_decided_at_check check (
        (status = 'proposed') = (decided_at is null)
        and (status = 'proposed') = (decided_by is null)
    ),
    -- what the functions see to, the table holds as well
    constraint operator_approvals_proposed_by_check check (
        proposed_by is distinct from owner_id
        and (status <> 'confirmed' or decided_by <> proposed_by)
    ),
    constraint operator_approvals_decided_by_check
    check (decided_by is null or decided_by is distinct from owner_id)
);
alter table public.operator_approvals enable row level security;
create index operator_approvals_action_idx on public.operator_approvals (action);
create index operator_approvals_subject_id_idx on public.operator_approvals (subject_id);
create index operator_approvals_owner_id_idx on public.operator_approvals (owner_id);
create index operator_approvals_proposed_by_idx on public.operator_approvals (proposed_by);
create index operator_approvals_decided_by_idx on public.operator_approvals (decided_by);
create index operator_approvals_status_created_at_idx
on public.operator_approvals (status, created_at);
comment on table public.operator_approvals is
'What an operator proposed and another one confirmed or declined; operators read.';
comment on column public.operator_approvals.subject_id is 'What it is about, like a withdrawal.';
comment on column public.operator_approvals.owner_id is
'Whose money it is about: they neither propose nor decide.';
comment on column public.operator_approvals.input is
'What is to be done, as it was proposed; `was`: what it was decided by, which must still be so.';
comment on column public.operator_approvals.result is 'What was done, when it was confirmed.';
comment on column public.operator_approvals.expires_at is 'Not confirmed by then, it is void.';

create function private.guard_approval() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if old.status <> 'proposed' or (
        old.action, old.subject_id, old.owner_id, old.input, old.reason, old.proposed_by,
        old.expires_at, old.created_at
    ) is distinct from (
        new.action, new.subject_id, new.owner_id, new.input, new.reason, new.proposed_by,
        new.expires_at, new.created_at
    ) then
        raise exception 'a proposal is decided once and never changed'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end;
$$;
comment on function private.guard_approval is
'Trigger: a proposal is decided once, and what was proposed stays as it was.';
create trigger t10_guard_approval before update on public.operator_approvals
for each row execute function private.guard_approval();
create trigger t10_refuse_removal before delete or truncate on public.operator_approvals
for each statement execute function private.refuse_change();

create function private.require_operator() returns uuid
language plpgsql stable security definer set search_path = '' as $$
begin
    if not private.is_operator() then
        perform private.reject('identity.operator_required', 'moderator');
    end if;
    return (select auth.uid());
end;
$$;
comment on function private.require_operator is
$$The caller's id, for a moderator or admin; the service key is nobody.

Errors: identity.operator_required (403).$$;

create function private.propose(
    action text, input jsonb, reason text, subject_id uuid default null, owner_id uuid default null
) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_operator();
    v_made public.operator_approvals;
begin
    if coalesce(char_length(btrim(propose.reason)), 0) not between 1 and 500 then
        perform private.reject('identity.invalid_reason', 'reason');
    end if;
    if v_me = propose.owner_id then
        perform private.reject('ops.second_operator_required', 'owner_id');
    end if;
    insert into public.operator_approvals
        (action, subject_id, owner_id, input, reason, proposed_by, expires_at)
    select
        known.action, propose.subject_id, propose.owner_id, propose.input, btrim(propose.reason),
        v_me, now() + make_interval(hours => known.expires_hours::integer)
    from private.approval_actions as known
    where known.action = propose.action
    returning * into strict v_made;
    perform private.audit(
        'ops.propose_approval', v_made.id::text,
        jsonb_build_object('action', v_made.action, 'input', v_made.input, 'reason', v_made.reason)
    );
    return v_made;
end;
$$;
comment on function private.propose is
$$Propose something that another operator must confirm. Nothing is done yet.

Errors: identity.operator_required (403), identity.invalid_reason (422),
ops.second_operator_required (403) about one's own money.$$;

create function private.lock_approval(approval_id uuid) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_operator();
    v_approval public.operator_approvals;
begin
    select proposed.* into v_approval from public.operator_approvals as proposed
    where proposed.id = lock_approval.approval_id
    for update;
    if not found then
        perform private.reject('ops.approval_not_found', approval_id::text);
    elsif v_approval.status <> 'proposed' then
        perform private.reject('ops.approval_closed', v_approval.status);
    elsif v_me = v_approval.owner_id then
        perform private.reject('ops.second_operator_required', 'owner_id');
    end if;
    return v_approval;
end;
$$;
comment on function private.lock_approval is
$$An undecided proposal for the operator who is to decide, locked.

Errors: identity.operator_required (403), ops.approval_not_found (404), ops.approval_closed (409),
ops.second_operator_required (403) about one's own money.$$;

create function private.require_unchanged(approval public.operator_approvals, now_is jsonb)
returns void
language plpgsql stable security definer set search_path = '' as $$
begin
    if approval.input -> 'was' is distinct from now_is then
        perform private.reject(
            'ops.approval_expired', format('%s -> %s', approval.input -> 'was', now_is)
        );
    end if;
end;
$$;
comment on function private.require_unchanged is
$$Return if what a proposal is about is still as it `was` when it was proposed.

The caller has its lock. Errors: ops.approval_expired (409).$$;

-- Lock order: the proposal, then what it is about, then ledger accounts.
create function private.confirm_approval(approval_id uuid) returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_approval public.operator_approvals := private.lock_approval(approval_id);
    v_result jsonb;
begin
    if v_approval.expires_at <= now() then
        perform private.reject('ops.approval_expired', v_approval.expires_at::text);
    end if;
    -- one's own word does not count twice, nor the word of who is an operator no more
    if v_approval.proposed_by = (select auth.uid())
        or private.is_suspended(v_approval.proposed_by)
        or not exists (
            select from public.role_assignments as held
            where held.user_id = v_approval.proposed_by and held.role in ('moderator', 'admin')
        )
    then
        perform private.reject('ops.second_operator_required', 'proposed_by');
    end if;
    -- nor the word of who was made an operator these days, perhaps by the other: the first ones,
    -- made with the secret key, count at once
    if exists (
        select from unnest(array[(select auth.uid()), v_approval.proposed_by]) as one (id)
        where not exists (
            select from public.role_assignments as held
            where held.user_id = one.id and held.role in ('moderator', 'admin')
                and (held.granted_by is null or held.created_at <= now() - interval '72 hours')
        )
    ) then
        perform private.reject('ops.second_operator_required', 'granted_by');
    end if;
    v_approval.decided_by := (select auth.uid());
    execute format('select private.%I($1)', split_part(v_approval.action, '.', 2))
    into v_result using v_approval;
    update public.operator_approvals as proposed
    set status = 'confirmed', decided_by = v_approval.decided_by, decided_at = now(),
        result = v_result
    where proposed.id = v_approval.id
    returning proposed.* into v_approval;
    perform private.audit(
        v_approval.action, coalesce(v_approval.subject_id, v_approval.owner_id, v_approval.id)::text,
        jsonb_build_object(
            'approval_id', v_approval.id, 'proposed_by', v_approval.proposed_by,
            'input', v_approval.input, 'reason', v_approval.reason, 'result', v_result
        )
    );
    return v_approval;
end;
$$;
create function public.confirm_approval(approval_id uuid) returns public.operator_approvals
language sql set search_path = '' as $$ select private.confirm_approval(approval_id) $$;
comment on function public.confirm_approval is
$$Confirm what another operator proposed: it is done in this very transaction, once.

Errors: identity.operator_required (403), ops.approval_not_found (404), ops.approval_closed,
ops.approval_expired (409), also where what it is about has changed since,
ops.second_operator_required (403) for whoever proposed it, whose money it is about, or where an
admin made one of the two an operator in the last 72 hours; and those of the action.$$;

create function private.decline_approval(approval_id uuid, reason text)
returns public.operator_approvals
language plpgsql security definer set search_path = '' as $$
declare
    v_approval public.operator_approvals := private.lock_approval(approval_id);
begin
    if coalesce(char_length(btrim(decline_approval.reason)), 0) not between 1 and 500 then
        perform private.reject('identity.invalid_reason', 'reason');
    end if;
    update public.operator_approvals as proposed
    set status = 'declined', decided_by = (select auth.uid()), decided_at = now(),
        note = btrim(decline_approval.reason)
    where proposed.id = v_approval.id
    returning proposed.* into v_approval;
    perform private.audit(
        'ops.decline_approval', v_approval.id::text,
        jsonb_build_object('action', v_approval.action, 'reason', v_approval.note)
    );
    return v_approval;
end;
$$;
create function public.decline_approval(approval_id uuid, reason text)
returns public.operator_approvals
language sql set search_path = '' as $$ select private.decline_approval(approval_id, reason) $$;
comment on function public.decline_approval is
$$Decline what an operator proposed, one's own proposals too: nothing is done.

Errors: identity.operator_required (403), ops.approval_not_found (404), ops.approval_closed (409),
ops.second_operator_required (403) about one's own money, identity.invalid_reason (422).$$;
