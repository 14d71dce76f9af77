-- What the parties of an escrow, its operators and time do.
set lock_timeout = '5s';

create function private.open_escrow(
    creator_id uuid, title text, currency text, milestones jsonb, review_days bigint default 7,
    revision_limit bigint default 2, pay_within_days bigint default 14
) returns setof public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_sponsor uuid := private.require_active();
    v_agreement public.escrow_agreements;
    v_part jsonb;
    v_position bigint;
    v_price numeric;
begin
    if not private.has_role('sponsor') then
        perform private.reject('escrow.sponsor_required');
    end if;
    if open_escrow.creator_id = v_sponsor then
        perform private.reject('escrow.same_party', 'creator_id');
    end if;
    -- nobody deletes their account while this is being opened
    perform from public.profiles as party
    where party.id in (v_sponsor, open_escrow.creator_id)
    order by party.id
    for share;
    if not exists (
        select from public.profiles as person
        inner join public.role_assignments as held on person.id = held.user_id
        where person.id = open_escrow.creator_id and held.role = 'creator'
            and person.deleted_at is null and not private.is_suspended(person.id)
    ) then
        perform private.reject('escrow.creator_not_found', 'creator_id');
    end if;
    if open_escrow.currency is null or open_escrow.currency !~ '^[A-Z]{3}$' then
        perform private.reject('escrow.invalid_currency', 'currency');
    end if;
    if coalesce(char_length(btrim(open_escrow.title)), 0) not between 1 and 200 then
        perform private.reject('escrow.invalid_terms', 'title');
    elsif coalesce(open_escrow.review_days, 0) not between 1 and 30 then
        perform private.reject('escrow.invalid_terms', 'review_days');
    elsif coalesce(open_escrow.revision_limit, -1) not between 0 and 20 then
        perform private.reject('escrow.invalid_terms', 'revision_limit');
    elsif coalesce(open_escrow.pay_within_days, 0) not between 1 and 90 then
        perform private.reject('escrow.invalid_terms', 'pay_within_days');
    end if;
    if jsonb_typeof(milestones) is distinct from 'array'
        or jsonb_array_length(milestones) not between 1 and 50
    then
        perform private.reject('escrow.invalid_milestones', 'milestones');
    end if;
    insert into public.escrow_agreements (
        sponsor_id, creator_id, sponsor_agent_id, creator_agent_id, title, currency,
        review_days, revision_limit, pay_within_days
    )
    values (
        v_sponsor, open_escrow.creator_id,
        (
            select brought.agent_id from public.referrals as brought
            where brought.referred_id = v_sponsor and brought.agent_id <> open_escrow.creator_id
        ),
        (
            select brought.agent_id from public.referrals as brought
            where brought.referred_id = open_escrow.creator_id and brought.agent_id <> v_sponsor
        ),
        btrim(open_escrow.title), open_escrow.currency, open_escrow.review_days,
        open_escrow.revision_limit, open_escrow.pay_within_days
    )
    returning * into v_agreement;
    for v_part, v_position in
        select part.value, part.ordinality
        from jsonb_array_elements(milestones) with ordinality as part
    loop
        if jsonb_typeof(v_part) <> 'object' or jsonb_typeof(v_part -> 'title') is distinct from 'string'
            or char_length(btrim(v_part ->> 'title')) not between 1 and 200
        then
            perform private.reject(
                'escrow.invalid_milestones', format('milestones[%s].title', v_position - 1)
            );
        end if;
        v_price := case when jsonb_typeof(v_part -> 'price_minor') = 'number'
            then (v_part ->> 'price_minor')::numeric end;
        if v_price is null or v_price <> trunc(v_price) or v_price not between 1 and 1e14 then
            perform private.reject(
                'escrow.invalid_amount', format('milestones[%s].price_minor', v_position - 1)
            );
        end if;
        if v_part ? 'due_at' and not coalesce(
            pg_catalog.pg_input_is_valid(v_part ->> 'due_at', 'timestamptz'), true
        ) then
            perform private.reject(
                'escrow.invalid_milestones', format('milestones[%s].due_at', v_position - 1)
            );
        end if;
        return query
        insert into public.escrows (
            agreement_id, position, sponsor_id, creator_id, title, currency, due_at,
            price_minor, fee_minor, total_minor
        )
        select
            v_agreement.id, v_position, v_sponsor, open_escrow.creator_id,
            btrim(v_part ->> 'title'), v_agreement.currency, (v_part ->> 'due_at')::timestamptz,
            v_price::bigint, charged.fee, v_price::bigint + charged.fee
        -- floor(price × bps / 10000) is floor(total × bps / (10000 + bps)) of price and fee
        from (select div(v_price * v_agreement.fee_bps, 10000)::bigint as fee) as charged
        returning *;
    end loop;
end;
$$;
create function public.open_escrow(
    creator_id uuid, title text, currency text, milestones jsonb, review_days bigint default 7,
    revision_limit bigint default 2, pay_within_days bigint default 14
) returns setof public.escrows
language sql set search_path = '' as $$
    select * from private.open_escrow(
        creator_id, title, currency, milestones, review_days, revision_limit, pay_within_days
    )
$$;
comment on function public.open_escrow is
$$Offer a creator work as its sponsor; one escrow per milestone, each paid and released by itself.

`milestones`: 1 to 50 of `{"title": …, "price_minor": …, "due_at": …}`, `price_minor` whole minor
units of `currency` that the creator gets; the sponsor pays 10 % more. `due_at` may be left out.
Work not answered in `review_days` is approved; it may be rejected `revision_limit` times; a part
not paid in `pay_within_days`, counted from the end of the part before, is cancelled.
Errors: escrow.sponsor_required (403), escrow.creator_not_found (404), escrow.same_party (422),
escrow.invalid_milestones (422), escrow.invalid_amount (422), escrow.invalid_currency (422),
escrow.invalid_terms (422), identity.not_active (403).
Source: Source Impact, commission distribution (the sponsor pays price + 10 %).$$;

create function private.cancel_escrow(escrow_id uuid, reason text default null)
returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'both');
begin
    return private.move_escrow(v_escrow.id, 'cancelled', left(reason, 5000));
end;
$$;
create function public.cancel_escrow(escrow_id uuid, reason text default null)
returns public.escrows
language sql set search_path = '' as $$ select private.cancel_escrow(escrow_id, reason) $$;
comment on function public.cancel_escrow is
$$Call off, as either party, what is not paid; afterwards see refund_escrow.

Errors: escrow.not_found (404), escrow.invalid_transition (409), identity.not_active (403).$$;

create function private.start_work(escrow_id uuid) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'creator');
begin
    return private.move_escrow(v_escrow.id, 'work_in_progress');
end;
$$;
create function public.start_work(escrow_id uuid) returns public.escrows
language sql set search_path = '' as $$ select private.start_work(escrow_id) $$;
comment on function public.start_work is
$$Accept a paid escrow as its creator and begin; also how a revision begins.

Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.invalid_transition (409),
identity.not_active (403).$$;

create function private.submit_work(escrow_id uuid, work text) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'creator');
begin
    update public.escrows as handed
    set status = 'work_submitted',
        status_reason = private.check_text(work, 'work'),
        review_due_at = now() + make_interval(days => terms.review_days::integer)
    from public.escrow_agreements as terms
    where handed.id = v_escrow.id and terms.id = handed.agreement_id
    returning handed.* into v_escrow;
    return v_escrow;
end;
$$;
create function public.submit_work(escrow_id uuid, work text) returns public.escrows
language sql set search_path = '' as $$ select private.submit_work(escrow_id, work) $$;
comment on function public.submit_work is
$$Hand in as the creator: what was made and where it is. The review window starts.

`work`: 1 to 5000 characters.
Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.invalid_transition (409),
escrow.invalid_text (422), identity.not_active (403).$$;

create function private.start_review(escrow_id uuid) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'sponsor');
begin
    return private.move_escrow(v_escrow.id, 'under_review');
end;
$$;
create function public.start_review(escrow_id uuid) returns public.escrows
language sql set search_path = '' as $$ select private.start_review(escrow_id) $$;
comment on function public.start_review is
$$Take up submitted work as the sponsor; the window goes on.

Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.invalid_transition (409),
identity.not_active (403).$$;

create function private.approve_escrow(escrow_id uuid) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'sponsor');
begin
    perform private.move_escrow(v_escrow.id, 'approved');
    return private.divide_escrow(v_escrow.id, 0, null);
end;
$$;
create function public.approve_escrow(escrow_id uuid) returns public.escrows
language sql set search_path = '' as $$ select private.approve_escrow(escrow_id) $$;
comment on function public.approve_escrow is
$$Accept the work under review as its sponsor: the money is released at once.

The creator gets the price; the fee goes to the agents who brought the parties, else the platform.
Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.invalid_transition (409),
identity.not_active (403).
Source: Source Impact, commission distribution algorithm.$$;

create function private.reject_work(escrow_id uuid, feedback text) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'sponsor');
begin
    if v_escrow.status = 'under_review' and v_escrow.revisions >= (
        select terms.revision_limit from public.escrow_agreements as terms
        where terms.id = v_escrow.agreement_id
    ) then
        perform private.reject('escrow.revision_limit_reached', v_escrow.revisions::text);
    end if;
    update public.escrows as refused
    set status = 'rejected', status_reason = private.check_text(feedback, 'feedback'),
        revisions = refused.revisions + 1, review_due_at = null
    where refused.id = v_escrow.id
    returning refused.* into v_escrow;
    return v_escrow;
end;
$$;
create function public.reject_work(escrow_id uuid, feedback text) returns public.escrows
language sql set search_path = '' as $$ select private.reject_work(escrow_id, feedback) $$;
comment on function public.reject_work is
$$Ask for a revision as the sponsor, saying what is missing; as often as was agreed.

`feedback`: 1 to 5000 characters.
Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.invalid_transition (409),
escrow.revision_limit_reached (409), escrow.invalid_text (422), identity.not_active (403).$$;

create function private.dispute_escrow(escrow_id uuid, evidence text) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'both');
begin
    if v_escrow.status <> 'disputed' then
        return private.move_escrow(
            v_escrow.id, 'disputed', private.check_text(evidence, 'evidence')
        );
    end if;
    insert into public.escrow_events (escrow_id, actor_id, from_status, to_status, reason)
    values (
        v_escrow.id, (select auth.uid()), 'disputed', 'disputed',
        private.check_text(evidence, 'evidence')
    );
    return v_escrow;
end;
$$;
create function public.dispute_escrow(escrow_id uuid, evidence text) returns public.escrows
language sql set search_path = '' as $$ select private.dispute_escrow(escrow_id, evidence) $$;
comment on function public.dispute_escrow is
$$Ask the operators to decide, as either party; in a dispute: add evidence.

`evidence`: 1 to 5000 characters.
Errors: escrow.not_found (404), escrow.invalid_transition (409), escrow.invalid_text (422),
identity.not_active (403).$$;

create function private.refund_escrow(
    escrow_id uuid, reason text, amount_minor bigint default null
) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows := private.lock_escrow(escrow_id, 'both');
    v_amount bigint;
begin
    -- work has begun: only the creator gives back
    if (select auth.uid()) = v_escrow.sponsor_id and v_escrow.status <> 'locked'
        and v_escrow.remaining_minor > 0
    then
        perform private.reject('escrow.wrong_party', 'creator');
    end if;
    perform private.check_text(reason, 'reason');
    if v_escrow.remaining_minor = 0 or v_escrow.status = 'disputed' then
        perform private.reject('escrow.invalid_transition', v_escrow.status || ' -> refunding');
    end if;
    v_amount := coalesce(refund_escrow.amount_minor, v_escrow.remaining_minor);
    if v_amount <= 0 then
        perform private.reject('escrow.invalid_amount', 'amount_minor');
    elsif v_amount > v_escrow.remaining_minor then
        perform private.reject('escrow.amount_exceeded', v_escrow.remaining_minor::text);
    elsif v_amount < v_escrow.remaining_minor then
        return private.refund_part(v_escrow.id, v_amount, btrim(reason));
    end if;
    return private.divide_escrow(v_escrow.id, v_amount, btrim(reason));
end;
$$;
create function public.refund_escrow(
    escrow_id uuid, reason text, amount_minor bigint default null
) returns public.escrows
language sql set search_path = '' as $$
    select private.refund_escrow(escrow_id, reason, amount_minor)
$$;
comment on function public.refund_escrow is
$$Give money back: the sponsor before work begins, the creator also later; all of it or a part.

`amount_minor` in minor units; null: all that remains. A part leaves the escrow as it is, with
less in it; the fee shrinks in proportion.
Errors: escrow.not_found (404), escrow.wrong_party (403), escrow.invalid_transition (409),
escrow.amount_exceeded (409), escrow.invalid_amount (422), escrow.invalid_text (422),
identity.not_active (403).$$;

create function private.resolve_dispute(
    escrow_id uuid, outcome text, reason text, refund_minor bigint default null
) returns public.escrows
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := (select auth.uid());
    v_escrow public.escrows;
    v_refund bigint;
begin
    if not private.is_operator() then
        perform private.reject('identity.operator_required', 'moderator');
    end if;
    select locked.* into v_escrow from public.escrows as locked
    where locked.id = resolve_dispute.escrow_id
    for no key update;
    if not found then
        perform private.reject('escrow.not_found');
    end if;
    if exists (
        select from public.escrow_agreements as terms
        where terms.id = v_escrow.agreement_id and v_me in (
            terms.sponsor_id, terms.creator_id, terms.sponsor_agent_id, terms.creator_agent_id
        )
    ) then
        perform private.reject('escrow.wrong_party', 'operator');
    end if;
    if v_escrow.status <> 'disputed' then
        perform private.reject('escrow.invalid_transition', v_escrow.status || ' -> resolved');
    end if;
    perform private.check_text(reason, 'reason');
    v_refund := case outcome
        when 'release' then 0
        when 'refund' then v_escrow.remaining_minor
        when 'split' then coalesce(resolve_dispute.refund_minor, 0)
    end;
    if v_refund is null or (outcome <> 'split' and resolve_dispute.refund_minor is not null) then
        perform private.reject('escrow.invalid_outcome', 'outcome');
    elsif outcome = 'split' and v_refund <= 0 then
        perform private.reject('escrow.invalid_amount', 'refund_minor');
    elsif outcome = 'split' and v_refund >= v_escrow.remaining_minor then
        perform private.reject('escrow.amount_exceeded', v_escrow.remaining_minor::text);
    end if;
    perform private.audit(
        'escrow.resolve_dispute', v_escrow.id::text,
        jsonb_build_object(
            'outcome', outcome, 'reason', btrim(reason), 'refund_minor', v_refund,
            'remaining_minor', v_escrow.remaining_minor, 'currency', v_escrow.currency
        )
    );
    return private.divide_escrow(v_escrow.id, v_refund, btrim(reason));
end;
$$;
create function public.resolve_dispute(
    escrow_id uuid, outcome text, reason text, refund_minor bigint default null
) returns public.escrows
language sql set search_path = '' as $$
    select private.resolve_dispute(escrow_id, outcome, reason, refund_minor)
$$;
comment on function public.resolve_dispute is
$$Decide a dispute as a moderator or admin who has no part in it.

`outcome`: `release`, `refund`, or `split`, where `refund_minor` goes back and the rest is released.
Errors: identity.operator_required (403), escrow.not_found (404), escrow.wrong_party (403),
escrow.invalid_transition (409), escrow.amount_exceeded (409), escrow.invalid_outcome (422),
escrow.invalid_amount (422), escrow.invalid_text (422).$$;

-- Time: one escrow per call, so that each is a transaction of its own.
create function private.approve_next_overdue() returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_escrow public.escrows;
begin
    select due.* into v_escrow from public.escrows as due
    where due.status in ('work_submitted', 'under_review') and due.review_due_at <= now()
    order by due.review_due_at
    limit 1
    for no key update skip locked;
    if not found then
        return null;
    end if;
    if v_escrow.status = 'work_submitted' then
        perform private.move_escrow(v_escrow.id, 'under_review', 'review window over');
    end if;
    perform private.move_escrow(v_escrow.id, 'approved', 'review window over');
    return (private.divide_escrow(v_escrow.id, 0, 'review window over')).id;
end;
$$;
comment on function private.approve_next_overdue is
'Approve and release one escrow whose review was not answered; its id, or null: none left.';

create function private.cancel_next_unpaid() returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    v_id uuid;
begin
    select unpaid.id into v_id
    from public.escrows as unpaid
    inner join public.escrow_agreements as terms on unpaid.agreement_id = terms.id
    where unpaid.status in ('pending_payment', 'failed')
        and unpaid.created_at < now() - make_interval(days => terms.pay_within_days::integer)
        and not exists (
            select from public.escrows as earlier
            where earlier.agreement_id = unpaid.agreement_id
                and earlier.position < unpaid.position
                and (
                    earlier.closed_at is null
                    or earlier.closed_at
                        >= now() - make_interval(days => terms.pay_within_days::integer)
                )
        )
    order by unpaid.created_at
    limit 1
    for no key update of unpaid skip locked;
    if not found then
        return null;
    end if;
    return (private.move_escrow(v_id, 'cancelled', 'not paid in time')).id;
end;
$$;
comment on function private.cancel_next_unpaid is
'Cancel one escrow that was not paid in time; its id, or null: none left.';
