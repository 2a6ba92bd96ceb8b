"""Certificates made by hand: an authority that nobody knows but who is told, and what it signs."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates of servers; `certificate` is the file that clients trust."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = _certificate(subject, subject, self._key.public_key(), 365)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._subject = subject
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(
            made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    def sign(self, host: str, days: float = 90) -> tuple[Path, Path]:
        """The files of a certificate that ends in so many days, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        name = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = _certificate(subject, self._subject, key.public_key(), days)
        made = made.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        files = (self._folder / f"{self._name}-{host}.crt", self._folder / f"{self._name}-{host}.key")
        files[0].write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        files[1].touch(0o600)
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: float
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
    )
