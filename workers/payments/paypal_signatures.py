"""PayPal's signatures, checked here: the certificate is fetched, chained to a root, and used.

Source: PayPal, Webhooks, self verification.
"""

import asyncio
import base64
import binascii
import re
import time
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import AuthorityInformationAccessOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.settings import Settings
from workers.payments.base import ProviderUnavailable

ALGORITHM = "SHA256withRSA"
_PATH = "/v1/notifications/certs/"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_ISSUER = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._/-]{1,200}", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)
_MAX_BYTES = 64 * 1024  # a chain is a few thousand
_MAX_CHAIN = 8
_FETCH_SECONDS = 5.0
_KEPT_SECONDS = 24 * 3600.0  # as PayPal's own Cache-Control says
_REFUSED_SECONDS = 60.0
_MAX_KEPT = 64
_MAX_FETCHES = 8  # at a time: strangers may name addresses faster than PayPal likes to be asked
_MIN_RSA_BITS = 2048
_MAX_AGE = timedelta(days=4)  # PayPal tries for three days


@dataclass(frozen=True, slots=True)
class Transmission:
    """What the five headers say, as text, of the form that PayPal writes."""

    id: str
    time: str
    signature: str
    certificate_url: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Transmission":
        """Read without regard to case. Errors: InvalidSignature when one is missing or odd."""
        lower = {name.lower(): value for name, value in headers.items()}
        given = [
            lower.get(f"paypal-{name}", "")
            for name in ("transmission-id", "transmission-time", "transmission-sig", "cert-url")
        ]
        if not all(_PRINTABLE.fullmatch(value) and "|" not in value for value in given):
            raise InvalidSignature("PayPal's signature headers are missing.")
        if lower.get("paypal-auth-algo") != ALGORITHM:
            raise InvalidSignature("PayPal signs with SHA256withRSA only.")
        return cls(*given)

    def message(self, webhook_id: str, body: bytes) -> bytes:
        """What was signed; the body enters by its checksum over the raw bytes."""
        return f"{self.id}|{self.time}|{webhook_id}|{zlib.crc32(body)}".encode("ascii")

    def check_age(self, now: datetime, tolerance: timedelta) -> None:
        """Return if it is young: a checksum is easily met, so no signature is good for ever.

        Errors: InvalidSignature.
        """
        try:
            sent_at = datetime.fromisoformat(self.time)
            is_young = now - _MAX_AGE <= sent_at <= now + tolerance
        except (ValueError, TypeError):  # a TypeError: without its offset
            is_young = False
        if not is_young:
            raise InvalidSignature("PayPal's transmission time is too old, or ahead of time.")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a URL gave, or that it gave nothing of use; until when that holds."""

    chain: Sequence[x509.Certificate]
    until: float


@dataclass(frozen=True, slots=True)
class _Anchors:
    """What chains end in, as the file was at that version."""

    version: tuple[Path, int]
    store: Store
    names: frozenset[x509.Name]


class Certificates:
    """Signing certificates by URL: from PayPal alone, chained to a root, PayPal's, valid now."""

    def __init__(
        self, known: Settings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._known, self._now = known, now
        self._places = [
            (host.rstrip("/") if "://" in host else f"https://{host}") + _PATH
            for host in known.paypal_certificate_hosts
        ]
        # certificates name their issuer's with plain http: it is believed for its signature alone
        self._issuers = [
            (host.rstrip("/") if "://" in host else f"http://{host}") + "/"
            for host in known.paypal_issuer_hosts
        ]
        self._kept: dict[str, _Kept] = {}
        self._fetching: dict[str, asyncio.Lock] = {}
        self._anchors: _Anchors | None = None
        self._client = httpx.AsyncClient(
            timeout=_FETCH_SECONDS,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=_MAX_FETCHES),
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def check(self, sent: Transmission, body: bytes) -> None:
        """Return if one of our webhooks got this body from PayPal.

        Errors: InvalidSignature; ProviderUnavailable when the certificate cannot be fetched now;
        NotConfigured without readable roots.
        """
        try:
            signature = base64.b64decode(sent.signature, validate=True)
        except binascii.Error as error:
            raise InvalidSignature("PayPal's signature is no base64.") from error
        key = self._key(await self._chain(sent.certificate_url))
        for webhook_id in self._known.paypal_webhook_ids:
            try:
                key.verify(signature, sent.message(webhook_id, body), padding.PKCS1v15(), SHA256())
            except WrongSignature:
                continue
            return
        raise InvalidSignature("PayPal's signature does not fit the body.")

    def _key(self, chain: Sequence[x509.Certificate]) -> rsa.RSAPublicKey:
        """The leaf's key, if the leaf is PayPal's today."""
        policy = PolicyBuilder().store(self._roots().store).time(self._now())
        leaf, *others = chain
        for name in self._known.paypal_certificate_names:
            try:
                policy.build_server_verifier(x509.DNSName(name)).verify(leaf, others)
            except VerificationError:
                continue
            key = leaf.public_key()
            if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
                return key
        raise InvalidSignature("The certificate is not PayPal's, or not valid today.")

    def _roots(self) -> _Anchors:
        """Read again when the file changes, so that roots can be rolled."""
        file = self._known.paypal_certificate_roots or Path(certifi.where())
        try:
            version = (file, file.stat().st_mtime_ns)
            if self._anchors is None or self._anchors.version != version:
                roots = _read_roots(file.read_text())
                names = frozenset(root.subject for root in roots)
                self._anchors = _Anchors(version, Store(roots), names)
        except (OSError, ValueError) as error:
            raise NotConfigured(
                "PayPal's roots cannot be read: see PAYPAL_CERTIFICATE_ROOTS"
            ) from error
        return self._anchors

    async def _chain(self, url: str) -> Sequence[x509.Certificate]:
        # compared as text from its first letter, so that no parser's opinion lets another host in
        place = next((place for place in self._places if url.startswith(place)), None)
        if place is None or not _NAME.fullmatch(url[len(place) :]):
            raise InvalidSignature("The certificate's address is not PayPal's.")
        known = self._kept.get(url)
        if known is None or known.until < time.monotonic():
            # many events, one call; what a stranger made up keeps nobody waiting but himself
            lock = self._fetching.setdefault(url, asyncio.Lock())
            try:
                async with lock:
                    known = self._kept.get(url)
                    if known is None or known.until < time.monotonic():
                        known = await self._fetch_again(url, known)
            finally:
                if self._fetching.get(url) is lock and not lock.locked():
                    del self._fetching[url]
        if not known.chain:
            raise InvalidSignature("There is no certificate at this address.")
        return known.chain

    async def _fetch_again(self, url: str, known: _Kept | None) -> _Kept:
        try:
            chain = await self._fetch(url)
        except ProviderUnavailable:
            if known is None or not known.chain:
                raise
            chain = known.chain  # an address never gets another certificate; its dates still count
        self._kept.pop(url, None)
        if len(self._kept) >= _MAX_KEPT:  # what strangers made us look for goes first
            refused = (one for one, found in self._kept.items() if not found.chain)
            self._kept.pop(next(refused, next(iter(self._kept))))
        seconds = _KEPT_SECONDS if chain else _REFUSED_SECONDS
        self._kept[url] = _Kept(chain, time.monotonic() + seconds)
        return self._kept[url]

    async def _fetch(self, url: str) -> Sequence[x509.Certificate]:
        """The certificates there, the leaf first; none when there is nothing of use.

        PayPal sends the leaf alone: its issuers are fetched from where they are published.
        """
        try:
            chain = x509.load_pem_x509_certificates(await self._download(url))
        except ValueError:
            return ()
        while len(chain) < _MAX_CHAIN and chain[-1].issuer not in self._roots().names:
            place = _issuer_address(chain[-1])
            if place is None or not any(place.startswith(one) for one in self._issuers):
                break
            try:
                issuer = x509.load_der_x509_certificate(await self._download(place))
            except ValueError:
                break
            if issuer.subject != chain[-1].issuer or issuer in chain:
                break
            chain.append(issuer)
        return chain if len(chain) <= _MAX_CHAIN else ()

    async def _download(self, url: str) -> bytes:
        """What is there, empty when it is nothing or too much. Errors: ProviderUnavailable."""
        found = bytearray()
        try:
            async with self._client.stream(
                "GET", url, headers={"accept-encoding": "identity"}
            ) as answer:
                if answer.status_code >= 500 or answer.status_code == 429:
                    raise ProviderUnavailable("PayPal's certificate cannot be fetched now.")
                if answer.status_code != 200:
                    return b""
                async for part in answer.aiter_raw():
                    found += part
                    if len(found) > _MAX_BYTES:
                        return b""
        except httpx.HTTPError as error:
            raise ProviderUnavailable("PayPal's certificate cannot be fetched now.") from error
        return bytes(found)


def _read_roots(pem: str) -> list[x509.Certificate]:
    """Every root that can be read: among the old ones are some that break today's rules.

    Errors: ValueError when there is none.
    """
    roots = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for block in _PEM.findall(pem):
            with suppress(ValueError):
                roots.append(x509.load_pem_x509_certificate(block.encode()))
    if not roots:
        raise ValueError("no certificate")
    return roots


def _issuer_address(certificate: x509.Certificate) -> str | None:
    """Where a certificate says that its issuer's is, if that is an address without tricks."""
    try:
        told = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
    for one in told:
        place = one.access_location
        if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
            place, x509.UniformResourceIdentifier
        ):
            return place.value if _ISSUER.fullmatch(place.value) else None
    return None
