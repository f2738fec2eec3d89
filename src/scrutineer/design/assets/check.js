"use strict";
/* "Check this yourself": the page of a station checks, in its reader's own browser, that what it shows was signed and is in the log.

   It believes only what is signed or hashed. From the sheet on this page it goes up, step by step:

     statement    the signed sheet can be read, and has the hash that the page shows
     signature    the key of the station's device signed it (RFC 9052, Ed25519)
     about        it speaks of this station, contest and election
     figures      the table on the page shows exactly its figures
     receipt      the log has promised that the sheet is in it (RFC 9942)
     definition   the definition of the election has the hash that the sheet names, and names this log
     names        the rows of the table carry the names of the definition
     register     the list of keys has the hash that the definition names, and gives this key to this station
     checkpoint   the log's newest head is signed by the key that the definition names (C2SP tlog-checkpoint)
     witnesses    as many witnesses as the definition asks for have cosigned that head (C2SP tlog-cosignature)
     included     from the sheet, the published hashes lead to the root of that head (RFC 9162, C2SP tlog-tiles)

   Each step ends in one of three ways: good, bad (it does not fit), open (it could not be done). How bytes are read and verified
   stands in proofs.js, what is said in check-words.js. The page tells what to check in attributes: of the section `data-check`,
   and of a part `data-statement` for each sheet. */
(() => {
  const MAX_REGISTER = 8_000_000; // bytes of the list of keys that are fetched for one sheet
  const MAX_FILE = 1_000_000; // bytes of any other file
  const DAY = 86_400; // seconds; how far ahead of this device's clock a cosignature may be

  // How a step ended where it is not good. Anything else that a step throws is a fault of this program, and is shown as one.
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
    const shown = (value) => (typeof value === "number" ? shownNumber(value) : value);
    return CHECK_WORDS[word].replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
  }

  // What is read strictly, with a word for the case that it cannot be.
  async function reading(word, read) {
    try {
      return await read();
    } catch (error) {
      if (error instanceof PROOFS.Unreadable) throw bad(word, { why: error.message });
      throw error;
    }
  }

  async function fetchBytes(home, file, most = MAX_FILE) {
    if (location.protocol === "file:") throw open("folder");
    try {
      const answer = await fetch(home + file, { cache: file.startsWith("log/tile/") ? "default" : "no-cache", credentials: "omit" });
      if (answer.ok && Number(answer.headers.get("content-length")) <= most) {
        const bytes = new Uint8Array(await answer.arrayBuffer());
        if (bytes.length <= most) return bytes;
      }
    } catch {
      // The network failed, or the answer broke off: it says nothing about the sheet.
    }
    throw open("unreachable", { file });
  }

  // --- The steps that need nothing but this page ------------------------------------------------------------------------

  async function statement(facts) {
    const sheet = await reading("statement.unreadable", () => PROOFS.readSheet(PROOFS.fromBase64(facts.page.statement)));
    facts.sheet = sheet;
    if (PROOFS.toHex(sheet.hash) !== facts.page.hash) throw bad("statement.hash");
  }

  async function signature({ sheet, page }) {
    if (!page.key) throw open("signature.no-key");
    const key = await reading("signature.bad", () => PROOFS.fromHex(page.key));
    if (sheet.algorithm !== -8) throw bad("signature.bad");
    if (!PROOFS.same(await PROOFS.thumbprint(key), sheet.kid)) throw bad("signature.kid");
    const message = PROOFS.signedBytes(sheet.header, sheet.payload);
    if (!(await PROOFS.isSignedBy(key, message, sheet.signature))) throw bad("signature.bad");
  }

  async function about({ sheet, page, site }) {
    const isStation = sheet.station === page.station && sheet.issuer === `station/${page.station}`;
    if (!isStation) throw bad("about.station", { signed: sheet.station });
    const isContest = sheet.contest === page.contest && sheet.subject === `${page.station}/${page.contest}`;
    if (!isContest) throw bad("about.contest", { signed: sheet.contest });
    const election = PROOFS.toHex(sheet.election);
    if (election !== site.election) throw bad("about.election", { signed: election });
  }

  // A cell as it is seen: digits, in groups of three or not; null where there is no digit.
  function shownFigure(text) {
    if (!/\d/.test(text)) return null;
    return /^\d{1,3}(?:[\p{Zs}.,’'٬]?\d{3})*$/u.test(text) ? Number(text.replace(/\D/g, "")) : NaN;
  }

  // For a ranked contest the table shows first preferences: the ballots whose first option it is.
  function votes(sheet, option) {
    if (!sheet.rankings) return sheet.counts[option];
    return sheet.rankings.filter(([order]) => order[0] === option).reduce((sum, [, ballots]) => sum + ballots, 0);
  }

  function cellsOf({ page }) {
    const table = document.getElementById(page.figures.slice(1));
    return table ? [...table.querySelectorAll(`[data-sheet="${page.index}"]`)] : [];
  }
  const rowOf = (cell) => cell.closest("tr").querySelector("th").textContent.trim();

  async function figures(facts) {
    const { sheet } = facts;
    const signed = [];
    const left = new Set(Object.keys(sheet.figures).filter((name) => sheet.figures[name] !== null));
    for (const cell of cellsOf(facts)) {
      const { figure, value } = cell.dataset;
      const isVotes = figure.startsWith("votes:");
      if (!isVotes && !(figure in sheet.figures)) throw bad("figures.rows");
      const expected = isVotes ? votes(sheet, signed.length) ?? null : sheet.figures[figure];
      if (isVotes) signed.push(figure);
      left.delete(figure);
      const text = cell.textContent.trim();
      if (value !== String(expected ?? "") || shownFigure(text) !== expected) {
        const none = say("figures.none");
        throw bad("figures.other", { row: rowOf(cell), shown: text || none, signed: String(expected ?? none) });
      }
    }
    // Rows may be missing only for what the sheet does not state.
    const isWhole = sheet.rankings ? signed.length > 0 : signed.length === sheet.counts.length;
    if (!isWhole || new Set(signed).size !== signed.length || left.size) throw bad("figures.rows");
    facts.options = signed.map((figure) => figure.slice("votes:".length));
    return { n: cellsOf(facts).length };
  }

  async function receipt({ sheet, page, site }) {
    const found = await reading("receipt.unreadable", () => PROOFS.readReceipt(PROOFS.fromBase64(page.receipt)));
    const key = await reading("receipt.bad", () => PROOFS.fromHex(site.logKey));
    const isThis = String(found.index) === page.index && String(found.size) === page.size && found.head === `head/${page.size}`;
    if (!isThis || found.origin !== site.origin) throw bad("receipt.other");
    if (!PROOFS.same(await PROOFS.thumbprint(key), found.kid)) throw bad("receipt.other");
    const root = await PROOFS.rootFromPath(sheet.hash, found.index, found.size, found.path);
    if (root === null) throw bad("receipt.bad");
    if (!(await PROOFS.isSignedBy(key, PROOFS.signedBytes(found.header, root), found.signature))) throw bad("receipt.bad");
    return { index: found.index, size: found.size };
  }

  // --- The steps that read other files of this site ----------------------------------------------------------------------

  async function definition(facts) {
    const { site, sheet } = facts;
    const bytes = await fetchBytes(site.home, "definition/definition.cose");
    if (!PROOFS.same(await PROOFS.leafHash(bytes), sheet.election)) throw bad("definition.hash");
    const found = await reading("definition.unreadable", async () =>
      PROOFS.readCbor((await PROOFS.readStatement(bytes, "definition")).payload));
    const log = found.get("log");
    const keys = await reading("definition.unreadable", () => Promise.all(log.get("keys").map(PROOFS.readVerifierKey)));
    const ed25519 = keys.filter((key) => key.kind === PROOFS.ED25519 && PROOFS.toHex(key.key) === site.logKey);
    const isNamed = keys.every((key) => key.name === site.origin);
    if (log.get("origin") !== site.origin || !isNamed || ed25519.length !== 1) throw bad("definition.log");
    Object.assign(facts, { definition: found, logKeys: keys });
  }

  async function names(facts) {
    const contest = facts.definition.get("contests").find((one) => one.get("id") === facts.sheet.contest);
    const options = contest ? contest.get("options") : [];
    if (!facts.options || options.length !== facts.options.length) throw bad("figures.rows");
    const cells = cellsOf(facts).filter((cell) => cell.dataset.figure.startsWith("votes:"));
    options.forEach((option, at) => {
      const shown = rowOf(cells[at]);
      const isOption = option.get("id") === facts.options[at] && shown.includes(option.get("name"));
      if (!isOption) throw bad("names.other", { shown, signed: option.get("name") });
    });
  }

  async function register({ site, sheet, definition: of }) {
    const table = of.get("tables").get("register.csv");
    const size = table.get("size");
    if (size > MAX_REGISTER) throw open("register.large", { megabytes: Math.ceil(size / 1e6) });
    const bytes = await fetchBytes(site.home, "definition/register.csv", size);
    if (!PROOFS.same(await PROOFS.sha256(bytes), table.get("sha256"))) throw bad("register.hash");
    // A row is issuer,unit,algorithm,key,name; no issuer's id holds a comma or a quotation mark.
    const text = PROOFS.decodeText(bytes);
    const row = `\n${sheet.issuer},${sheet.station},ed25519,`;
    for (let at = text.indexOf(row); at >= 0; at = text.indexOf(row, at + 1)) {
      const key = text.slice(at + row.length, text.indexOf(",", at + row.length));
      if (PROOFS.same(await PROOFS.thumbprint(PROOFS.fromHex(key)), sheet.kid)) return;
    }
    throw bad("register.key");
  }

  async function checkpoint(facts) {
    const bytes = await fetchBytes(facts.site.home, "log/checkpoint");
    const head = await reading("checkpoint.unreadable", () => PROOFS.readCheckpoint(bytes));
    if (head.origin !== facts.site.origin) throw bad("checkpoint.bad");
    // Every key of the log must have signed, for a signature that may be left out protects nobody.
    for (const key of facts.logKeys) {
      const lines = PROOFS.linesBy(head, key);
      if (!lines.length) throw bad("checkpoint.missing");
      for (const line of key.kind === PROOFS.ED25519 ? lines : []) {
        const isGood = await PROOFS.isSignedBy(key.key, PROOFS.encodeText(head.text), line.signature);
        if (!isGood) throw bad("checkpoint.bad");
      }
    }
    if (head.size < Number(facts.page.size)) throw bad("checkpoint.old");
    facts.head = head;
    return { size: head.size };
  }

  async function witnesses({ definition: of, head }) {
    const policy = of.get("witnesses");
    if (!policy) return { word: "witnesses.none" };
    const cosigned = [];
    let others = 0; // have signed, among other ways or alone, in one that no browser can check
    for (const witness of policy.get("witnesses")) {
      const keys = await reading("definition.unreadable", () => Promise.all(witness.get("keys").map(PROOFS.readVerifierKey)));
      const lines = keys.map((key) => PROOFS.linesBy(head, key));
      for (const [at, key] of keys.entries()) {
        for (const line of key.kind === PROOFS.COSIGNATURE ? lines[at] : []) {
          const isGood = await PROOFS.isCosignedBy(key, head, line);
          if (!isGood || PROOFS.timeOf(line) === 0) throw bad("witnesses.bad", { witness: key.name });
          if (PROOFS.timeOf(line) > Date.now() / 1000 + DAY) throw open("witnesses.ahead", { witness: key.name });
        }
      }
      // A witness has cosigned where every one of its keys has.
      if (lines.some((of) => of.length === 0)) continue;
      if (keys.every((key) => key.kind === PROOFS.COSIGNATURE)) cosigned.push(keys[0].name);
      else others += 1;
    }
    const values = { cosigned: cosigned.join(", ") || "–", needed: policy.get("quorum") };
    if (cosigned.length >= values.needed) return values;
    throw cosigned.length + others >= values.needed ? open("witnesses.kind", values) : bad("witnesses.few", values);
  }

  async function included({ site, sheet, page, head }) {
    const index = Number(page.index);
    if (!(index < head.size)) throw bad("included.bad");
    const tiles = new Map();
    const readTile = (path, length) => {
      if (!tiles.has(path)) {
        tiles.set(path, fetchBytes(site.home, `log/${path}`).then((bytes) => {
          if (bytes.length !== length) throw bad("included.unreadable", { why: path });
          return bytes;
        }));
      }
      return tiles.get(path);
    };
    if (!PROOFS.same(await PROOFS.rootFromTiles(sheet.hash, index, head.size, readTile), head.root)) throw bad("included.bad");
  }

  // Each step, with the facts that steps before it must have found: name → the step that finds it.
  const FOUND_BY = { sheet: "statement", options: "figures", definition: "definition", head: "checkpoint" };
  const STEPS = [
    [statement],
    [signature, "sheet"],
    [about, "sheet"],
    [figures, "sheet"],
    [receipt, "sheet"],
    [definition, "sheet"],
    [names, "sheet", "options", "definition"],
    [register, "sheet", "definition"],
    [checkpoint, "definition"],
    [witnesses, "definition", "head"],
    [included, "sheet", "head"],
  ];

  async function runStep([step, ...needed], facts) {
    const { name } = step;
    try {
      const missing = needed.find((fact) => facts[fact] === undefined);
      if (missing) throw open("skipped", { step: say(FOUND_BY[missing]) });
      const { word = `${name}.good`, ...values } = (await step(facts)) || {};
      return { name, state: "good", text: say(word, values) };
    } catch (error) {
      if (error instanceof Ended) return { name, state: error.state, text: say(error.word, error.values) };
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

  // The hashes by which two people can tell whether they look at the same record.
  function hashes(facts) {
    const list = element("dl", "", "facts");
    const add = (word, value) => {
      if (value === undefined) return;
      const row = element("div");
      row.append(element("dt", say(word)), element("dd"));
      row.lastChild.append(element("code", typeof value === "number" ? shownNumber(value) : PROOFS.toHex(value)));
      list.append(row);
    };
    add("compare.sheet", facts.sheet?.hash);
    add("compare.definition", facts.sheet?.election);
    add("compare.size", facts.head?.size);
    add("compare.root", facts.head?.root);
    return list;
  }

  async function check(section, result) {
    const began = performance.now();
    const parts = [...section.querySelectorAll("[data-statement]")];
    const outcome = element("div");
    const states = new Set();
    if (!globalThis.crypto?.subtle) {
      states.add("open");
      outcome.append(element("p", say("no-crypto")));
    }
    for (const part of globalThis.crypto?.subtle ? parts : []) {
      const facts = { site: section.dataset, page: part.dataset };
      const steps = element("ol", "", "steps");
      for (const step of STEPS) {
        const { name, state, text } = await runStep(step, facts);
        states.add(state);
        const item = element("li", "", state);
        item.dataset.step = name;
        item.append(element("strong", `${say(name)}: ${say(state)}.`), ` ${text}`);
        steps.append(item);
      }
      if (parts.length > 1) outcome.append(element("h3", say("heading", { index: Number(part.dataset.index) })));
      outcome.append(steps, element("p", say("compare")), hashes(facts));
    }
    const state = ["bad", "open", "good"].find((one) => states.has(one));
    const ms = Math.ceil(performance.now() - began);
    outcome.prepend(element("p", `${say(`all.${state}`)} ${say("took", { ms })}`, `outcome ${state}`));
    outcome.append(element("p", say("rest")));
    result.replaceChildren(outcome);
    // For those who measure and test.
    Object.assign(result.dataset, { state, ms });
  }

  for (const section of document.querySelectorAll("[data-check]")) {
    const result = section.querySelector(".check-result");
    if (!result || !section.querySelector("[data-statement]")) continue;
    // The words come in a script behind this one; both have run when the page is ready.
    document.addEventListener("DOMContentLoaded", () => {
      const button = element("button", say("button"), "button");
      button.type = "button";
      button.addEventListener("click", async () => {
        button.disabled = true;
        result.replaceChildren(element("p", say("running")));
        await check(section, result);
        button.disabled = false;
        // A button that is disabled loses the focus: whoever uses a keyboard would begin again at the top of the page.
        if (document.activeElement === document.body) button.focus({ preventScroll: true });
      });
      result.before(button);
    });
  }
})();
