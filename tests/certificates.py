"""A certificate for loopback, made here: a key in the tree would be a secret in the tree."""

import base64
import hashlib
import secrets
import ssl
from pathlib import Path
from typing import Final

# the curve P-256
P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
N: Final = 2**256 - 2**224 + 2**192 - 89_188_191_075_325_690_597_107_910_205_041_859_247
G: Final = (
    48_439_561_293_906_451_759_052_585_252_797_914_202_762_949_526_041_747_995_844_080_717_082_404_635_286,
    36_134_250_956_749_795_798_585_127_919_587_881_956_611_106_672_985_015_071_877_198_253_568_414_405_109,
)
EC_KEY: Final = bytes.fromhex("06072a8648ce3d0201")
P_256: Final = bytes.fromhex("06082a8648ce3d030107")
ECDSA_SHA256: Final = bytes.fromhex("06082a8648ce3d040302")
COMMON_NAME: Final = bytes.fromhex("0603550403")
ALTERNATIVE_NAME: Final = bytes.fromhex("0603551d11")
LOOPBACK: Final = bytes([127, 0, 0, 1])

Point = tuple[int, int]


def certificate(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A context for a server on 127.0.0.1, and one for a client that trusts it."""
    private = secrets.randbelow(N - 1) + 1
    x, y = _times(private, G)
    public = _bits(b"\x04" + x.to_bytes(32) + y.to_bytes(32))
    key = _tlv(
        0x30,
        _tlv(0x02, b"\x01"),
        _tlv(0x04, private.to_bytes(32)),
        _tlv(0xA0, P_256),
        _tlv(0xA1, public),
    )
    signed = _to_be_signed(public)
    whole = _tlv(0x30, signed, _tlv(0x30, ECDSA_SHA256), _bits(_signature(private, signed)))
    pem = _pem("CERTIFICATE", whole)
    file = directory / "server.pem"
    file.write_text(pem + _pem("EC PRIVATE KEY", key))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=pem)
    return server, client


def _to_be_signed(public: bytes) -> bytes:
    name = _tlv(0x30, _tlv(0x31, _tlv(0x30, COMMON_NAME, _tlv(0x0C, b"loopback"))))
    names = _tlv(0x30, _tlv(0x87, LOOPBACK))
    return _tlv(
        0x30,
        _tlv(0xA0, _tlv(0x02, b"\x02")),
        _tlv(0x02, b"\x01"),
        _tlv(0x30, ECDSA_SHA256),
        name,
        _tlv(0x30, _tlv(0x17, b"000101000000Z"), _tlv(0x17, b"490101000000Z")),
        name,
        _tlv(0x30, _tlv(0x30, EC_KEY, P_256), public),
        _tlv(0xA3, _tlv(0x30, _tlv(0x30, ALTERNATIVE_NAME, _tlv(0x04, names)))),
    )


def _signature(private: int, text: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(text).digest())
    nonce = secrets.randbelow(N - 1) + 1
    r = _times(nonce, G)[0] % N
    s = pow(nonce, -1, N) * (digest + r * private) % N
    return _tlv(0x30, _integer(r), _integer(s))


def _plus(a: Point | None, b: Point | None) -> Point | None:
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(factor: int, point: Point) -> Point:
    total: Point | None = None
    double: Point | None = point
    while factor:
        if factor & 1:
            total = _plus(total, double)
        double = _plus(double, double)
        factor >>= 1
    assert total is not None
    return total


def _tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + body


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _bits(body: bytes) -> bytes:
    return _tlv(0x03, b"\x00" + body)


def _pem(kind: str, body: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(body).decode()}-----END {kind}-----\n"
