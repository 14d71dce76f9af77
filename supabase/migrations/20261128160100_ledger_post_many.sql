-- Many postings by one statement: the sibling of private.post_transaction for batches.
set lock_timeout = '5s';

-- The same account as before, found by its index: "is not distinct from" reads all of that.
create or replace function private.ledger_account(
    kind public.ledger_account_kind,
    currency public.currency_code,
    owner_id uuid default null,
    subject_id uuid default null,
    provider text default null
) returns bigint
language plpgsql security definer set search_path = '' set enable_seqscan = off as $$
declare
    v_id bigint;
begin
    loop
        if ledger_account.owner_id is not null then
            select account.id into v_id from public.ledger_accounts as account
            where account.owner_id = ledger_account.owner_id
                and account.kind = ledger_account.kind
                and account.subject_id is null and account.provider is null
                and account.currency = ledger_account.currency;
        elsif ledger_account.subject_id is not null then
            select account.id into v_id from public.ledger_accounts as account
            where account.owner_id is null and account.kind = ledger_account.kind
                and account.subject_id = ledger_account.subject_id and account.provider is null
                and account.currency = ledger_account.currency;
        elsif ledger_account.provider is not null then
            select account.id into v_id from public.ledger_accounts as account
            where account.owner_id is null and account.kind = ledger_account.kind
                and account.subject_id is null
                and account.provider = ledger_account.provider
                and account.currency = ledger_account.currency;
        else
            select account.id into v_id from public.ledger_accounts as account
            where account.owner_id is null and account.kind = ledger_account.kind
                and account.subject_id is null and account.provider is null
                and account.currency = ledger_account.currency;
        end if;
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

create function private.post_transactions(
    keys text[], kinds text[], subject_ids uuid[], memos text[],
    line_postings bigint[], line_accounts bigint[], line_amounts bigint[]
) returns bigint[]
language plpgsql security definer set search_path = ''
-- rows are found by their keys, however few there were when the plan was made
set enable_seqscan = off as $$
declare
    c_most constant bigint := 1000000000000000;
    v_hashes bytea[];
    v_last timestamptz;
    v_now timestamptz;
    v_new bigint[];
    v_ids bigint[];
    v_reused text;
    v_is_bad boolean;
begin
    if cardinality(keys) = 0 and cardinality(line_postings) = 0 then
        return '{}';
    end if;
    -- each posting by itself as post_transaction asks, and no line without one
    with lines as (
        select line.posting, line.account_id, line.amount_minor
        from unnest(line_postings, line_accounts, line_amounts)
            as line (posting, account_id, amount_minor)
    ),
    postings as (
        select
            coalesce(sum(lines.amount_minor), 1) <> 0
            or count(distinct lines.account_id) < greatest(2, count(*))
            or bool_or(coalesce(lines.amount_minor, 0) = 0) as is_bad
        from generate_subscripts(keys, 1) as place
        left join lines on lines.posting = place
        group by place
    )
    select bool_or(bad.is_bad) into v_is_bad from (
        select postings.is_bad from postings
        union all
        select lines.posting is null or lines.posting not between 1 and cardinality(keys)
        from lines
        union all
        select count(*) > count(distinct given.key) from unnest(keys) as given (key)
    ) as bad;
    if v_is_bad then
        perform private.reject('ledger.invalid_posting');
    end if;
    -- far above any sum of money, far below what sums of many of them hold
    if exists (select from unnest(line_amounts) as given (minor) where abs(given.minor) > c_most) then
        perform private.reject('ledger.invalid_amount', 'line_amounts');
    end if;
    -- the same input has the same hash, whichever of the two functions posts it
    select array_agg(
        sha256(convert_to(concat_ws(
            '|', given.kind, given.subject_id, posting.accounts::text, posting.amounts::text
        ), 'UTF8')) order by given.place
    )
    into v_hashes
    from unnest(kinds, subject_ids) with ordinality as given (kind, subject_id, place)
    inner join (
        select
            line.posting as place,
            array_agg(line.account_id order by line.number) as accounts,
            array_agg(line.amount_minor order by line.number) as amounts
        from unnest(line_postings, line_accounts, line_amounts)
            with ordinality as line (posting, account_id, amount_minor, number)
        group by line.posting
    ) as posting on given.place = posting.place;

    -- all accounts of all postings in one order, before any id is drawn
    select max(locked.last_posted_at) into v_last from (
        select account.last_posted_at from public.ledger_accounts as account
        where account.id = any(line_accounts) and not account.is_folded
        order by account.id
        for no key update
    ) as locked;
    v_now := greatest(clock_timestamp(), v_last + interval '1 microsecond');

    with asked as (
        select given.*
        from unnest(keys, kinds, subject_ids, memos, v_hashes)
            with ordinality as given (key, kind, subject_id, memo, hash, place)
    ),
    written as (
        insert into public.ledger_transactions
            (kind, idempotency_key, input_hash, subject_id, memo, posted_at)
        select
            asked.kind, asked.key, asked.hash, asked.subject_id, coalesce(asked.memo, ''),
            -- no two of one account at one moment: a statement is paged by it
            v_now + asked.place * interval '1 microsecond'
        from asked
        order by asked.place
        on conflict on constraint ledger_transactions_idempotency_key_key do nothing
        returning id, idempotency_key
    )
    select array_agg(written.id order by asked.place) into v_new
    from asked
    left join written on written.idempotency_key = asked.key;

    v_ids := v_new;
    if array_position(v_new, null) is not null then
        select
            array_agg(coalesce(given.id, known.id) order by given.place),
            min(given.key) filter (where given.id is null and known.input_hash <> given.hash)
        into v_ids, v_reused
        from unnest(keys, v_hashes, v_new) with ordinality as given (key, hash, id, place)
        left join public.ledger_transactions as known
            on given.id is null and known.idempotency_key = given.key;
        if v_reused is not null then
            perform private.reject('ledger.key_reused', v_reused);
        end if;
    end if;

    with lines as (
        select
            posting.id as transaction_id, posting.place, line.account_id, line.amount_minor,
            account.is_folded, account.posted_minor - account.reserved_minor as free_minor,
            account.posted_minor, account.floor_minor
        from unnest(line_postings, line_accounts, line_amounts)
            as line (posting, account_id, amount_minor)
        -- what was posted before under its key moves nothing now
        inner join unnest(v_new) with ordinality as posting (id, place)
            on posting.place = line.posting and posting.id is not null
        left join public.ledger_accounts as account on account.id = line.account_id
    ),
    steps as (
        select
            summed.*, summed.free_minor + summed.moved_minor as left_minor,
            -- a debt that was set off within this call is not owed anew, see lift_ledger_floor
            greatest(summed.floor_minor, least(0, coalesce(
                max(summed.free_minor + summed.moved_minor) filter (
                    where summed.amount_minor > 0
                ) over (partition by summed.account_id order by summed.place),
                summed.floor_minor
            ))) as lifted_minor
        from (
            select
                lines.*,
                (sum(lines.amount_minor) over (
                    partition by lines.account_id order by lines.place
                ))::bigint as moved_minor
            from lines
        ) as summed
    ),
    short as (
        select coalesce(bool_or(
            steps.amount_minor < 0 and steps.left_minor < steps.lifted_minor
        ), false) as is_short
        from steps
        where not steps.is_folded
    ),
    moved as (
        update public.ledger_accounts as account
        set posted_minor = last.posted_minor + last.moved_minor,
            floor_minor = last.lifted_minor,
            last_posted_at = v_now + last.place * interval '1 microsecond'
        from (
            select distinct on (steps.account_id) steps.*
            from steps
            where not steps.is_folded
            order by steps.account_id, steps.place desc
        ) as last
        where account.id = last.account_id and not (select short.is_short from short)
    ),
    written as (
        insert into public.ledger_entries
            (transaction_id, account_id, amount_minor, balance_minor, posted_at)
        select
            steps.transaction_id, steps.account_id, steps.amount_minor,
            case when not steps.is_folded then steps.posted_minor + steps.moved_minor end,
            v_now + steps.place * interval '1 microsecond'
        from steps
        order by steps.account_id, steps.place
    ),
    queued as (
        insert into private.ledger_unfolded (account_id, amount_minor)
        select steps.account_id, sum(steps.amount_minor)
        from steps
        where steps.is_folded
        group by steps.account_id
        having sum(steps.amount_minor) <> 0
    )
    select short.is_short into v_is_bad from short;
    if v_is_bad then
        perform private.reject('ledger.insufficient_funds');
    end if;
    return v_ids;
end;
$$;
comment on function private.post_transactions is
$$Move money many times: balanced transactions, all of them or none. Each is safe to repeat.

`keys`, `kinds`, `subject_ids` and `memos` are parallel, one element per posting; the `line_…`
arrays are parallel too, one element per line: the posting's place among the keys (from 1), the
account, signed minor units. Postings follow each other in the order given. Returns their ids in
that order; of what was posted before under its key, the first one's.
Errors: ledger.invalid_posting (422), ledger.invalid_amount (422), beyond 10^15,
ledger.insufficient_funds (409), ledger.key_reused (409);
foreign_key_violation for an account that does not exist.$$;
