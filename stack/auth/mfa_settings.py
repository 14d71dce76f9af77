"""`[auth.mfa]` of config.toml, and how many wrong codes a factor bears."""

from dataclasses import dataclass

from stack.auth.limits import Bucket
from stack.core.config import Config

CHALLENGE_SECONDS = 300
_WRONG_CODES = 5
_WRONG_CODES_SECONDS = 900  # five at once, then one every three minutes: 0.15 % a day to guess


@dataclass(frozen=True, slots=True)
class MfaSettings:
    """What may be done with TOTP factors. `wrong_codes` is keyed by the factor's id."""

    may_enroll: bool
    may_verify: bool
    max_factors: int
    wrong_codes: Bucket

    @classmethod
    def read(cls, config: Config) -> "MfaSettings":
        totp = config.section("auth", "mfa", "totp")
        return cls(
            may_enroll=bool(totp.get("enroll_enabled", False)),
            may_verify=bool(totp.get("verify_enabled", False)),
            max_factors=int(config.section("auth", "mfa").get("max_enrolled_factors", 10)),
            wrong_codes=Bucket(_WRONG_CODES, _WRONG_CODES_SECONDS),
        )
