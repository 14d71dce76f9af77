-- Connected accounts: where a provider sends one's money. The numbers themselves stay with it.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.account_not_found', 404, 'There is no such connected account.'),
('payments.account_opening', 409, 'Another account at this provider is just being opened.'),
('payments.account_in_use', 409, 'A withdrawal to this account is under way.'),
('payments.too_many_accounts', 409, 'Ten connected accounts are the most: close one first.'),
('payments.invalid_country', 422, 'The country must be two upper-case letters (ISO 3166).');

-- a row is a capability: only who has an onboarding page gives links to it
insert into private.provider_actions (provider, action, key_hours) values
('stripe', 'payments.open_account', 24), ('stripe', 'payments.onboard_account', 0),
('razorpay', 'payments.open_account', 24), ('paypal', 'payments.open_account', 24);

create table public.connected_accounts (
    id uuid not null default gen_random_uuid(),
    owner_id uuid not null,
    provider text not null,
    reference text,
    country text not null,
    status text not null default 'pending',
    requirements text[] not null default '{}',
    label text not null default '',
    fingerprint text,
    is_default boolean not null default false,
    note text,
    changed_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint connected_accounts_pkey primary key (id),
    constraint connected_accounts_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint connected_accounts_provider_fkey foreign key (provider)
    references private.providers on delete restrict,
    constraint connected_accounts_country_check check (country ~ '^[A-Z]{2}$'),
    constraint connected_accounts_status_check
    check (status in ('pending', 'needs_information', 'active', 'restricted', 'closed')),
    -- a label that could be a whole number of an account is refused, whoever wrote it
    constraint connected_accounts_label_check
    check (char_length(label) <= 100 and label !~ '[0-9]{5}'),
    constraint connected_accounts_is_default_check check (not is_default or status <> 'closed')
);
alter table public.connected_accounts enable row level security;
create index connected_accounts_owner_id_idx on public.connected_accounts (owner_id);
create unique index connected_accounts_provider_reference_open_key
on public.connected_accounts (provider, reference)
where status <> 'closed' and position('@' in reference) = 0;
-- an address proves nothing: who names another's keeps them from nothing, and learns nothing
create unique index connected_accounts_owner_id_provider_address_key
on public.connected_accounts (owner_id, provider, lower(reference))
where status <> 'closed' and position('@' in reference) > 0;
create index connected_accounts_provider_reference_idx
on public.connected_accounts (provider, reference);
create unique index connected_accounts_owner_id_default_key
on public.connected_accounts (owner_id) where is_default;
-- one is opened at a time, so that a repeat finds the one that is being opened
create unique index connected_accounts_owner_id_provider_opening_key
on public.connected_accounts (owner_id, provider) where reference is null and status <> 'closed';
comment on table public.connected_accounts is
'Where a provider sends a person''s withdrawals, and whether it knows them well enough (KYC).';
comment on column public.connected_accounts.reference is
'The provider''s id of it, or the address that it pays to; null: the provider is being asked.';
comment on column public.connected_accounts.country is 'ISO 3166-1 alpha-2.';
comment on column public.connected_accounts.status is
$$pending: the provider looks at it · needs_information: the person must tell more ·
active: it can be paid · restricted: it cannot now · closed: never again.$$;
comment on column public.connected_accounts.requirements is
'What the provider asks for, in its words.';
comment on column public.connected_accounts.fingerprint is
'A hash that tells what stands behind it from another of the same label, where it is known.';
comment on column public.connected_accounts.label is
'What its owner knows it by, masked: the last digits, or an address without its name.';
comment on column public.connected_accounts.changed_at is
'When it was made, or last pointed elsewhere: a while from then nothing is withdrawn to it.';

create function private.guard_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if (old.owner_id, old.provider, old.country) is distinct from
        (new.owner_id, new.provider, new.country)
        or old.status = 'closed' and new.status <> 'closed'
        or new.status <> 'closed' and old.reference is not null
        and new.reference is distinct from old.reference
    then
        raise exception 'a connected account keeps its owner and its reference, and stays closed'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end;
$$;
comment on function private.guard_account is
'Trigger: an account never becomes somebody else''s, nor leads elsewhere, nor opens again.';
create trigger t10_guard_account before update on public.connected_accounts
for each row execute function private.guard_account();
create trigger t20_touch_updated_at before update on public.connected_accounts
for each row execute function private.touch_updated_at();
create trigger t10_refuse_removal before delete or truncate on public.connected_accounts
for each statement execute function private.refuse_change();

-- Its owner hears of every change: a stranger's hand is seen at once.
create function private.announce_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    perform realtime.send(
        jsonb_build_object(
            'account_id', new.id,
            'provider', new.provider,
            'status', new.status,
            'label', new.label,
            'changed_at', new.changed_at
        ),
        'account_' || new.status, 'user:' || new.owner_id, true
    );
    return null;
end;
$$;
comment on function private.announce_account is
'Trigger: broadcast `account_<status>` on the owner''s private topic `user:<id>`.';
create trigger t90_announce_opened after insert on public.connected_accounts
for each row execute function private.announce_account();
create trigger t90_announce after update on public.connected_accounts for each row when (
    (old.status, old.label, old.changed_at, old.is_default)
    is distinct from (new.status, new.label, new.changed_at, new.is_default)
) execute function private.announce_account();

create function private.start_account(provider text, country text, label text)
returns table (
    account_id uuid, request_id uuid, is_repeat boolean, may_resend boolean, email text,
    legal_name text
)
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_account public.connected_accounts;
    v_request private.provider_requests;
begin
    if start_account.country is null or start_account.country !~ '^[A-Z]{2}$' then
        perform private.reject('payments.invalid_country', 'country');
    end if;
    if not exists (
        select from private.provider_actions as able
        inner join private.providers as known on able.provider = known.provider
        where able.provider = start_account.provider and able.action = 'payments.open_account'
            and known.is_enabled
    ) then
        perform private.reject('payments.provider_not_available', start_account.provider);
    end if;
    -- one person opens one at a time
    perform from public.profiles as person where person.id = v_me for no key update;
    select opening.* into v_account from public.connected_accounts as opening
    where opening.owner_id = v_me and opening.provider = start_account.provider
        and opening.reference is null and opening.status <> 'closed'
    for update;
    if not found then
        if (
            select count(*) >= 10 from public.connected_accounts as mine
            where mine.owner_id = v_me and mine.status <> 'closed'
        ) then
            perform private.reject('payments.too_many_accounts');
        end if;
        insert into public.connected_accounts (owner_id, provider, country, label)
        values (v_me, start_account.provider, start_account.country, start_account.label)
        returning * into v_account;
    elsif (v_account.country, v_account.label) <> (start_account.country, start_account.label) then
        -- a key never travels with another body
        perform private.reject('payments.account_opening', v_account.id::text);
    end if;
    v_request := private.open_request(
        v_account.provider, 'payments.open_account', v_account.id,
        jsonb_build_object('country', v_account.country, 'label', v_account.label)
    );
    return query select
        v_account.id, v_request.id, v_request.tries > 1, private.may_resend(v_request),
        login.email::text, coalesce(details.legal_name, person.display_name)
    from public.profiles as person
    inner join auth.users as login on person.id = login.id
    left join public.profile_private as details on person.id = details.user_id
    where person.id = v_me;
end;
$$;
comment on function private.start_account is
$$Store that a provider is asked to open an account, as its owner. For the api.

A repeat with the same country and label goes on with the one that is being opened. `label` is
masked; account numbers and the like go to the provider alone.
Errors: payments.provider_not_available, payments.account_opening, payments.too_many_accounts (409),
payments.invalid_country (422), identity.not_active (403).$$;

create function private.account_opened(request_id uuid, reference text) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
    v_account public.connected_accounts;
begin
    -- the person first: whose first account it is becomes the default one
    perform from public.profiles as person
    where person.id = (
        select opening.owner_id from public.connected_accounts as opening
        inner join private.provider_requests as asked on opening.id = asked.subject_id
        where asked.id = account_opened.request_id and asked.action = 'payments.open_account'
    )
    for no key update;
    if not found then
        perform private.reject('payments.request_not_found', request_id::text);
    end if;
    select opening.* into strict v_account from public.connected_accounts as opening
    where opening.id = (
        select asked.subject_id from private.provider_requests as asked
        where asked.id = account_opened.request_id
    )
    for update;
    if v_account.reference is not null or v_account.status = 'closed' then
        return v_account.reference is not distinct from account_opened.reference;
    end if;
    begin
        update public.connected_accounts as opened
        set reference = account_opened.reference, changed_at = now(),
            is_default = not exists (
                select from public.connected_accounts as other
                where other.owner_id = v_account.owner_id and other.is_default
            )
        where opened.id = v_account.id;
    exception when unique_violation then
        perform private.decline_account(request_id, 'somebody has this account already');
        return false;
    end;
    perform private.close_request(request_id, 'succeeded', reference);
    return true;
end;
$$;
comment on function private.account_opened is
$$The provider opened an account: its id there. False: somebody has it, or it was given up.

Safe to repeat. Errors: payments.request_not_found (404).$$;

create function private.without_numbers(words text) returns text
language sql immutable set search_path = '' as $$
    select regexp_replace(without_numbers.words, '[0-9]{5,}', '••••', 'g')
$$;
comment on function private.without_numbers is
'A provider''s words without numbers that could be an account''s: it may repeat what it was told.';

create function private.decline_account(request_id uuid, note text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_note text := private.without_numbers(decline_account.note);
    v_request private.provider_requests;
begin
    perform from public.connected_accounts as opening
    where opening.id = (
        select asked.subject_id from private.provider_requests as asked
        where asked.id = decline_account.request_id
    )
    for update;
    v_request := private.close_request(request_id, 'declined', note => v_note);
    update public.connected_accounts as refused
    set status = 'closed', is_default = false, note = left(v_note, 500)
    where refused.id = v_request.subject_id and refused.reference is null
        and v_request.status = 'declined';
end;
$$;
comment on function private.decline_account is
'The provider opens no such account; another one may be tried.';

create function private.question_account(request_id uuid, note text) returns void
language sql security definer set search_path = '' as $$
    select private.close_request(
        request_id, 'unknown', note => private.without_numbers(question_account.note)
    )
$$;
comment on function private.question_account is
'The provider may or may not have opened it: its owner may send the same again.';

create function private.abandon_account(account_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
    v_request uuid;
begin
    perform from public.connected_accounts as opening
    where opening.id = abandon_account.account_id
    for update;
    select asked.id into v_request from private.provider_requests as asked
    where asked.subject_id = abandon_account.account_id
        and asked.action = 'payments.open_account' and asked.closed_at is null
        and asked.created_at < now() - interval '1 hour';
    if not found then
        return false;
    end if;
    perform private.decline_account(v_request, 'the provider did not answer: open it again');
    return true;
end;
$$;
comment on function private.abandon_account is
$$Give up an account that its provider did not open within an hour; whether it was one.

No money is in it: what was opened there after all is nobody's, and another one may be opened.$$;

create function private.change_connected_account(
    provider text, reference text, status text, requirements text[], label text default null,
    fingerprint text default null
) returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_is_other boolean;
    v_account public.connected_accounts;
begin
    select told.* into v_account from public.connected_accounts as told
    where told.provider = change_connected_account.provider
        and told.reference = change_connected_account.reference
    order by told.status = 'closed', told.created_at desc
    limit 1
    for update;
    if not found then
        perform private.reject('payments.account_not_found', change_connected_account.reference);
    elsif v_account.status = 'closed' then
        return;
    end if;
    v_is_other := coalesce(change_connected_account.label <> v_account.label, false)
        or coalesce(change_connected_account.fingerprint <> v_account.fingerprint, false);
    update public.connected_accounts as told
    set status = change_connected_account.status,
        requirements = coalesce(change_connected_account.requirements, '{}'),
        is_default = told.is_default and change_connected_account.status <> 'closed',
        label = coalesce(change_connected_account.label, told.label),
        fingerprint = coalesce(change_connected_account.fingerprint, told.fingerprint),
        -- another bank account behind the same door: the hold begins anew
        changed_at = case when v_is_other then now() else told.changed_at end
    where told.id = v_account.id;
    if v_account.status <> change_connected_account.status or v_is_other then
        -- events come in any order: what it is now, the provider is asked
        perform private.enqueue(
            'payments.check_account', jsonb_build_object('subject_id', v_account.id)
        );
    end if;
end;
$$;
comment on function private.change_connected_account is
$$What a provider says of an account. Safe to repeat; what is closed stays closed.

`label`, masked, and `fingerprint`, a hash, where the provider tells what stands behind the account.
Errors: payments.account_not_found (404).$$;

create function private.my_account(account_id uuid)
returns table (id uuid, provider text, reference text, has_onboarding boolean)
language plpgsql stable security definer set search_path = '' as $$
begin
    return query
    select mine.id, mine.provider, mine.reference, exists (
        select from private.provider_actions as able
        where able.provider = mine.provider and able.action = 'payments.onboard_account'
    )
    from public.connected_accounts as mine
    where mine.id = my_account.account_id and mine.owner_id = private.require_active()
        and mine.status <> 'closed' and mine.reference is not null;
    if not found then
        perform private.reject('payments.account_not_found', account_id::text);
    end if;
end;
$$;
comment on function private.my_account is
$$An open account of the caller's, and whether its provider has a page to prove oneself.

For the api.

Errors: payments.account_not_found (404), identity.not_active (403).$$;

create function private.claim_account_check(account_id uuid)
returns table (provider text, reference text)
language sql stable security definer set search_path = '' as $$
    select looked.provider, looked.reference from public.connected_accounts as looked
    where looked.id = claim_account_check.account_id and looked.status <> 'closed'
        and looked.reference is not null
$$;
comment on function private.claim_account_check is
'An account that its provider is to be asked about; no row: it is closed, or not opened yet.';

create function private.set_default_account(account_id uuid) returns public.connected_accounts
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_account public.connected_accounts;
begin
    perform from public.profiles as person where person.id = v_me for no key update;
    if not exists (
        select from public.connected_accounts as mine
        where mine.id = set_default_account.account_id and mine.owner_id = v_me
            and mine.status <> 'closed' and mine.reference is not null
    ) then
        perform private.reject('payments.account_not_found', account_id::text);
    end if;
    update public.connected_accounts as former set is_default = false
    where former.owner_id = v_me and former.is_default
        and former.id <> set_default_account.account_id;
    update public.connected_accounts as chosen set is_default = true
    where chosen.id = set_default_account.account_id
    returning chosen.* into v_account;
    return v_account;
end;
$$;
create function public.set_default_account(account_id uuid) returns public.connected_accounts
language sql set search_path = '' as $$ select private.set_default_account(account_id) $$;
comment on function public.set_default_account is
$$Choose the connected account that withdrawals go to when none is named. Safe to repeat.

Errors: payments.account_not_found (404), identity.not_active (403).$$;

create function private.account_mark(account public.connected_accounts) returns jsonb
language sql immutable set search_path = '' as $$
    select jsonb_build_object('label', account.label, 'fingerprint', account.fingerprint)
$$;
comment on function private.account_mark is
'What stands behind an account, as far as it is known: another bank account has another mark.';

create function private.forget_accounts() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    update public.connected_accounts as gone
    set status = 'closed', is_default = false, reference = null, label = '', note = null,
        requirements = '{}'
    where gone.owner_id = new.id;
    return null;
end;
$$;
comment on function private.forget_accounts is
'Trigger: a deleted person''s connected accounts are closed, without anything personal.';
create trigger t50_forget_accounts after update of deleted_at on public.profiles
for each row when (old.deleted_at is null and new.deleted_at is not null)
execute function private.forget_accounts();
