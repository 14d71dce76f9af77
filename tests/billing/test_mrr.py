"""Operators see what comes in every month; nobody else does."""

ASK = (
    "select currency, plan, paying, past_due, ending, trialing, mrr_minor from billing_mrr"
    " order by 1, 2"
)


def _subscribe(office, number, **changes):
    office.subscribe(
        person=office.sign_up(f"person{number}"),
        reference=f"sub_{number}",
        customer=f"cus_{number}",
        **changes,
    )


def test_the_figures(office):
    end = office.subscription().period_end
    for number, changes in enumerate(
        [
            {},
            {"status": "past_due"},
            {"cancel_at": end},
            {"price": "price_premium_eur_year"},  # 190.00 a year: 15.83 a month
            {"price": "price_premium_eur_year"},
            {"price": "price_business_eur_month"},
            {"price": "price_business_usd_year"},
            {"status": "trialing"},
            {"status": "unpaid"},
            {"status": "canceled"},
            {"status": "incomplete"},
        ]
    ):
        _subscribe(office, number, **changes)
    office.owner.rows("select start_trial()")
    expected = [
        ("EUR", "business", 1, 0, 0, 0, 4900),
        ("EUR", "premium", 5, 1, 1, 1, 3 * 1900 + 2 * 19000 // 12),
        ("USD", "business", 1, 0, 0, 0, 49000 // 12),
    ]
    for who in ("moderator", "admin", "service"):
        assert office.cast[who].rows(ASK) == expected
    assert office.owner.rows(ASK) == []
    assert office.cast["worker"].outcome(ASK) == "denied"
    assert office.cast["visitor"].outcome(ASK) == "denied"
