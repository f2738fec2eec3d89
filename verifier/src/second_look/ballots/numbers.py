"""Numbers: the group, powers and the hash function (ElectionGuard Design Specification 2.1.0, sections 3.1.1 and 5)."""

import hashlib
import hmac
from functools import lru_cache

from gmpy2 import mpz, powmod

_WINDOW = 8  # bits of an exponent that one step of a fixed base takes


class Group:
    """Integers modulo p with the subgroup of order q that g generates (section 3.1.1)."""

    def __init__(self, p: int, q: int, g: int) -> None:
        self.p, self.q, self.g = mpz(p), mpz(q), mpz(g)
        self.size = (self.p.bit_length() + 7) // 8
        """Bytes of an element."""

    def contains(self, value: mpz) -> bool:
        """Whether a value lies in Z_p^r: 0 <= x < p and x^q = 1."""
        return bool(0 <= value < self.p) and powmod(value, self.q, self.p) == 1

    def element(self, value: mpz) -> bytes:
        """An element as bytes (section 5.1.1)."""
        return int(value).to_bytes(self.size, "big")

    def times(self, *factors: mpz) -> mpz:
        """A product modulo p."""
        product = mpz(1)
        for factor in factors:
            product = product * factor % self.p
        return product


class FixedBase:
    """Powers of one base that is used again and again: base^(digit * 256^place) for every digit and place."""

    def __init__(self, group: Group, base: mpz) -> None:
        self.p = group.p
        self.rows = []
        for _ in range((group.q.bit_length() + _WINDOW - 1) // _WINDOW):
            row = [mpz(1)]
            for _ in range((1 << _WINDOW) - 1):
                row.append(row[-1] * base % self.p)
            self.rows.append(row)
            base = row[-1] * base % self.p

    def power(self, exponent: mpz) -> mpz:
        """base^exponent for 0 <= exponent < q."""
        result = mpz(1)
        for digit, row in zip(int(exponent).to_bytes(len(self.rows), "little"), self.rows, strict=True):
            if digit:
                result = result * row[digit] % self.p
        return result


@lru_cache(maxsize=8)
def fixed_base(group: Group, base: mpz) -> FixedBase:
    """The table of a base."""
    return FixedBase(group, base)


def number(data: bytes) -> mpz:
    """Bytes as an integer."""
    return mpz(int.from_bytes(data, "big"))


def numbers(data: bytes) -> list[mpz]:
    """Integers of 32 bytes each, as proofs hold them."""
    return [number(data[at : at + 32]) for at in range(0, len(data), 32)]


def b(value: int, size: int = 4) -> bytes:
    """A small integer as bytes (section 5.1.3)."""
    return value.to_bytes(size, "big")


def sized(data: bytes) -> bytes:
    """A text or file behind its length (sections 5.1.4 and 5.1.5)."""
    return b(len(data)) + data


def H(key: bytes, use: int, *parts: bytes) -> bytes:  # noqa: N802 - the specification's name
    """The hash function (section 5.2), with the byte that separates its uses (section 5.5)."""
    return hmac.new(key, bytes((use,)) + b"".join(parts), hashlib.sha256).digest()


def Hq(group: Group, key: bytes, use: int, *parts: bytes) -> mpz:  # noqa: N802
    """The same modulo q (section 5.4)."""
    return number(H(key, use, *parts)) % group.q


def stream(key: bytes, label: bytes, context: bytes, blocks: int) -> bytes:
    """The key stream of contest data: HMAC in counter mode (equation 66)."""
    tail = label + b"\x00" + context + b(blocks * 256)
    return b"".join(hmac.new(key, b(at) + tail, hashlib.sha256).digest() for at in range(1, blocks + 1))


_P = (
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFB17217F7D1CF79ABC9E3B39803F2F6AF40F343267298B62D"
    "8A0D175B8BAAFA2BE7B876206DEBAC98559552FB4AFA1B10ED2EAE35C138214427573B291169B8253E96CA16224AE8C51ACBDA11317C387E"
    "B9EA9BC3B136603B256FA0EC7657F74B72CE87B19D6548CAF5DFA6BD38303248655FA1872F20E3A2DA2D97C50F3FD5C607F4CA11FB5BFB90"
    "610D30F88FE551A2EE569D6DFC1EFA157D2E23DE1400B39617460775DB8990E5C943E732B479CD33CCCC4E659393514C4C1A1E0BD1D6095D"
    "25669B333564A3376A9C7F8A5E148E82074DB6015CFE7AA30C480A5417350D2C955D5179B1E17B9DAE313CDB6C606CB1078F735D1B2DB31B"
    "5F50B5185064C18B4D162DB3B365853D7598A1951AE273EE5570B6C68F96983496D4E6D330AF889B44A02554731CDC8EA17293D1228A4EF9"
    "8D6F5177FBCF0755268A5C1F9538B98261AFFD446B1CA3CF5E9222B88C66D3C5422183EDC99421090BBB16FAF3D949F236E02B20CEE886B9"
    "05C128D53D0BD2F9621363196AF503020060E49908391A0C57339BA2BEBA7D052AC5B61CC4E9207CEF2F0CE2D7373958D762265890445744"
    "FB5F2DA4B751005892D356890DEFE9CAD9B9D4B713E06162A2D8FDD0DF2FD608FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
    "FFFFFFFFFFFFFFFF"
)
_G = (
    "36036FED214F3B50DC566D3A312FE4131FEE1C2BCE6D02EA39B477AC05F7F885F38CFE77A7E45ACF4029114C4D7A9BFE058BF2F995D2479D"
    "3DDA618FFD910D3C4236AB2CFDD783A5016F7465CF59BBF45D24A22F130F2D04FE93B2D58BB9C1D1D27FC9A17D2AF49A779F3FFBDCA22900"
    "C14202EE6C99616034BE35CBCDD3E7BB7996ADFE534B63CCA41E21FF5DC778EBB1B86C53BFBE99987D7AEA0756237FB40922139F90A62F2A"
    "A8D9AD34DFF799E33C857A6468D001ACF3B681DB87DC4242755E2AC5A5027DB81984F033C4D178371F273DBB4FCEA1E628C23E52759BC776"
    "5728035CEA26B44C49A65666889820A45C33DD37EA4A1D00CB62305CD541BE1E8A92685A07012B1A20A746C3591A2DB3815000D2AACCFE43"
    "DC49E828C1ED7387466AFD8E4BF1935593B2A442EEC271C50AD39F733797A1EA11802A2557916534662A6B7E9A9E449A24C8CFF809E79A4D"
    "806EB681119330E6C57985E39B200B4893639FDFDEA49F76AD1ACD997EBA13657541E79EC57437E504EDA9DD011061516C643FB30D6D58AF"
    "CCD28B73FEDA29EC12B01A5EB86399A593A9D5F450DE39CB92962C5EC6925348DB54D128FD99C14B457F883EC20112A75A6A0581D3D80A3B"
    "4EF09EC86F9552FFDA1653F133AA2534983A6F31B0EE4697935A6B1EA2F75B85E7EBA151BA486094D68722B054633FEC51CA3F29B31E77E3"
    "17B178B6B9D8AE0F"
)
STANDARD = Group(int(_P, 16), 2**256 - 189, int(_G, 16))
"""The standard baseline parameters (section 3.1.1)."""
