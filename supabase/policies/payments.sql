select private.close(
    tables => array[
        'private.providers', 'private.provider_actions', 'private.provider_requests',
        'private.provider_customers', 'private.payment_routes', 'private.holding_limits',
        'private.tax_rates', 'private.receipt_issuers',
        'public.orders', 'public.payment_attempts', 'public.payments', 'public.refunds',
        'public.payment_disputes', 'public.payment_methods', 'private.webhook_events',
        'public.connected_accounts', 'private.withdrawal_limits',
        'public.withdrawal_transitions', 'public.withdrawals', 'public.withdrawal_events',
        'public.withdrawal_schedules', 'private.stuck_withdrawals',
        'private.provider_movements', 'private.reconciled_days'
    ]::regclass[],
    functions => array[
        'private.open_request', 'private.may_be_known', 'private.may_resend',
        'private.close_request',
        'private.reconcile_requests', 'private.route_payment', 'private.tax_order',
        'private.require_no_part',
        'public.create_order', 'private.create_order',
        'public.order_escrow', 'private.order_escrow',
        'public.set_order_tax_id', 'private.set_order_tax_id',
        'public.get_receipt', 'private.get_receipt',
        'private.is_wanted',
        'private.start_payment', 'private.payment_started', 'private.fail_start',
        'private.claim_start', 'private.find_attempt',
        'private.close_attempt_requests', 'private.settle_order', 'private.record_payment',
        'private.fail_payment',
        'private.approve_payment', 'private.claim_capture', 'private.tend_captures',
        'private.fail_taking', 'private.tend_payments', 'private.claim_payment_check',
        'private.book_provider_fee',
        'private.request_refund', 'private.claim_refund', 'private.end_refund',
        'private.lock_refund', 'private.tend_refunds', 'private.claim_refund_check',
        'private.return_by_hand',
        'private.question_refund', 'private.decline_refund',
        'private.lock_payment',
        'private.change_refund', 'private.post_loss', 'private.divide_payment',
        'private.refunded_by_hand',
        'private.charge_back', 'private.got_minor', 'private.resting_minor',
        'private.change_payment_dispute', 'private.hold_disputed', 'private.tend_disputes',
        'private.claim_dispute_check', 'private.divide_reinstated', 'private.reinstate_dispute',
        'private.recover_debts', 'private.charged_back_of',
        'private.count_charged_back',
        'private.announce_order', 'private.keep_events', 'private.open_event',
        'private.finish_event', 'private.replay_event', 'private.hold_reference',
        'private.replay_early',
        'public.refund_payment', 'private.refund_payment',
        'private.know_customer', 'private.list_customers', 'private.keep_payment_methods',
        'private.forget_payment_method', 'private.forget_methods',
        'public.set_default_payment_method', 'private.set_default_payment_method',
        'private.recall_withdrawal', 'private.claim_recall',
        'private.guard_account', 'private.announce_account', 'private.forget_accounts',
        'private.account_mark',
        'private.start_account', 'private.account_opened', 'private.without_numbers',
        'private.decline_account', 'private.question_account', 'private.abandon_account',
        'private.change_connected_account', 'private.my_account', 'private.claim_account_check',
        'public.set_default_account', 'private.set_default_account',
        'public.close_connected_account', 'private.close_connected_account',
        'private.guard_withdrawal', 'private.record_withdrawal', 'private.announce_withdrawal',
        'private.withdrawal_account', 'private.disputed_minor', 'private.weigh_withdrawal',
        'private.open_withdrawal', 'public.request_withdrawal', 'private.request_withdrawal',
        'private.move_withdrawal', 'public.cancel_withdrawal', 'private.cancel_withdrawal',
        'private.claim_withdrawal', 'private.claim_destination_check',
        'private.lock_withdrawal', 'private.question_withdrawal',
        'private.decline_withdrawal', 'private.change_withdrawal',
        'private.record_withdrawal_fee', 'private.claim_withdrawal_check',
        'private.tend_withdrawals', 'private.require_person',
        'public.propose_adjustment', 'private.propose_adjustment', 'private.adjust_balance',
        'public.propose_own_transfer', 'private.propose_own_transfer',
        'private.book_own_transfer',
        'public.propose_write_off', 'private.propose_write_off', 'private.write_off_debt',
        'private.limit_from', 'public.propose_withdrawal_limit',
        'private.propose_withdrawal_limit', 'private.set_withdrawal_limit',
        'public.propose_withdrawal_approval', 'private.propose_withdrawal_approval',
        'private.approve_withdrawal',
        'public.propose_withdrawal_outcome', 'private.propose_withdrawal_outcome',
        'private.resolve_withdrawal', 'public.propose_refund_outcome',
        'private.propose_refund_outcome', 'private.resolve_refund',
        'public.propose_dispute_outcome',
        'private.propose_dispute_outcome', 'private.resolve_payment_dispute',
        'private.next_withdrawal_at',
        'public.set_withdrawal_schedule', 'private.set_withdrawal_schedule',
        'private.take_due_schedules', 'private.request_scheduled', 'private.forget_schedules',
        'private.coming_escrows', 'private.coming_bookings',
        'public.explain_balance', 'private.explain_balance', 'private.check_withdrawals',
        'private.import_movement', 'private.find_differences', 'private.finish_day',
        'private.days_to_read', 'private.find_unread_reports'
    ]::regproc[]
);

-- Orders, payments and what becomes of them: the payer reads, and operators; only functions write.
create policy select_own on public.orders for select to authenticated
using ((select auth.uid()) = payer_id or (select private.is_operator()));
create policy select_own on public.payment_attempts for select to authenticated using (
    (select private.is_operator()) or exists (
        select from public.orders as mine
        where mine.id = payment_attempts.order_id
    )
);
create policy select_own on public.payments for select to authenticated
using ((select auth.uid()) = payer_id or (select private.is_operator()));
create policy select_own on public.refunds for select to authenticated
using ((select auth.uid()) = payer_id or (select private.is_operator()));
create policy select_own on public.payment_disputes for select to authenticated
using ((select auth.uid()) = payer_id or (select private.is_operator()));
create policy select_own on public.payment_methods for select to authenticated
using ((select auth.uid()) = owner_id);
grant select on table
public.orders, public.payment_attempts, public.payments, public.refunds, public.payment_disputes,
public.payment_methods
to authenticated, service_role;
grant execute on function
public.create_order, private.create_order, public.order_escrow, private.order_escrow,
public.set_order_tax_id, private.set_order_tax_id, public.get_receipt, private.get_receipt,
public.set_default_payment_method, private.set_default_payment_method
to authenticated;

-- The api starts a payment as its payer.
grant execute on function private.start_payment to authenticated;

-- The inbox: webhook routes keep, workers process; facts of providers are booked there alone.
grant execute on function
private.keep_events, private.open_event, private.finish_event, private.reconcile_requests,
private.close_request, private.payment_started, private.fail_start, private.claim_start,
private.record_payment, private.fail_payment,
private.approve_payment, private.claim_capture, private.book_provider_fee,
private.tend_captures, private.tend_refunds, private.claim_refund_check,
private.tend_payments,
private.claim_payment_check,
private.claim_refund, private.question_refund, private.decline_refund, private.change_refund,
private.change_payment_dispute, private.tend_disputes, private.claim_dispute_check,
private.know_customer, private.list_customers,
private.keep_payment_methods,
private.forget_payment_method, private.recall_withdrawal, private.claim_recall,
private.import_movement, private.finish_day, private.days_to_read
to guildhall_worker;

-- Withdrawals and where they go: their owner reads, and operators; rows change only through
-- functions. The machine is no secret.
create policy select_own on public.connected_accounts for select to authenticated
using ((select auth.uid()) = owner_id or (select private.is_operator()));
create policy select_own on public.withdrawals for select to authenticated
using ((select auth.uid()) = owner_id or (select private.is_operator()));
create policy select_own on public.withdrawal_events for select to authenticated using (
    (select private.is_operator()) or exists (
        select from public.withdrawals as mine
        where mine.id = withdrawal_events.withdrawal_id
    )
);
create policy select_own on public.withdrawal_schedules for select to authenticated
using ((select auth.uid()) = owner_id or (select private.is_operator()));
create policy select_members on public.withdrawal_transitions for select to authenticated
using (true);
grant select on table
public.connected_accounts, public.withdrawals, public.withdrawal_events,
public.withdrawal_schedules, public.withdrawal_transitions
to authenticated, service_role;
grant execute on function
public.set_default_account, private.set_default_account,
public.close_connected_account, private.close_connected_account,
public.request_withdrawal, private.request_withdrawal,
public.cancel_withdrawal, private.cancel_withdrawal,
public.set_withdrawal_schedule, private.set_withdrawal_schedule,
public.explain_balance, private.explain_balance
to authenticated;

-- Operators propose; another one confirms (see ops).
grant execute on function
public.propose_adjustment, private.propose_adjustment,
public.propose_own_transfer, private.propose_own_transfer,
public.propose_write_off, private.propose_write_off,
public.propose_withdrawal_limit, private.propose_withdrawal_limit,
public.propose_withdrawal_approval, private.propose_withdrawal_approval,
public.propose_withdrawal_outcome, private.propose_withdrawal_outcome,
public.propose_refund_outcome, private.propose_refund_outcome,
public.propose_dispute_outcome, private.propose_dispute_outcome,
public.refund_payment, private.refund_payment
to authenticated;

-- The api opens an account as its owner, and asks the provider as a worker.
grant execute on function private.start_account, private.my_account to authenticated;

-- Workers send, and book what providers say; time passes there.
grant execute on function
private.account_opened, private.decline_account, private.question_account,
private.abandon_account, private.change_connected_account, private.claim_account_check,
private.claim_withdrawal, private.claim_destination_check,
private.question_withdrawal, private.decline_withdrawal,
private.change_withdrawal, private.record_withdrawal_fee, private.claim_withdrawal_check,
private.tend_withdrawals, private.take_due_schedules, private.request_scheduled,
private.check_withdrawals
to guildhall_worker;
