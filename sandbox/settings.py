"""What the sandbox needs to know of the product it plays against."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings


class SandboxSettings(BaseSettings):
    """Read from the environment; the stack gives API_URL."""

    api_url: str = "http://127.0.0.1:8000"
    sandbox_url: str | None = None  # as others reach it; unset: as whoever calls
    stripe_api_key: SecretStr = SecretStr("sk_test_sandbox")
    stripe_webhook_secret: SecretStr = SecretStr("whsec_of_the_local_sandbox")
    stripe_fee_bps: int = 0  # what Stripe keeps of a payment, in basis points
    razorpay_key_id: str = "rzp_test_sandbox"
    razorpay_key_secret: SecretStr = SecretStr("secret_of_the_local_sandbox")
    razorpay_webhook_secret: SecretStr = SecretStr("webhook_secret_of_the_local_sandbox")
    razorpay_account_number: str = "7878780080316316"
    paypal_client_id: str = "client_of_the_local_sandbox"
    paypal_client_secret: SecretStr = SecretStr("secret_of_the_local_sandbox")
    paypal_webhook_id: str = "4JH86294D6297924G"
    paypal_root_file: Path | None = None  # where to write the CA that signs its certificates
    paypal_fee_bps: int = 0  # what it keeps of a payment
    paypal_largest_page: int = 100
    paypal_settles_payouts: bool = False  # at once; else when the control page says
    coinbase_api_key: SecretStr = SecretStr(
        '{"id": "key_of_the_local_sandbox", "privateKey":'
        ' "bG9jYWwgc2FuZGJveDogbm90IGEgc2VjcmV0LCBldmU="}'
    )
    coinbase_fee_bps: int = 0  # what it keeps of a payment
    coinbase_webhook_secret: SecretStr = SecretStr("coinbase_secret_of_the_local_sandbox")
