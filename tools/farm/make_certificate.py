"""The farm's own certificates: one authority, and certificates that it signs for servers.

Runs in the server's root, which has the library for it.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.lib.cli import run
from tools.lib.errors import UserError
from tools.lib.files import write_atomically

_AUTHORITY_DAYS = 3650
_KEEP_DAYS = 30
_PRIVATE = 0o600


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_atomically(path, pem, _PRIVATE)


def _begin(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    # From yesterday on, for machines whose clocks are behind.
    start = _now() - datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days + 1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The authority in `folder` (authority.crt, authority.key), made when there is none."""
    certificate, key_file = folder / "authority.crt", folder / "authority.key"
    if certificate.exists() and key_file.exists():
        stored = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(stored, ec.EllipticCurvePrivateKey):
            raise UserError(f"{key_file}: not a key that //farm:certificate made; remove it and {certificate}")
        return x509.load_pem_x509_certificate(certificate.read_bytes()), stored
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Contrail Forge farm")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        _begin(name, name, key.public_key(), _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_file, key)
    write_atomically(certificate, made.public_bytes(serialization.Encoding.PEM))
    return made, key


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _still_good(path: Path, wanted: x509.SubjectAlternativeName, issuer: x509.AuthorityKeyIdentifier) -> bool:
    """Whether the certificate there is for these names, of this authority, and lasts a while yet."""
    if not path.exists():
        return False
    found = x509.load_pem_x509_certificate(path.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    left = found.not_valid_after_utc - _now()
    if names != wanted or left < datetime.timedelta(days=_KEEP_DAYS):
        return False
    return bool(found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value == issuer)


def issue(authority_folder: Path, folder: Path, days: int, names: Sequence[str]) -> None:
    """Write tls.crt, tls.key and authority.crt to `folder`, unless what is there is still good."""
    issuer, issuer_key = authority(authority_folder)
    write_atomically(folder / "authority.crt", issuer.public_bytes(serialization.Encoding.PEM))
    alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    if (folder / "tls.key").exists() and _still_good(folder / "tls.crt", alternatives, identifier):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _begin(_name(names[0]), issuer.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(alternatives, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    _write_key(folder / "tls.key", key)
    write_atomically(folder / "tls.crt", made.public_bytes(serialization.Encoding.PEM))


def main(arguments: Sequence[str]) -> int:
    """AUTHORITY_FOLDER FOLDER DAYS NAME..."""
    issue(Path(arguments[0]), Path(arguments[1]), int(arguments[2]), arguments[3:])
    return 0


if __name__ == "__main__":
    run(main)
