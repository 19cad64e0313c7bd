"""Certificates of an authority of our own, good ones and bad ones, and the TLS that shows them."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from faults.hostile.hostility import Certificate, Tls

HOST = "127.0.0.1"
LINKS_OF_A_LONG_CHAIN = 400  # about 200 KB; OpenSSL reads 100 KB of a chain

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Authority:
    """Signs certificates; `pem` is what the sender is told to trust."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = _builder(self._name, self._name, self._key, timedelta(days=-1), timedelta(days=30))
        self._certificate = builder.add_extension(x509.BasicConstraints(True, None), critical=True).sign(
            self._key, hashes.SHA256()
        )
        self.pem = _pem(self._certificate)

    def context(self, certificate: Certificate, tls: Tls) -> ssl.SSLContext:
        """A receiver's TLS with such a certificate."""
        context = _context(tls)
        with tempfile.NamedTemporaryFile() as file:  # OpenSSL reads it from nowhere else
            file.write(self._chain(certificate))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _chain(self, kind: Certificate) -> bytes:
        if kind == "unknown_authority":
            return Authority("An authority that nobody trusts")._chain("good")
        key: PrivateKey = ec.generate_private_key(ec.SECP256R1())
        if kind == "short_key":
            key = rsa.generate_private_key(65537, 1024)
        leaf = _pem(self._leaf(kind, key))
        return _key_pem(key) + leaf + (self.pem * LINKS_OF_A_LONG_CHAIN if kind == "long_chain" else b"")

    def _leaf(self, kind: Certificate, key: PrivateKey) -> x509.Certificate:
        subject = _named(HOST)
        begins, ends = timedelta(days=-1), timedelta(days=20)
        if kind == "expired":
            begins, ends = timedelta(days=-20), timedelta(days=-1)
        elif kind == "not_yet_valid":
            begins = timedelta(days=1)
        builder = _builder(subject, subject if kind == "self_signed" else self._name, key, begins, ends)
        if kind == "other_name":
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("other.example")]), False)
        elif kind != "name_only_in_subject":
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        if kind == "for_clients":
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        return builder.sign(key if kind == "self_signed" else self._key, hashes.SHA256())


@cache
def authority() -> Authority:
    """The one that the sender trusts."""
    return Authority("Authority of the fault harness")


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Old versions and short keys are what is to be tried.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if tls in ("tls_1_0", "tls_1_1"):
            version = ssl.TLSVersion.TLSv1 if tls == "tls_1_0" else ssl.TLSVersion.TLSv1_1
            context.minimum_version, context.maximum_version = version, version
    if tls in ("wants_client_1_2", "wants_client_1_3"):
        context.verify_mode = ssl.CERT_REQUIRED
        version = ssl.TLSVersion.TLSv1_2 if tls == "wants_client_1_2" else ssl.TLSVersion.TLSv1_3
        context.minimum_version, context.maximum_version = version, version
    if tls == "only_http_2":
        context.set_alpn_protocols(["h2"])
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, begins: timedelta, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
