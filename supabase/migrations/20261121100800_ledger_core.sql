-- The ledger: double entry, append-only. Money moves here or nowhere.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('ledger.invalid_posting', 422, 'A posting needs lines on different accounts that sum to zero.'),
('ledger.account_not_found', 404, 'There is no such account.'),
('ledger.insufficient_funds', 409, 'The account does not hold that much.'),
('ledger.key_reused', 409, 'This key was used for something else.'),
('ledger.invalid_amount', 422, 'The amount must be a whole number of minor units above zero.'),
('ledger.reservation_not_found', 404, 'There is no such reservation.'),
('ledger.reservation_closed', 409, 'The reservation was posted, voided or has expired.'),
('ledger.balance_left', 409, 'Money stands on an account of this person.');

create domain public.currency_code as text constraint currency_code_check
check (value ~ '^[A-Z]{3}$');

-- available: a person's money · escrow: set aside between two · fees: the platform's earnings
-- clearing: what a provider holds for us (negative: money came in there) · loss: written off
create domain public.ledger_account_kind as text constraint ledger_account_kind_check
check (value in ('available', 'escrow', 'fees', 'clearing', 'loss'));

create table public.ledger_accounts (
    id bigint generated always as identity,
    kind public.ledger_account_kind not null,
    currency public.currency_code not null,
    owner_id uuid,
    subject_id uuid,
    provider text,
    posted_minor bigint not null default 0,
    reserved_minor bigint not null default 0,
    floor_minor bigint not null default 0,
    last_posted_at timestamptz not null default '-infinity',
    is_folded boolean not null generated always as (kind in ('fees', 'clearing', 'loss')) stored,
    created_at timestamptz not null default now(),
    constraint ledger_accounts_pkey primary key (id),
    constraint ledger_accounts_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete restrict,
    constraint ledger_accounts_identity_key
    unique nulls not distinct (owner_id, kind, subject_id, provider, currency),
    constraint ledger_accounts_shape_check check (
        case kind
            when 'available' then owner_id is not null and num_nonnulls(subject_id, provider) = 0
            when 'escrow' then subject_id is not null and num_nonnulls(owner_id, provider) = 0
            when 'clearing' then provider is not null and num_nonnulls(owner_id, subject_id) = 0
            else num_nonnulls(owner_id, subject_id, provider) = 0
        end
    ),
    constraint ledger_accounts_reserved_minor_check check (reserved_minor >= 0),
    constraint ledger_accounts_floor_minor_check check (floor_minor <= 0),
    constraint ledger_accounts_balance_check
    check (posted_minor - reserved_minor >= floor_minor or is_folded)
);
alter table public.ledger_accounts enable row level security;
comment on table public.ledger_accounts is
'Who holds what: one row per owner, kind and currency. Positive: the platform owes it to them.';
comment on column public.ledger_accounts.posted_minor is
'Balance in minor units; of folded accounts always 0 here, see private.account_balance.';
comment on column public.ledger_accounts.reserved_minor is
'Part of it that reservations hold back; available = posted − reserved.';
comment on column public.ledger_accounts.floor_minor is
'How far below zero it may go: 0, unless money must be given back that was already withdrawn.';
comment on column public.ledger_accounts.last_posted_at is
'Time of its newest entry: the next one is later, even when the clock was set back.';
comment on column public.ledger_accounts.is_folded is
'Everybody''s account: no row is locked per posting, its balance is folded from its entries.';

create table public.ledger_transactions (
    id bigint generated always as identity,
    kind text not null,
    idempotency_key text not null,
    input_hash bytea not null,
    subject_id uuid,
    memo text not null default '',
    posted_at timestamptz not null,
    constraint ledger_transactions_pkey primary key (id),
    constraint ledger_transactions_idempotency_key_key unique (idempotency_key),
    constraint ledger_transactions_kind_check check (kind ~ '^[a-z_]+\.[a-z_]+$'),
    constraint ledger_transactions_idempotency_key_check
    check (char_length(idempotency_key) between 1 and 200)
);
alter table public.ledger_transactions enable row level security;
create index ledger_transactions_subject_id_idx on public.ledger_transactions (subject_id)
where subject_id is not null;
comment on table public.ledger_transactions is
'Why money moved: one row per balanced posting. Append-only.';
comment on column public.ledger_transactions.kind is 'What happened, as `<domain>.<verb>_<noun>`.';
comment on column public.ledger_transactions.idempotency_key is
'Of the fact that moved the money: the same fact posts once, ever.';
comment on column public.ledger_transactions.input_hash is
'SHA-256 of the posting''s kind, subject and lines: the same key with other input is an error.';
comment on column public.ledger_transactions.memo is 'Who got what and why, for people.';

create table public.ledger_entries (
    transaction_id bigint not null,
    account_id bigint not null,
    amount_minor bigint not null,
    balance_minor bigint,
    posted_at timestamptz not null,
    -- a statement page, or the balance at a time, is a range of this
    constraint ledger_entries_pkey primary key (account_id, posted_at, transaction_id),
    constraint ledger_entries_transaction_id_fkey foreign key (transaction_id)
    references public.ledger_transactions on delete restrict,
    constraint ledger_entries_account_id_fkey foreign key (account_id)
    references public.ledger_accounts on delete restrict,
    constraint ledger_entries_amount_minor_check check (amount_minor <> 0)
);
alter table public.ledger_entries enable row level security;
create index ledger_entries_transaction_id_idx on public.ledger_entries (transaction_id);
comment on table public.ledger_entries is
'What moved: one signed amount per account. Entries of a transaction sum to zero per currency.';
comment on column public.ledger_entries.balance_minor is
'The account''s balance after it; null for folded accounts.';

-- Folded accounts: nobody locks a row to post. What is new waits here until it is folded in.
create table private.ledger_folds (
    account_id bigint not null,
    balance_minor bigint not null,
    folded_at timestamptz not null default now(),
    constraint ledger_folds_pkey primary key (account_id),
    constraint ledger_folds_account_id_fkey foreign key (account_id)
    references public.ledger_accounts on delete restrict
);
alter table private.ledger_folds enable row level security;
comment on table private.ledger_folds is
'Sum of a folded account''s entries so far; what waits in ledger_unfolded is added on reading.';

create table private.ledger_unfolded (
    id bigint generated always as identity,
    account_id bigint not null,
    amount_minor bigint not null,
    constraint ledger_unfolded_pkey primary key (id)
);
alter table private.ledger_unfolded enable row level security;
comment on table private.ledger_unfolded is
'Amounts posted to folded accounts since the last fold. A queue: folding empties it.';

-- Each statement that writes entries must balance by itself: stronger than a check at commit.
create function private.check_entries_balance() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if exists (
        select from written
        inner join public.ledger_accounts as account on account.id = written.account_id
        group by written.transaction_id, account.currency
        having sum(written.amount_minor) <> 0
    ) then
        raise exception 'ledger entries do not sum to zero'
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end;
$$;
comment on function private.check_entries_balance is
'Trigger: the entries of one statement sum to zero per transaction and currency.';
create trigger t50_check_balance after insert on public.ledger_entries
referencing new table as written
for each statement execute function private.check_entries_balance();

create trigger t10_refuse_change before update or delete or truncate on public.ledger_entries
for each statement execute function private.refuse_change();
create trigger t10_refuse_change before update or delete or truncate on public.ledger_transactions
for each statement execute function private.refuse_change();
create trigger t10_refuse_removal before delete or truncate on public.ledger_accounts
for each statement execute function private.refuse_change();

create function private.ledger_account(
    kind public.ledger_account_kind,
    currency public.currency_code,
    owner_id uuid default null,
    subject_id uuid default null,
    provider text default null
) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_id bigint;
begin
    loop
        select account.id into v_id from public.ledger_accounts as account
        where account.owner_id is not distinct from ledger_account.owner_id
            and account.kind = ledger_account.kind
            and account.subject_id is not distinct from ledger_account.subject_id
            and account.provider is not distinct from ledger_account.provider
            and account.currency = ledger_account.currency;
        if found then
            return v_id;
        end if;
        insert into public.ledger_accounts (kind, currency, owner_id, subject_id, provider)
        values (
            ledger_account.kind, ledger_account.currency, ledger_account.owner_id,
            ledger_account.subject_id, ledger_account.provider
        )
        on conflict on constraint ledger_accounts_identity_key do nothing
        returning id into v_id;
        if found then
            return v_id;
        end if;
    end loop;
end;
$$;
comment on function private.ledger_account is
'The account of this owner, kind and currency; opened when it is new.';

-- The one function that moves money. Lock order of all money functions: first the row of the
-- business object (escrow, booking, withdrawal), then ledger accounts by ascending id, here.
create function private.post_transaction(
    key text, kind text, accounts bigint[], amounts bigint[],
    subject_id uuid default null, memo text default ''
) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
    v_hash bytea;
    v_id bigint;
    v_known public.ledger_transactions;
    v_exact bigint;
    v_last timestamptz;
    v_now timestamptz;
    v_unmoved bigint;
begin
    if (
        select sum(line.amount_minor) is distinct from 0
            or count(distinct line.account_id) < greatest(2, count(*))
            or bool_or(line.amount_minor is null or line.amount_minor = 0)
        from unnest(accounts, amounts) as line (account_id, amount_minor)
    ) then
        perform private.reject('ledger.invalid_posting');
    end if;
    v_hash := sha256(convert_to(concat_ws(
        '|', post_transaction.kind, post_transaction.subject_id, accounts::text, amounts::text
    ), 'UTF8'));

    -- locks before the id is drawn: an account's entries then follow each other in id order
    select count(*), max(locked.last_posted_at) into v_exact, v_last from (
        select account.last_posted_at from public.ledger_accounts as account
        where account.id = any(accounts) and not account.is_folded
        order by account.id
        for no key update
    ) as locked;

    v_now := greatest(clock_timestamp(), v_last + interval '1 microsecond');

    insert into public.ledger_transactions
        (kind, idempotency_key, input_hash, subject_id, memo, posted_at)
    values (
        post_transaction.kind, post_transaction.key, v_hash, post_transaction.subject_id,
        post_transaction.memo, v_now
    )
    on conflict on constraint ledger_transactions_idempotency_key_key do nothing
    returning id into v_id;
    if v_id is null then
        select known.* into strict v_known from public.ledger_transactions as known
        where known.idempotency_key = post_transaction.key;
        if v_known.input_hash <> v_hash then
            perform private.reject('ledger.key_reused', post_transaction.key);
        end if;
        return v_known.id;
    end if;

    with lines as (
        select line.account_id, line.amount_minor
        from unnest(accounts, amounts) as line (account_id, amount_minor)
    ),
    moved as (
        update public.ledger_accounts as account
        set posted_minor = account.posted_minor + lines.amount_minor, last_posted_at = v_now
        from lines
        where account.id = lines.account_id and not account.is_folded
            and (
                lines.amount_minor > 0
                or account.posted_minor + lines.amount_minor - account.reserved_minor
                    >= account.floor_minor
            )
        returning account.id, account.posted_minor
    ),
    written as (
        insert into public.ledger_entries
            (transaction_id, account_id, amount_minor, balance_minor, posted_at)
        select v_id, lines.account_id, lines.amount_minor, moved.posted_minor, v_now
        from lines
        left join moved on moved.id = lines.account_id
        returning account_id, amount_minor, balance_minor
    ),
    queued as (
        insert into private.ledger_unfolded (account_id, amount_minor)
        select written.account_id, written.amount_minor
        from written
        where written.balance_minor is null
        returning account_id
    )
    select count(*) into v_unmoved from queued;
    -- every exact account has moved, unless it held too little
    if v_exact + v_unmoved > cardinality(accounts) then
        perform private.reject('ledger.insufficient_funds');
    end if;
    return v_id;
end;
$$;
comment on function private.post_transaction is
$$Move money: one balanced transaction, all of it or nothing. Safe to repeat under its key.

`accounts` and `amounts` are parallel: signed minor units that sum to zero, each account once.
Returns the transaction's id, the first one's on a repeat.
Errors: ledger.invalid_posting (422), ledger.insufficient_funds (409), ledger.key_reused (409);
foreign_key_violation for an account that does not exist.$$;
