"""A verifier of ElectionGuard 2.0.0 records for tests, written from that specification alone, with plain integers.

Design Specification 2.0.0, verifications 1 to 14 (15 to 18 are for pre-encrypted ballots, which the records here have none of).
It shares no code with the package. `letter` is True to hash to the letter of section 5.5, False to hash as egk-ec does: without
the lengths of texts and auxiliary bytes, and C_1 as hexadecimal text.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def b(number: int) -> bytes:
    """Section 5.1.3."""
    return number.to_bytes(4, "big")


def text(value: str) -> bytes:
    return base64.b64decode(value, validate=True)


def whole(value: str) -> int:
    return int.from_bytes(text(value), "big")


class Reading:
    """All checks of one record; `failed` has the numbers of those that do not hold."""

    def __init__(self, folder: Path, p: int, q: int, g: int, *, letter: bool) -> None:
        self.folder, self.p, self.q, self.g, self.letter = folder, p, q, g, letter
        self.size = (p.bit_length() + 7) // 8
        self.failed: set[str] = set()
        self.manifest = self.read("manifest.json")
        self.contests = {each["object_id"]: each for each in self.manifest["contests"]}
        self.keys()
        self.ballots()
        self.totals()
        self.opened()

    def read(self, path: str) -> Json:
        value: Json = json.loads((self.folder / path).read_bytes())
        return value

    def need(self, check: str, holds: bool) -> None:
        if not holds:
            self.failed.add(check)

    def hashed(self, key: bytes, *parts: bytes | int) -> bytes:
        """H; integers are elements modulo p (5.1.1)."""
        message = b"".join(part if isinstance(part, bytes) else part.to_bytes(self.size, "big") for part in parts)
        return hmac.new(key, message, hashlib.sha256).digest()

    def number(self, key: bytes, *parts: bytes | int) -> int:
        return int.from_bytes(self.hashed(key, *parts), "big") % self.q

    def member(self, value: int) -> bool:
        return 0 < value < self.p and pow(value, self.q, self.p) == 1

    def measured(self, data: bytes) -> bytes:
        return b(len(data)) + data if self.letter else data

    def keys(self) -> None:
        """Verifications 1 to 4."""
        constants, config, done = (
            self.read("constants.json"),
            self.read("election_config.json"),
            self.read("election_initialized.json"),
        )
        self.need("1.A", constants["protocolVersion"] == "v2.0.0")
        wanted = {"1.B": ("largePrime", self.p), "1.C": ("smallPrime", self.q), "1.E": ("generator", self.g)}
        wanted["1.D"] = ("cofactor", (self.p - 1) // self.q)
        for check, (name, value) in wanted.items():
            self.need(check, int(constants["constants"][name], 16) == value)
        n, k = config["number_of_guardians"], config["quorum"]
        base = self.hashed(b"v2.0.0".ljust(32, b"\0"), b"\0", self.p, self.q.to_bytes(32, "big"), self.g)
        self.need("1.F", base == text(config["parameter_base_hash"]))
        document = (self.folder / "manifest.json").read_bytes()
        manifest = self.hashed(base, b"\1", b(len(document)), document)
        self.need("1.G", manifest == text(config["manifest_hash"]))
        election = self.hashed(base, b"\2", manifest, b(n), b(k))
        self.need("1.H", election == text(config["election_base_hash"]))
        product = 1
        self.need("2.A", len(done["guardians"]) == n)
        for guardian in done["guardians"]:
            self.need("2.A", len(guardian["coefficient_proofs"]) == k)
            for j, proof in enumerate(guardian["coefficient_proofs"]):
                key, c, v = (whole(proof[name]) for name in ("public_key", "challenge", "response"))
                h = pow(self.g, v, self.p) * pow(key, c, self.p) % self.p
                self.need("2.A", self.member(key))
                self.need("2.B", v < self.q)
                self.need("2.C", c == self.number(base, b"\x10", b(guardian["x_coordinate"]), b(j), key, h))
            first = whole(guardian["coefficient_proofs"][0]["public_key"])
            self.need("3.A", self.member(first) and first != 1)
            product = product * first % self.p
        self.key = whole(done["joint_public_key"])
        self.need("3.B", product == self.key != 1)
        self.extended = text(done["extended_base_hash"])
        self.need("4.A", self.extended == self.hashed(election, b"\x12", self.key))

    def range_proof(self, check: str, alpha: int, beta: int, proof: Json, limit: int) -> None:
        """Verifications 5 and 6."""
        self.need(f"{check}.A", self.member(alpha) and self.member(beta))
        pairs = [(whole(each["challenge"]), whole(each["response"])) for each in proof["proofs"]]
        self.need(f"{check}.B", len(pairs) == limit + 1 and all(c < self.q for c, _ in pairs))
        self.need(f"{check}.C", all(v < self.q for _, v in pairs))
        shown: list[int] = []
        for j, (c, v) in enumerate(pairs):
            shown.append(pow(self.g, v, self.p) * pow(alpha, c, self.p) % self.p)
            shown.append(pow(self.key, (v - j * c) % self.q, self.p) * pow(beta, c, self.p) % self.p)
        c = self.number(self.extended, b"\x21", self.key, alpha, beta, *shown)
        self.need(f"{check}.D", c == sum(c for c, _ in pairs) % self.q)

    def ballots(self) -> None:
        """Verifications 5 to 7; keeps the products and the contests of cast ballots for 8 and 10."""
        self.products: dict[tuple[str, str], tuple[int, int]] = {}
        self.submitted: dict[str, Json] = {}
        codes: list[bytes] = []
        for path in sorted(self.folder.glob("encrypted_ballots/*/eballot-*.json")):
            ballot = json.loads(path.read_bytes())
            self.submitted[ballot["ballot_id"]] = ballot
            hashes = []
            for contest in ballot["contests"]:
                told = self.contests[contest["contest_id"]]
                votes = [tuple(whole(each["encrypted_vote"][name]) for name in ("pad", "data")) for each in contest["selections"]]
                above = below = 1
                for option, (alpha, beta) in zip(contest["selections"], votes, strict=True):
                    self.range_proof("5", alpha, beta, option["proof"], told["option_selection_limit"])
                    above, below = above * alpha % self.p, below * beta % self.p
                    if ballot["state"] == "CAST":
                        place = contest["contest_id"], option["selection_id"]
                        old = self.products.get(place, (1, 1))
                        self.products[place] = old[0] * alpha % self.p, old[1] * beta % self.p
                self.range_proof("6", above, below, contest["proof"], told["votes_allowed"])
                parts = [part for vote in votes for part in vote]
                chi = self.hashed(self.extended, b"\x23", b(contest["sequence_order"]), self.key, *parts)
                self.need("7.A", chi == text(contest["contest_hash"]))
                hashes.append(chi)
            auxiliary = bytes.fromhex(ballot["code_baux"])
            code = self.hashed(self.extended, b"\x24", *hashes, self.measured(auxiliary))
            self.need("7.B", code == text(ballot["confirmation_code"]))
            codes.append(text(ballot["confirmation_code"]))
        self.need("7.C", len(set(codes)) == len(codes))
        for path in self.folder.glob("encrypted_ballots/*/ballot_chain.json"):
            self.chain(json.loads(path.read_bytes()), path.parent.name)

    def chain(self, chain: Json, device: str) -> None:
        """Checks 7.D to 7.G."""
        first = device.encode()
        self.need("7.D", bytes(chain["baux0"]) == first)
        last = self.hashed(self.extended, b"\x24", self.measured(first))
        for name in chain["ballot_ids"]:
            ballot = self.submitted[name]
            self.need("7.E", bytes.fromhex(ballot["code_baux"]) == last + first)
            last = text(ballot["confirmation_code"])
        self.need("7.E", sorted(chain["ballot_ids"]) == sorted(self.submitted))
        self.need("7.F", last == text(chain["last_confirmation_code"]))
        closing = self.hashed(self.extended, b"\x24", last, self.measured(first), self.measured(b"CLOSE"))
        self.need("7.G", closing == text(chain["closing_hash"]))

    def decryption(self, check: str, option: Json) -> None:
        """Verifications 9 and 12, and the equation of 10.A and 13.A."""
        alpha, beta = (whole(option["encrypted_vote"][name]) for name in ("pad", "data"))
        power, c, v = whole(option["b_over_m"]), whole(option["proof"]["challenge"]), whole(option["proof"]["response"])
        decrypted = beta * pow(power, -1, self.p) % self.p
        self.need(f"{check}.A", v < self.q)
        self.proof(f"{check}.B", b"\x30", alpha, (alpha, beta), decrypted, c, v)
        self.need({"9": "10.A", "12": "13.A"}[check], power == pow(self.key, option["tally"], self.p))

    def proof(self, check: str, use: bytes, base: int, parts: tuple[int | bytes, ...], decrypted: int, c: int, v: int) -> None:
        a_shown = pow(self.g, v, self.p) * pow(self.key, c, self.p) % self.p
        b_shown = pow(base, v, self.p) * pow(decrypted, c, self.p) % self.p
        self.need(check, c == self.number(self.extended, use, self.key, *parts, a_shown, b_shown, decrypted))

    def labels(self, contests: list[Json], checks: tuple[str, str, str]) -> None:
        """Checks 10.B to 10.D, and 13.D to 13.F."""
        for contest in contests:
            self.need(checks[0], contest["contest_id"] in self.contests)
            wanted = {each["object_id"] for each in self.contests[contest["contest_id"]]["ballot_selections"]}
            given = {each["selection_id"] for each in contest["selections"]}
            self.need(checks[1], given <= wanted)
            self.need(checks[2], wanted <= given)

    def totals(self) -> None:
        """Verifications 8 to 10."""
        encrypted, tally = self.read("encrypted_tally.json"), self.read("tally.json")
        shown = {
            (contest["contest_id"], each["selection_id"]): tuple(whole(each["encrypted_vote"][name]) for name in ("pad", "data"))
            for contest in encrypted["contests"]
            for each in contest["selections"]
        }
        self.need("8.A", {place: pair[0] for place, pair in shown.items()} == {k: v[0] for k, v in self.products.items()})
        self.need("8.B", {place: pair[1] for place, pair in shown.items()} == {k: v[1] for k, v in self.products.items()})
        for contest in tally["contests"]:
            for option in contest["selections"]:
                place = contest["contest_id"], option["selection_id"]
                pair = tuple(whole(option["encrypted_vote"][name]) for name in ("pad", "data"))
                self.need("8.A", shown[place] == pair)
                self.decryption("9", option)
        self.labels(tally["contests"], ("10.B", "10.C", "10.D"))
        voted = {contest["contest_id"] for ballot in self.submitted.values() for contest in ballot["contests"]}
        self.need("10.E", voted <= {contest["contest_id"] for contest in tally["contests"]})

    def opened(self) -> None:
        """Verifications 11 to 14 on challenged ballots."""
        found = {path.stem.removeprefix("dballot-") for path in self.folder.glob("challenged_ballots/dballot-*.json")}
        self.need("12", found == {name for name, each in self.submitted.items() if each["state"] == "CHALLENGED"})
        for name in sorted(found):
            ballot, known = self.read(f"challenged_ballots/dballot-{name}.json"), self.submitted[name]
            self.labels(ballot["contests"], ("13.D", "13.E", "13.F"))
            for contest, before in zip(ballot["contests"], known["contests"], strict=True):
                told = self.contests[contest["contest_id"]]
                for option, given in zip(contest["selections"], before["selections"], strict=True):
                    self.need("12", option["encrypted_vote"] == given["encrypted_vote"])
                    self.decryption("12", option)
                    self.need("13.B", 0 <= option["tally"] <= told["option_selection_limit"])
                self.need("13.C", sum(each["tally"] for each in contest["selections"]) <= told["votes_allowed"])
                data = contest["decrypted_contest_data"]
                self.need("14.B", data["encrypted_contest_data"] == before["encrypted_contest_data"])
                c, v = whole(data["proof"]["challenge"]), whole(data["proof"]["response"])
                sealed = data["encrypted_contest_data"]
                hidden = text(sealed["c1"]) if self.letter else text(sealed["c1"]).hex().upper().encode()
                self.need("14.A", v < self.q)
                parts = whole(sealed["c0"]), hidden, text(sealed["c2"])
                self.proof("14.B", b"\x31", whole(sealed["c0"]), parts, whole(data["beta"]), c, v)
