"use strict";
/* What auditors see in boxes and on cards, entered on a telephone without a network.

   Everything stays in this browser (localStorage) under the name of the person, until that person saves it as a file: the rows that
   `scrutineer audit enter` reads, in canonical JSON. An empty field is unknown, which is not zero. What is said stands in the page's
   template of words. */
(() => {
  const work = JSON.parse(document.getElementById("work").textContent);
  const at = (id) => document.getElementById(id);
  const words = at("words").content;
  const sheet = at("sheet");
  const pictures = new Map(); // files of this visit by name and hash, so that they can be kept

  let person = "";
  let entries = {}; // by unit: what was entered, and whether it is done

  const isolated = (value) => (typeof value === "string" ? `\u2068${value}\u2069` : String(value));

  function say(word, values = {}) {
    const text = words.querySelector(`[data-word="${word}"]`).textContent;
    return text.replace(/\{(\w+)\}/g, (_, name) => isolated(values[name]));
  }

  function make(kind, properties = {}, ...children) {
    const element = Object.assign(document.createElement(kind), properties);
    element.append(...children);
    return element;
  }

  // --- What is kept ------------------------------------------------------------------------------------------------------

  // Each box or card has a place of its own, so that a stroke writes little, and two open pages do not write over each other.
  const shelf = (unit) => `scrutineer-audit/${work.plan}/${JSON.stringify(person)}/${unit}`;

  function kept(unit) {
    try {
      return JSON.parse(localStorage.getItem(shelf(unit)));
    } catch {
      return null;
    }
  }

  function keep(unit) {
    try {
      if (unit in entries) localStorage.setItem(shelf(unit), JSON.stringify(entries[unit]));
      else localStorage.removeItem(shelf(unit));
      at("unkept").hidden = true;
    } catch {
      at("unkept").hidden = false;
    }
  }

  // --- Boxes and cards ---------------------------------------------------------------------------------------------------

  const key = (box, card) => JSON.stringify([box.name, card]);
  const cardsOf = (box) => (work.byBox ? [0] : box.cards);
  const units = work.boxes.flatMap((box) => cardsOf(box).map((card) => ({ box, card, key: key(box, card) })));
  const box = () => work.boxes[at("box").value];
  const card = () => (work.byBox ? 0 : Number(at("card").value));
  const here = () => key(box(), card());
  const named = (unit) => (unit.card ? say("card", { card: unit.card, box: unit.box.name }) : say("box", { box: unit.box.name }));
  const isDone = (name) => entries[name]?.done === true;
  const isBegun = (name) => name in entries && !entries[name].done;

  function marked(text, names) {
    if (names.every(isDone)) return say("unit-done", { unit: text });
    return names.some((name) => name in entries) ? say("unit-begun", { unit: text }) : text;
  }

  function showCards() {
    const chosen = at("card").value;
    at("card").replaceChildren(
      ...box().cards.map((each) => make("option", { value: each, textContent: marked(String(each), [key(box(), each)]) })),
    );
    if (box().cards.includes(Number(chosen))) at("card").value = chosen;
  }

  function showProgress() {
    for (const [place, option] of [...at("box").options].entries()) {
      const own = work.boxes[place];
      option.textContent = marked(own.name, cardsOf(own).map((each) => key(own, each)));
    }
    if (!work.byBox) showCards();
    at("done").textContent = say("done", { done: units.filter((unit) => isDone(unit.key)).length, all: units.length });
    const begun = units.filter((unit) => isBegun(unit.key)).map(named);
    at("begun").textContent = begun.length ? say("begun", { units: begun.join(", ") }) : "";
  }

  // --- The form of one box or card ---------------------------------------------------------------------------------------

  function figure(label, name, className = "figure") {
    const id = `f-${name}`;
    const input = make("input", { id, name, inputMode: "numeric", maxLength: String(work.most).length });
    return make("div", { className }, make("label", { htmlFor: id }, make("bdi", { textContent: label })), input);
  }

  function choice(label, name) {
    return make("label", { className: "choice" }, make("input", { type: "checkbox", name }), make("bdi", { textContent: label }));
  }

  function contestForm(place) {
    const contest = work.contests[place];
    const field = (name) => `${place}-${name}`;
    const form = make("fieldset", {}, make("legend", {}, make("bdi", { textContent: contest.title })));
    const options = contest.options.map(([, name], option) => [name, field(option)]);
    if (work.byBox) {
      form.append(make("p", { className: "soft", textContent: say("numbers") }));
      for (const name of ["blank", "null", "cards"]) options.push([say(name), field(name)]);
      form.append(...options.map(([label, name]) => figure(label, name)));
      form.append(make("div", { className: "rest" }, choice(say("uncounted"), field("uncounted"))));
    } else {
      form.append(make("p", { className: "soft", textContent: say(contest.ranked ? "ranks" : "marks") }));
      form.append(...options.map(([label, name]) => (contest.ranked ? figure(label, name, "figure rank") : choice(label, name))));
      form.append(make("div", { className: "rest" }, choice(say("none"), field("none")), choice(say("absent"), field("absent"))));
    }
    form.append(make("p", { className: "error", id: `e-${place}` }));
    return form;
  }

  const isCounted = () => sheet.elements.status.value === "counted";

  function showUnit() {
    const entry = entries[here()] ?? { fields: {}, photos: [], note: "" };
    at("unit").textContent = named({ box: box(), card: card() });
    at("way").textContent = box().way;
    at("contests").replaceChildren(...box().contests.map(contestForm));
    for (const radio of sheet.elements.status) radio.checked = radio.value === entry.status;
    for (const input of at("contests").querySelectorAll("input")) {
      if (input.type === "checkbox") input.checked = input.name in entry.fields;
      else input.value = entry.fields[input.name] ?? "";
    }
    at("note").value = entry.note;
    at("photo").value = "";
    at("sheet-error").textContent = "";
    at("contests").hidden = !isCounted();
    showPhotos(entry.photos);
  }

  // What stands in the form, with its photographs, kept at every stroke.
  function readForm() {
    const fields = {};
    for (const input of at("contests").querySelectorAll("input")) {
      if (input.type === "checkbox" ? input.checked : input.value.trim()) fields[input.name] = input.value.trim();
    }
    return { done: false, status: sheet.elements.status.value, fields, photos: entries[here()]?.photos ?? [], note: at("note").value };
  }

  function changed() {
    const unit = here();
    const before = entries[unit];
    entries[unit] = readForm();
    at("contests").hidden = !isCounted();
    keep(unit);
    if (!before || before.done) showProgress();
  }

  // --- What cannot be ----------------------------------------------------------------------------------------------------

  function isNumber(text) {
    return /^[0-9]{1,10}$/.test(text) && Number(text) <= work.most;
  }

  function faultOfTotals(values, uncounted) {
    if (values.every((value) => value === "")) return uncounted ? "" : say("unknown");
    if (uncounted) return say("figures");
    if (values.some((value) => value !== "" && !isNumber(value))) return say("number", { most: work.most });
    return "";
  }

  function faultOfCard(contest, values, nothing, absent) {
    const count = values.filter((value) => value !== "").length;
    if (nothing + absent + (count > 0) > 1) return say("both");
    if (nothing + absent + (count > 0) === 0) return say("unmarked");
    if (contest.ranked) {
      const ranks = values.filter((value) => value !== "");
      const right = ranks.every(isNumber) && new Set(ranks.map(Number)).size === count && ranks.every((rank) => rank >= 1 && rank <= count);
      return right ? "" : say("order");
    }
    return count > contest.choices ? say("many", { count, most: contest.choices }) : "";
  }

  function valuesOf(entry, place) {
    return work.contests[place].options.map((_, option) => entry.fields[`${place}-${option}`] ?? "");
  }

  // By contest what is wrong; and what is wrong with the whole.
  function faultsOf(entry, own) {
    const faults = new Map();
    if (entry.status !== "counted") return { faults, whole: entry.status ? "" : say("status") };
    for (const place of own.contests) {
      const values = valuesOf(entry, place);
      const has = (name) => (`${place}-${name}` in entry.fields ? 1 : 0);
      const rest = ["blank", "null", "cards"].map((name) => entry.fields[`${place}-${name}`] ?? "");
      const fault = work.byBox
        ? faultOfTotals([...values, ...rest], has("uncounted"))
        : faultOfCard(work.contests[place], values, has("none"), has("absent"));
      if (fault) faults.set(place, fault);
    }
    return { faults, whole: "" };
  }

  function showFaults({ faults, whole }) {
    for (const place of box().contests) {
      const said = at(`e-${place}`);
      said.textContent = faults.get(place) ?? "";
      const inputs = [...said.closest("fieldset").querySelectorAll("input")];
      const mistyped = (input) => input.type !== "checkbox" && input.value.trim() !== "" && !isNumber(input.value.trim());
      for (const input of inputs) {
        const wrong = faults.has(place) && (!work.byBox || !inputs.some(mistyped) || mistyped(input));
        input.toggleAttribute("aria-invalid", false);
        input.removeAttribute("aria-describedby");
        if (wrong) {
          input.setAttribute("aria-invalid", "true");
          input.setAttribute("aria-describedby", said.id);
        }
      }
    }
    const titles = [...faults.keys()].map((place) => work.contests[place].title);
    at("sheet-error").textContent = whole || (titles.length ? say("wrong", { what: titles.join(", ") }) : "");
    const first = sheet.querySelector("[aria-invalid]") ?? (whole ? sheet.elements.status[0] : null);
    first?.focus();
  }

  // --- Photographs -------------------------------------------------------------------------------------------------------

  function showPhotos(photos) {
    at("photos").replaceChildren(
      ...photos.map((photo, place) => {
        const text = photo.sha256 ? say("picture", { file: photo.name, hash: photo.sha256.slice(0, 16) }) : say("picture-later", { file: photo.name });
        const item = make("li", {}, make("span", { textContent: text }));
        const file = pictures.get(photo.name + photo.sha256);
        if (file) item.append(make("a", { href: file, download: photo.name, textContent: say("keep", { file: photo.name }) }));
        const remove = make("button", { type: "button", className: "button", textContent: say("remove", { file: photo.name }) });
        remove.addEventListener("click", () => {
          entries[here()].photos.splice(place, 1);
          changed();
          showPhotos(entries[here()].photos);
          at("photo").focus();
        });
        item.append(remove);
        return item;
      }),
    );
  }

  async function addPhoto(file) {
    const unit = here();
    let sha256 = "";
    if (crypto.subtle) {
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      sha256 = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    pictures.set(file.name + sha256, URL.createObjectURL(file));
    // Meanwhile another box may be shown: the picture belongs to the one for which it was taken.
    const entry = unit === here() ? readForm() : (entries[unit] ?? { status: "", fields: {}, photos: [], note: "" });
    const photos = entry.photos.filter((photo) => photo.name !== file.name || photo.sha256 !== sha256);
    entries[unit] = { ...entry, done: false, photos: [...photos, { name: file.name, sha256 }] };
    keep(unit);
    showProgress();
    if (unit === here()) showPhotos(entries[unit].photos);
  }

  // --- The file ----------------------------------------------------------------------------------------------------------

  function row(unit, contest, cells) {
    const empty = { blank: "", box: unit.box.name, cards: "", contest, discrepancies: "", images: "", note: "" };
    return { ...empty, null: "", position: unit.card ? String(unit.card) : "", status: "counted", votes: "", ...cells };
  }

  function preference(contest, values) {
    const ranked = values.map((rank, option) => [Number(rank), option]).filter(([rank]) => rank > 0);
    return ranked.sort(([a], [b]) => a - b).map(([, option]) => contest.options[option][0]);
  }

  function rowsOf(unit) {
    const entry = entries[unit.key];
    const rows = [];
    for (const place of entry.status === "counted" ? unit.box.contests : []) {
      const contest = work.contests[place];
      const values = valuesOf(entry, place);
      const cell = (name) => entry.fields[`${place}-${name}`] ?? "";
      const number = (text) => (text === "" ? "" : String(Number(text)));
      if (work.byBox) {
        const votes = values.map((value) => number(value) || "-").join(" ");
        rows.push(row(unit, contest.id, { votes, blank: number(cell("blank")), null: number(cell("null")), cards: number(cell("cards")) }));
      } else if (`${place}-absent` in entry.fields) {
        rows.push(row(unit, contest.id, { status: "not-on-card" }));
      } else {
        const options = contest.ranked ? preference(contest, values) : contest.options.filter((_, option) => values[option] !== "").map(([id]) => id);
        rows.push(row(unit, contest.id, { votes: options.join(" ") }));
      }
    }
    // A unit that was not found, or in whose box nothing is asked about, has one row without a contest.
    if (!rows.length) rows.push(row(unit, "", { status: entry.status }));
    rows.sort((a, b) => (a.contest < b.contest ? -1 : 1));
    const later = entry.photos.filter((photo) => !photo.sha256).map((photo) => words.querySelector('[data-word="picture-note"]').textContent.replace("{file}", photo.name));
    rows[0].images = entry.photos.map((photo) => photo.sha256).filter(Boolean).sort().join(" ");
    rows[0].note = [entry.note.trim().split(/\s+/).join(" "), ...later].filter(Boolean).join(" ");
    return rows;
  }

  // Names in the order of their code points, which is that of their bytes in UTF-8.
  function before(a, b) {
    const [one, other] = [[...a], [...b]];
    const place = one.findIndex((letter, number) => letter !== other[number]);
    if (place < 0) return one.length - other.length;
    return place >= other.length ? 1 : one[place].codePointAt(0) - other[place].codePointAt(0);
  }

  function canonical(rows) {
    const sorted = rows.map((cells) => Object.fromEntries(Object.keys(cells).sort().map((name) => [name, cells[name]])));
    return JSON.stringify(sorted);
  }

  function saveFile() {
    const done = units.filter((unit) => isDone(unit.key)).sort((a, b) => before(a.box.name, b.box.name) || a.card - b.card);
    if (!done.length) {
      at("saved").textContent = say("nothing");
      return;
    }
    const who = person.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "") || "entries";
    const file = `${work.audit}-${work.plan}-${who}.json`;
    const address = URL.createObjectURL(new Blob([canonical(done.flatMap(rowsOf))], { type: "application/json" }));
    make("a", { href: address, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    at("saved").textContent = say("saved", { file });
  }

  // --- What people do ----------------------------------------------------------------------------------------------------

  function begin() {
    const known = units.map((unit) => [unit.key, kept(unit.key)]);
    entries = Object.fromEntries(known.filter(([, entry]) => entry));
    at("who").hidden = true;
    at("desk").hidden = false;
    at("as").textContent = say("as", { name: person });
    at("box").replaceChildren(...work.boxes.map((_, place) => make("option", { value: place })));
    at("pick-card").hidden = work.byBox;
    at("saved").textContent = "";
    showProgress();
    const next = units.find((unit) => !isDone(unit.key)) ?? units[0];
    show(next);
    keep(next.key);
  }

  function show(unit) {
    at("box").value = work.boxes.indexOf(unit.box);
    if (!work.byBox) {
      showCards();
      at("card").value = unit.card;
    }
    showUnit();
  }

  at("who").addEventListener("submit", (event) => {
    event.preventDefault();
    person = at("person").value.trim().split(/\s+/).join(" ");
    at("person-error").textContent = person ? "" : say("name");
    if (person) begin();
    (person ? at("unit") : at("person")).focus();
  });

  at("other").addEventListener("click", () => {
    entries = {};
    person = "";
    at("person").value = "";
    at("contests").replaceChildren();
    at("desk").hidden = true;
    at("who").hidden = false;
    at("person").focus();
  });

  at("box").addEventListener("change", () => {
    if (!work.byBox) showCards();
    showUnit();
  });
  at("card").addEventListener("change", showUnit);
  sheet.addEventListener("input", (event) => event.target !== at("photo") && changed());
  at("photo").addEventListener("change", async () => {
    const file = at("photo").files[0];
    at("photo").value = "";
    if (file) await addPhoto(file);
  });

  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    const entry = readForm();
    const found = faultsOf(entry, box());
    showFaults(found);
    entries[here()] = { ...entry, done: !found.whole && !found.faults.size };
    keep(here());
    showProgress();
    if (!isDone(here())) return;
    const name = named({ box: box(), card: card() });
    const place = units.findIndex((unit) => unit.key === here());
    const next = [...units.slice(place + 1), ...units.slice(0, place)].find((unit) => !isDone(unit.key));
    if (next) show(next);
    at("done").textContent = `${say("next", { unit: name })} ${at("done").textContent}`;
    (next ? at("unit") : at("save")).focus();
  });

  at("clear").addEventListener("click", () => {
    if (here() in entries && !confirm(say("sure-one"))) return;
    delete entries[here()];
    keep(here());
    showProgress();
    showUnit();
    at("unit").focus();
  });

  at("save").addEventListener("click", saveFile);
  at("forget").addEventListener("click", () => {
    if (!confirm(say("sure", { name: person }))) return;
    entries = {};
    for (const unit of units) keep(unit.key);
    begin();
  });

  at("note").maxLength = work.longestNote;
  at("unhashed").hidden = Boolean(globalThis.crypto?.subtle);
  at("who").hidden = false;
})();
