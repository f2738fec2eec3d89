"use strict";
/* A voter finds her ballot by the words on her slip, and this page proves in her own browser what it says of it.

   The index of all ballots (ballots/codes) is cut into small files by the first digits of the code; one of them leads to the file
   of ballots of one station. From there:

     code     the code is the hash of exactly the encrypted ballot that is published under it (ElectionGuard 2.1, equation 71)
     keys     the ballots are made under the trustees' keys that the definition names by their hash
     chain    every ballot names the code of the one before, from the first to the closing (equations 74 to 78)
     sheet    the file has the SHA-256 that a sheet of the station names
     log      the published hashes lead from that sheet to a head that the log has signed

   How statements and the log are read stands in proofs.js; what is said, in the page's template of words. */
(() => {
  const MOST_BYTES = 64_000_000; // of a station's file of ballots
  const MOST_SMALL = 17_000_000; // bytes of any other file
  const WORDS = 6;
  const CONSONANTS = "bdfghjklmnprstvz";
  const VOWELS = "aiou";
  const USE = { identifier: 0x20, contest: 0x28, confirmation: 0x29, device: 0x2a, closing: 0x2b }; // section 5.5
  const CHAINED = [0, 0, 0, 1];

  const section = document.getElementById("track");
  const form = document.getElementById("track-form");
  const input = document.getElementById("code");
  const { home, stations, definition, origin, logKey } = section.dataset;
  const contests = JSON.parse(section.dataset.contests);

  // How a step ended where it is not good.
  class Ended extends Error {
    constructor(state, word, values = {}) {
      super(word);
      Object.assign(this, { state, word, values });
    }
  }
  const bad = (word, values) => new Ended("bad", word, values);
  const open = (word, values) => new Ended("open", word, values);

  const shownNumber = (value) => value.toLocaleString(`${document.documentElement.lang}-u-nu-latn`);

  function say(word, values = {}) {
    const text = document.getElementById("track-words").content.querySelector(`[data-word="${word}"]`).textContent;
    return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? shownNumber(values[name]) : values[name]));
  }

  // --- The code ----------------------------------------------------------------------------------------------------------

  // Six words of five letters, or hexadecimal digits: the first twelve bytes, in hexadecimal.
  function readCode(text) {
    const bare = text.trim().toLowerCase().split("#").pop();
    const joined = bare.replace(/[\s,;./_·–—-]+/g, "");
    if (/^[0-9a-f]{24,64}$/.test(joined)) return joined.slice(0, 24);
    const words = bare.split(/[\s,;./_·–—-]+/).filter(Boolean);
    const wrong = words.find((word) => !/^[bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]$/.test(word));
    if (wrong !== undefined) throw open("word", { word: wrong.slice(0, 40) });
    if (words.length < WORDS) throw open("few");
    const digits = (word) => {
      const [a, b, c, d, e] = word;
      const number = (((CONSONANTS.indexOf(a) * 4 + VOWELS.indexOf(b)) * 16 + CONSONANTS.indexOf(c)) * 4 + VOWELS.indexOf(d)) * 16;
      return (number + CONSONANTS.indexOf(e)).toString(16).padStart(4, "0");
    };
    return words.slice(0, WORDS).map(digits).join("");
  }

  // --- Files -------------------------------------------------------------------------------------------------------------

  async function read(file, most = MOST_SMALL) {
    if (location.protocol === "file:") throw open("folder");
    try {
      const answer = await fetch(home + file, { credentials: "omit" });
      if (answer.status === 404) return null;
      const size = Number(answer.headers.get("content-length"));
      if (size > most) throw open("large", { n: Math.ceil(size / 1e6) });
      if (answer.ok) {
        const bytes = new Uint8Array(await answer.arrayBuffer());
        if (bytes.length <= most) return bytes;
      }
    } catch (error) {
      if (error instanceof Ended) throw error;
    }
    throw open("unreachable", { file });
  }

  async function need(file, most) {
    const bytes = await read(file, most);
    if (bytes === null) throw open("unreachable", { file });
    return bytes;
  }

  const readJson = (bytes) => JSON.parse(PROOFS.decodeText(bytes));

  async function lookUp(code) {
    const index = await read("ballots/index.json");
    if (index === null) throw open("nothing");
    const { digits } = readJson(index);
    const shard = await read(`ballots/codes/${code.slice(0, digits)}.json`);
    const rows = shard === null ? { stations: [], ballots: [] } : readJson(shard);
    const row = rows.ballots.find(([own]) => own === code);
    if (row === undefined) throw open("nowhere");
    return rows.stations[row[1]];
  }

  // --- The ballots -------------------------------------------------------------------------------------------------------

  const bytesOf = (text) => PROOFS.fromBase64(text);
  const small = (number) => Uint8Array.from([number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]);

  function join(parts) {
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    parts.reduce((at, part) => {
      whole.set(part, at);
      return at + part.length;
    }, 0);
    return whole;
  }

  // H of section 5.2: HMAC-SHA-256, whose message begins with the byte of its use.
  async function digest(key, use, ...parts) {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, join([[use], ...parts])));
  }

  function readLines(bytes) {
    const lines = PROOFS.decodeText(bytes).split("\n");
    if (lines.pop() !== "") throw bad("chain.bad", { n: lines.length });
    const [header, ...rest] = lines.map((line) => JSON.parse(line));
    const closing = rest.pop();
    if (header.kind !== "header" || closing?.kind !== "closing") throw bad("chain.bad", { n: 1 });
    return { header, ballots: rest, closing };
  }

  async function code({ ballot, key }) {
    const hashed = await digest(key, USE.identifier, bytesOf(ballot.identifier));
    const hashes = [];
    for (const contest of ballot.contests) {
      const parts = contest.selections.flatMap(({ alpha, beta }) => [bytesOf(alpha), bytesOf(beta)]);
      if (contest.data) parts.push(bytesOf(contest.data.point), bytesOf(contest.data.data), bytesOf(contest.data.proof));
      hashes.push(await digest(hashed, USE.contest, small(contest.contest), ...parts));
    }
    const found = await digest(hashed, USE.confirmation, ...hashes, bytesOf(ballot.chain));
    if (!PROOFS.same(found, bytesOf(ballot.code))) throw bad("code.bad");
  }

  async function keys(facts) {
    const statement = await need("definition/definition.cose");
    if (PROOFS.toHex(await PROOFS.leafHash(statement)) !== definition) throw bad("keys.bad");
    facts.definition = PROOFS.readCbor((await PROOFS.readStatement(statement, "definition")).payload);
    const table = facts.definition.get("tables").get("ballots.json");
    const isNamed = table && PROOFS.same(await PROOFS.sha256(facts.keysFile), table.get("sha256"));
    if (!isNamed || !PROOFS.same(bytesOf(facts.header.keys), facts.key)) throw bad("keys.bad");
  }

  async function chain({ header, ballots, closing, key }) {
    const device = PROOFS.encodeText(header.device);
    const first = join([CHAINED, await digest(key, USE.device, small(device.length), device)]);
    let last = await digest(key, USE.confirmation, first);
    if (!PROOFS.same(first, bytesOf(header.chain)) || !PROOFS.same(last, bytesOf(header.opening))) throw bad("chain.bad", { n: 1 });
    for (const [at, ballot] of ballots.entries()) {
      if (!PROOFS.same(join([CHAINED, last]), bytesOf(ballot.chain))) throw bad("chain.bad", { n: at + 1 });
      last = bytesOf(ballot.code);
    }
    const end = join([CHAINED, await digest(key, USE.closing, last, first)]);
    const isClosed = PROOFS.same(end, bytesOf(closing.chain));
    if (!isClosed || !PROOFS.same(await digest(key, USE.confirmation, end), bytesOf(closing.closing))) {
      throw bad("chain.bad", { n: ballots.length });
    }
    return { n: ballots.length };
  }

  // --- Sheet and log -----------------------------------------------------------------------------------------------------

  async function checkpoint(facts) {
    if (facts.head) return facts.head;
    const head = PROOFS.readCheckpoint(await need("log/checkpoint"));
    const log = facts.definition.get("log");
    const named = await Promise.all(log.get("keys").map(PROOFS.readVerifierKey));
    const own = named.find((one) => one.kind === PROOFS.ED25519 && PROOFS.toHex(one.key) === logKey);
    const lines = own ? PROOFS.linesBy(head, own) : [];
    if (head.origin !== origin || log.get("origin") !== origin || !lines.length) throw bad("log.bad");
    const isGood = await PROOFS.isSignedBy(own.key, PROOFS.encodeText(head.text), lines[0].signature);
    if (!isGood) throw bad("log.bad");
    facts.head = head;
    return head;
  }

  function tilePath(number, width) {
    const digits = String(number);
    const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
    const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
    return `log/tile/entries/${name}${width === 256 ? "" : `.p/${width}`}`;
  }

  // An entry of the log from its file of up to 256, each behind its length in two bytes.
  async function readEntry(index, size) {
    const number = Math.floor(index / 256);
    const file = await need(tilePath(number, Math.min(256, size - 256 * number)));
    let at = 0;
    for (let left = index % 256; left > 0; left -= 1) at += 2 + ((file[at] << 8) | file[at + 1]);
    return file.subarray(at + 2, at + 2 + ((file[at] << 8) | file[at + 1]));
  }

  async function sheet(facts) {
    const { size } = PROOFS.readCheckpoint(await need("log/checkpoint"));
    const entries = facts.summary.sheets.map((one) => one.entry).filter((index) => index < size);
    if (!entries.length) throw bad("sheet.bad");
    for (const index of entries) {
      const entry = await readEntry(index, size);
      const found = await PROOFS.readSheet(entry);
      const records = PROOFS.readCbor(found.payload).get(12);
      const isOurs = found.station === facts.station && found.issuer === `station/${facts.station}`;
      const isNamed = records !== undefined && PROOFS.same(records, facts.hash);
      if (!isOurs || PROOFS.toHex(found.election) !== definition || !isNamed) throw bad("sheet.bad");
      facts.leaves = [...(facts.leaves ?? []), { index, hash: found.hash }];
    }
    return { n: entries[0] };
  }

  async function log(facts) {
    const head = await checkpoint(facts);
    for (const { index, hash } of facts.leaves ?? []) {
      const root = await PROOFS.rootFromTiles(hash, index, head.size, (path) => need(`log/${path}`));
      if (!PROOFS.same(root, head.root)) throw bad("log.bad");
    }
    if (!facts.leaves) throw bad("log.bad");
  }

  const STEPS = [code, keys, chain, sheet, log];

  async function runStep(step, facts) {
    const { name } = step;
    try {
      const values = (await step(facts)) || {};
      return { name, state: "good", text: say(`${name}.good`, values) };
    } catch (error) {
      if (error instanceof Ended) return { name, state: error.state, text: say(error.word, error.values) };
      if (error instanceof PROOFS.Unreadable) return { name, state: "bad", text: say(`${name}.bad`, { n: 1 }) };
      if (error.name === "NotSupportedError") return { name, state: "open", text: say("old-browser") };
      return { name, state: "bad", text: say("unexpected", { error: String(error) }) };
    }
  }

  // --- Showing it --------------------------------------------------------------------------------------------------------

  function element(tag, text = "", name = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  const FIELDS = ["*blank", "*null", "*undervotes", "*write-ins"];

  function fieldName(label) {
    return FIELDS.includes(label) ? say(`field.${label.slice(1)}`) : label;
  }

  // What a challenged ballot holds, by the names of the definition.
  function openedList(opened) {
    const list = element("dl", "", "facts");
    for (const contest of opened.contests) {
      const known = contests[contest.label] ?? { title: contest.label, options: {} };
      const marked = contest.fields.filter((one) => one.value > 0).map((one) => {
        const name = one.label.split(">").map((part) => known.options[part] ?? fieldName(part)).join(" › ");
        return one.value > 1 ? `${name} (${shownNumber(one.value)})` : name;
      });
      const row = element("div");
      row.append(element("dt", known.title), element("dd", marked.join(", ") || "–"));
      list.append(row);
    }
    return list;
  }

  async function showOpened(facts, outcome) {
    const file = await read(`ballots/${facts.station}.tally.json`).catch(() => null);
    const opened = file === null ? undefined : readJson(file).challenged.find((one) => one.code === facts.ballot.code);
    if (opened) outcome.append(element("p", say("opened")), openedList(opened));
    else outcome.append(element("p", say("opened-later")));
  }

  async function gather(wanted) {
    const station = await lookUp(wanted);
    const summary = readJson(await need(`ballots/${station}.json`));
    const bundle = await need(`ballots/${station}.jsonl`, MOST_BYTES);
    const lines = readLines(bundle);
    const at = lines.ballots.findIndex((one) => PROOFS.toHex(bytesOf(one.code)).startsWith(wanted));
    if (at < 0) throw bad("nowhere");
    const keysFile = await need("definition/ballots.json");
    const key = bytesOf(readJson(keysFile).extended_hash);
    return { ...lines, ballot: lines.ballots[at], at, station, summary, keysFile, key, hash: await PROOFS.sha256(bundle) };
  }

  async function track(text) {
    if (!globalThis.crypto?.subtle) throw open("no-crypto");
    const facts = await gather(readCode(text));
    const outcome = element("div");
    const states = new Set();
    const steps = element("ol", "", "steps");
    for (const step of STEPS) {
      const { name, state, text: found } = await runStep(step, facts);
      states.add(state);
      const item = element("li", "", state);
      item.dataset.step = name;
      item.append(element("strong", `${say(name)}: ${say(state)}.`), ` ${found}`);
      steps.append(item);
    }
    const state = ["bad", "open", "good"].find((one) => states.has(one));
    outcome.append(element("h2", say("found")), element("p", say(facts.ballot.status), "answer"));
    outcome.append(element("p", say("where", { station: facts.station, n: facts.at + 1, all: facts.ballots.length })));
    if (facts.ballot.status === "challenged") await showOpened(facts, outcome);
    outcome.append(element("p", say(`all.${state}`), `outcome ${state}`), steps);
    if (facts.summary.page) {
      const link = element("a", say("station"));
      link.href = `${stations}${facts.summary.page}#ballots`;
      const line = element("p");
      line.append(link);
      outcome.append(line);
    }
    return { outcome, state };
  }

  let latest = 0;
  async function show() {
    latest += 1;
    const own = latest;
    delete section.dataset.state;
    section.replaceChildren(element("p", say("running")));
    let shown;
    try {
      shown = await track(input.value);
    } catch (error) {
      const [word, values] = error instanceof Ended ? [error.word, error.values] : ["unexpected", { error: String(error) }];
      shown = { outcome: element("p", say(word, values), "outcome open"), state: error.state ?? "bad" };
    }
    if (own !== latest) return; // Something else was asked for meanwhile.
    section.replaceChildren(shown.outcome);
    // For those who test.
    section.dataset.state = shown.state;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  // The words may come behind the address, where no server sees them.
  input.value = decodeURIComponent(location.hash.slice(1)).slice(0, 300);
  if (input.value) show();
})();
