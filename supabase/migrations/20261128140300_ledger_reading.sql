-- Reading one's own money reads an index range, also where operators may read everything.
set lock_timeout = '5s';

-- `or (select private.is_operator())` turns a read of one's own into a scan of the whole table: the
-- planner cannot know that it is false. As a range of ids it is a branch that an index answers.
create function private.operators_first_id() returns bigint
language plpgsql stable security definer set search_path = '' as $$
begin
    return case when private.is_operator() then 0 end;
end;
$$;
comment on function private.operators_first_id is
'For policies: `id >=` this is everything to operators, and nothing to anybody else (null).';

-- In plpgsql, which keeps its plan: SQL would make it anew for every statement that reads.
create or replace function private.my_ledger_account_ids() returns setof bigint
language plpgsql stable security definer set search_path = '' as $$
begin
    return query select account.id from public.ledger_accounts as account
    where account.owner_id = (select auth.uid());
end;
$$;
comment on function private.my_ledger_account_ids is 'The caller''s own accounts, for policies.';
