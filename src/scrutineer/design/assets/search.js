"use strict";
/* Finds places and stations by number or name, in the reader's browser: no server learns what anyone looks for.

   The index lies in static files (portal/search.py): two lists, sorted by what people type and cut into files, and one directory that
   says with which text each file begins. So a query reads the few files that can hold what begins with it, and all further work
   is done here: every word of the query must begin a word of a unit's number or name, or of the units that it lies in. */
(() => {
  const MOST_FILES = 2; // of one list for one text; what lies further on is found by typing more
  const MOST_TRIALS = 4; // places in which the other words of a query are looked for
  const MOST_SHOWN = 20;
  const ENOUGH = 10; // hits for the words in the order given, with which no other order is tried
  const PAUSE = 120; // milliseconds without a key before a search begins

  const section = document.getElementById("search");
  const input = document.getElementById("q");
  const list = section.querySelector(".hits");
  const count = section.querySelector(".count");
  const { home, pages, country, deepest, stationsHere } = section.dataset;

  function say(word, values = {}) {
    const text = document.getElementById("search-words").content.querySelector(`[data-word="${word}"]`).textContent;
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name].toLocaleString(`${document.documentElement.lang}-u-nu-latn`));
  }

  // --- The index ---------------------------------------------------------------------------------------------------------

  const files = new Map();

  // A file of the index, once; after a failure it is asked for again.
  function read(path) {
    if (!files.has(path)) {
      const reading = fetch(`${home}search/${path}.json`, { credentials: "omit" }).then((answer) => {
        if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
        return answer.json();
      });
      reading.catch(() => files.delete(path));
      files.set(path, reading);
    }
    return files.get(path);
  }

  // A sorted list of texts, each as the number of characters that it shares with the one before, and the rest of it.
  function unfold(coded) {
    const texts = [];
    for (let at = 0; at < coded.length; at += 2) {
      const before = Array.from(texts[texts.length - 1] ?? "").slice(0, coded[at]);
      texts.push(before.join("") + coded[at + 1]);
    }
    return texts;
  }

  // What is in the directory: kinds, letters, the units of the highest levels, and with which text each file of a list begins.
  let unfolded = null;
  async function readDirectory() {
    const directory = await read("index");
    unfolded ??= { ...directory, places: unfold(directory.places), stations: unfold(directory.stations) };
    return unfolded;
  }

  // A name as it is compared. The same as `fold` in portal/search_words.py; the letters come with the index.
  function fold(text, letters) {
    const bare = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    const plain = Array.from(bare, (sign) => letters[sign] ?? sign).join("");
    return plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  }

  // The files of a list that can hold texts which begin so: from the last one that begins before it.
  function filesFor(begins, text) {
    const after = begins.findIndex((begin) => begin >= text);
    const first = Math.max(0, (after < 0 ? begins.length : after) - 1);
    let last = first;
    while (last + 1 < begins.length && (begins[last + 1] <= text || begins[last + 1].startsWith(text))) last += 1;
    return begins.length ? [first, last] : [0, -1];
  }

  async function readList(directory, name, text) {
    const [first, last] = filesFor(directory[name], text);
    const numbers = Array.from({ length: Math.min(last - first + 1, MOST_FILES) }, (_, at) => first + at);
    return { isCut: last - first >= MOST_FILES, blocks: await Promise.all(numbers.map((at) => read(`${name}/${at}`))) };
  }

  // --- Hits --------------------------------------------------------------------------------------------------------------

  // The units that a file finds, each with the units above it, from the country down, and the words by which it is found.
  function unitsOf(block, directory) {
    if (!block.ready) {
      const { kinds, letters } = directory;
      const units = [];
      for (const [short, name, kind, parent, file] of block.units) {
        const above = parent < 0 ? null : units[parent];
        const id = short.startsWith("~") ? above.id + short.slice(1) : short;
        const [foldedId, foldedName] = [fold(id, letters), fold(name, letters)];
        const path = above ? [...above.path, above] : [];
        const unit = { id, name, foldedId, foldedName, path, kind: kinds[kind >> 1], isStation: kind % 2 === 1, file: file ?? id };
        units.push({ ...unit, ofName: foldedName.split(" "), ofId: foldedId.split(" ") });
      }
      block.units = units;
      block.ready = true;
    }
    return block.found.map((at) => block.units[at]);
  }

  const isNumber = (word) => /^\d{1,15}$/.test(word);
  const begins = (of, word) =>
    of.some((own) => own.startsWith(word) || (isNumber(own) && isNumber(word) && Number(own) === Number(word)));

  const hasWord = (unit, word) => begins(unit.ofName, word) || begins(unit.ofId, word);
  const liesIn = (unit, word) => unit.path.some((above) => begins(above.ofName, word));

  // Every word must be of the unit or of the names of those it lies in, and one of the unit itself.
  function fits(unit, words) {
    return words.some((word) => hasWord(unit, word)) && words.every((word) => hasWord(unit, word) || liesIn(unit, word));
  }

  // Smaller is better: the very number, the very name, what begins so, all words of its name, or of names; then what is larger.
  function rank(unit, words, text) {
    const { foldedId, foldedName, ofName, path, isStation } = unit;
    const tests = [
      foldedId === text,
      foldedName === text,
      foldedId.startsWith(text) || foldedName.startsWith(text),
      words.every((word) => begins(ofName, word)),
      words.every((word) => begins(ofName, word) || liesIn(unit, word)),
      true,
    ];
    return 100 * tests.indexOf(true) + path.length + (isStation ? 50 : 0);
  }

  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

  // All units that fit a query, the best first, and whether there may be more in files that were not read.
  async function find(query) {
    const directory = await readDirectory();
    const text = fold(query, directory.letters);
    const words = text.split(" ").filter((word) => word);
    if (!words.length) return null;
    const seen = new Map(); // every unit in the files that were read
    let isCut = false;
    const seek = async (name, key) => {
      const { isCut: isMore, blocks } = await readList(directory, name, key);
      for (const unit of blocks.flatMap((block) => unitsOf(block, directory))) seen.set(`${unit.isStation} ${unit.id}`, unit);
      isCut = isCut || isMore;
    };
    const fitting = () => [...seen.values()].filter((unit) => fits(unit, words));
    for (const unit of unitsOf(directory.upper, directory)) seen.set(`${unit.isStation} ${unit.id}`, unit);
    await Promise.all([seek("places", text), seek("stations", text)]);
    // Words of different places, or in another order: look for each word, first for those that the fewest files can hold.
    if (words.length > 1 && fitting().length < ENOUGH) {
      const width = (word) => filesFor(directory.places, word).reduce((first, last) => last - first);
      const rarest = words.filter((word) => !isNumber(word)).sort((a, b) => width(a) - width(b));
      await Promise.all(rarest.slice(0, 2).map((word) => seek("places", word)));
    }
    /* A place that has some of the words, and the others within it: behind a word stands the number of whatever has that word, and
       it begins with the number of the place where numbers are given so. Behind the whole name of a place stand its stations. So
       words are looked for within the largest places first, and then stations within whatever has most of the words. */
    const lacking = (unit) => words.filter((word) => !isNumber(word) && !begins(unit.ofName, word) && !liesIn(unit, word));
    const isLarger = (a, b) => a.path.length - b.path.length;
    const hasMore = (a, b) => lacking(a).length - lacking(b).length;
    for (const order of [isLarger, hasMore]) {
      if (words.length < 2 || fitting().some((unit) => rank(unit, words, text) < 500)) break;
      const places = [...seen.values()].filter((unit) => !unit.isStation && words.some((word) => begins(unit.ofName, word)));
      const some = places.sort(order).slice(0, MOST_TRIALS);
      const keys = new Set(some.map((unit) => `${lacking(unit)[0] ?? unit.foldedName} ${unit.foldedId}`));
      await Promise.all([...keys].map((key) => seek("places", key)));
    }
    let ranked = fitting().map((unit) => [rank(unit, words, text), unit]);
    // Whoever gives a whole number means that one.
    if (ranked.some(([place]) => place < 100)) ranked = ranked.filter(([place]) => place < 300);
    ranked.sort(([a, one], [b, other]) => a - b || collator.compare(one.name, other.name) || collator.compare(one.id, other.id));
    return { units: ranked.map(([, unit]) => unit), isCut };
  }

  // --- The page ----------------------------------------------------------------------------------------------------------

  // Where the page of a unit lies: in this language where it has one there, else in the first. Null where places have no pages.
  function address({ isStation, file, path }) {
    const above = path.length ? path[path.length - 1].file : country;
    if (pages === "none") return null;
    if (isStation && pages === "stations") {
      return `${stationsHere === "1" ? "" : home}stations/${encodeURIComponent(above)}/${encodeURIComponent(file)}.html`;
    }
    // A station without a page of its own stands on that of the unit it lies in.
    const [own, depth] = isStation ? [above, path.length] : [file, file === country ? 0 : path.length + 1];
    return `${depth <= Number(deepest) ? "" : home}units/${encodeURIComponent(own)}.html`;
  }

  function element(tag, text, name) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  function hit(unit) {
    const item = document.createElement("li");
    const target = address(unit);
    const title = element(target ? "a" : "span", "", "hit");
    if (target) title.href = target;
    title.append(element("bdi", unit.name));
    const where = element("p", "", "meta");
    unit.path.forEach((above, at) => where.append(at ? " › " : "", element("bdi", above.name)));
    where.append(unit.path.length ? " · " : "", element("span", unit.kind, "kind"), " ", element("code", unit.id));
    item.append(title, where);
    return item;
  }

  let latest = 0;

  async function search() {
    const query = input.value.trim();
    const turn = (latest += 1);
    if (location.protocol === "file:") {
      count.textContent = say("folder");
      return;
    }
    history.replaceState(null, "", query ? `?q=${encodeURIComponent(query)}` : location.pathname);
    if (list.childElementCount === 0) count.textContent = query ? say("searching") : "";
    let answer;
    try {
      answer = query ? await find(query) : null;
    } catch {
      if (turn === latest) count.textContent = say("unreachable");
      return;
    }
    if (turn !== latest) return; // something else was typed meanwhile
    const { units = [], isCut = false } = answer ?? {};
    list.replaceChildren(...units.slice(0, MOST_SHOWN).map(hit));
    const shown = say("found", { n: units.length });
    const more = isCut || units.length > MOST_SHOWN;
    if (!answer) count.textContent = "";
    else if (!units.length) count.textContent = say(isCut ? "unsure" : "none");
    else count.textContent = more ? say("some", { n: Math.min(units.length, MOST_SHOWN) }) : shown;
    section.dataset.shown = query;
  }

  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, PAUSE);
  });
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    search();
  });
  input.value = (new URLSearchParams(location.search).get("q") ?? "").slice(0, 200);
  if (input.value) search();
})();
