-- Coinbase's present API refunds, and knows a key again.
set lock_timeout = '5s';

-- For how long it knows a key is not said. A day is safe all the same: a repeat is looked up by the
-- key that the checkout and the refund bear, and sent only when Coinbase has none.
update private.provider_actions set key_hours = 24
where provider = 'coinbase' and action = 'payments.start_payment';
insert into private.provider_actions (provider, action, key_hours) values
('coinbase', 'payments.send_refund', 24);
