select private.close(
    tables => array[
        'public.plans', 'public.plan_prices', 'public.plan_features', 'public.subscriptions',
        'public.invoices', 'public.billing_mrr', 'private.invoice_payments',
        'private.invoice_reversals', 'private.checkouts', 'private.subscription_changes'
    ]::regclass[],
    functions => array[
        'private.keep_price', 'public.is_premium', 'private.is_premium', 'private.current_plan',
        'private.feature_limit', 'public.list_entitlements', 'private.list_entitlements',
        'private.lock_billing', 'private.count_open_agreements', 'private.limit_agreements',
        'private.close_excess', 'public.start_trial', 'private.start_trial',
        'private.expire_trials', 'private.announce_subscription',
        'private.billing_owner', 'private.subscription_rank', 'private.change_subscription',
        'private.rank_subscriptions', 'private.question_subscription',
        'private.subscription_seen_at', 'private.change_invoice',
        'private.link_invoice_payment',
        'private.reverse_invoice', 'private.route_refund', 'private.route_payment_dispute',
        'private.sees_revenue', 'private.check_billing',
        'private.claim_price', 'private.price_published', 'private.start_checkout',
        'private.abandon_checkout', 'private.checkout_started', 'private.change_checkout',
        'private.lock_own_subscription', 'private.ask_change', 'private.change_plan',
        'private.cancel_plan', 'private.resume_plan', 'private.billing_customer',
        'private.claim_change', 'private.end_change', 'private.refresh_due',
        'private.end_subscriptions'
    ]::regproc[]
);

-- What is sold is on every pricing page.
create policy select_anyone on public.plans for select to anon, authenticated using (true);
create policy select_anyone on public.plan_prices for select to anon, authenticated using (true);
create policy select_anyone on public.plan_features for select to anon, authenticated
using (true);
grant select on table public.plans, public.plan_prices, public.plan_features
to anon, authenticated, service_role;

-- Subscriptions and invoices: their owner reads, and operators; only functions write.
create policy select_own on public.subscriptions for select to authenticated
using (owner_id = (select auth.uid()) or (select private.is_operator()));
create policy select_own on public.invoices for select to authenticated
using (owner_id = (select auth.uid()) or (select private.is_operator()));
grant select on table public.subscriptions, public.invoices, public.billing_mrr
to authenticated, service_role;
grant execute on function private.sees_revenue to authenticated, service_role;

grant execute on function
public.is_premium, private.is_premium, public.list_entitlements, private.list_entitlements,
public.start_trial, private.start_trial
to authenticated;

-- The api asks as the caller.
grant execute on function
private.start_checkout, private.change_plan, private.cancel_plan, private.resume_plan,
private.billing_customer
to authenticated;

-- Facts of providers are booked by workers, and time passes there.
grant execute on function
private.expire_trials, private.change_subscription, private.question_subscription,
private.subscription_seen_at, private.change_invoice, private.link_invoice_payment,
private.route_refund, private.route_payment_dispute, private.check_billing,
private.claim_price, private.price_published, private.abandon_checkout, private.checkout_started,
private.change_checkout, private.claim_change, private.end_change, private.refresh_due
to guildhall_worker;
