select private.close(
    tables => array[
        'public.escrow_transitions', 'public.escrow_agreements', 'public.escrows',
        'public.escrow_events', 'private.escrow_failures'
    ]::regclass[],
    functions => array[
        'private.guard_escrow_terms', 'private.guard_escrow_status',
        'private.record_escrow', 'private.announce_escrow', 'private.keep_escrow_party',
        'private.split_release', 'private.lock_escrow',
        'private.move_escrow', 'private.check_text', 'private.start_escrow_payment',
        'private.fail_escrow_payment', 'private.fund_escrow', 'private.send_back',
        'private.divide_escrow', 'private.refund_part',
        'private.check_escrows', 'private.approve_next_overdue', 'private.cancel_next_unpaid',
        'private.take_back', 'private.guard_frozen_escrow',
        'private.charge_back_escrow', 'private.freeze_escrow',
        'private.limit_hold', 'private.warn_of_holds', 'private.end_next_hold',
        'private.my_agreement_ids', 'private.my_escrow_ids',
        'public.open_escrow', 'private.open_escrow',
        'public.cancel_escrow', 'private.cancel_escrow',
        'public.start_work', 'private.start_work', 'public.submit_work', 'private.submit_work',
        'public.start_review', 'private.start_review',
        'public.approve_escrow', 'private.approve_escrow',
        'public.reject_work', 'private.reject_work',
        'public.dispute_escrow', 'private.dispute_escrow',
        'public.refund_escrow', 'private.refund_escrow',
        'public.resolve_dispute', 'private.resolve_dispute'
    ]::regproc[]
);

-- The machine is no secret.
create policy select_members on public.escrow_transitions for select to authenticated using (true);
grant select on table public.escrow_transitions to authenticated, service_role;

-- Both parties read, the agents who brought them, operators; rows change only through functions.
create policy select_involved on public.escrow_agreements for select to authenticated using (
    (select auth.uid()) in (sponsor_id, creator_id, sponsor_agent_id, creator_agent_id)
    or (select private.is_operator())
);
create policy select_involved on public.escrows for select to authenticated using (
    (select auth.uid()) in (sponsor_id, creator_id)
    or agreement_id = any(array(select private.my_agreement_ids()))
    or (select private.is_operator())
);
create policy select_involved on public.escrow_events for select to authenticated using (
    escrow_id = any(array(select private.my_escrow_ids()))
    or (select private.is_operator())
);
grant select on table
public.escrow_agreements, public.escrows, public.escrow_events
to authenticated, service_role;
grant execute on function private.my_agreement_ids, private.my_escrow_ids to authenticated;

grant execute on function
public.open_escrow, private.open_escrow, public.cancel_escrow, private.cancel_escrow,
public.start_work, private.start_work, public.submit_work, private.submit_work,
public.start_review, private.start_review, public.approve_escrow, private.approve_escrow,
public.reject_work, private.reject_work, public.dispute_escrow, private.dispute_escrow,
public.refund_escrow, private.refund_escrow, public.resolve_dispute, private.resolve_dispute
to authenticated;

-- Payments come and go by workers, and time passes there.
grant execute on function
private.start_escrow_payment, private.fail_escrow_payment, private.fund_escrow,
private.take_back, private.check_escrows,
private.approve_next_overdue, private.warn_of_holds, private.end_next_hold,
private.cancel_next_unpaid
to guildhall_worker;
