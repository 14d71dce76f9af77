-- Withdrawals that stopped half-way: their money is fetched back before it counts as returned.
set lock_timeout = '5s';

insert into private.provider_actions (provider, action, key_hours) values
('stripe', 'payments.capture_payment', 24), ('stripe', 'payments.recall_withdrawal', 24);

create function private.recall_withdrawal(provider text, reference text, key uuid, reason text)
returns void
language plpgsql security definer set search_path = '' as $$
declare
    v_withdrawal uuid;
begin
    select asked.subject_id into v_withdrawal from private.provider_requests as asked
    where asked.id = recall_withdrawal.key and asked.provider = recall_withdrawal.provider
        and asked.action = 'payments.send_withdrawal';
    if not found then
        perform private.reject('payments.request_not_found', recall_withdrawal.reference);
    end if;
    -- one for each withdrawal, and it stays open until it is done: what was sent must come back
    insert into private.provider_requests (provider, action, subject_id, body)
    values (
        recall_withdrawal.provider, 'payments.recall_withdrawal', v_withdrawal,
        jsonb_build_object(
            'key', recall_withdrawal.key, 'reference', recall_withdrawal.reference,
            'reason', left(recall_withdrawal.reason, 500)
        )
    )
    on conflict on constraint provider_requests_subject_id_action_attempt_key do nothing;
    if found then
        perform private.enqueue(
            'payments.recall_withdrawal', jsonb_build_object('subject_id', v_withdrawal)
        );
    end if;
end;
$$;
comment on function private.recall_withdrawal is
$$A bank refused a withdrawal and its money stopped half-way: store that it is fetched back.

`key` is the id of the withdrawal's own request. Safe to repeat.
Errors: payments.request_not_found (404).$$;

create function private.claim_recall(withdrawal_id uuid)
returns table (request_id uuid, provider text, key uuid, reference text, reason text)
language plpgsql security definer set search_path = '' as $$
declare
    v_request private.provider_requests;
begin
    select asked.* into v_request from private.provider_requests as asked
    where asked.subject_id = claim_recall.withdrawal_id
        and asked.action = 'payments.recall_withdrawal';
    if not found then
        return;
    end if;
    v_request := private.open_request(
        v_request.provider, v_request.action, v_request.subject_id, v_request.body
    );
    if v_request.id is null then
        return;
    end if;
    return query select
        v_request.id, v_request.provider, (v_request.body ->> 'key')::uuid,
        v_request.body ->> 'reference', v_request.body ->> 'reason';
end;
$$;
comment on function private.claim_recall is
'A withdrawal to be fetched back now; no row: it has come back.';
