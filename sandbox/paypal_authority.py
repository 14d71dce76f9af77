"""PayPal's signatures as it makes them: a CA of our own, its certificates, and what they sign."""

import base64
import secrets
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

NAME = "messageverificationcerts.sandbox.paypal.com"
# an address never gets another certificate, and every process makes its own
GOOD = f"CERT-{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
# certificates that must be refused, by the fault that has an event signed with them
BAD = {
    "expired_certificate": "CERT-expired",
    "early_certificate": "CERT-early",
    "self_signed_certificate": "CERT-self-signed",
    "other_name_certificate": "CERT-other-name",
    "other_root_certificate": "CERT-other-root",
}


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self.key.sign(message, padding.PKCS1v15(), SHA256())).decode()


class Authority:
    """A private root and what it certifies, made anew by every process."""

    def __init__(self) -> None:
        self.root = certify("Guildhall's sandbox CA", None)
        self._signers: dict[str, Signer] = {}

    def signer(self, name: str) -> Signer | None:
        """The certificate of this id, made when it is first asked for; None: there is none."""
        if name not in self._signers and name in (GOOD, *BAD.values()):
            self._signers[name] = self._make(name)
        return self._signers.get(name)

    def _make(self, name: str) -> Signer:
        now = datetime.now(UTC)
        if name == BAD["expired_certificate"]:
            return certify(NAME, self.root, until=now - timedelta(days=1))
        if name == BAD["early_certificate"]:
            return certify(NAME, self.root, since=now + timedelta(days=1))
        if name == BAD["self_signed_certificate"]:
            return certify(NAME, None, is_authority=False)
        if name == BAD["other_name_certificate"]:
            return certify("messageverificationcerts.paypal.com.example", self.root)
        if name == BAD["other_root_certificate"]:
            return certify(NAME, certify("Somebody else's CA", None))
        return certify(NAME, self.root)

    def headers(self, body: bytes, webhook_id: str, place: str, name: str = GOOD) -> dict[str, str]:
        """PayPal's five headers; `place` is the URL that certificates are below."""
        signer = self.signer(name)
        assert signer is not None
        transmission, moment = str(uuid4()), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"{transmission}|{moment}|{webhook_id}|{zlib.crc32(body)}".encode()
        return {
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": moment,
            "PAYPAL-TRANSMISSION-SIG": signer.sign(message),
            "PAYPAL-CERT-URL": place + name,
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "content-type": "application/json",
        }


@cache
def authority() -> Authority:
    """This process's: keys are slow to make."""
    return Authority()


def write_root(file: Path) -> None:
    """The root, for the api to trust."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(authority().root.pem)


def certify(
    name: str,
    issuer: Signer | None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    is_authority: bool | None = None,
    issuer_url: str | None = None,
) -> Signer:
    """A certificate by `issuer`, which may be had at `issuer_url`; without one it signs itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    is_authority = issuer is None if is_authority is None else is_authority
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    until = until or (since or datetime.now(UTC)) + timedelta(days=365)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since or until - timedelta(days=370))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                (issuer.key if issuer else key).public_key()
            ),
            critical=False,
        )
    )
    if not is_authority:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if issuer_url is not None:
        place = x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuer_url)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    return Signer(builder.sign(issuer.key if issuer else key, SHA256()), key)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
