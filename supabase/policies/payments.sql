select private.close(
    tables => array['public.orders', 'private.webhook_events']::regclass[],
    functions => array[
        'public.create_order', 'private.create_order',
        'public.order_escrow', 'private.order_escrow',
        'private.announce_order', 'private.keep_event', 'private.open_event',
        'private.finish_event', 'private.record_payment'
    ]::regproc[]
);

-- Orders: the payer reads; rows change only through functions.
create policy select_own on public.orders for select to authenticated
using ((select auth.uid()) = payer_id);
grant select on table public.orders to authenticated, service_role;
grant execute on function
public.create_order, private.create_order, public.order_escrow, private.order_escrow
to authenticated;

-- The inbox: webhook routes keep, workers process; nobody else knows of it.
grant execute on function
private.keep_event, private.open_event, private.finish_event, private.record_payment
to guildhall_worker;
