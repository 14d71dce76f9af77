-- Costs: what providers keep for their service, apart from what was lost.
set lock_timeout = '5s';

alter domain public.ledger_account_kind drop constraint ledger_account_kind_check;
alter domain public.ledger_account_kind add constraint ledger_account_kind_check
check (value in ('available', 'escrow', 'fees', 'clearing', 'loss', 'costs')) not valid;
alter table public.ledger_accounts
alter column is_folded set expression as (kind in ('fees', 'clearing', 'loss', 'costs'));
