"""What the sandbox needs to know of the product it plays against."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings


class SandboxSettings(BaseSettings):
    """Read from the environment; the stack gives API_URL."""

    api_url: str = "http://127.0.0.1:8000"
    stripe_api_key: SecretStr = SecretStr("sk_test_sandbox")
    stripe_webhook_secret: SecretStr = SecretStr("whsec_of_the_local_sandbox")
