-- How long a provider lets money be held, by country of the payer.
set lock_timeout = '5s';

create table private.holding_limits (
    provider text not null,
    country text not null default '',
    hold_days bigint not null,
    warn_days bigint not null default 7,
    constraint holding_limits_pkey primary key (provider, country),
    constraint holding_limits_provider_fkey foreign key (provider)
    references private.providers on delete cascade,
    constraint holding_limits_country_check check (country ~ '^([A-Z]{2})?$'),
    constraint holding_limits_hold_days_check check (hold_days between 1 and 3650),
    constraint holding_limits_warn_days_check check (warn_days between 0 and hold_days - 1)
);
alter table private.holding_limits enable row level security;
comment on table private.holding_limits is
$$How long money of a payment may be held, by provider and the payer's country ('' any other).

Source: Stripe, manual payouts (90 days; two years in the US, 10 days in Thailand); Razorpay and
PayPal refund without trouble for 180 days, so money must have moved before.$$;
insert into private.holding_limits (provider, country, hold_days, warn_days) values
('stripe', '', 90, 14), ('stripe', 'US', 730, 30), ('stripe', 'TH', 10, 3),
('razorpay', '', 170, 14), ('paypal', '', 170, 14), ('coinbase', '', 365, 30);
