select private.close(
    tables => array[
        'public.ledger_accounts', 'public.ledger_transactions', 'public.ledger_entries',
        'public.ledger_reservations', 'public.ledger_balances', 'public.ledger_statement',
        'private.ledger_folds', 'private.ledger_unfolded', 'private.ledger_seals'
    ]::regclass[],
    functions => array[
        'private.check_account_shape', 'private.check_entries_balance', 'private.ledger_account',
        'private.post_transaction', 'private.post_transactions', 'private.reserve',
        'private.close_reservation',
        'private.post_reservation', 'private.operators_first_id',
        'private.expire_reservations', 'private.account_balance', 'private.fold_balances',
        'private.balance_at', 'private.my_ledger_account_ids', 'private.hash_postings',
        'private.unsealed_ids', 'private.seal_ledger', 'private.seal_next',
        'private.verify_ledger',
        'public.get_balance_at', 'private.get_balance_at', 'private.keep_balance_owner',
        'private.share_giving_back', 'private.allow_debt'
    ]::regproc[]
);

-- People read what is theirs, operators everything; nobody writes but the functions of a domain.
-- Of accounts each branch is a range of an index (with both ends, or the planner would expect a
-- long one): who asks for all their balances, or for the statement of all, reads their own only.
create policy select_own on public.ledger_accounts for select to authenticated using (
    owner_id = (select auth.uid())
    or id between (select private.operators_first_id()) and 9223372036854775807
);
-- Of entries the planner must not expect few, or it sorts all of an account to read a page of it.
create policy select_own on public.ledger_entries for select to authenticated using (
    account_id = any(array(select private.my_ledger_account_ids()))
    or (select private.is_operator())
);
create policy select_own on public.ledger_transactions for select to authenticated using (
    (select private.is_operator()) or exists (
        select from public.ledger_entries as entry
        where entry.transaction_id = ledger_transactions.id
    )
);
create policy select_own on public.ledger_reservations for select to authenticated using (
    account_id = any(array(select private.my_ledger_account_ids()))
    or account_id between (select private.operators_first_id()) and 9223372036854775807
);
grant select on table
public.ledger_accounts, public.ledger_transactions, public.ledger_entries,
public.ledger_reservations, public.ledger_balances, public.ledger_statement
to authenticated, service_role;
grant execute on function
private.my_ledger_account_ids, private.operators_first_id to authenticated;
grant execute on function public.get_balance_at, private.get_balance_at to authenticated;

-- Housekeeping by workers; money moves only through the functions of other domains.
grant execute on function
private.expire_reservations, private.fold_balances, private.seal_ledger, private.seal_next,
private.verify_ledger
to guildhall_worker;
