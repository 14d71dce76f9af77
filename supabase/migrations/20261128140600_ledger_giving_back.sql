-- Money that goes back to its payer after others got it.
set lock_timeout = '5s';

create function private.share_giving_back(
    subject_id uuid, kinds text[], payer_id uuid, first_id uuid, amount_minor bigint
) returns table (account_id bigint, owner_id uuid, share_minor bigint)
language sql stable security definer set search_path = '' as $$
    with got as (
        select account.id, account.owner_id, sum(entry.amount_minor) as minor
        from public.ledger_transactions as moved
        inner join public.ledger_entries as entry on moved.id = entry.transaction_id
        inner join public.ledger_accounts as account on entry.account_id = account.id
        where moved.subject_id = share_giving_back.subject_id
            and moved.kind = any(share_giving_back.kinds)
            and account.kind in ('available', 'fees')
            and account.owner_id is distinct from share_giving_back.payer_id
        group by account.id, account.owner_id
        having sum(entry.amount_minor) > 0
    ),
    floors as (
        select
            got.id, got.owner_id,
            div(
                got.minor * share_giving_back.amount_minor, sum(got.minor) over ()
            )::bigint as minor,
            row_number() over (
                order by
                    (got.owner_id is not distinct from share_giving_back.first_id) desc, got.id
            ) as place
        from got
    ),
    -- units lost to rounding, fewer than there are givers: one each, the first one first
    shares as (
        select
            floors.id, floors.owner_id,
            floors.minor + (
                floors.place <= share_giving_back.amount_minor - sum(floors.minor) over ()
            )::integer as minor
        from floors
    )
    select shares.id, shares.owner_id, shares.minor::bigint
    from shares
    where shares.minor > 0
$$;
comment on function private.share_giving_back is
$$Who gives how much of an amount back: all who got something of a subject, in proportion to it.

`kinds` are the transactions that gave it to them, and took back before. The payer gives nothing;
`first_id` (null: the platform) bears the first odd unit. Minor units; whole, nothing lost, as long
as the amount is not above what they have.$$;

create function private.allow_debt(accounts bigint[], amounts bigint[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform from public.ledger_accounts as account
    where account.id = any(accounts) and not account.is_folded
    order by account.id
    for no key update;
    update public.ledger_accounts as account
    set floor_minor = least(
        account.floor_minor, account.posted_minor - account.reserved_minor + line.minor
    )
    from unnest(accounts, amounts) as line (account_id, minor)
    where account.id = line.account_id and account.kind = 'available';
end;
$$;
comment on function private.allow_debt is
$$Let people's balances go down to what these amounts take, and no further; locks the accounts.

`accounts` and `amounts` as in private.post_transaction, which is to follow.$$;
