"use strict";
/* The arithmetic behind "Check this yourself" (check.js): reading and verifying what stations and the log have signed.

   Nothing here touches the page or the network. Hashes and signatures are the browser's own (Web Cryptography API, with the
   algorithm Ed25519); everything else is written out below, so that it can be read in one sitting:

     1. bytes and base64      2. CBOR, RFC 8949       3. keys and signatures, RFC 9052, 9679, 8032
     4. tally sheets          5. the tree, RFC 9162   6. receipts, RFC 9942   7. checkpoints, C2SP

   Reading is strict: of several ways to write the same thing only one is accepted, and anything else raises Unreadable. */
const PROOFS = (() => {
  class Unreadable extends Error {}

  // --- 1. Bytes and base64 ---------------------------------------------------------------------------------------------

  const encodeText = (text) => new TextEncoder().encode(text);

  function decodeText(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Unreadable("UTF-8");
    }
  }

  function join(...parts) {
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
  const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

  function fromHex(text) {
    if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Unreadable("hexadecimal");
    return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
  }

  // The browser's own reader passes over spaces and unused bits, so its result is written again and compared.
  function fromBase64(text) {
    let bytes;
    try {
      bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    } catch {
      throw new Unreadable("base64");
    }
    if (toBase64(bytes) !== text) throw new Unreadable("base64");
    return bytes;
  }

  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));

  // --- 2. CBOR, in the one form that RFC 8949 section 4.2.1 leaves ------------------------------------------------------

  const MAX_DEPTH = 16;

  /* One value and nothing behind it. Maps become Map, byte strings Uint8Array, null null. Refused are: numbers and lengths that
     are not in their shortest form, indefinite lengths, tags, floating-point numbers, doubled map keys, and keys out of order
     (unless `anyOrder`: a log may write the header of its receipts in any order). */
  function readCbor(bytes, anyOrder = false) {
    let at = 0;

    function take(count) {
      if (count > bytes.length - at) throw new Unreadable("CBOR: end");
      at += count;
      return bytes.subarray(at - count, at);
    }

    function head() {
      const [first] = take(1);
      const info = first & 31;
      if (info < 24) return [first >> 5, info];
      if (info > 27) throw new Unreadable("CBOR: length");
      const value = take(2 ** (info - 24)).reduce((number, byte) => number * 256 + byte, 0);
      const least = [24, 2 ** 8, 2 ** 16, 2 ** 32][info - 24];
      if (value < least || value > Number.MAX_SAFE_INTEGER) throw new Unreadable("CBOR: number");
      return [first >> 5, value];
    }

    function item(depth) {
      if (depth > MAX_DEPTH) throw new Unreadable("CBOR: depth");
      const [major, value] = head();
      if (major === 0) return value;
      if (major === 1) return -1 - value;
      if (major === 2) return take(value);
      if (major === 3) return decodeText(take(value));
      if (major === 4 && value <= bytes.length - at) return Array.from({ length: value }, () => item(depth + 1));
      if (major === 5 && value <= bytes.length - at) return map(value, depth + 1);
      if (major === 7 && value >= 20 && value <= 22) return [false, true, null][value - 20];
      throw new Unreadable("CBOR: type");
    }

    function map(count, depth) {
      const found = new Map();
      let last = null;
      for (let entry = 0; entry < count; entry += 1) {
        const start = at;
        const key = item(depth);
        const encoded = toHex(bytes.subarray(start, at));
        if (!["number", "string"].includes(typeof key) || found.has(key)) throw new Unreadable("CBOR: key");
        if (!anyOrder && last !== null && encoded <= last) throw new Unreadable("CBOR: order");
        last = encoded;
        found.set(key, item(depth));
      }
      return found;
    }

    const value = item(0);
    if (at !== bytes.length) throw new Unreadable("CBOR: rest");
    return value;
  }

  const isBytes = (value, length) => value instanceof Uint8Array && (length === undefined || value.length === length);
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  const isText = (value, most) => typeof value === "string" && value.length > 0 && value.length <= most;

  // A map with exactly these keys, neither more nor fewer.
  function hasKeys(value, ...keys) {
    return value instanceof Map && value.size === keys.length && keys.every((key) => value.has(key));
  }

  function byteString(bytes) {
    const { length } = bytes;
    if (length < 24) return join([0x40 | length], bytes);
    if (length < 256) return join([0x58, length], bytes);
    if (length < 65536) return join([0x59, length >> 8, length & 255], bytes);
    throw new Unreadable("CBOR: length");
  }

  // --- 3. Keys and signatures ------------------------------------------------------------------------------------------

  // RFC 9679: the name of a key is the hash of {1: 1 (OKP), -1: 6 (Ed25519), -2: the key}.
  const thumbprint = (key) => sha256([0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20], key);

  // RFC 9052 section 4.4: what is signed is ["Signature1", protected header, no external data, payload].
  const signedBytes = (header, payload) =>
    join([0x84, 0x6a], encodeText("Signature1"), byteString(header), [0x40], byteString(payload));

  /* Points of small order, for which a signature proves nothing: RFC 8032 lets them pass, libsodium does not, and nothing may
     hold here that does not hold there. The first bit of the last byte is a sign and does not matter. */
  const SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];

  function isGoodPoint(point) {
    const bare = Uint8Array.from(point);
    bare[31] &= 0x7f;
    const number = BigInt(`0x${toHex(bare.slice().reverse())}`);
    return number < 2n ** 255n - 19n && !SMALL_ORDER.includes(toHex(bare));
  }

  // RFC 8032 section 5.1.7. Raises the browser's NotSupportedError where it does not know Ed25519.
  async function isSignedBy(key, message, signature) {
    if (key.length !== 32 || signature.length !== 64) return false;
    if (!isGoodPoint(key) || !isGoodPoint(signature.subarray(0, 32))) return false;
    const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
  }

  // RFC 9052 section 4.2: tag 18, then [protected header, unprotected header, payload, signature].
  function readSign1(bytes, anyOrder = false) {
    if (bytes[0] !== 0xd2 || bytes[1] !== 0x84) throw new Unreadable("COSE_Sign1");
    const [header, unprotected, payload, signature] = readCbor(bytes.subarray(1));
    if (!isBytes(header) || !isBytes(signature) || !(unprotected instanceof Map)) throw new Unreadable("COSE_Sign1");
    return { header, fields: readCbor(header, anyOrder), unprotected, payload, signature };
  }

  // --- 4. Statements and tally sheets ----------------------------------------------------------------------------------

  const MAX_STATEMENT = 65535; // bytes

  /* A statement: a COSE_Sign1 whose protected header has exactly the algorithm (1), the content type (3), the thumbprint of the
     key (4) and, under 15 (RFC 9597), who says it (1) and about what (2). Its unprotected header is empty. */
  async function readStatement(bytes, kind) {
    if (bytes.length > MAX_STATEMENT) throw new Unreadable("COSE_Sign1: length");
    const { header, fields, unprotected, payload, signature } = readSign1(bytes);
    const claims = hasKeys(fields, 1, 3, 4, 15) && fields.get(15);
    if (!hasKeys(unprotected) || !isBytes(payload) || !hasKeys(claims, 1, 2)) throw new Unreadable("COSE_Sign1: header");
    if (fields.get(3) !== `application/vnd.scrutineer.${kind}+cbor`) throw new Unreadable("COSE_Sign1: kind");
    if (!isBytes(fields.get(4), 32) || !isText(claims.get(1), 192) || !isText(claims.get(2), 192)) {
      throw new Unreadable("COSE_Sign1: header");
    }
    return {
      bytes,
      header,
      payload,
      signature,
      algorithm: fields.get(1), // −8 is Ed25519 (RFC 9053), −48 is ML-DSA-44 (RFC 9964)
      kid: fields.get(4),
      issuer: claims.get(1),
      subject: claims.get(2),
      hash: await leafHash(bytes),
    };
  }

  const FIGURES = { blank: 5, null: 6, cast: 7, voters: 8, roll: 9 };
  const isFigure = (value) => isCount(value) && value < 2 ** 31;

  // The payload of a tally sheet: a map with keys from 1 to 14, in which what is not known is left out.
  async function readSheet(bytes) {
    const sheet = await readStatement(bytes, "tally-sheet");
    const payload = readCbor(sheet.payload);
    if (!(payload instanceof Map)) throw new Unreadable("tally sheet");
    const counts = payload.get(4);
    const rankings = payload.get(13);
    const good =
      [...payload.keys()].every((key) => isCount(key) && key >= 1 && key <= 14) &&
      isBytes(payload.get(1), 32) &&
      isText(payload.get(2), 64) &&
      isText(payload.get(3), 64) &&
      Array.isArray(counts) &&
      counts.length <= 512 &&
      counts.every((count) => count === null || isFigure(count)) &&
      Object.values(FIGURES).every((key) => !payload.has(key) || isFigure(payload.get(key))) &&
      (!payload.has(13) || (Array.isArray(rankings) && rankings.every(isRanking)));
    if (!good) throw new Unreadable("tally sheet");
    const figures = Object.fromEntries(Object.entries(FIGURES).map(([name, key]) => [name, payload.get(key) ?? null]));
    const [election, station, contest] = [1, 2, 3].map((key) => payload.get(key));
    return { ...sheet, election, station, contest, counts, figures, rankings: rankings ?? null };
  }

  function isRanking(ranking) {
    if (!Array.isArray(ranking) || ranking.length !== 2) return false;
    const [order, ballots] = ranking;
    return Array.isArray(order) && order.length > 0 && order.every(isCount) && isFigure(ballots);
  }

  // --- 5. The tree, RFC 9162 section 2.1 --------------------------------------------------------------------------------

  const leafHash = (bytes) => sha256([0], bytes);
  const nodeHash = (left, right) => sha256([1], left, right);

  // RFC 9162 section 2.1.3.2: the root to which a path of hashes leads; null where the path has another length than it must.
  async function rootFromPath(leaf, index, size, path) {
    let [node, last, hash] = [index, size - 1, leaf];
    for (const sibling of path) {
      if (last === 0) return null;
      if (node % 2 === 1 || node === last) {
        hash = await nodeHash(sibling, hash);
        while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
      } else {
        hash = await nodeHash(hash, sibling);
      }
      [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
    }
    return last === 0 ? hash : null;
  }

  // C2SP tlog-tiles: the name of the tile with 256 hashes of level 8·L from 256·N on; one that is not full says how many it has.
  function tilePath(level, number, width) {
    const digits = String(number);
    const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
    const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
    return `tile/${level}/${name}${width === 256 ? "" : `.p/${width}`}`;
  }

  /* The root of the whole log, from one leaf and the tiles beside its way up. `readTile(path, length)` gives the bytes of a tile.
     Where the leaf is not the one in the log, or any hash was changed, another root comes out. */
  async function rootFromTiles(leaf, index, size, readTile) {
    // A complete subtree of 2^level leaves lies in one tile, as a hash or as some neighbouring hashes that are put together.
    async function completeSubtree(level, number) {
      const tileLevel = Math.floor(level / 8);
      const count = 2 ** (level % 8);
      const first = number * count;
      const tile = Math.floor(first / 256);
      const width = Math.min(256, Math.floor(size / 256 ** tileLevel) - 256 * tile);
      const bytes = await readTile(tilePath(tileLevel, tile, width), 32 * width);
      let row = Array.from({ length: count }, (_, at) => bytes.subarray(32 * (first % 256 + at), 32 * (first % 256 + at + 1)));
      while (row.length > 1) {
        row = await Promise.all(row.filter((_, at) => at % 2 === 0).map((left, at) => nodeHash(left, row[2 * at + 1])));
      }
      return row[0];
    }

    // RFC 9162 section 2.1.1: a tree is split at the largest power of two below its size.
    async function subtree(start, end) {
      const count = end - start;
      if (count === 1 && start === index) return leaf;
      const level = Math.ceil(Math.log2(count));
      if (2 ** level === count && !(start <= index && index < end)) return completeSubtree(level, start / count);
      const middle = start + 2 ** (level - 1);
      return nodeHash(...(await Promise.all([subtree(start, middle), subtree(middle, end)])));
    }

    return subtree(0, size);
  }

  // --- 6. Receipts, RFC 9942: a COSE_Sign1 whose payload, the root, is left out ------------------------------------------

  function readReceipt(bytes) {
    if (bytes.length > 4096) throw new Unreadable("receipt: length");
    const { header, fields, unprotected, payload, signature } = readSign1(bytes, true);
    const claims = hasKeys(fields, 1, 4, 15, 395) && fields.get(15);
    const proofs = hasKeys(unprotected, 396) && hasKeys(unprotected.get(396), -1) && unprotected.get(396).get(-1);
    if (!hasKeys(claims, 1, 2) || fields.get(1) !== -8 || fields.get(395) !== 1 || payload !== null) {
      throw new Unreadable("receipt: header");
    }
    if (!Array.isArray(proofs) || proofs.length !== 1 || !isBytes(proofs[0])) throw new Unreadable("receipt: proof");
    const [size, index, path, ...rest] = readCbor(proofs[0]);
    const good = isCount(size) && isCount(index) && index < size && Array.isArray(path) && path.length <= 63;
    if (!good || rest.length || !path.every((hash) => isBytes(hash, 32))) throw new Unreadable("receipt: proof");
    return { header, signature, kid: fields.get(4), origin: claims.get(1), head: claims.get(2), size, index, path };
  }

  // --- 7. Checkpoints: C2SP signed-note, tlog-checkpoint and tlog-cosignature --------------------------------------------

  const ED25519 = 1; // kinds of signature that the specifications number
  const COSIGNATURE = 4;
  const MLDSA44 = 6;

  // A verifier key is written <name>+<id>+<base64 of kind and key>; the id is a part of the hash of the rest.
  async function readVerifierKey(text) {
    const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) || [];
    if (!name) throw new Unreadable("key of a log or witness");
    const material = fromBase64(encoded);
    const hash = await sha256(encodeText(`${name}\n`), material);
    if (toHex(hash.subarray(0, 4)) !== id) throw new Unreadable("key of a log or witness");
    return { name, id, kind: material[0], key: material.subarray(1) };
  }

  // The text of a note, and behind an empty line its signatures: — <name> <base64 of id and signature>.
  function readNote(bytes) {
    const whole = decodeText(bytes);
    const end = whole.lastIndexOf("\n\n");
    const lines = whole.slice(end + 2).split("\n");
    if (end < 0 || lines.pop() !== "" || lines.length < 1 || lines.length > 100) throw new Unreadable("note");
    const text = whole.slice(0, end + 1);
    if (/[\x00-\x09\x0b-\x1f]/.test(text)) throw new Unreadable("note");
    const signatures = lines.map((line) => {
      const [, name, encoded] = /^— ([^+\s]+) (\S+)$/.exec(line) || [];
      const blob = name ? fromBase64(encoded) : [];
      if (blob.length < 5) throw new Unreadable("note: signature");
      return { name, id: toHex(blob.subarray(0, 4)), signature: blob.subarray(4) };
    });
    return { text, signatures };
  }

  // A checkpoint is a note of three lines: who says it, how many entries, and the root over them.
  function readCheckpoint(bytes) {
    const note = readNote(bytes);
    const lines = note.text.split("\n");
    if (lines.length !== 4 || lines[0] === "" || !/^(?:0|[1-9][0-9]{0,15})$/.test(lines[1])) throw new Unreadable("checkpoint");
    const root = fromBase64(lines[2]);
    if (root.length !== 32 || !isCount(Number(lines[1]))) throw new Unreadable("checkpoint");
    return { ...note, origin: lines[0], size: Number(lines[1]), root };
  }

  const linesBy = (note, key) => note.signatures.filter((line) => line.name === key.name && line.id === key.id);

  // The time of a cosignature in seconds since 1970; its first eight bytes.
  const timeOf = (line) => Number(new DataView(join(line.signature).buffer).getBigUint64(0));

  // tlog-cosignature: what a witness signs is the text behind two lines that say so and when.
  async function isCosignedBy(key, note, line) {
    if (line.signature.length !== 72) return false;
    const message = encodeText(`cosignature/v1\ntime ${timeOf(line)}\n${note.text}`);
    return isSignedBy(key.key, message, line.signature.subarray(8));
  }

  return {
    Unreadable, ED25519, COSIGNATURE, MLDSA44,
    same, toHex, fromHex, fromBase64, decodeText, encodeText, sha256,
    readCbor, thumbprint, signedBytes, isSignedBy, readStatement, readSheet,
    leafHash, rootFromPath, rootFromTiles, readReceipt,
    readVerifierKey, readCheckpoint, linesBy, timeOf, isCosignedBy,
  };
})();
