-- Razorpay's orders may be asked for again: no key makes that safe, but ours looks before it asks.
set lock_timeout = '5s';

-- The adapter makes an order only when none bears our key as its receipt, so that a start whose
-- request never arrived need not stay in doubt. A day is long for a payer who waits at a checkout.
update private.provider_actions set key_hours = 24
where provider = 'razorpay' and action = 'payments.start_payment';
