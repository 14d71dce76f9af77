"""Who may do what: every public table, view, function and bucket, for every role, proven.

`owner` is the person the row belongs to, `suspended` the same person shut out. Outcomes: `row` (it
works), `none` (allowed, but there is nothing for them), `deny` (no privilege), `never` (a view that
nobody can write), else the code of a
catalogued error. Every statement runs as that role with its claims, and is rolled back.
"""

import json
from typing import Any

import psycopg
import pytest

from tests.fixtures.people import Connection, Person, suspend
from tests.fixtures.people import cast as make_cast
from tests.payments.purses import Purse

ROLES = (
    "visitor", "stranger", "owner", "suspended", "moderator", "admin", "worker", "service",
)  # fmt: skip

TABLES = """
# table           operation  visitor stranger owner suspended moderator admin worker service
profiles          read       none    row      row   row       row       row   deny   row
profiles          add        deny    deny     deny  deny      deny      deny  deny   deny
profiles          change     deny    none     row   none      none      none  deny   deny
profiles          remove     deny    deny     deny  deny      deny      deny  deny   deny
profile_private   read       deny    none     row   row       row       row   deny   row
profile_private   add        deny    deny     deny  deny      deny      deny  deny   deny
profile_private   change     deny    none     row   none      none      none  deny   deny
profile_private   remove     deny    deny     deny  deny      deny      deny  deny   deny
user_settings     read       deny    none     row   row       none      none  deny   row
user_settings     add        deny    deny     deny  deny      deny      deny  deny   deny
user_settings     change     deny    none     row   none      none      none  deny   deny
user_settings     remove     deny    deny     deny  deny      deny      deny  deny   deny
role_assignments  read       deny    none     row   row       row       row   deny   row
role_assignments  add        deny    deny     deny  deny      deny      deny  deny   deny
role_assignments  change     deny    deny     deny  deny      deny      deny  deny   deny
role_assignments  remove     deny    deny     deny  deny      deny      deny  deny   deny
suspensions       read       deny    none     row   row       row       row   deny   row
suspensions       add        deny    deny     deny  deny      deny      deny  deny   deny
suspensions       change     deny    deny     deny  deny      deny      deny  deny   deny
suspensions       remove     deny    deny     deny  deny      deny      deny  deny   deny
audit_log         read       deny    none     none  none      none      row   deny   row
audit_log         add        deny    deny     deny  deny      deny      deny  deny   deny
audit_log         change     deny    deny     deny  deny      deny      deny  deny   deny
audit_log         remove     deny    deny     deny  deny      deny      deny  deny   deny
orders            read       deny    none     row   row       row       row   deny   row
orders            add        deny    deny     deny  deny      deny      deny  deny   deny
orders            change     deny    deny     deny  deny      deny      deny  deny   deny
orders            remove     deny    deny     deny  deny      deny      deny  deny   deny
payment_attempts  read       deny    none     row   row       row       row   deny   row
payment_attempts  add        deny    deny     deny  deny      deny      deny  deny   deny
payment_attempts  change     deny    deny     deny  deny      deny      deny  deny   deny
payment_attempts  remove     deny    deny     deny  deny      deny      deny  deny   deny
payments          read       deny    none     row   row       row       row   deny   row
payments          add        deny    deny     deny  deny      deny      deny  deny   deny
payments          change     deny    deny     deny  deny      deny      deny  deny   deny
payments          remove     deny    deny     deny  deny      deny      deny  deny   deny
refunds           read       deny    none     row   row       row       row   deny   row
refunds           add        deny    deny     deny  deny      deny      deny  deny   deny
refunds           change     deny    deny     deny  deny      deny      deny  deny   deny
refunds           remove     deny    deny     deny  deny      deny      deny  deny   deny
payment_disputes  read       deny    none     row   row       row       row   deny   row
payment_disputes  add        deny    deny     deny  deny      deny      deny  deny   deny
payment_disputes  change     deny    deny     deny  deny      deny      deny  deny   deny
payment_disputes  remove     deny    deny     deny  deny      deny      deny  deny   deny
payment_methods   read       deny    none     row   row       none      none  deny   row
payment_methods   add        deny    deny     deny  deny      deny      deny  deny   deny
payment_methods   change     deny    deny     deny  deny      deny      deny  deny   deny
payment_methods   remove     deny    deny     deny  deny      deny      deny  deny   deny
connected_accounts   read     deny    none    row     row     row     row     deny    row
connected_accounts   add      deny    deny    deny    deny    deny    deny    deny    deny
connected_accounts   change   deny    deny    deny    deny    deny    deny    deny    deny
connected_accounts   remove   deny    deny    deny    deny    deny    deny    deny    deny
withdrawals          read     deny    none    row     row     row     row     deny    row
withdrawals          add      deny    deny    deny    deny    deny    deny    deny    deny
withdrawals          change   deny    deny    deny    deny    deny    deny    deny    deny
withdrawals          remove   deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_events    read     deny    none    row     row     row     row     deny    row
withdrawal_events    add      deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_events    change   deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_events    remove   deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_schedules read     deny    none    row     row     row     row     deny    row
withdrawal_schedules add      deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_schedules change   deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_schedules remove   deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_transitions read   deny    row     row     row     row     row     deny    row
withdrawal_transitions add    deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_transitions change deny    deny    deny    deny    deny    deny    deny    deny
withdrawal_transitions remove deny    deny    deny    deny    deny    deny    deny    deny
operator_approvals     read   deny    none    none    none    row     row     deny    row
operator_approvals     add    deny    deny    deny    deny    deny    deny    deny    deny
operator_approvals     change deny    deny    deny    deny    deny    deny    deny    deny
operator_approvals     remove deny    deny    deny    deny    deny    deny    deny    deny
ledger_accounts   read       deny    none     row   row       row       row   deny   row
ledger_accounts   add        deny    deny     deny  deny      deny      deny  deny   deny
ledger_accounts   change     deny    deny     deny  deny      deny      deny  deny   deny
ledger_accounts   remove     deny    deny     deny  deny      deny      deny  deny   deny
ledger_transactions read     deny    none     row   row       row       row   deny   row
ledger_transactions add      deny    deny     deny  deny      deny      deny  deny   deny
ledger_transactions change   deny    deny     deny  deny      deny      deny  deny   deny
ledger_transactions remove   deny    deny     deny  deny      deny      deny  deny   deny
ledger_entries    read       deny    none     row   row       row       row   deny   row
ledger_entries    add        deny    deny     deny  deny      deny      deny  deny   deny
ledger_entries    change     deny    deny     deny  deny      deny      deny  deny   deny
ledger_entries    remove     deny    deny     deny  deny      deny      deny  deny   deny
ledger_reservations read     deny    none     row   row       row       row   deny   row
ledger_reservations add      deny    deny     deny  deny      deny      deny  deny   deny
ledger_reservations change   deny    deny     deny  deny      deny      deny  deny   deny
ledger_reservations remove   deny    deny     deny  deny      deny      deny  deny   deny
ledger_balances   read       deny    none     row   row       row       row   deny   row
ledger_balances   add        deny    deny     deny  deny      deny      deny  deny   deny
ledger_balances   change     deny    deny     deny  deny      deny      deny  deny   deny
ledger_balances   remove     deny    deny     deny  deny      deny      deny  deny   deny
ledger_statement  read       deny    none     row   row       row       row   deny   row
ledger_statement  add        never   never    never never     never     never never  never
ledger_statement  change     never   never    never never     never     never never  never
ledger_statement  remove     never   never    never never     never     never never  never
escrow_transitions read       deny    row      row   row       row       row   deny   row
escrow_transitions add        deny    deny     deny  deny      deny      deny  deny   deny
escrow_transitions change     deny    deny     deny  deny      deny      deny  deny   deny
escrow_transitions remove     deny    deny     deny  deny      deny      deny  deny   deny
escrow_agreements read       deny    none     row   row       row       row   deny   row
escrow_agreements add        deny    deny     deny  deny      deny      deny  deny   deny
escrow_agreements change     deny    deny     deny  deny      deny      deny  deny   deny
escrow_agreements remove     deny    deny     deny  deny      deny      deny  deny   deny
escrows           read       deny    none     row   row       row       row   deny   row
escrows           add        deny    deny     deny  deny      deny      deny  deny   deny
escrows           change     deny    deny     deny  deny      deny      deny  deny   deny
escrows           remove     deny    deny     deny  deny      deny      deny  deny   deny
escrow_events     read       deny    none     row   row       row       row   deny   row
escrow_events     add        deny    deny     deny  deny      deny      deny  deny   deny
escrow_events     change     deny    deny     deny  deny      deny      deny  deny   deny
escrow_events     remove     deny    deny     deny  deny      deny      deny  deny   deny
booking_transitions read       deny    row      row   row       row       row   deny   row
booking_transitions add        deny    deny     deny  deny      deny      deny  deny   deny
booking_transitions change     deny    deny     deny  deny      deny      deny  deny   deny
booking_transitions remove     deny    deny     deny  deny      deny      deny  deny   deny
settlement_policies read       deny    row      row   row       row       row   deny   row
settlement_policies add        deny    deny     deny  deny      deny      deny  deny   deny
settlement_policies change     deny    deny     deny  deny      deny      deny  deny   deny
settlement_policies remove     deny    deny     deny  deny      deny      deny  deny   deny
settlement_bands    read       deny    row      row   row       row       row   deny   row
settlement_bands    add        deny    deny     deny  deny      deny      deny  deny   deny
settlement_bands    change     deny    deny     deny  deny      deny      deny  deny   deny
settlement_bands    remove     deny    deny     deny  deny      deny      deny  deny   deny
booking_offers      read       deny    row      row   row       row       row   deny   row
booking_offers      add        deny    deny     deny  deny      deny      deny  deny   deny
booking_offers      change     deny    deny     deny  deny      deny      deny  deny   deny
booking_offers      remove     deny    deny     deny  deny      deny      deny  deny   deny
bookings            read       deny    none     row   row       row       row   deny   row
bookings            add        deny    deny     deny  deny      deny      deny  deny   deny
bookings            change     deny    deny     deny  deny      deny      deny  deny   deny
bookings            remove     deny    deny     deny  deny      deny      deny  deny   deny
booking_events      read       deny    none     row   row       row       row   deny   row
booking_events      add        deny    deny     deny  deny      deny      deny  deny   deny
booking_events      change     deny    deny     deny  deny      deny      deny  deny   deny
booking_events      remove     deny    deny     deny  deny      deny      deny  deny   deny
referral_codes    read       deny    none     row   row       row       row   deny   row
referral_codes    add        deny    deny     deny  deny      deny      deny  deny   deny
referral_codes    change     deny    deny     deny  deny      deny      deny  deny   deny
referral_codes    remove     deny    deny     deny  deny      deny      deny  deny   deny
referrals         read       deny    none     row   row       row       row   deny   row
referrals         add        deny    deny     deny  deny      deny      deny  deny   deny
referrals         change     deny    deny     deny  deny      deny      deny  deny   deny
referrals         remove     deny    deny     deny  deny      deny      deny  deny   deny
plans             read       row      row      row   row       row       row   deny   row
plans             add        deny     deny     deny  deny      deny      deny  deny   deny
plans             change     deny     deny     deny  deny      deny      deny  deny   deny
plans             remove     deny     deny     deny  deny      deny      deny  deny   deny
plan_prices       read       row      row      row   row       row       row   deny   row
plan_prices       add        deny     deny     deny  deny      deny      deny  deny   deny
plan_prices       change     deny     deny     deny  deny      deny      deny  deny   deny
plan_prices       remove     deny     deny     deny  deny      deny      deny  deny   deny
plan_features     read       row      row      row   row       row       row   deny   row
plan_features     add        deny     deny     deny  deny      deny      deny  deny   deny
plan_features     change     deny     deny     deny  deny      deny      deny  deny   deny
plan_features     remove     deny     deny     deny  deny      deny      deny  deny   deny
subscriptions     read       deny     none     row   row       row       row   deny   row
subscriptions     add        deny     deny     deny  deny      deny      deny  deny   deny
subscriptions     change     deny     deny     deny  deny      deny      deny  deny   deny
subscriptions     remove     deny     deny     deny  deny      deny      deny  deny   deny
invoices          read       deny     none     row   row       row       row   deny   row
invoices          add        deny     deny     deny  deny      deny      deny  deny   deny
invoices          change     deny     deny     deny  deny      deny      deny  deny   deny
invoices          remove     deny     deny     deny  deny      deny      deny  deny   deny
billing_mrr       read       deny     none     none  none      row       row   deny   row
billing_mrr       add        never    never    never never     never     never never  never
billing_mrr       change     never    never    never never     never     never never  never
billing_mrr       remove     never    never    never never     never     never never  never
"""

# per table: which row is the owner's, and a harmless write of each kind
STATEMENTS = {
    "payment_attempts": (
        "order_id = %(order)s",
        "(order_id, provider) values (%(order)s, 'paypal')",
        "reason = 'x'",
    ),
    "payments": (
        "payer_id = %(owner)s",
        "(order_id, payer_id, provider, reference, amount_minor, currency, applied_minor)"
        " values (%(order)s, %(owner)s, 'stripe', 'pi_9', 1, 'EUR', 1)",
        "note = 'x'",
    ),
    "payment_methods": (
        "owner_id = %(owner)s",
        "(owner_id, provider, reference, kind, label)"
        " values (%(owner)s, 'stripe', 'pm_9', 'card', 'visa 4242')",
        "label = 'x'",
    ),
    "refunds": (
        "payer_id = %(owner)s",
        "(payment_id, payer_id, amount_minor, currency, reason, provider, idempotency_key)"
        " values (%(payment)s, %(owner)s, 1, 'EUR', 'x', 'stripe', 'x')",
        "note = 'x'",
    ),
    "payment_disputes": (
        "payer_id = %(owner)s",
        "(payment_id, payer_id, provider, reference, amount_minor, currency, reason)"
        " values (%(payment)s, %(owner)s, 'stripe', 'dp_9', 1, 'EUR', 'x')",
        "reason = 'x'",
    ),
    "connected_accounts": (
        "owner_id = %(owner)s",
        "(owner_id, provider, country) values (%(owner)s, 'paypal', 'FR')",
        "label = 'x'",
    ),
    "withdrawals": (
        "owner_id = %(owner)s",
        "(owner_id, account_id, provider, amount_minor, currency, idempotency_key)"
        " values (%(owner)s, %(target)s, 'stripe', 1, 'EUR', 'x')",
        "note = 'x'",
    ),
    "withdrawal_events": (
        "withdrawal_id = %(withdrawal)s",
        "(withdrawal_id, to_status) values (%(withdrawal)s, 'paid')",
        "reason = 'x'",
    ),
    "withdrawal_schedules": (
        "owner_id = %(owner)s",
        "(owner_id, currency, cadence) values (%(owner)s, 'USD', 'manual')",
        "minimum_minor = 1",
    ),
    "withdrawal_transitions": (
        "to_status = 'paid'",
        "(from_status, to_status) values ('reserved', 'paid')",
        "to_status = 'paid'",
    ),
    "operator_approvals": (
        "owner_id = %(owner)s",
        "(action, input, reason, proposed_by, expires_at)"
        " values ('payments.adjust_balance', '{}', 'x', %(owner)s, now())",
        "note = 'x'",
    ),
    "profiles": ("id = %(owner)s", "(id, display_name) values (%(owner)s, 'x')", "bio = 'x'"),
    "profile_private": ("user_id = %(owner)s", "(user_id) values (%(owner)s)", "country = 'FR'"),
    "user_settings": ("user_id = %(owner)s", "(user_id) values (%(owner)s)", "theme = 'dark'"),
    "role_assignments": (
        "user_id = %(owner)s",
        "(user_id, role) values (%(owner)s, 'agent')",
        "role = 'agent'",
    ),
    "suspensions": (
        "user_id = %(owner)s",
        "(user_id, reason) values (%(owner)s, 'x')",
        "reason = 'x'",
    ),
    "audit_log": (
        "subject_id = %(owner)s::text",
        "(action, subject_id) values ('a.b', %(owner)s)",
        "action = 'a.b'",
    ),
    "ledger_accounts": (
        "owner_id = %(owner)s",
        "(kind, currency, owner_id) values ('available', 'USD', %(owner)s)",
        "posted_minor = 1",
    ),
    "ledger_transactions": (
        "idempotency_key = %(owner)s::text",
        "(kind, idempotency_key, input_hash, posted_at) values ('a.b', %(owner)s, '', now())",
        "memo = 'x'",
    ),
    "ledger_entries": (
        "account_id = %(account)s",
        "(transaction_id, account_id, amount_minor, posted_at) values (1, 1, 1, now())",
        "amount_minor = 1",
    ),
    "ledger_reservations": (
        "account_id = %(account)s",
        "(account_id, amount_minor, idempotency_key, input_hash) values (1, 1, 'x', '')",
        "status = 'voided'",
    ),
    "ledger_balances": (
        "owner_id = %(owner)s",
        "(kind, currency, owner_id) values ('available', 'USD', %(owner)s)",
        "posted_minor = 1",
    ),
    "ledger_statement": (
        "account_id = %(account)s",
        "(account_id) values (1)",
        "amount_minor = 1",
    ),
    "escrow_transitions": (
        "to_status = 'locked'",
        "(from_status, to_status) values ('locked', 'released')",
        "to_status = 'released'",
    ),
    "escrow_agreements": (
        "creator_id = %(owner)s",
        "(sponsor_id, creator_id, title, currency, review_days, revision_limit, pay_within_days)"
        " values (%(other)s, %(owner)s, 'x', 'EUR', 7, 2, 14)",
        "title = 'x'",
    ),
    "escrows": (
        "creator_id = %(owner)s",
        "(agreement_id, position, sponsor_id, creator_id, title, currency, price_minor, fee_minor,"
        " total_minor) values (%(escrow)s, 9, %(other)s, %(owner)s, 'x', 'EUR', 1, 0, 1)",
        "remaining_minor = 1",
    ),
    "escrow_events": (
        "escrow_id = %(escrow)s",
        "(escrow_id, to_status) values (%(escrow)s, 'released')",
        "reason = 'x'",
    ),
    "booking_transitions": (
        "to_status = 'paid'",
        "(from_status, to_status) values ('paid', 'released')",
        "to_status = 'released'",
    ),
    "settlement_policies": ("version = 1", "(version) values (2)", "hold_hours = 1"),
    "settlement_bands": (
        "policy_version = 1",
        "(policy_version, name, min_rating, max_rating, host_share_bps, penalty_bps)"
        " values (1, 'x', 1, 5, 0, 0)",
        "penalty_bps = 0",
    ),
    "booking_offers": (
        "id = %(offer)s",
        "(host_id, title, duration_minutes, price_minor, currency)"
        " values (%(owner)s, 'x', 60, 1, 'EUR')",
        "is_open = false",
    ),
    "bookings": (
        "guest_id = %(owner)s",
        "(offer_id, host_id, guest_id, title, currency, starts_at, ends_at, expires_at,"
        " completes_at, total_minor, policy_version) values (%(offer)s, %(other)s, %(owner)s, 'x',"
        " 'EUR', now(), now() + interval '1 h', now(), now(), 1, 1)",
        "remaining_minor = 1",
    ),
    "booking_events": (
        "booking_id = %(booking)s",
        "(booking_id, to_status) values (%(booking)s, 'released')",
        "reason = 'x'",
    ),
    "referral_codes": (
        "agent_id = %(owner)s",
        "(code, agent_id) values ('ABCDEFGH', %(owner)s)",
        "code = 'ABCDEFGH'",
    ),
    "referrals": (
        "referred_id = %(owner)s",
        "(referred_id, agent_id) values (%(owner)s, %(other)s)",
        "agent_id = %(other)s",
    ),
    "plans": ("plan = 'premium'", "(plan, title, position) values ('x_y', 'x', 9)", "title = 'x'"),
    "plan_prices": (
        "plan = 'premium'",
        "(plan, amount_minor, currency, period) values ('premium', 1, 'CHF', 'month')",
        "is_sold = false",
    ),
    "plan_features": (
        "plan = 'premium'",
        "(plan, feature, allowed) values ('premium', 'a.b', 1)",
        "allowed = 1",
    ),
    "subscriptions": (
        "owner_id = %(owner)s",
        "(owner_id, plan, status, started_at, current_period_start, current_period_end,"
        " trial_ends_at, changed_at)"
        " values (%(owner)s, 'premium', 'trialing', now(), now(), now(), now(), now())",
        "plan = 'business'",
    ),
    "invoices": (
        "owner_id = %(owner)s",
        "(owner_id, provider, reference, subscription_reference, status, currency, total_minor,"
        " issued_at, changed_at)"
        " values (%(owner)s, 'stripe', 'in_9', 'sub_9', 'paid', 'EUR', 1, now(), now())",
        "paid_minor = 1",
    ),
    "billing_mrr": ("plan = 'premium'", "(plan) values ('premium')", "plan = 'business'"),
    "orders": (
        "payer_id = %(owner)s",
        "(payer_id, purpose, amount_minor, currency) values (%(owner)s, 'x', 1, 'EUR')",
        "purpose = 'x'",
    ),
}

OPERATOR, SHUT_OUT = "identity.operator_required", "identity.not_active"
ROLE = "identity.role_not_selectable"
NO_METHOD = "payments.method_not_found"
NO_ORDER, NO_PAYMENT = "payments.order_not_found", "payments.payment_not_found"
NO_ACCOUNT, NO_WITHDRAWAL = "payments.account_not_found", "payments.withdrawal_not_found"
NO_ESCROW, ESCROW_PARTY = "escrow.not_found", "escrow.wrong_party"
ESCROW_STEP = "escrow.invalid_transition"
NO_OFFER = "bookings.offer_not_found"
NO_BOOKING, BOOKING_EARLY = "bookings.not_found", "bookings.too_early"
BOOKING_STEP = "bookings.invalid_transition"
FUNCTIONS = {
    # call: visitor, stranger, owner, suspended, moderator, admin, worker, service
    "get_balance_at(%(account)s, now())": (
        "deny", "ledger.account_not_found", "row", "row", "row", "row", "deny", "deny",
    ),
    "is_premium()": ("deny", "row", "row", "row", "row", "row", "deny", "deny"),
    "list_entitlements()": ("deny", "row", "row", "row", "row", "row", "deny", "deny"),
    # the owner subscribes already
    "start_trial()": (
        "deny", "row", "billing.trial_used", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    "choose_role('agent')": ("deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny"),
    "create_order(100, 'EUR', 'x')": (
        "deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    # the owner has a part in an open escrow
    "delete_account()": (
        "deny", "row", "ledger.balance_left", "ledger.balance_left", "row", "identity.last_admin",
        "deny", "deny",
    ),
    "grant_role(%(owner)s, 'agent')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, OPERATOR, "row", "deny", "row",
    ),
    "revoke_role(%(owner)s, 'creator')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, OPERATOR, "row", "deny", "row",
    ),
    "suspend_user(%(other)s, 'spam')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "lift_suspension(%(shut_out)s)": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "get_referral_code()": (
        "deny", "agents.agent_required", "row", SHUT_OUT, "agents.agent_required",
        "agents.agent_required", "deny", "deny",
    ),
    "claim_referral(%(code)s)": (
        "deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    "open_escrow(%(owner)s, 'x', 'EUR', '[{\"title\": \"x\", \"price_minor\": 1}]')": (
        "deny", "escrow.sponsor_required", "escrow.sponsor_required", SHUT_OUT,
        "escrow.sponsor_required", "escrow.sponsor_required", "deny", "deny",
    ),
    "cancel_escrow(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_STEP, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "start_work(%(escrow)s)": (
        "deny", NO_ESCROW, "row", SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "submit_work(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, ESCROW_STEP, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "start_review(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "approve_escrow(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "order_escrow(%(escrow)s)": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "reject_work(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, ESCROW_PARTY, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "dispute_escrow(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, ESCROW_STEP, SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "refund_escrow(%(escrow)s, 'x')": (
        "deny", NO_ESCROW, "row", SHUT_OUT, NO_ESCROW, NO_ESCROW, "deny", "deny",
    ),
    "set_order_tax_id(%(order)s, 'DE 123')": (
        "deny", NO_ORDER, "row", SHUT_OUT, NO_ORDER, NO_ORDER, "deny", "deny",
    ),
    "set_default_payment_method(%(method)s)": (
        "deny", NO_METHOD, "row", SHUT_OUT, NO_METHOD, NO_METHOD, "deny", "deny",
    ),
    "get_receipt(%(payment)s)": (
        "deny", NO_PAYMENT, "row", "row", "row", "row", "deny", "deny",
    ),
    "set_default_account(%(target)s)": (
        "deny", NO_ACCOUNT, "row", SHUT_OUT, NO_ACCOUNT, NO_ACCOUNT, "deny", "deny",
    ),
    "close_connected_account(%(target)s)": (
        "deny", NO_ACCOUNT, "payments.account_in_use", SHUT_OUT, NO_ACCOUNT, NO_ACCOUNT,
        "deny", "deny",
    ),
    # the owner asked under this key before
    "request_withdrawal(100, 'EUR', %(target)s, 'one')": (
        "deny", NO_ACCOUNT, "row", SHUT_OUT, NO_ACCOUNT, NO_ACCOUNT, "deny", "deny",
    ),
    "cancel_withdrawal(%(withdrawal)s, 'x')": (
        "deny", NO_WITHDRAWAL, "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    "set_withdrawal_schedule('EUR', 'weekly')": (
        "deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    "get_trial_balance()": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "list_findings()": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "none", "none", "deny", "deny",
    ),
    "explain_balance()": ("deny", "none", "row", "row", "none", "none", "deny", "deny"),
    "propose_adjustment(%(owner)s, 1, 'EUR', 'fees', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "propose_own_transfer('stripe', 'bank', 1, 'EUR', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "propose_write_off(%(owner)s, 'EUR', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "payments.nothing_owed", "payments.nothing_owed",
        "deny", "deny",
    ),
    "propose_withdrawal_limit('stripe', 'EUR', 'member', 'x', 200)": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "propose_withdrawal_approval(%(withdrawal)s, 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "payments.no_approval_needed",
        "payments.no_approval_needed", "deny", "deny",
    ),
    "propose_withdrawal_outcome(%(withdrawal)s, 'failed', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "payments.invalid_transition",
        "payments.invalid_transition", "deny", "deny",
    ),
    "propose_refund_outcome(gen_random_uuid(), 'failed', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "payments.refund_not_found",
        "payments.refund_not_found", "deny", "deny",
    ),
    "refund_payment(gen_random_uuid(), 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "payments.payment_not_found",
        "payments.payment_not_found", "deny", "deny",
    ),
    "propose_dispute_outcome(%(dispute)s, 'won', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    # the moderator proposed it
    "confirm_approval(%(approval)s)": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "ops.second_operator_required", "row",
        "deny", "deny",
    ),
    "decline_approval(%(approval)s, 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, "row", "row", "deny", "deny",
    ),
    "resolve_dispute(%(escrow)s, 'refund', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, ESCROW_STEP, ESCROW_STEP, "deny", "deny",
    ),
    "create_booking_offer('x', 60, 1, 'EUR')": (
        "deny", "row", "row", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    "close_booking_offer(%(offer)s)": (
        "deny", NO_OFFER, NO_OFFER, SHUT_OUT, NO_OFFER, NO_OFFER, "deny", "deny",
    ),
    "book_offer(%(offer)s, now() + interval '9 h')": (
        "deny", "row", "bookings.unpaid_left", SHUT_OUT, "row", "row", "deny", "deny",
    ),
    # the owner's booking is paid and begins in two days
    "order_booking(%(booking)s)": (
        "deny", NO_BOOKING, "bookings.not_payable", SHUT_OUT, NO_BOOKING, NO_BOOKING,
        "deny", "deny",
    ),
    "confirm_completion(%(booking)s)": (
        "deny", NO_BOOKING, BOOKING_EARLY, SHUT_OUT, NO_BOOKING, NO_BOOKING, "deny", "deny",
    ),
    "report_no_show(%(booking)s)": (
        "deny", NO_BOOKING, BOOKING_EARLY, SHUT_OUT, NO_BOOKING, NO_BOOKING, "deny", "deny",
    ),
    "dispute_booking(%(booking)s, 'x')": (
        "deny", NO_BOOKING, BOOKING_EARLY, SHUT_OUT, NO_BOOKING, NO_BOOKING, "deny", "deny",
    ),
    "cancel_booking(%(unpaid)s)": (
        "deny", NO_BOOKING, "row", SHUT_OUT, NO_BOOKING, NO_BOOKING, "deny", "deny",
    ),
    "rate_booking(%(booking)s, 5)": (
        "deny", NO_BOOKING, BOOKING_STEP, SHUT_OUT, NO_BOOKING, NO_BOOKING, "deny", "deny",
    ),
    "resolve_booking_dispute(%(booking)s, 'refund', 'x')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, BOOKING_STEP, BOOKING_STEP, "deny", "deny",
    ),
    "settle_bookings()": (
        "deny", OPERATOR, OPERATOR, OPERATOR, OPERATOR, "row", "deny", "row",
    ),
    "add_settlement_policy('[{\"name\": \"all\", \"min_rating\": 1, \"max_rating\": 5,"
    " \"host_share_bps\": 9000, \"penalty_bps\": 0}]')": (
        "deny", OPERATOR, OPERATOR, OPERATOR, OPERATOR, "row", "deny", "row",
    ),
}  # fmt: skip

BUCKETS = """
# bucket  operation  visitor stranger owner suspended moderator admin worker service
avatars   read       none    none     row   row       none      none  deny   row
avatars   add        deny    deny     row   deny      deny      deny  deny   row
avatars   change     none    none     row   none      none      none  deny   row
avatars   remove     none    none     row   row       none      none  deny   row
"""

WORDS = {"nothing": "none", "denied": "deny", "55000": "never"}


def _cells(table: str) -> list[tuple[str, str, str, str]]:
    cells = []
    for line in table.strip().splitlines():
        if not line.startswith("#"):
            subject, operation, *outcomes = line.split()
            assert len(outcomes) == len(ROLES), line
            cells += [
                (subject, operation, role, outcome)
                for role, outcome in zip(ROLES, outcomes, strict=True)
            ]
    return cells


@pytest.fixture(scope="module")
def scene(shared_database):
    """The matrix's people, and all that the tables need of the owner. Made once, never kept."""
    with psycopg.connect(shared_database) as db:
        yield {"db": db, **_set(db, make_cast(db))}
        db.rollback()


@pytest.fixture
def actors(scene):
    """The scene, as it was, for each cell."""
    with scene["db"].transaction(force_rollback=True):
        yield scene


def _set(db: Connection, cast: dict[str, Person]) -> dict[str, object]:
    owner = cast["creator"]
    db.execute("insert into audit_log (action, subject_id) values ('a.b', %s)", [owner.id])
    db.execute(
        "insert into suspensions (user_id, reason, lifted_at) values (%s, 'past', now())",
        [owner.id],
    )
    owner.rows("select create_order(100, 'EUR', 'tea')")
    (account,) = db.execute(
        "select private.ledger_account('available', 'EUR', owner_id => %s)", [owner.id]
    ).fetchone()
    db.execute(
        "select private.post_transaction(%s, 'test.fund', array[%s,"
        " private.ledger_account('clearing', 'EUR', provider => 'stripe')], array[100, -100])",
        [str(owner.id), account],
    )
    db.execute("select private.reserve(%s, %s, 10)", [str(owner.id), account])
    money_out = _withdraw(db, owner, cast["moderator"])
    db.execute(
        "insert into storage.objects (bucket_id, name, owner_id) values ('avatars', %s, %s)",
        [f"{owner.id}/me.png", str(owner.id)],
    )
    agent, sponsor = cast["agent"], cast["sponsor"]
    ((code,),) = agent.rows("select get_referral_code()")
    owner.rows("select claim_referral(%s)", [code])
    owner.rows("select choose_role('agent')")
    owner.rows("select get_referral_code()")
    ((escrow,),) = sponsor.rows(
        "select id from open_escrow(%s, 'x', 'EUR', '[{\"title\": \"x\", \"price_minor\": 10}]')",
        [owner.id],
    )
    ((bill,),) = sponsor.rows("select id from order_escrow(%s)", [escrow])
    db.execute("select private.record_payment(%s, 'stripe', 'pi_1', 11, 'EUR')", [bill])
    made = {"account": account, "escrow": escrow, "code": code}
    made |= _pay(db, owner) | _book(db, owner, sponsor)
    made |= money_out
    _subscribe(db, owner)
    return {**cast, "owner": owner, "made": made}


def _pay(db: Connection, owner: Person) -> dict[str, object]:
    """What the owner paid: more than was ordered, so that the rest goes back, and a dispute."""
    ((order,),) = owner.rows("select id from orders")
    db.execute(
        "insert into payment_attempts (order_id, provider, reference)"
        " values (%s, 'stripe', 'pi_2')",
        [order],
    )
    (payment,) = db.execute(
        "select private.record_payment(%s, 'stripe', 'pi_2', 101, 'EUR')", [order]
    ).fetchone()
    db.execute(
        "select private.change_payment_dispute("
        "'stripe', 'dp_1', 'pi_2', 'open', 1, 'EUR', 'x', null)"
    )
    db.execute(
        "select private.keep_payment_methods(%s, 'stripe',"
        ' \'[{"reference": "pm_1", "kind": "card", "label": "visa 4242"}]\')',
        [owner.id],
    )
    (method,) = db.execute("select id from payment_methods").fetchone()
    (dispute,) = db.execute("select id from payment_disputes").fetchone()
    return {"dispute": dispute, "order": order, "payment": payment, "method": method}


def _book(db: Connection, owner: Person, host: Person) -> dict[str, object]:
    """A booking that the owner paid as its guest, and one to be paid."""
    ((offer,),) = host.rows("select id from create_booking_offer('x', 60, 10, 'EUR')")
    book = "select id from book_offer(%s, now() + %s::interval)"
    ((booking,),) = owner.rows(book, [offer, "48 h"])
    ((bill,),) = owner.rows("select id from order_booking(%s)", [booking])
    db.execute("select private.record_payment(%s, 'stripe', 'pi_3', 10, 'EUR')", [bill])
    ((unpaid,),) = owner.rows(book, [offer, "52 h"])
    return {"offer": offer, "booking": booking, "unpaid": unpaid}


def _withdraw(db: Connection, owner: Person, moderator: Person) -> dict[str, object]:
    """What the owner takes out, and what a moderator proposed about them."""
    purse = Purse(db, owner)
    purse.fund(1_000)
    target = purse.account()
    withdrawal = purse.request(100, key="one")
    owner.rows("select set_withdrawal_schedule('EUR', 'monthly')")
    ((approval,),) = moderator.rows(
        "select id from propose_adjustment(%s, 1, 'EUR', 'fees', 'x')", [owner.id]
    )
    return {"target": target, "withdrawal": withdrawal, "approval": approval}


def _subscribe(db: Connection, owner: Person) -> None:
    """The owner's subscription and its first invoice."""
    db.execute(
        "update plan_prices set reference = 'price_1' where plan = 'premium'"
        " and currency = 'EUR' and period = 'month'"
    )
    state = {
        "customer": "cus_1", "owner_id": str(owner.id), "price": "price_1", "status": "active",
        "started_at": "2026-12-01Z", "period_start": "2026-12-01Z", "period_end": "2027-01-01Z",
        "subscription": "sub_1", "currency": "EUR", "total_minor": 1, "paid_minor": 0,
        "attempts": 0, "issued_at": "2026-12-01Z", "credited_minor": 0,
    }  # fmt: skip
    db.execute(
        "select private.change_subscription('stripe', 'sub_1', %s, now(), 'evt_1')",
        [json.dumps(state)],
    )
    db.execute(
        "select private.change_invoice('stripe', 'in_1', %s, now(), 'evt_1')",
        [json.dumps(state | {"status": "open"})],
    )


def _outcome(actors: dict[str, Any], role: str, statement: str) -> str:
    names = {
        "owner": actors["owner"].id,
        "other": actors["sponsor"].id,
        "shut_out": actors["suspended"].id,
        **actors["made"],
    }
    person = actors[role]
    if role == "suspended":
        person = suspend(actors["owner"].db, actors["owner"])
    found = person.outcome(statement, names)
    return WORDS.get(found, found)


@pytest.mark.parametrize(("table", "operation", "role", "expected"), _cells(TABLES))
def test_tables(actors, table, operation, role, expected):
    where, row, change = STATEMENTS[table]
    statement = {
        "read": f"select * from public.{table} where {where}",
        "add": f"insert into public.{table} {row}",
        "change": f"update public.{table} set {change} where {where}",
        "remove": f"delete from public.{table} where {where}",
    }[operation]
    assert _outcome(actors, role, statement) == expected


@pytest.mark.parametrize(
    ("call", "role", "expected"),
    [
        (call, role, outcome)
        for call, outcomes in FUNCTIONS.items()
        for role, outcome in zip(ROLES, outcomes, strict=True)
    ],
)
def test_functions(actors, call, role, expected):
    assert _outcome(actors, role, f"select * from public.{call}") == expected


@pytest.mark.parametrize(("bucket", "operation", "role", "expected"), _cells(BUCKETS))
def test_buckets(actors, bucket, operation, role, expected):
    # a statement-level guard lets only the Storage API delete rows; it says so by this setting
    actors["db"].execute("set local storage.allow_delete_query = 'true'")
    where = f"bucket_id = '{bucket}' and name = %(owner)s || '/me.png'"
    statement = {
        "read": f"select * from storage.objects where {where}",
        "add": "insert into storage.objects (bucket_id, name)"
        f" values ('{bucket}', %(owner)s || '/new.png')",
        "change": f"update storage.objects set metadata = '{{}}' where {where}",
        "remove": f"delete from storage.objects where {where}",
    }[operation]
    assert _outcome(actors, role, statement) == expected


def test_every_table_has_its_rows(db):
    public = {
        name
        for (name,) in db.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p', 'v', 'm', 'f')"
        )
    }
    operations = {(table, operation) for table, operation, _, _ in _cells(TABLES)}
    assert operations == {
        (table, operation) for table in public for operation in ("read", "add", "change", "remove")
    }


def test_every_function_has_its_row(db):
    public = {
        name
        for (name,) in db.execute(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace"
        )
    }
    assert public == {call.split("(")[0] for call in FUNCTIONS}


def test_every_bucket_has_its_rows(db):
    buckets = {name for (name,) in db.execute("select id from storage.buckets")}
    assert buckets == {bucket for bucket, _, _, _ in _cells(BUCKETS)}
