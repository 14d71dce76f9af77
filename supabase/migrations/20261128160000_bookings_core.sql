-- Bookings: a guest pays a host for a session; the money waits until it was held and rated.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('bookings.offer_not_found', 404, 'There is no such open offer.'),
('bookings.not_found', 404, 'There is no such booking.'),
('bookings.wrong_party', 403, 'This step belongs to the other party.'),
('bookings.own_offer', 422, 'Nobody books themselves.'),
('bookings.invalid_offer', 422, 'Title, description, duration or windows are out of range.'),
('bookings.invalid_amount', 422, 'The amount must be a whole number of minor units in range.'),
('bookings.invalid_currency', 422, 'The currency must be three upper-case letters (ISO 4217).'),
('bookings.invalid_time', 422, 'A booking starts in the future, and not too far in it.'),
('bookings.invalid_rating', 422, 'A rating is 1 to 5.'),
('bookings.invalid_text', 422, 'A text of 1 to 5000 characters is needed.'),
('bookings.invalid_outcome', 422, 'A dispute ends in release, refund or split.'),
('bookings.invalid_policy', 422, 'Bands cover the ratings 1 to 5 once, with figures in range.'),
('bookings.invalid_transition', 409, 'The booking''s state does not allow this step.'),
('bookings.slot_taken', 409, 'The host is booked at that time.'),
('bookings.unpaid_left', 409, 'Another booking of this offer is still to be paid.'),
('bookings.too_early', 409, 'It is too early for this step.'),
('bookings.window_closed', 409, 'It is too late for this step.'),
('bookings.frozen', 409, 'A payment dispute holds the booking''s money.'),
('bookings.amount_exceeded', 409, 'The booking does not hold that much.'),
('bookings.wrong_currency', 409, 'The payment''s currency is not the booking''s.'),
('bookings.payment_too_small', 409, 'The payment is less than the booking''s total.'),
('bookings.payment_too_large', 409, 'The payment is more than the booking''s total.'),
('bookings.payment_reused', 409, 'This payment funded another booking.'),
('bookings.already_funded', 409, 'Another payment funded this booking.'),
('bookings.not_payable', 409, 'The booking takes no payment any more.'),
('bookings.still_open', 409, 'A booking of this person is still open.');

-- A host's bookings exclude each other in time: uuid beside a range in one index.
create extension if not exists btree_gist with schema extensions;

create domain public.booking_status as text constraint booking_status_check check (value in (
    'pending_payment', 'paid', 'completed', 'no_show', 'disputed', 'cancelled', 'released',
    'refunded', 'charged_back'
));

create table public.booking_transitions (
    from_status public.booking_status not null,
    to_status public.booking_status not null,
    constraint booking_transitions_pkey primary key (from_status, to_status)
);
alter table public.booking_transitions enable row level security;
comment on table public.booking_transitions is
$$The legal steps of a booking; a trigger refuses every other.

Source: Session Settlement names completion, hold and settlement; the rest is ours.$$;
insert into public.booking_transitions (from_status, to_status) values
('pending_payment', 'paid'), ('pending_payment', 'cancelled'),
('paid', 'completed'), ('paid', 'no_show'), ('paid', 'disputed'), ('paid', 'cancelled'),
('paid', 'charged_back'),
('completed', 'released'), ('completed', 'disputed'), ('completed', 'charged_back'),
('no_show', 'released'), ('no_show', 'refunded'), ('no_show', 'disputed'),
('no_show', 'charged_back'),
('disputed', 'released'), ('disputed', 'refunded'), ('disputed', 'charged_back');

-- Settlement policies: who gets what when a booking settles. A version never changes.
create table public.settlement_policies (
    version bigint not null,
    hold_hours bigint not null default 24,
    objection_hours bigint not null default 12,
    no_show_minutes bigint not null default 10,
    pay_within_minutes bigint not null default 30,
    book_ahead_days bigint not null default 60,
    unrated_rating bigint not null default 5,
    created_at timestamptz not null default now(),
    constraint settlement_policies_pkey primary key (version),
    constraint settlement_policies_version_check check (version > 0),
    constraint settlement_policies_hold_hours_check check (hold_hours between 1 and 720),
    constraint settlement_policies_objection_hours_check
    check (objection_hours between 1 and 168),
    constraint settlement_policies_no_show_minutes_check check (no_show_minutes between 0 and 120),
    constraint settlement_policies_pay_within_minutes_check
    check (pay_within_minutes between 5 and 1440),
    constraint settlement_policies_book_ahead_days_check
    check (book_ahead_days between 1 and 365),
    constraint settlement_policies_unrated_rating_check check (unrated_rating between 1 and 5)
);
alter table public.settlement_policies enable row level security;
comment on table public.settlement_policies is
$$Terms under which bookings settle, by version; a booking keeps the version it was made under.

Source: Session Settlement (24-hour hold); the other figures are ours.$$;
comment on column public.settlement_policies.hold_hours is
'So long after completion, or after a no-show was reported, it settles.';
comment on column public.settlement_policies.objection_hours is
'So long after its end a booking counts as completed, if nobody objected.';
comment on column public.settlement_policies.no_show_minutes is
'So long after its start a party may be reported missing.';
comment on column public.settlement_policies.pay_within_minutes is
'A booking not paid so long after it was made is cancelled.';
comment on column public.settlement_policies.book_ahead_days is
'So far ahead a booking may start: its money waits no longer than providers hold it (90 days).';
comment on column public.settlement_policies.unrated_rating is
'What a booking counts as that nobody rated; 5: satisfied.';

create table public.settlement_bands (
    policy_version bigint not null,
    name text not null,
    min_rating bigint not null,
    max_rating bigint not null,
    host_share_bps bigint not null,
    penalty_bps bigint not null,
    penalty_to text not null default 'platform',
    constraint settlement_bands_pkey primary key (policy_version, name),
    constraint settlement_bands_policy_version_fkey foreign key (policy_version)
    references public.settlement_policies on delete restrict,
    constraint settlement_bands_name_check check (name ~ '^[a-z_]{1,40}$'),
    constraint settlement_bands_rating_check
    check (min_rating between 1 and 5 and max_rating between min_rating and 5),
    constraint settlement_bands_host_share_bps_check check (host_share_bps between 0 and 10000),
    constraint settlement_bands_penalty_bps_check check (penalty_bps between 0 and 10000),
    constraint settlement_bands_penalty_to_check check (penalty_to in ('platform', 'guest'))
);
alter table public.settlement_bands enable row level security;
comment on table public.settlement_bands is
$$Share and penalty by rating: one row per band of a policy; the bands cover 1 to 5 once.

Source: Session Settlement (satisfaction-based split with penalties), which names no figures.$$;
comment on column public.settlement_bands.host_share_bps is
'The host''s part in basis points, 9000 = 90 %; the platform keeps the rest.';
comment on column public.settlement_bands.penalty_bps is
'What the rating takes from the host''s part, in basis points of it.';
comment on column public.settlement_bands.penalty_to is 'Who gets the penalty: platform or guest.';
create trigger t10_refuse_change before update or delete or truncate
on public.settlement_policies
for each statement execute function private.refuse_change();
create trigger t10_refuse_change before update or delete or truncate on public.settlement_bands
for each statement execute function private.refuse_change();

-- One statement writes all bands of a version: so none is ever added to an old one.
create function private.check_bands_cover() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if exists (
        select from (select distinct band.policy_version from written as band) as touched
        cross join generate_series(1, 5) as rating
        where (
            select count(*) from public.settlement_bands as band
            where band.policy_version = touched.policy_version
                and rating between band.min_rating and band.max_rating
        ) <> 1
    ) then
        perform private.reject('bookings.invalid_policy', 'bands');
    end if;
    return null;
end;
$$;
comment on function private.check_bands_cover is
'Trigger: each rating from 1 to 5 is in one band of a policy.';
create trigger t50_check_cover after insert on public.settlement_bands
referencing new table as written
for each statement execute function private.check_bands_cover();

insert into public.settlement_policies (version) values (1);
insert into public.settlement_bands
(policy_version, name, min_rating, max_rating, host_share_bps, penalty_bps) values
(1, 'satisfied', 4, 5, 9000, 0),
(1, 'mixed', 3, 3, 9000, 1000),
(1, 'unsatisfied', 1, 2, 9000, 3000);

-- Offers: what a host gives, and for how much. Only open or closed may change.
create table public.booking_offers (
    id uuid not null default gen_random_uuid(),
    host_id uuid not null,
    title text not null,
    description text not null default '',
    duration_minutes bigint not null,
    price_minor bigint not null,
    currency public.currency_code not null,
    full_refund_hours bigint not null default 24,
    part_refund_hours bigint not null default 4,
    part_refund_bps bigint not null default 5000,
    is_open boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint booking_offers_pkey primary key (id),
    constraint booking_offers_host_id_fkey foreign key (host_id)
    references public.profiles on delete restrict,
    constraint booking_offers_title_check check (char_length(btrim(title)) between 1 and 200),
    constraint booking_offers_description_check check (char_length(description) <= 5000),
    constraint booking_offers_duration_minutes_check
    check (duration_minutes between 5 and 1440),
    constraint booking_offers_price_minor_check
    check (price_minor between 1 and 100000000000000),
    constraint booking_offers_full_refund_hours_check
    check (full_refund_hours between 0 and 8760),
    constraint booking_offers_part_refund_hours_check
    check (part_refund_hours between 0 and full_refund_hours),
    constraint booking_offers_part_refund_bps_check check (part_refund_bps between 0 and 10000)
);
alter table public.booking_offers enable row level security;
create index booking_offers_host_id_created_at_idx on public.booking_offers (host_id, created_at);
create index booking_offers_created_at_idx on public.booking_offers (created_at) where is_open;
comment on table public.booking_offers is
'Sessions that hosts give: length, price, and what a guest who cancels gets back.';
comment on column public.booking_offers.price_minor is
'What a guest pays, in minor units of `currency`.';
comment on column public.booking_offers.full_refund_hours is
'A guest who cancels at least so long before the start gets everything back.';
comment on column public.booking_offers.part_refund_hours is
'Later, but at least so long before: the part in `part_refund_bps`; after that nothing.';
comment on column public.booking_offers.part_refund_bps is
'Part that goes back, in basis points; 5000 = half, an odd unit stays.';

create function private.guard_offer_terms() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if (to_jsonb(old) - '{is_open,updated_at}'::text[])
        <> (to_jsonb(new) - '{is_open,updated_at}'::text[])
    then
        raise exception 'the terms of an offer never change'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end;
$$;
comment on function private.guard_offer_terms is
'Trigger: what was booked stays as it was offered.';
create trigger t10_guard_terms before update on public.booking_offers
for each row execute function private.guard_offer_terms();
create trigger t20_touch_updated_at before update on public.booking_offers
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.booking_offers
for each statement execute function private.refuse_change();

create table public.bookings (
    id uuid not null default gen_random_uuid(),
    offer_id uuid not null,
    host_id uuid not null,
    guest_id uuid not null,
    title text not null,
    currency public.currency_code not null,
    status public.booking_status not null default 'pending_payment',
    status_reason text,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    expires_at timestamptz not null,
    completes_at timestamptz not null,
    total_minor bigint not null,
    remaining_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    released_minor bigint not null default 0,
    charged_back_minor bigint not null default 0,
    taken_back_minor bigint not null default 0,
    host_minor bigint not null default 0,
    penalty_minor bigint not null default 0,
    policy_version bigint not null,
    band text,
    rating bigint,
    no_show_party text,
    guest_confirmed_at timestamptz,
    host_confirmed_at timestamptz,
    completed_at timestamptz,
    settles_at timestamptz,
    frozen_at timestamptz,
    is_stuck boolean not null default false,
    provider text,
    payment_reference text,
    funded_at timestamptz,
    closed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint bookings_pkey primary key (id),
    constraint bookings_provider_payment_reference_key unique (provider, payment_reference),
    constraint bookings_offer_id_fkey foreign key (offer_id)
    references public.booking_offers on delete restrict,
    constraint bookings_host_id_fkey foreign key (host_id)
    references public.profiles on delete restrict,
    constraint bookings_guest_id_fkey foreign key (guest_id)
    references public.profiles on delete restrict,
    constraint bookings_policy_version_fkey foreign key (policy_version)
    references public.settlement_policies on delete restrict,
    constraint bookings_policy_version_band_fkey foreign key (policy_version, band)
    references public.settlement_bands on delete restrict,
    constraint bookings_host_id_period_excl exclude using gist (
        host_id with =, tstzrange(starts_at, ends_at) with &&
    ) where (closed_at is null),
    constraint bookings_guest_id_check check (guest_id <> host_id),
    constraint bookings_ends_at_check check (ends_at > starts_at),
    constraint bookings_total_minor_check check (total_minor between 1 and 100000000000000),
    constraint bookings_parts_check check (
        least(remaining_minor, refunded_minor, released_minor, charged_back_minor) >= 0
        and remaining_minor + refunded_minor + released_minor + charged_back_minor
        = case when funded_at is null then 0 else total_minor end
    ),
    constraint bookings_taken_back_minor_check
    check (taken_back_minor between 0 and released_minor),
    constraint bookings_host_minor_check
    check (host_minor between 0 and released_minor and penalty_minor >= 0),
    -- no money before it is paid nor after it ended, and some at all times between
    constraint bookings_remaining_minor_check check ((remaining_minor = 0) = (status in (
        'pending_payment', 'cancelled', 'released', 'refunded', 'charged_back'
    ))),
    constraint bookings_funded_at_check check (
        (funded_at is null) = (provider is null)
        and (funded_at is null) = (payment_reference is null)
    ),
    constraint bookings_rating_check check (rating between 1 and 5),
    constraint bookings_no_show_party_check check (
        no_show_party in ('host', 'guest')
        and (no_show_party is not null or status <> 'no_show')
    ),
    constraint bookings_settles_at_check
    check (settles_at is not null or status not in ('completed', 'no_show')),
    constraint bookings_closed_at_check check (
        (closed_at is null)
        = (status not in ('cancelled', 'released', 'refunded', 'charged_back'))
    ),
    constraint bookings_frozen_at_check check (frozen_at is null or closed_at is null)
);
alter table public.bookings enable row level security;
create index bookings_host_id_starts_at_idx on public.bookings (host_id, starts_at);
create index bookings_guest_id_starts_at_idx on public.bookings (guest_id, starts_at);
create index bookings_offer_id_idx on public.bookings (offer_id);
create index bookings_policy_version_band_idx on public.bookings (policy_version, band);
create unique index bookings_guest_id_offer_id_pending_key on public.bookings (guest_id, offer_id)
where status = 'pending_payment';
create index bookings_expires_at_idx on public.bookings (expires_at)
where status = 'pending_payment';
create index bookings_completes_at_idx on public.bookings (completes_at) where status = 'paid';
create index bookings_held_idx on public.bookings (id) where remaining_minor > 0;
create index bookings_disputed_idx on public.bookings (id) where status = 'disputed';
-- what settlement reads: due bookings in order, and nothing else
create index bookings_settles_at_idx on public.bookings (settles_at)
where status in ('completed', 'no_show') and frozen_at is null and not is_stuck;
create index bookings_is_stuck_idx on public.bookings (id) where is_stuck;
comment on table public.bookings is
'A session that a guest booked with a host, its money and its state.';
comment on column public.bookings.status_reason is 'Why it is in this state.';
comment on column public.bookings.expires_at is 'Not paid by then, it is cancelled.';
comment on column public.bookings.completes_at is
'If nobody objected by then, it counts as completed.';
comment on column public.bookings.total_minor is
'What the guest pays, in minor units of `currency`.';
comment on column public.bookings.remaining_minor is
'What it holds now: the balance of its ledger account.';
comment on column public.bookings.refunded_minor is
'What went back to the guest, a penalty that goes there included.';
comment on column public.bookings.released_minor is 'What went to host and platform.';
comment on column public.bookings.charged_back_minor is
'What the guest''s bank took out of what it held.';
comment on column public.bookings.taken_back_minor is
'Of what was released, what came back: host and platform gave it in proportion.';
comment on column public.bookings.host_minor is
'What the host got: their share less the penalty.';
comment on column public.bookings.penalty_minor is
'What the rating took from the host''s share.';
comment on column public.bookings.policy_version is
'The settlement policy it was made under, and settles by.';
comment on column public.bookings.band is
'The band of that policy by which it was divided; null before, or when all went back.';
comment on column public.bookings.rating is 'The guest''s, 1 to 5; null: not rated.';
comment on column public.bookings.no_show_party is 'Who was reported missing: host or guest.';
comment on column public.bookings.settles_at is
'When its money is divided, unless it is disputed or frozen.';
comment on column public.bookings.frozen_at is
'Since when the guest''s bank disputes the payment; nothing leaves meanwhile.';
comment on column public.bookings.is_stuck is
'Settling failed; it is tried again within the hour, and the operators know.';

create table public.booking_events (
    id bigint generated always as identity,
    booking_id uuid not null,
    actor_id uuid,
    from_status public.booking_status,
    to_status public.booking_status not null,
    reason text,
    amount_minor bigint,
    created_at timestamptz not null default clock_timestamp(),
    constraint booking_events_pkey primary key (id),
    constraint booking_events_booking_id_fkey foreign key (booking_id)
    references public.bookings on delete restrict
);
alter table public.booking_events enable row level security;
create index booking_events_booking_id_id_idx on public.booking_events (booking_id, id);
comment on table public.booking_events is
'Each step of a booking: who, when, from, to, why. Append-only.';
comment on column public.booking_events.actor_id is
'Who did it; null: a payment, or time. No foreign key: the row outlives the person.';
comment on column public.booking_events.from_status is
'Null when it was made; as `to_status` when the state stayed: confirmed, rated, evidence.';
comment on column public.booking_events.amount_minor is
'What came in or left by it, in minor units.';
create trigger t10_refuse_change before update or delete or truncate on public.booking_events
for each statement execute function private.refuse_change();

create table private.booking_failures (
    booking_id uuid not null,
    reason text not null,
    failed_at timestamptz not null default now(),
    constraint booking_failures_pkey primary key (booking_id),
    constraint booking_failures_booking_id_fkey foreign key (booking_id)
    references public.bookings on delete restrict
);
alter table private.booking_failures enable row level security;
comment on table private.booking_failures is
'Bookings that could not be settled, set aside so that they hold up no other, and why.';

create function private.guard_booking_terms() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if (
        old.offer_id, old.host_id, old.guest_id, old.currency, old.total_minor, old.policy_version
    ) is distinct from (
        new.offer_id, new.host_id, new.guest_id, new.currency, new.total_minor, new.policy_version
    ) then
        raise exception 'parties, price and policy of a booking never change'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end;
$$;
comment on function private.guard_booking_terms is
'Trigger: a booking keeps its parties, its price and its policy.';
create trigger t10_guard_terms before update on public.bookings
for each row execute function private.guard_booking_terms();

create function private.guard_booking_status() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    v_from text := case when tg_op = 'UPDATE' then old.status end;
begin
    -- a step from a state to itself is none: the same call twice is refused the second time
    if not exists (
        select from public.booking_transitions as legal
        where (legal.from_status, legal.to_status) = (v_from, new.status)
    ) and (v_from is not null or new.status <> 'pending_payment') then
        perform private.reject(
            'bookings.invalid_transition', concat_ws(' -> ', v_from, new.status)
        );
    end if;
    return new;
end;
$$;
comment on function private.guard_booking_status is
'Trigger: a booking starts unpaid, and takes only legal steps.';
create trigger t10_guard_status before insert or update of status on public.bookings
for each row execute function private.guard_booking_status();
create trigger t20_touch_updated_at before update on public.bookings
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.bookings
for each statement execute function private.refuse_change();

-- By statement, not by row: a batch of five hundred leaves its events in one insert. The plan is
-- kept from the first call on, which may have seen one row: old and new are hashed all the same.
create function private.record_bookings() returns trigger
language plpgsql security definer set search_path = '' set enable_nestloop = off as $$
begin
    if tg_op = 'INSERT' then
        insert into public.booking_events (booking_id, actor_id, to_status, reason)
        select made.id, (select auth.uid()), made.status, made.status_reason
        from new_rows as made;
    else
        insert into public.booking_events
            (booking_id, actor_id, from_status, to_status, reason, amount_minor)
        select
            changed.id, (select auth.uid()), was.status, changed.status, changed.status_reason,
            nullif(abs(changed.remaining_minor - was.remaining_minor), 0)
        from new_rows as changed
        inner join old_rows as was on changed.id = was.id
        where changed.status <> was.status;
    end if;
    return null;
end;
$$;
comment on function private.record_bookings is 'Trigger: every change of state leaves an event.';
create trigger t50_record_made after insert on public.bookings
referencing new table as new_rows
for each statement execute function private.record_bookings();
create trigger t50_record after update on public.bookings
referencing old table as old_rows new table as new_rows
for each statement execute function private.record_bookings();

create function private.announce_bookings() returns trigger
language plpgsql security definer set search_path = '' set enable_nestloop = off as $$
declare
    v_changed public.bookings[];
begin
    if tg_op = 'INSERT' then
        select array_agg(made) into v_changed from new_rows as made;
    else
        select array_agg(changed) into v_changed
        from new_rows as changed
        inner join old_rows as was on changed.id = was.id
        where changed.status <> was.status;
    end if;
    perform realtime.send(
        jsonb_build_object(
            'booking_id', booking.id,
            'status', booking.status,
            'starts_at', booking.starts_at,
            'settles_at', booking.settles_at,
            'remaining_minor', booking.remaining_minor,
            'currency', booking.currency
        ),
        'booking_' || booking.status, 'user:' || party.id, true
    )
    from unnest(v_changed) as booking
    cross join unnest(array[booking.host_id, booking.guest_id]) as party (id);
    return null;
end;
$$;
comment on function private.announce_bookings is
'Trigger: broadcast `booking_<status>` on the private topic `user:<id>` of host and guest.';
create trigger t90_announce_made after insert on public.bookings
referencing new table as new_rows
for each statement execute function private.announce_bookings();
create trigger t90_announce after update on public.bookings
referencing old table as old_rows new table as new_rows
for each statement execute function private.announce_bookings();

create function private.keep_booking_party() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if exists (
        select from public.bookings as open
        where new.id in (open.host_id, open.guest_id) and open.closed_at is null
    ) then
        perform private.reject('bookings.still_open');
    end if;
    update public.booking_offers as offered set is_open = false
    where offered.host_id = new.id and offered.is_open;
    return new;
end;
$$;
comment on function private.keep_booking_party is
'Trigger: nobody deletes their account while a booking of theirs is open; offers close with it.';
create trigger t10_keep_booking_party before update on public.profiles
for each row when (old.deleted_at is null and new.deleted_at is not null)
execute function private.keep_booking_party();

create function private.my_booking_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select known.id from public.bookings as known
    where (select auth.uid()) in (known.host_id, known.guest_id)
$$;
comment on function private.my_booking_ids is
'Bookings that the caller is a party of, for policies.';

create function private.my_booked_offer_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
    select distinct known.offer_id from public.bookings as known
    where known.guest_id = (select auth.uid())
$$;
comment on function private.my_booked_offer_ids is
'Offers that the caller ever booked, for policies.';

-- Orders pay bookings as they pay escrows.
alter table public.orders add column if not exists booking_id uuid;
-- checked by the next migration; the indexes hold nothing yet, as the column is new
alter table public.orders add constraint orders_booking_id_fkey foreign key (booking_id)
references public.bookings on delete restrict not valid;
-- squawk-ignore require-concurrent-index-creation
create index orders_booking_id_idx on public.orders (booking_id);
-- squawk-ignore require-concurrent-index-creation
create unique index orders_booking_id_pending_key on public.orders (booking_id)
where status = 'pending';
comment on column public.orders.booking_id is 'The booking that it pays, if it pays one.';
