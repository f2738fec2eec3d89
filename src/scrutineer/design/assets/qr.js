"use strict";
/* Draws the QR codes of a signed sheet on the page of its station: the same text that stands on the printed sheet, so that anyone
   can hold a telephone or the reader of an observer against either.

   The text: a statement in base45 (RFC 9285) behind "SCR1:", or in parts behind "SCR2:" where it is too large for one code (QR codes
   in docs/formats.md). The code: ISO/IEC 18004, alphanumeric mode, error correction level M. */
(() => {
  // --- The text ----------------------------------------------------------------------------------------------------------

  const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
  const MAX_SINGLE = 963; // bytes; what version 25 holds
  const PART = 624; // bytes; what version 20 holds with its heading
  const MAX_PARTS = 32;

  // RFC 9285 section 4: two bytes as three characters, a last single byte as two; the smallest digit first.
  function base45(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 2) {
      const isPair = at + 1 < bytes.length;
      let value = isPair ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
      for (let digit = 0; digit < (isPair ? 3 : 2); digit += 1) {
        text += ALPHABET[value % 45];
        value = Math.floor(value / 45);
      }
    }
    return text;
  }

  // One text, or one for each part: parts are of equal, even length but for the last. Null where even 32 would not do.
  function textsOf(bytes, hash) {
    if (bytes.length <= MAX_SINGLE) return [`SCR1:${base45(bytes)}`];
    const parts = Math.ceil(bytes.length / PART);
    if (parts > MAX_PARTS) return null;
    let size = Math.ceil(bytes.length / parts);
    size += size % 2;
    const name = hash.slice(0, 16).toUpperCase();
    return Array.from({ length: parts }, (_, at) =>
      `SCR2:${name}:${at + 1}/${parts}:${base45(bytes.subarray(at * size, (at + 1) * size))}`);
  }

  // --- The code: its size and where what stands in it --------------------------------------------------------------------

  // For versions 1 to 25 at level M (ISO/IEC 18004, table 9): codewords of error correction in each block, and how many blocks.
  const CORRECTION = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28];
  const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21];

  // The rest of a division of polynomials over two elements, written as numbers: the check bits of format and version.
  function checkBits(value, generator, count) {
    let rest = value << count;
    for (let bit = Math.floor(Math.log2(rest || 1)); bit >= count; bit -= 1) {
      if ((rest >> bit) & 1) rest ^= generator << (bit - count);
    }
    return (value << count) | rest;
  }

  /* The square with its fixed patterns. `dark[y][x]` says whether a module is dark, `fixed[y][x]` whether it is part of a pattern.
     The mask is always number 0: the text of a signature is random, so that no mask looks better than another. */
  function pattern(version) {
    const size = 17 + 4 * version;
    const square = () => Array.from({ length: size }, () => new Array(size).fill(false));
    const [dark, fixed] = [square(), square()];
    const set = (x, y, isDark) => {
      if (x < 0 || y < 0 || x >= size || y >= size) return;
      dark[y][x] = Boolean(isDark);
      fixed[y][x] = true;
    };
    const rings = (x, y, radius, isDark) => {
      for (let dy = -radius; dy <= radius; dy += 1) {
        for (let dx = -radius; dx <= radius; dx += 1) set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    };
    // Timing patterns, then the three finders with their light border, then the alignment patterns, which keep off the finders.
    for (let at = 0; at < size; at += 1) {
      set(6, at, at % 2 === 0);
      set(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) rings(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    const count = version === 1 ? 0 : Math.floor(version / 7) + 2;
    const step = Math.ceil((4 * version + 4) / (2 * count - 2)) * 2;
    const centres = Array.from({ length: count }, (_, at) => (at === 0 ? 6 : size - 7 - (count - 1 - at) * step));
    for (const [row, y] of centres.entries()) {
      for (const [column, x] of centres.entries()) {
        const isFinder = (row === 0 && (column === 0 || column === count - 1)) || (row === count - 1 && column === 0);
        if (!isFinder) rings(x, y, 2, (ring) => ring !== 1);
      }
    }
    // Format: level M (00) and mask 0, with check bits, twice; and the one module that is always dark.
    const format = checkBits(0, 0x537, 10) ^ 0x5412;
    for (let bit = 0; bit < 15; bit += 1) {
      const isDark = (format >> bit) & 1;
      const along = bit < 6 ? bit : bit < 8 ? bit + 1 : size - 15 + bit;
      set(8, along, isDark);
      set(bit < 8 ? size - 1 - bit : bit === 8 ? 7 : 14 - bit, 8, isDark);
    }
    set(8, size - 8, true);
    // From version 7 on: the version with check bits, twice.
    const stated = version < 7 ? null : checkBits(version, 0x1f25, 12);
    for (let bit = 0; stated !== null && bit < 18; bit += 1) {
      const [across, along] = [size - 11 + (bit % 3), Math.floor(bit / 3)];
      set(across, along, (stated >> bit) & 1);
      set(along, across, (stated >> bit) & 1);
    }
    return { size, dark, fixed };
  }

  // --- The codewords -----------------------------------------------------------------------------------------------------

  // The text as bits: mode, how many characters, two characters in 11 bits. Filled up to as many bytes as the code holds.
  function dataBytes(text, version, capacity) {
    let bits = "";
    const put = (value, count) => {
      bits += value.toString(2).padStart(count, "0");
    };
    put(0b0010, 4);
    put(text.length, version < 10 ? 9 : 11);
    for (let at = 0; at < text.length; at += 2) {
      const first = ALPHABET.indexOf(text[at]);
      if (at + 1 < text.length) put(first * 45 + ALPHABET.indexOf(text[at + 1]), 11);
      else put(first, 6);
    }
    if (bits.length > 8 * capacity) return null;
    bits += "0".repeat(Math.min(4, 8 * capacity - bits.length));
    bits += "0".repeat((8 - (bits.length % 8)) % 8);
    const bytes = bits.match(/.{8}/g).map((byte) => parseInt(byte, 2));
    for (let filling = 0xec; bytes.length < capacity; filling ^= 0xec ^ 0x11) bytes.push(filling);
    return bytes;
  }

  // The field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1.
  function times(a, b) {
    let product = 0;
    for (let bit = 7; bit >= 0; bit -= 1) {
      product = (product << 1) ^ ((product >> 7) * 0x11d);
      if ((b >> bit) & 1) product ^= a;
    }
    return product;
  }

  // Reed-Solomon: the rest of a division by (x − 2^0)(x − 2^1) … , the highest power first and left out where it is 1.
  function correction(data, count) {
    const generator = new Array(count - 1).fill(0).concat(1);
    for (let root = 1, at = 0; at < count; at += 1, root = times(root, 2)) {
      for (let n = 0; n < count; n += 1) generator[n] = times(generator[n], root) ^ (generator[n + 1] ?? 0);
    }
    const rest = new Array(count).fill(0);
    for (const byte of data) {
      const factor = byte ^ rest.shift();
      rest.push(0);
      generator.forEach((coefficient, n) => {
        rest[n] ^= times(coefficient, factor);
      });
    }
    return rest;
  }

  // Data and correction in blocks, the last of which may be a byte longer; all first bytes, then all second ones, and so on.
  function codewords(data, blocks, count, total) {
    const short = Math.floor(total / blocks) - count;
    const longer = total % blocks;
    const parts = [];
    for (let block = 0, at = 0; block < blocks; block += 1) {
      const length = short + (block >= blocks - longer ? 1 : 0);
      parts.push(data.slice(at, at + length));
      at += length;
    }
    const turns = (rows, length) =>
      Array.from({ length }, (_, at) => rows.filter((row) => at < row.length).map((row) => row[at])).flat();
    return [...turns(parts, short + 1), ...turns(parts.map((part) => correction(part, count)), count)];
  }

  // The code of a text in the smallest version that holds it, as rows of modules.
  function draw(text) {
    for (let version = 1; version <= BLOCKS.length; version += 1) {
      const { size, dark, fixed } = pattern(version);
      const free = fixed.flat().filter((isFixed) => !isFixed).length;
      const [blocks, count, total] = [BLOCKS[version - 1], CORRECTION[version - 1], Math.floor(free / 8)];
      const data = dataBytes(text, version, total - blocks * count);
      if (data === null) continue;
      const words = codewords(data, blocks, count, total);
      // Columns are filled in pairs from the right, up and down in turn; the one with the timing pattern is passed over.
      let bit = 0;
      for (let pair = size - 1; pair > 0; pair -= 2) {
        if (pair === 6) pair = 5;
        const isUp = ((pair + 1) & 2) === 0;
        for (let along = 0; along < size; along += 1) {
          const y = isUp ? size - 1 - along : along;
          for (const x of [pair, pair - 1]) {
            if (fixed[y][x]) continue;
            const isOne = bit < 8 * words.length && ((words[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
            dark[y][x] = isOne !== ((x + y) % 2 === 0); // mask 0
            bit += 1;
          }
        }
      }
      return dark;
    }
    return null;
  }

  // --- The page ----------------------------------------------------------------------------------------------------------

  const QUIET = 4; // modules of light around a code
  const SVG = "http://www.w3.org/2000/svg";

  function picture(rows, label) {
    const size = rows.length + 2 * QUIET;
    const svg = document.createElementNS(SVG, "svg");
    const path = document.createElementNS(SVG, "path");
    svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    svg.setAttribute("shape-rendering", "crispEdges");
    // A path of all dark modules, run by run.
    const runs = rows.map((row, y) => {
      const modules = row.map((isDark) => (isDark ? "1" : "0")).join("");
      return [...modules.matchAll(/1+/g)].map((run) => `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`).join("");
    });
    path.setAttribute("d", runs.join(""));
    svg.append(path);
    return svg;
  }

  const say = (word, values = {}) => CHECK_WORDS[word].replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function show(place) {
    const sheet = place.closest("[data-hash]");
    const encoded = place.dataset.qr || sheet.dataset.statement;
    const texts = textsOf(Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)), sheet?.dataset.hash ?? "");
    if (texts === null) {
      place.textContent = say("qr.large");
      return;
    }
    const label = (at) => (texts.length === 1 ? say("qr.alt") : say("qr.part", { part: at + 1, parts: texts.length }));
    place.replaceChildren(...texts.map((text, at) => picture(draw(text), label(at))));
  }

  // Drawn when the details around it are opened, or when its own button is pressed where there are none.
  document.addEventListener("DOMContentLoaded", () => {
    for (const place of document.querySelectorAll(".qr[data-qr]")) {
      const details = place.closest("details");
      if (details) {
        details.addEventListener("toggle", () => show(place), { once: true });
        continue;
      }
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.textContent = say("qr.button");
      button.addEventListener("click", () => show(place));
      place.replaceChildren(button);
    }
  });
})();
