"""Saved payment methods of people who left: the providers forget them as well."""

from typing import cast

import procrastinate

from workers.app import jobs, pool_of, providers_of
from workers.core.db import transaction
from workers.payments.base import CustomerGateway


@jobs.task(
    name="payments.forget_methods",
    queue="payments",
    retry=procrastinate.RetryStrategy(max_attempts=20, exponential_wait=2),
    pass_context=True,
)
async def forget_methods(context: procrastinate.JobContext, subject_id: str) -> None:
    """Take off all that a person saved at any provider, also what we never read. Safe to repeat."""
    async with transaction(pool_of(context)) as db:
        cursor = await db.execute(
            "select provider, reference from private.list_customers(%s)", [subject_id]
        )
        customers = await cursor.fetchall()
    for name, customer in customers:
        if not hasattr(providers_of(context)[name], "saved_methods"):
            continue
        provider = cast("CustomerGateway", providers_of(context)[name])
        for method in await provider.saved_methods(customer):
            await provider.forget_method(method.reference)
