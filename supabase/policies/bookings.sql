select private.close(
    tables => array[
        'public.booking_transitions', 'public.settlement_policies', 'public.settlement_bands',
        'public.booking_offers', 'public.bookings', 'public.booking_events',
        'private.booking_failures', 'private.stuck_bookings'
    ]::regclass[],
    functions => array[
        'private.check_bands_cover', 'private.guard_offer_terms', 'private.guard_booking_terms',
        'private.guard_booking_status', 'private.record_bookings', 'private.announce_bookings',
        'private.keep_booking_party', 'private.my_booking_ids', 'private.my_booked_offer_ids',
        'private.lock_booking', 'private.move_booking', 'private.note_booking',
        'private.check_booking_text', 'private.fund_booking', 'private.divide_bookings',
        'private.close_bookings', 'private.settle_due_bookings', 'private.retry_stuck_bookings',
        'private.complete_due_bookings', 'private.cancel_unpaid_bookings',
        'private.freeze_booking', 'private.charge_back_booking', 'private.check_bookings',
        'public.create_booking_offer', 'private.create_booking_offer',
        'public.close_booking_offer', 'private.close_booking_offer',
        'public.book_offer', 'private.book_offer',
        'public.order_booking', 'private.order_booking',
        'public.confirm_completion', 'private.confirm_completion',
        'public.report_no_show', 'private.report_no_show',
        'public.cancel_booking', 'private.cancel_booking',
        'public.rate_booking', 'private.rate_booking',
        'public.dispute_booking', 'private.dispute_booking',
        'public.resolve_booking_dispute', 'private.resolve_booking_dispute',
        'public.settle_bookings', 'private.settle_bookings',
        'public.add_settlement_policy', 'private.add_settlement_policy'
    ]::regproc[]
);

-- The machine and the terms are no secret.
create policy select_members on public.booking_transitions for select to authenticated
using (true);
create policy select_members on public.settlement_policies for select to authenticated
using (true);
create policy select_members on public.settlement_bands for select to authenticated
using (true);

-- Members see what is offered; what is closed, its host and who booked it.
create policy select_open on public.booking_offers for select to authenticated using (
    is_open
    or host_id = (select auth.uid())
    or id = any(array(select private.my_booked_offer_ids()))
    or (select private.is_operator())
);
-- Both parties read, and operators; rows change only through functions.
create policy select_involved on public.bookings for select to authenticated using (
    (select auth.uid()) in (host_id, guest_id)
    or (select private.is_operator())
);
create policy select_involved on public.booking_events for select to authenticated using (
    booking_id = any(array(select private.my_booking_ids()))
    or (select private.is_operator())
);
grant select on table
public.booking_transitions, public.settlement_policies, public.settlement_bands,
public.booking_offers, public.bookings, public.booking_events
to authenticated, service_role;
grant execute on function private.my_booking_ids, private.my_booked_offer_ids to authenticated;

grant execute on function
public.create_booking_offer, private.create_booking_offer,
public.close_booking_offer, private.close_booking_offer, public.book_offer, private.book_offer,
public.order_booking, private.order_booking,
public.confirm_completion, private.confirm_completion,
public.report_no_show, private.report_no_show, public.cancel_booking, private.cancel_booking,
public.rate_booking, private.rate_booking, public.dispute_booking, private.dispute_booking,
public.resolve_booking_dispute, private.resolve_booking_dispute
to authenticated;
-- Admins, and the operators' own scripts.
grant execute on function
public.settle_bookings, private.settle_bookings,
public.add_settlement_policy, private.add_settlement_policy
to authenticated, service_role;

-- Payments come and go by workers, and time passes there.
grant execute on function
private.fund_booking, private.freeze_booking, private.charge_back_booking,
private.check_bookings, private.settle_due_bookings, private.retry_stuck_bookings,
private.complete_due_bookings, private.cancel_unpaid_bookings
to guildhall_worker;
