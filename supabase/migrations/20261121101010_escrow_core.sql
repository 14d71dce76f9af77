-- Escrows: money set aside between two parties until the work is done.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('escrow.not_found', 404, 'There is no such escrow.'),
('escrow.wrong_party', 403, 'This step belongs to the other party.'),
('escrow.invalid_transition', 409, 'The escrow''s state does not allow this step.'),
('escrow.sponsor_required', 403, 'Only a sponsor opens an escrow.'),
('escrow.creator_not_found', 404, 'There is no such creator.'),
('escrow.same_party', 422, 'Sponsor and creator must be two people.'),
('escrow.invalid_milestones', 422, 'One to fifty milestones, each with a title and a price.'),
('escrow.invalid_amount', 422, 'The amount must be a whole number of minor units in range.'),
('escrow.invalid_currency', 422, 'The currency must be three upper-case letters (ISO 4217).'),
('escrow.invalid_terms', 422, 'Title, days or revisions are out of range.'),
('escrow.invalid_text', 422, 'A text of 1 to 5000 characters is needed.'),
('escrow.invalid_outcome', 422, 'A dispute ends in release, refund or split.'),
('escrow.amount_exceeded', 409, 'The escrow does not hold that much.'),
('escrow.revision_limit_reached', 409, 'All revisions are used: approve or dispute.'),
('escrow.wrong_currency', 409, 'The payment''s currency is not the escrow''s.'),
('escrow.payment_too_small', 409, 'The payment is less than the escrow''s total.'),
('escrow.payment_too_large', 409, 'The payment is more than the escrow''s total.'),
('escrow.payment_reused', 409, 'This payment funded another escrow.'),
('escrow.already_funded', 409, 'Another payment funded this escrow.'),
('escrow.not_payable', 409, 'The escrow takes no payment any more.'),
('escrow.refund_not_found', 404, 'There is no such refund.'),
('escrow.still_open', 409, 'An escrow of this person is still open.');

create domain public.escrow_status as text constraint escrow_status_check check (value in (
    'pending_payment', 'payment_processing', 'failed', 'cancelled', 'locked', 'work_in_progress',
    'work_submitted', 'under_review', 'approved', 'rejected', 'disputed', 'releasing', 'released',
    'refunding', 'refunded'
));

create table public.escrow_transitions (
    from_status public.escrow_status not null,
    to_status public.escrow_status not null,
    constraint escrow_transitions_pkey primary key (from_status, to_status)
);
alter table public.escrow_transitions enable row level security;
comment on table public.escrow_transitions is
$$The legal steps of an escrow; a trigger refuses every other.

Source: Source Impact, escrow state machine; the ways out of failed, locked and rejected are ours.$$;
insert into public.escrow_transitions (from_status, to_status) values
('pending_payment', 'payment_processing'), ('pending_payment', 'cancelled'),
('payment_processing', 'locked'), ('payment_processing', 'failed'),
('failed', 'payment_processing'), ('failed', 'cancelled'),
('locked', 'work_in_progress'), ('locked', 'refunding'),
('work_in_progress', 'work_submitted'), ('work_in_progress', 'disputed'),
('work_in_progress', 'refunding'),
('work_submitted', 'under_review'),
('under_review', 'approved'), ('under_review', 'rejected'), ('under_review', 'disputed'),
('rejected', 'work_in_progress'), ('rejected', 'disputed'),
('approved', 'releasing'), ('releasing', 'released'),
('disputed', 'releasing'), ('disputed', 'refunding'), ('refunding', 'refunded');

-- Agreements: what two parties opened together; each part is an escrow of its own.
create table public.escrow_agreements (
    id uuid not null default gen_random_uuid(),
    sponsor_id uuid not null,
    creator_id uuid not null,
    sponsor_agent_id uuid,
    creator_agent_id uuid,
    title text not null,
    currency public.currency_code not null,
    fee_bps bigint not null default 1000,
    review_days bigint not null,
    revision_limit bigint not null,
    pay_within_days bigint not null,
    created_at timestamptz not null default now(),
    constraint escrow_agreements_pkey primary key (id),
    constraint escrow_agreements_sponsor_id_fkey foreign key (sponsor_id)
    references public.profiles on delete restrict,
    constraint escrow_agreements_creator_id_fkey foreign key (creator_id)
    references public.profiles on delete restrict,
    constraint escrow_agreements_sponsor_agent_id_fkey foreign key (sponsor_agent_id)
    references public.profiles on delete restrict,
    constraint escrow_agreements_creator_agent_id_fkey foreign key (creator_agent_id)
    references public.profiles on delete restrict,
    constraint escrow_agreements_creator_id_check check (creator_id <> sponsor_id),
    constraint escrow_agreements_title_check check (char_length(btrim(title)) between 1 and 200),
    constraint escrow_agreements_fee_bps_check check (fee_bps between 0 and 10000),
    constraint escrow_agreements_review_days_check check (review_days between 1 and 30),
    constraint escrow_agreements_revision_limit_check check (revision_limit between 0 and 20),
    constraint escrow_agreements_pay_within_days_check check (pay_within_days between 1 and 90)
);
alter table public.escrow_agreements enable row level security;
create index escrow_agreements_sponsor_id_idx on public.escrow_agreements (sponsor_id);
create index escrow_agreements_creator_id_idx on public.escrow_agreements (creator_id);
create index escrow_agreements_sponsor_agent_id_idx
on public.escrow_agreements (sponsor_agent_id);
create index escrow_agreements_creator_agent_id_idx
on public.escrow_agreements (creator_agent_id);
comment on table public.escrow_agreements is
'Terms between a sponsor and a creator; its parts are escrows. Never changes.';
comment on column public.escrow_agreements.sponsor_agent_id is
'Who had brought the sponsor when it was opened; null as well when that is a party.';
comment on column public.escrow_agreements.creator_agent_id is
'Who had brought the creator when it was opened; null as well when that is a party.';
comment on column public.escrow_agreements.fee_bps is 'Fee on top of the price; 1000 = 10 %.';
comment on column public.escrow_agreements.review_days is
'Work not answered for so many days is approved.';
comment on column public.escrow_agreements.revision_limit is 'How often work may be rejected.';
comment on column public.escrow_agreements.pay_within_days is
'A part not paid so long after it could be is cancelled.';
create trigger t10_refuse_change before update or delete or truncate on public.escrow_agreements
for each statement execute function private.refuse_change();

create table public.escrows (
    id uuid not null default gen_random_uuid(),
    agreement_id uuid not null,
    position bigint not null,
    sponsor_id uuid not null,
    creator_id uuid not null,
    title text not null,
    currency public.currency_code not null,
    status public.escrow_status not null default 'pending_payment',
    status_reason text,
    price_minor bigint not null,
    fee_minor bigint not null,
    total_minor bigint not null,
    remaining_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    released_minor bigint not null default 0,
    taken_back_minor bigint not null default 0,
    revisions bigint not null default 0,
    due_at timestamptz,
    provider text,
    payment_reference text,
    funded_at timestamptz,
    review_due_at timestamptz,
    closed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint escrows_pkey primary key (id),
    constraint escrows_agreement_id_position_key unique (agreement_id, position),
    constraint escrows_provider_payment_reference_key unique (provider, payment_reference),
    constraint escrows_agreement_id_fkey foreign key (agreement_id)
    references public.escrow_agreements on delete restrict,
    constraint escrows_sponsor_id_fkey foreign key (sponsor_id)
    references public.profiles on delete restrict,
    constraint escrows_creator_id_fkey foreign key (creator_id)
    references public.profiles on delete restrict,
    constraint escrows_title_check check (char_length(btrim(title)) between 1 and 200),
    constraint escrows_price_minor_check check (price_minor between 1 and 100000000000000),
    constraint escrows_fee_minor_check check (fee_minor >= 0),
    constraint escrows_total_minor_check check (total_minor = price_minor + fee_minor),
    constraint escrows_parts_check check (
        least(remaining_minor, refunded_minor, released_minor) >= 0
        and remaining_minor + refunded_minor + released_minor
        = case when funded_at is null then 0 else total_minor end
    ),
    constraint escrows_taken_back_minor_check
    check (taken_back_minor between 0 and released_minor),
    -- no money before it is paid nor after it ended, and some at all times between
    constraint escrows_remaining_minor_check check ((remaining_minor = 0) = (status in (
        'pending_payment', 'payment_processing', 'failed', 'cancelled', 'released', 'refunded'
    ))),
    constraint escrows_funded_at_check check (
        (funded_at is null) = (provider is null)
        and (funded_at is null) = (payment_reference is null)
    ),
    constraint escrows_closed_at_check
    check ((closed_at is null) = (status not in ('cancelled', 'released', 'refunded')))
);
alter table public.escrows enable row level security;
create index escrows_sponsor_id_status_idx on public.escrows (sponsor_id, status);
create index escrows_creator_id_status_idx on public.escrows (creator_id, status);
create index escrows_review_due_at_idx on public.escrows (review_due_at)
where status in ('work_submitted', 'under_review');
create index escrows_created_at_idx on public.escrows (created_at)
where status in ('pending_payment', 'failed');
comment on table public.escrows is
'A part of an agreement with its own money and state: one row per milestone.';
comment on column public.escrows.status_reason is 'Why it is in this state.';
comment on column public.escrows.price_minor is 'What the creator gets, in minor units.';
comment on column public.escrows.total_minor is
'Price and fee, in minor units of `currency`: what the sponsor pays.';
comment on column public.escrows.remaining_minor is
'What it holds now: the balance of its ledger account. Refund, split and release share it.';
comment on column public.escrows.taken_back_minor is
'Of what was released, what came back: creator and agents gave it in proportion.';
comment on column public.escrows.review_due_at is 'Work not answered by then is approved.';

create table public.escrow_events (
    id bigint generated always as identity,
    escrow_id uuid not null,
    actor_id uuid,
    from_status public.escrow_status,
    to_status public.escrow_status not null,
    reason text,
    amount_minor bigint,
    created_at timestamptz not null default clock_timestamp(),
    constraint escrow_events_pkey primary key (id),
    constraint escrow_events_escrow_id_fkey foreign key (escrow_id)
    references public.escrows on delete restrict
);
alter table public.escrow_events enable row level security;
create index escrow_events_escrow_id_id_idx on public.escrow_events (escrow_id, id);
comment on table public.escrow_events is
'Each step of an escrow: who, when, from, to, why. Append-only.';
comment on column public.escrow_events.actor_id is
'Who did it; null: a payment, or time. No foreign key: the row outlives the person.';
comment on column public.escrow_events.from_status is
'Null when it was opened; as `to_status` when only evidence or a part refund came.';
comment on column public.escrow_events.amount_minor is 'Of a refund, in minor units.';
create trigger t10_refuse_change before update or delete or truncate on public.escrow_events
for each statement execute function private.refuse_change();

-- Refunds under way: the sponsor's money, held back until a provider has carried it.
create table private.escrow_refunds (
    id uuid not null default gen_random_uuid(),
    escrow_id uuid not null,
    amount_minor bigint not null,
    reservation_id uuid not null,
    created_at timestamptz not null default now(),
    constraint escrow_refunds_pkey primary key (id),
    constraint escrow_refunds_escrow_id_fkey foreign key (escrow_id)
    references public.escrows on delete restrict,
    constraint escrow_refunds_reservation_id_fkey foreign key (reservation_id)
    references public.ledger_reservations on delete restrict,
    constraint escrow_refunds_reservation_id_key unique (reservation_id),
    constraint escrow_refunds_amount_minor_check check (amount_minor > 0)
);
alter table private.escrow_refunds enable row level security;
create index escrow_refunds_escrow_id_idx on private.escrow_refunds (escrow_id);
comment on table private.escrow_refunds is
'What is to go back the way the payment came; its reservation tells whether it has.';

create function private.guard_escrow_terms() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if (old.agreement_id, old.sponsor_id, old.creator_id, old.currency, old.total_minor)
        is distinct from
        (new.agreement_id, new.sponsor_id, new.creator_id, new.currency, new.total_minor)
    then
        raise exception 'parties and price of an escrow never change'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end;
$$;
comment on function private.guard_escrow_terms is
'Trigger: an escrow keeps its parties and its price.';
create trigger t10_guard_terms before update on public.escrows
for each row execute function private.guard_escrow_terms();

create function private.guard_escrow_status() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    v_from text := case when tg_op = 'UPDATE' then old.status end;
begin
    -- a step from a state to itself is none: the same call twice is refused the second time
    if not exists (
        select from public.escrow_transitions as legal
        where (legal.from_status, legal.to_status) = (v_from, new.status)
    ) and (v_from is not null or new.status <> 'pending_payment') then
        perform private.reject(
            'escrow.invalid_transition', concat_ws(' -> ', v_from, new.status)
        );
    end if;
    return new;
end;
$$;
comment on function private.guard_escrow_status is
'Trigger: an escrow starts unpaid, and takes only legal steps.';
create trigger t10_guard_status before insert or update of status on public.escrows
for each row execute function private.guard_escrow_status();
create trigger t20_touch_updated_at before update on public.escrows
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.escrows
for each statement execute function private.refuse_change();

create function private.record_escrow() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.escrow_events (escrow_id, actor_id, from_status, to_status, reason)
    values (
        new.id, (select auth.uid()), case when tg_op = 'UPDATE' then old.status end, new.status,
        new.status_reason
    );
    return null;
end;
$$;
comment on function private.record_escrow is 'Trigger: every change of state leaves an event.';
create trigger t50_record_opened after insert on public.escrows
for each row execute function private.record_escrow();
create trigger t50_record after update on public.escrows
for each row when (old.status is distinct from new.status)
execute function private.record_escrow();

create function private.announce_escrow() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object(
            'escrow_id', new.id,
            'agreement_id', new.agreement_id,
            'status', new.status,
            'remaining_minor', new.remaining_minor,
            'currency', new.currency
        ),
        'escrow_' || new.status, 'user:' || party.id, true
    )
    from unnest(array[new.sponsor_id, new.creator_id]) as party (id);
    return null;
end;
$$;
comment on function private.announce_escrow is
'Trigger: broadcast `escrow_<status>` on the private topic `user:<id>` of both parties.';
create trigger t90_announce_opened after insert on public.escrows
for each row execute function private.announce_escrow();
-- releasing and refunding last no longer than a transaction: nobody needs to hear of them
create trigger t90_announce after update on public.escrows
for each row when (
    old.status is distinct from new.status and new.status not in ('releasing', 'refunding')
)
execute function private.announce_escrow();

create function private.keep_escrow_party() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if exists (
        select from public.escrows as open
        where new.id in (open.sponsor_id, open.creator_id) and open.closed_at is null
    ) then
        perform private.reject('escrow.still_open');
    end if;
    return new;
end;
$$;
comment on function private.keep_escrow_party is
'Trigger: nobody deletes their account while an escrow of theirs is open.';
create trigger t10_keep_escrow_party before update on public.profiles
for each row when (old.deleted_at is null and new.deleted_at is not null)
execute function private.keep_escrow_party();

create function private.my_agreement_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select known.id from public.escrow_agreements as known
    where (select auth.uid()) in (
        known.sponsor_id, known.creator_id, known.sponsor_agent_id, known.creator_agent_id
    )
$$;
comment on function private.my_agreement_ids is
'Agreements that the caller is a party of, or an agent on, for policies.';

create function private.my_escrow_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select part.id from public.escrows as part
    where part.agreement_id = any(array(select private.my_agreement_ids()))
$$;
comment on function private.my_escrow_ids is
'Escrows that the caller is a party of, or an agent on, for policies.';
