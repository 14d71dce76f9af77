-- Withdrawals by themselves: every week or month, for who wants it so.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.invalid_schedule', 422, 'A schedule is manual, weekly or monthly, from an amount on.');

create table public.withdrawal_schedules (
    owner_id uuid not null,
    currency public.currency_code not null,
    cadence text not null,
    minimum_minor bigint not null default 0,
    next_at timestamptz,
    note text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint withdrawal_schedules_pkey primary key (owner_id, currency),
    constraint withdrawal_schedules_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete cascade,
    constraint withdrawal_schedules_cadence_check
    check (cadence in ('manual', 'weekly', 'monthly')),
    constraint withdrawal_schedules_minimum_minor_check check (minimum_minor >= 0),
    constraint withdrawal_schedules_next_at_check check ((cadence = 'manual') = (next_at is null))
);
alter table public.withdrawal_schedules enable row level security;
create index withdrawal_schedules_next_at_idx on public.withdrawal_schedules (next_at)
where next_at is not null;
create trigger t20_touch_updated_at before update on public.withdrawal_schedules
for each row execute function private.touch_updated_at();
comment on table public.withdrawal_schedules is
'When a balance is withdrawn by itself, to the default account; no row: never.';
comment on column public.withdrawal_schedules.cadence is
'manual: never · weekly: on Mondays · monthly: on the first; at six in the morning UTC.';
comment on column public.withdrawal_schedules.minimum_minor is
'Less than this waits for the next time; minor units.';
comment on column public.withdrawal_schedules.next_at is 'When it is done next.';
comment on column public.withdrawal_schedules.note is 'Why nothing was withdrawn the last time.';

create function private.next_withdrawal_at(cadence text, moment timestamptz) returns timestamptz
language sql immutable set search_path = '' as $$
    select case next_withdrawal_at.cadence
        when 'weekly' then date_trunc(
            'week', next_withdrawal_at.moment - interval '6 hours', 'UTC'
        ) + interval '7 days 6 hours'
        when 'monthly' then (
            date_trunc(
                'month', (next_withdrawal_at.moment - interval '6 hours') at time zone 'UTC'
            ) + interval '1 month 6 hours'
        ) at time zone 'UTC'
    end
$$;
comment on function private.next_withdrawal_at is
'The first Monday, or first of a month, six in the morning UTC, after a moment; null for manual.';

create function private.set_withdrawal_schedule(
    currency text, cadence text, minimum_minor bigint
) returns public.withdrawal_schedules
language plpgsql security definer set search_path = '' as $$
declare
    v_schedule public.withdrawal_schedules;
begin
    if set_withdrawal_schedule.currency is null
        or set_withdrawal_schedule.currency !~ '^[A-Z]{3}$'
    then
        perform private.reject('payments.invalid_currency', 'currency');
    elsif set_withdrawal_schedule.cadence is null
        or set_withdrawal_schedule.cadence not in ('manual', 'weekly', 'monthly')
    then
        perform private.reject('payments.invalid_schedule', 'cadence');
    elsif coalesce(set_withdrawal_schedule.minimum_minor, -1) < 0 then
        perform private.reject('payments.invalid_schedule', 'minimum_minor');
    end if;
    insert into public.withdrawal_schedules as mine
        (owner_id, currency, cadence, minimum_minor, next_at)
    values (
        private.require_active(), set_withdrawal_schedule.currency,
        set_withdrawal_schedule.cadence, set_withdrawal_schedule.minimum_minor,
        private.next_withdrawal_at(set_withdrawal_schedule.cadence, now())
    )
    on conflict on constraint withdrawal_schedules_pkey do update
    set cadence = excluded.cadence, minimum_minor = excluded.minimum_minor, note = null,
        -- what is due already stays due
        next_at = case
            when mine.cadence = excluded.cadence then mine.next_at else excluded.next_at
        end
    returning mine.* into v_schedule;
    return v_schedule;
end;
$$;
create function public.set_withdrawal_schedule(
    currency text, cadence text, minimum_minor bigint default 0
) returns public.withdrawal_schedules
language sql set search_path = '' as $$
    select private.set_withdrawal_schedule(currency, cadence, minimum_minor)
$$;
comment on function public.set_withdrawal_schedule is
$$Withdraw one's balance of a currency every week or month, or only by hand. Safe to repeat.

`cadence`: manual, weekly (Mondays), monthly (the first) · `minimum_minor`: less than this waits for
the next time. All that may be withdrawn then goes to the default account.
Errors: payments.invalid_currency, payments.invalid_schedule (422), identity.not_active (403).
Source: Source Impact, payout scheduling.$$;

create function private.take_due_schedules(batch_size bigint default 1000)
returns table (owner_id uuid, currency text)
language sql security definer set search_path = '' as $$
    with due as (
        select
            waiting.owner_id, waiting.currency, waiting.cadence, waiting.minimum_minor,
            coalesce(account.posted_minor - account.reserved_minor, 0) as free_minor
        from public.withdrawal_schedules as waiting
        left join public.ledger_accounts as account
            on waiting.owner_id = account.owner_id and account.kind = 'available'
            and account.currency = waiting.currency and account.subject_id is null
            and account.provider is null
        where waiting.next_at <= now()
        order by waiting.next_at
        limit take_due_schedules.batch_size
        for update of waiting skip locked
    ),
    -- who has nothing to take out is done in one go
    idle as (
        update public.withdrawal_schedules as waiting
        set next_at = private.next_withdrawal_at(due.cadence, now()),
            note = 'less than the minimum'
        from due
        where (waiting.owner_id, waiting.currency) = (due.owner_id, due.currency)
            and due.free_minor < greatest(due.minimum_minor, 1)
    )
    select due.owner_id, due.currency::text from due
    where due.free_minor >= greatest(due.minimum_minor, 1)
$$;
comment on function private.take_due_schedules is
'Schedules that are due with something to withdraw; those without are put off to the next time.';

create function private.request_scheduled(owner_id uuid, currency text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_schedule public.withdrawal_schedules;
    v_account uuid;
    v_may record;
    v_made public.withdrawals;
    v_key text;
    v_note text;
    v_next timestamptz;
begin
    select due.* into v_schedule from public.withdrawal_schedules as due
    where due.owner_id = request_scheduled.owner_id
        and due.currency = request_scheduled.currency and due.next_at <= now()
    for update skip locked;
    if not found then
        return null;
    end if;
    v_next := private.next_withdrawal_at(v_schedule.cadence, now());
    -- the period is the key: once each, however often this runs
    v_key := format(
        'schedule:%s:%s:%s', currency, v_schedule.cadence,
        (
            date_trunc(
                case v_schedule.cadence when 'weekly' then 'week' else 'month' end,
                v_schedule.next_at, 'UTC'
            ) at time zone 'UTC'
        )::date
    );
    v_account := private.withdrawal_account(owner_id, currency);
    select weighed.* into strict v_may
    from private.weigh_withdrawal(owner_id, currency, v_account) as weighed;
    if exists (
        select from public.withdrawals as done
        where done.owner_id = request_scheduled.owner_id and done.idempotency_key = v_key
    ) then
        v_note := null;
    elsif v_may.withdrawable_minor > 0
        and v_may.withdrawable_minor >= v_schedule.minimum_minor
    then
        begin
            v_made := private.open_withdrawal(
                owner_id, v_may.withdrawable_minor, currency, v_account, v_key
            );
        exception when sqlstate 'PGRST' then
            -- something moved just now: once more in an hour
            v_note := sqlerrm::json ->> 'code';
            v_next := least(v_next, now() + interval '1 hour');
        end;
    else
        v_note := coalesce(v_may.block, 'less than the minimum');
    end if;
    update public.withdrawal_schedules as done
    set next_at = v_next, note = v_note
    where done.owner_id = request_scheduled.owner_id
        and done.currency = request_scheduled.currency;
    return v_made.id;
end;
$$;
comment on function private.request_scheduled is
$$Withdraw what a due schedule may, once per week or month; the withdrawal's id, or null.

Why nothing was withdrawn stands in the schedule's note.$$;

create function private.forget_schedules() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    delete from public.withdrawal_schedules as gone where gone.owner_id = new.id;
    return null;
end;
$$;
comment on function private.forget_schedules is 'Trigger: who is deleted withdraws nothing more.';
create trigger t50_forget_schedules after update of deleted_at on public.profiles
for each row when (old.deleted_at is null and new.deleted_at is not null)
execute function private.forget_schedules();
