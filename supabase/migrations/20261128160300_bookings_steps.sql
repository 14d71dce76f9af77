-- What hosts, guests and operators do with bookings.
set lock_timeout = '5s';

create function private.check_booking_text(words text, field text) returns text
language plpgsql stable security definer set search_path = '' as $$
begin
    if coalesce(char_length(btrim(words)), 0) not between 1 and 5000 then
        perform private.reject('bookings.invalid_text', field);
    end if;
    return btrim(words);
end;
$$;
comment on function private.check_booking_text is
$$What a party wrote, trimmed.

Errors: bookings.invalid_text (422).$$;

create function private.create_booking_offer(
    title text, duration_minutes bigint, price_minor bigint, currency text,
    description text default '', full_refund_hours bigint default 24,
    part_refund_hours bigint default 4, part_refund_bps bigint default 5000
) returns public.booking_offers
language plpgsql security definer set search_path = '' as $$
declare
    v_host uuid := private.require_active();
    v_offer public.booking_offers;
begin
    if coalesce(char_length(btrim(create_booking_offer.title)), 0) not between 1 and 200 then
        perform private.reject('bookings.invalid_offer', 'title');
    elsif coalesce(char_length(create_booking_offer.description), 5001) > 5000 then
        perform private.reject('bookings.invalid_offer', 'description');
    elsif coalesce(create_booking_offer.duration_minutes, 0) not between 5 and 1440 then
        perform private.reject('bookings.invalid_offer', 'duration_minutes');
    elsif coalesce(create_booking_offer.price_minor, 0) not between 1 and 100000000000000 then
        perform private.reject('bookings.invalid_amount', 'price_minor');
    elsif create_booking_offer.currency is null
        or create_booking_offer.currency !~ '^[A-Z]{3}$'
    then
        perform private.reject('bookings.invalid_currency', 'currency');
    elsif coalesce(create_booking_offer.full_refund_hours, -1) not between 0 and 8760 then
        perform private.reject('bookings.invalid_offer', 'full_refund_hours');
    elsif coalesce(create_booking_offer.part_refund_hours, -1)
        not between 0 and create_booking_offer.full_refund_hours
    then
        perform private.reject('bookings.invalid_offer', 'part_refund_hours');
    elsif coalesce(create_booking_offer.part_refund_bps, -1) not between 0 and 10000 then
        perform private.reject('bookings.invalid_offer', 'part_refund_bps');
    end if;
    insert into public.booking_offers (
        host_id, title, description, duration_minutes, price_minor, currency,
        full_refund_hours, part_refund_hours, part_refund_bps
    )
    values (
        v_host, btrim(create_booking_offer.title), create_booking_offer.description,
        create_booking_offer.duration_minutes, create_booking_offer.price_minor,
        create_booking_offer.currency, create_booking_offer.full_refund_hours,
        create_booking_offer.part_refund_hours, create_booking_offer.part_refund_bps
    )
    returning * into v_offer;
    return v_offer;
end;
$$;
create function public.create_booking_offer(
    title text, duration_minutes bigint, price_minor bigint, currency text,
    description text default '', full_refund_hours bigint default 24,
    part_refund_hours bigint default 4, part_refund_bps bigint default 5000
) returns public.booking_offers
language sql set search_path = '' as $$
    select private.create_booking_offer(
        title, duration_minutes, price_minor, currency, description, full_refund_hours,
        part_refund_hours, part_refund_bps
    )
$$;
comment on function public.create_booking_offer is
$$Offer a session as its host; members see it and book it until it is closed. It never changes.

`price_minor` in minor units of `currency`: what the guest pays; the host's share of it is in
`settlement_bands`. A guest who cancels `full_refund_hours` before the start gets everything back,
`part_refund_hours` before it `part_refund_bps` (5000 = half), later nothing.
Errors: bookings.invalid_offer (422), bookings.invalid_amount (422), bookings.invalid_currency (422),
identity.not_active (403).$$;

create function private.close_booking_offer(offer_id uuid) returns public.booking_offers
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_offer public.booking_offers;
begin
    update public.booking_offers as offered set is_open = false
    where offered.id = close_booking_offer.offer_id and offered.host_id = v_me
    returning offered.* into v_offer;
    if not found then
        perform private.reject('bookings.offer_not_found');
    end if;
    return v_offer;
end;
$$;
create function public.close_booking_offer(offer_id uuid) returns public.booking_offers
language sql set search_path = '' as $$ select private.close_booking_offer(offer_id) $$;
comment on function public.close_booking_offer is
$$Take no more bookings of an offer, as its host; what is booked stays. Safe to repeat.

Errors: bookings.offer_not_found (404), identity.not_active (403).$$;

create function private.book_offer(offer_id uuid, starts_at timestamptz)
returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_guest uuid := private.require_active();
    v_offer public.booking_offers;
    v_terms public.settlement_policies;
    v_booking public.bookings;
    v_ends_at timestamptz;
begin
    select offered.* into v_offer from public.booking_offers as offered
    where offered.id = book_offer.offer_id;
    if not found then
        perform private.reject('bookings.offer_not_found', 'offer_id');
    end if;
    if v_offer.host_id = v_guest then
        perform private.reject('bookings.own_offer', 'offer_id');
    end if;
    -- one at a time per host: two guests at one hour wait here, and not for each other
    perform pg_advisory_xact_lock(hashtextextended('bookings.host:' || v_offer.host_id, 0));
    -- nobody deletes their account while this is being made
    perform from public.profiles as party
    where party.id in (v_guest, v_offer.host_id)
    order by party.id
    for share;
    if not exists (
        select from public.booking_offers as offered
        inner join public.profiles as host on offered.host_id = host.id
        where offered.id = v_offer.id and offered.is_open and host.deleted_at is null
            and not private.is_suspended(host.id)
    ) then
        perform private.reject('bookings.offer_not_found', 'offer_id');
    end if;
    select terms.* into strict v_terms from public.settlement_policies as terms
    order by terms.version desc limit 1;
    if coalesce(
        book_offer.starts_at <= now()
        or book_offer.starts_at > now() + make_interval(days => v_terms.book_ahead_days::integer),
        true
    ) then
        perform private.reject('bookings.invalid_time', 'starts_at');
    end if;
    -- what was not paid in time blocks nobody, also before the worker comes by
    update public.bookings as unpaid
    set status = 'cancelled', status_reason = 'not paid in time', closed_at = now()
    where unpaid.host_id = v_offer.host_id and unpaid.status = 'pending_payment'
        and unpaid.expires_at <= now();
    select waiting.* into v_booking from public.bookings as waiting
    where waiting.guest_id = v_guest and waiting.offer_id = v_offer.id
        and waiting.status = 'pending_payment';
    if found and v_booking.starts_at = book_offer.starts_at then
        return v_booking;
    elsif found then
        perform private.reject('bookings.unpaid_left', v_booking.id::text);
    end if;
    v_ends_at := book_offer.starts_at
        + make_interval(mins => v_offer.duration_minutes::integer);
    begin
        insert into public.bookings (
            offer_id, host_id, guest_id, title, currency, total_minor, policy_version,
            starts_at, ends_at, expires_at, completes_at
        )
        values (
            v_offer.id, v_offer.host_id, v_guest, v_offer.title, v_offer.currency,
            v_offer.price_minor, v_terms.version, book_offer.starts_at, v_ends_at,
            least(
                book_offer.starts_at,
                now() + make_interval(mins => v_terms.pay_within_minutes::integer)
            ),
            v_ends_at + make_interval(hours => v_terms.objection_hours::integer)
        )
        returning * into v_booking;
    exception when exclusion_violation then
        perform private.reject('bookings.slot_taken', 'starts_at');
    end;
    return v_booking;
end;
$$;
create function public.book_offer(offer_id uuid, starts_at timestamptz)
returns public.bookings
language sql set search_path = '' as $$ select private.book_offer(offer_id, starts_at) $$;
comment on function public.book_offer is
$$Book a session as its guest: the hour is held while it is paid (see order_booking).

`starts_at`: in the future, in the next 60 days (`settlement_policies.book_ahead_days`), when the
host is free. Not paid within 30 minutes (`pay_within_minutes`), it is cancelled. The policy of today
holds for it to the end. Safe to repeat with the same time.
Errors: bookings.offer_not_found (404), bookings.own_offer (422), bookings.invalid_time (422),
bookings.slot_taken (409), bookings.unpaid_left (409), identity.not_active (403).$$;

create function private.order_booking(booking_id uuid) returns public.orders
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings := private.lock_booking(booking_id, 'guest');
    v_order public.orders;
begin
    if v_booking.status <> 'pending_payment' or v_booking.expires_at <= now() then
        perform private.reject('bookings.not_payable', v_booking.status);
    end if;
    select waiting.* into v_order from public.orders as waiting
    where waiting.booking_id = v_booking.id and waiting.status = 'pending';
    if not found then
        insert into public.orders (payer_id, amount_minor, currency, purpose, booking_id)
        values (
            v_booking.guest_id, v_booking.total_minor, v_booking.currency,
            left('Booking: ' || v_booking.title, 200), v_booking.id
        )
        returning * into v_order;
    end if;
    return v_order;
end;
$$;
create function public.order_booking(booking_id uuid) returns public.orders
language sql set search_path = '' as $$ select private.order_booking(booking_id) $$;
comment on function public.order_booking is
$$The order that pays a booking, as its guest. Safe to repeat.

A provider's payment of it funds the booking.
Errors: bookings.not_found (404), bookings.wrong_party (403), bookings.not_payable (409),
identity.not_active (403).$$;

create function private.confirm_completion(booking_id uuid) returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings := private.lock_booking(booking_id, 'both');
    v_is_host boolean := (select auth.uid()) = v_booking.host_id;
begin
    if v_booking.status <> 'paid' then
        perform private.reject(
            'bookings.invalid_transition', v_booking.status || ' -> completed'
        );
    end if;
    if v_booking.starts_at > now() then
        perform private.reject('bookings.too_early', 'starts_at');
    end if;
    if (
        case when v_is_host then v_booking.host_confirmed_at
            else v_booking.guest_confirmed_at end
    ) is not null then
        return v_booking;
    end if;
    update public.bookings as held
    set host_confirmed_at = case when v_is_host then now() else held.host_confirmed_at end,
        guest_confirmed_at = case when v_is_host then held.guest_confirmed_at else now() end
    where held.id = v_booking.id
    returning held.* into v_booking;
    perform private.note_booking(
        v_booking, 'confirmed by the ' || case when v_is_host then 'host' else 'guest' end
    );
    if v_booking.host_confirmed_at is null or v_booking.guest_confirmed_at is null then
        return v_booking;
    end if;
    update public.bookings as done
    set status = 'completed', status_reason = 'both confirmed', completed_at = now(),
        settles_at = now() + make_interval(hours => terms.hold_hours::integer)
    from public.settlement_policies as terms
    where done.id = v_booking.id and terms.version = done.policy_version
    returning done.* into v_booking;
    return v_booking;
end;
$$;
create function public.confirm_completion(booking_id uuid) returns public.bookings
language sql set search_path = '' as $$ select private.confirm_completion(booking_id) $$;
comment on function public.confirm_completion is
$$Say, as host or guest, that the session was held; when both have, it is completed.

From its start on. Without it a booking completes by itself some hours after its end, if nobody
objects. Its money is divided 24 hours after completion. Safe to repeat.
Errors: bookings.not_found (404), bookings.invalid_transition (409), bookings.too_early (409),
identity.not_active (403).
Source: Session Settlement, session completion and 24-hour hold.$$;

create function private.report_no_show(booking_id uuid) returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings := private.lock_booking(booking_id, 'both');
    v_missing text := case when (select auth.uid()) = v_booking.host_id
        then 'guest' else 'host' end;
    v_terms public.settlement_policies;
begin
    select terms.* into strict v_terms from public.settlement_policies as terms
    where terms.version = v_booking.policy_version;
    if v_booking.status = 'paid' and now()
        < v_booking.starts_at + make_interval(mins => v_terms.no_show_minutes::integer)
    then
        perform private.reject('bookings.too_early', 'starts_at');
    end if;
    update public.bookings as missed
    set status = 'no_show', status_reason = 'the ' || v_missing || ' did not come',
        no_show_party = v_missing,
        settles_at = now() + make_interval(hours => v_terms.hold_hours::integer)
    where missed.id = v_booking.id
    returning missed.* into v_booking;
    return v_booking;
end;
$$;
create function public.report_no_show(booking_id uuid) returns public.bookings
language sql set search_path = '' as $$ select private.report_no_show(booking_id) $$;
comment on function public.report_no_show is
$$Say, as host or guest, that the other did not come; some minutes after the start at the earliest.

24 hours later it settles: the guest was missing, the host is paid as for a session that was held;
the host was missing, the guest gets everything back. Until then the other may dispute it.
Errors: bookings.not_found (404), bookings.invalid_transition (409), bookings.too_early (409),
identity.not_active (403).$$;

create function private.cancel_booking(booking_id uuid, reason text default null)
returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings := private.lock_booking(booking_id, 'both');
    v_offer public.booking_offers;
    v_refund bigint;
    v_why text;
begin
    if v_booking.status <> 'paid' then
        return private.move_booking(v_booking.id, 'cancelled', left(reason, 5000));
    end if;
    if v_booking.frozen_at is not null then
        perform private.reject('bookings.frozen');
    end if;
    select offered.* into strict v_offer from public.booking_offers as offered
    where offered.id = v_booking.offer_id;
    if (select auth.uid()) = v_booking.host_id then
        v_refund := v_booking.remaining_minor;
        v_why := 'cancelled by the host';
    elsif now() >= v_booking.starts_at then
        perform private.reject('bookings.window_closed', 'starts_at');
    elsif private.is_suspended(v_booking.host_id) then
        v_refund := v_booking.remaining_minor;
        v_why := 'cancelled by the guest, the host being shut out';
    else
        v_refund := case
            when now() <= v_booking.starts_at
                - make_interval(hours => v_offer.full_refund_hours::integer)
                then v_booking.remaining_minor
            when now() <= v_booking.starts_at
                - make_interval(hours => v_offer.part_refund_hours::integer)
                then v_booking.remaining_minor * v_offer.part_refund_bps / 10000
            else 0
        end;
        v_why := 'cancelled by the guest';
    end if;
    perform private.close_bookings(
        array[v_booking.id], array[v_refund], array['cancelled'],
        array[v_why || coalesce(': ' || nullif(left(btrim(reason), 5000), ''), '')],
        'bookings.cancel'
    );
    select cancelled.* into strict v_booking from public.bookings as cancelled
    where cancelled.id = v_booking.id;
    return v_booking;
end;
$$;
create function public.cancel_booking(booking_id uuid, reason text default null)
returns public.bookings
language sql set search_path = '' as $$ select private.cancel_booking(booking_id, reason) $$;
comment on function public.cancel_booking is
$$Call a booking off, as host or guest, until it is completed.

Unpaid: nothing moves. By the host: the guest gets everything back. By the guest, before it starts:
what the offer's windows give back (all, if the host was suspended meanwhile); the rest is divided
as after a session that was held.
Errors: bookings.not_found (404), bookings.invalid_transition (409), bookings.window_closed (409),
bookings.frozen (409), identity.not_active (403).$$;

create function private.rate_booking(booking_id uuid, rating bigint) returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings := private.lock_booking(booking_id, 'guest');
begin
    if coalesce(rate_booking.rating, 0) not between 1 and 5 then
        perform private.reject('bookings.invalid_rating', 'rating');
    end if;
    if v_booking.status <> 'completed' then
        perform private.reject('bookings.invalid_transition', v_booking.status || ' -> rated');
    end if;
    if v_booking.settles_at <= now() then
        perform private.reject('bookings.window_closed', 'settles_at');
    end if;
    if v_booking.rating is not distinct from rate_booking.rating then
        return v_booking;
    end if;
    update public.bookings as rated set rating = rate_booking.rating
    where rated.id = v_booking.id
    returning rated.* into v_booking;
    perform private.note_booking(v_booking, format('rated %s of 5', v_booking.rating));
    return v_booking;
end;
$$;
create function public.rate_booking(booking_id uuid, rating bigint) returns public.bookings
language sql set search_path = '' as $$ select private.rate_booking(booking_id, rating) $$;
comment on function public.rate_booking is
$$Rate a completed session as its guest, 1 to 5; the last rating before it settles counts.

The rating's band in `settlement_bands` says what the host gets; not rated counts as satisfied.
Errors: bookings.not_found (404), bookings.wrong_party (403), bookings.invalid_rating (422),
bookings.invalid_transition (409), bookings.window_closed (409), identity.not_active (403).
Source: Session Settlement, satisfaction-based split calculation.$$;

create function private.dispute_booking(booking_id uuid, evidence text)
returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings := private.lock_booking(booking_id, 'both');
    v_words text := private.check_booking_text(evidence, 'evidence');
begin
    if v_booking.status = 'disputed' then
        perform private.note_booking(v_booking, v_words);
        return v_booking;
    end if;
    if v_booking.status = 'paid' and v_booking.starts_at > now() then
        perform private.reject('bookings.too_early', 'starts_at');
    elsif v_booking.status in ('completed', 'no_show') and v_booking.settles_at <= now() then
        perform private.reject('bookings.window_closed', 'settles_at');
    end if;
    return private.move_booking(v_booking.id, 'disputed', v_words);
end;
$$;
create function public.dispute_booking(booking_id uuid, evidence text)
returns public.bookings
language sql set search_path = '' as $$ select private.dispute_booking(booking_id, evidence) $$;
comment on function public.dispute_booking is
$$Ask the operators to decide, as host or guest, before it settles; in a dispute: add evidence.

From its start until the 24 hours after completion, or after a no-show was reported, are over.
Nothing settles meanwhile. `evidence`: 1 to 5000 characters.
Errors: bookings.not_found (404), bookings.invalid_transition (409), bookings.too_early (409),
bookings.window_closed (409), bookings.invalid_text (422), identity.not_active (403).$$;

create function private.resolve_booking_dispute(
    booking_id uuid, outcome text, reason text, refund_minor bigint default null
) returns public.bookings
language plpgsql security definer set search_path = '' as $$
declare
    v_booking public.bookings;
    v_refund bigint;
begin
    if not private.is_operator() then
        perform private.reject('identity.operator_required', 'moderator');
    end if;
    select locked.* into v_booking from public.bookings as locked
    where locked.id = resolve_booking_dispute.booking_id
    for no key update;
    if not found then
        perform private.reject('bookings.not_found');
    end if;
    if (select auth.uid()) in (v_booking.host_id, v_booking.guest_id) then
        perform private.reject('bookings.wrong_party', 'operator');
    end if;
    if v_booking.status <> 'disputed' then
        perform private.reject(
            'bookings.invalid_transition', v_booking.status || ' -> resolved'
        );
    end if;
    if v_booking.frozen_at is not null then
        perform private.reject('bookings.frozen');
    end if;
    perform private.check_booking_text(reason, 'reason');
    v_refund := case outcome
        when 'release' then 0
        when 'refund' then v_booking.remaining_minor
        when 'split' then coalesce(resolve_booking_dispute.refund_minor, 0)
    end;
    if v_refund is null
        or (outcome <> 'split' and resolve_booking_dispute.refund_minor is not null)
    then
        perform private.reject('bookings.invalid_outcome', 'outcome');
    elsif outcome = 'split' and v_refund <= 0 then
        perform private.reject('bookings.invalid_amount', 'refund_minor');
    elsif outcome = 'split' and v_refund >= v_booking.remaining_minor then
        perform private.reject('bookings.amount_exceeded', v_booking.remaining_minor::text);
    end if;
    perform private.audit(
        'bookings.resolve_dispute', v_booking.id::text,
        jsonb_build_object(
            'outcome', outcome, 'reason', btrim(reason), 'refund_minor', v_refund,
            'remaining_minor', v_booking.remaining_minor, 'currency', v_booking.currency
        )
    );
    perform private.close_bookings(
        array[v_booking.id], array[v_refund],
        array[case when outcome = 'refund' then 'refunded' else 'released' end],
        array[btrim(reason)], 'bookings.resolve'
    );
    select resolved.* into strict v_booking from public.bookings as resolved
    where resolved.id = v_booking.id;
    return v_booking;
end;
$$;
create function public.resolve_booking_dispute(
    booking_id uuid, outcome text, reason text, refund_minor bigint default null
) returns public.bookings
language sql set search_path = '' as $$
    select private.resolve_booking_dispute(booking_id, outcome, reason, refund_minor)
$$;
comment on function public.resolve_booking_dispute is
$$Decide a booking's dispute as a moderator or admin who has no part in it; audited.

`outcome`: `release`, `refund`, or `split`, where `refund_minor` goes back. What is released is
divided by the booking's policy and the rating it has.
Errors: identity.operator_required (403), bookings.not_found (404), bookings.wrong_party (403),
bookings.invalid_transition (409), bookings.amount_exceeded (409), bookings.frozen (409),
bookings.invalid_outcome (422), bookings.invalid_amount (422), bookings.invalid_text (422).$$;

create function private.settle_bookings() returns integer
language plpgsql security definer set search_path = '' as $$
declare
    v_count integer;
begin
    perform private.require_admin();
    v_count := private.settle_due_bookings();
    perform private.audit(
        'bookings.settle_bookings', 'due', jsonb_build_object('count', v_count)
    );
    return v_count;
end;
$$;
create function public.settle_bookings() returns integer
language sql set search_path = '' as $$ select private.settle_bookings() $$;
comment on function public.settle_bookings is
$$Settle up to 500 due bookings now, as an admin; how many it took. The worker does so by itself.

Errors: identity.operator_required (403).
Source: Session Settlement, POST /api/sessions/settle.$$;

create function private.add_settlement_policy(
    bands jsonb, hold_hours bigint default 24, objection_hours bigint default 12,
    no_show_minutes bigint default 10, pay_within_minutes bigint default 30,
    book_ahead_days bigint default 60, unrated_rating bigint default 5
) returns public.settlement_policies
language plpgsql security definer set search_path = '' as $$
declare
    v_policy public.settlement_policies;
begin
    perform private.require_admin();
    if jsonb_typeof(bands) is distinct from 'array' or bands = '[]' then
        perform private.reject('bookings.invalid_policy', 'bands');
    end if;
    -- versions are numbered one after another
    perform pg_advisory_xact_lock(hashtextextended('bookings.policy', 0));
    begin
        insert into public.settlement_policies (
            version, hold_hours, objection_hours, no_show_minutes, pay_within_minutes,
            book_ahead_days, unrated_rating
        )
        select
            max(known.version) + 1, add_settlement_policy.hold_hours,
            add_settlement_policy.objection_hours, add_settlement_policy.no_show_minutes,
            add_settlement_policy.pay_within_minutes, add_settlement_policy.book_ahead_days,
            add_settlement_policy.unrated_rating
        from public.settlement_policies as known
        returning * into v_policy;
        insert into public.settlement_bands (
            policy_version, name, min_rating, max_rating, host_share_bps, penalty_bps, penalty_to
        )
        select
            v_policy.version, band.name, band.min_rating, band.max_rating, band.host_share_bps,
            band.penalty_bps, coalesce(band.penalty_to, 'platform')
        from jsonb_to_recordset(bands) as band (
            name text, min_rating bigint, max_rating bigint, host_share_bps bigint,
            penalty_bps bigint, penalty_to text
        );
    exception
        when integrity_constraint_violation or data_exception
            or invalid_parameter_value
        then
            perform private.reject('bookings.invalid_policy', sqlerrm);
    end;
    perform private.audit(
        'bookings.add_settlement_policy', v_policy.version::text,
        to_jsonb(v_policy) || jsonb_build_object('bands', bands)
    );
    return v_policy;
end;
$$;
create function public.add_settlement_policy(
    bands jsonb, hold_hours bigint default 24, objection_hours bigint default 12,
    no_show_minutes bigint default 10, pay_within_minutes bigint default 30,
    book_ahead_days bigint default 60, unrated_rating bigint default 5
) returns public.settlement_policies
language sql set search_path = '' as $$
    select private.add_settlement_policy(
        bands, hold_hours, objection_hours, no_show_minutes, pay_within_minutes,
        book_ahead_days, unrated_rating
    )
$$;
comment on function public.add_settlement_policy is
$$Set, as an admin, how bookings made from now on settle: a new version. Audited.

Older versions never change, and hold for the bookings made under them. `bands`: an array of
`{"name": …, "min_rating": 4, "max_rating": 5, "host_share_bps": 9000, "penalty_bps": 0,
"penalty_to": "platform"}`, which cover the ratings 1 to 5 once; shares and penalties in basis
points (9000 = 90 %), the penalty of the host's share, to `platform` or `guest`.
Errors: identity.operator_required (403), bookings.invalid_policy (422).$$;
