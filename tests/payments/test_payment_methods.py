"""Saved payment methods are references: no card number fits in, one is the default."""

import json

import psycopg
import pytest

KEEP = "select private.keep_payment_methods(%s, 'stripe', %s)"


def _keep(till, *labels, person=None):
    methods = [
        {"reference": f"pm_{label}", "kind": "card", "label": label, "expires_on": "2030-01-31"}
        for label in labels
    ]
    till.worker.rows(KEEP, [(person or till.payer).id, json.dumps(methods)])


def test_what_the_provider_says_is_what_is_known(till):
    _keep(till, "visa 4242", "amex 0005")
    _keep(till, "amex 0005", "sepa 3000")
    assert till.payer.rows("select label from payment_methods order by label") == [
        ("amex 0005",), ("sepa 3000",),
    ]  # fmt: skip
    assert till.cast["creator"].rows("select * from payment_methods") == []


@pytest.mark.parametrize("label", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-42", ""])
def test_no_number_of_a_card(till, label):
    with pytest.raises(psycopg.errors.CheckViolation):
        _keep(till, label)


def test_one_is_the_default(till):
    _keep(till, "visa 4242", "amex 0005")
    ids = [row[0] for row in till.payer.rows("select id from payment_methods order by label")]
    for method in (*ids, *ids):
        till.payer.rows("select set_default_payment_method(%s)", [method])
        assert till.payer.rows("select id from payment_methods where is_default") == [(method,)]
    told = till.cast["creator"].outcome("select set_default_payment_method(%s)", [ids[0]])
    assert told == "payments.method_not_found"


def test_nobody_takes_anothers_method_over(till):
    _keep(till, "visa 4242")
    _keep(till, "visa 4242", person=till.cast["creator"])
    assert till.one("select owner_id from payment_methods") == till.payer.id
