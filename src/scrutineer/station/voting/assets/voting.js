// The voter's screens work without this file. With it, they say at once how many choices are left, are read aloud, can be
// operated by one or two switches, offer letters to press, and are cleared in time.
"use strict";

const body = document.body;
const form = document.getElementById("screen");
const path = body.dataset.path;
const STOPS = "a[href], button, input, select, textarea";

for (const one of document.querySelectorAll(".scripted")) one.hidden = false;

function send(where, fields) {
  const data = new URLSearchParams(fields);
  return fetch(where, { method: "POST", body: data, headers: { accept: "application/json" }, keepalive: true });
}

// --- marks ---------------------------------------------------------------------------------------------------------------

const status = document.getElementById("status");
const both = document.getElementById("both");
let leaving = false;

// One after the other, so that what was marked last is also what is kept last.
let keeping = false;
let waiting = null;

async function keep(note) {
  if (keeping) {
    waiting = note;
    return;
  }
  keeping = true;
  const fields = new FormData(form);
  fields.set("action", "keep");
  try {
    const answer = await (await send(path, fields)).json();
    if (!leaving && waiting === null && status && answer.status) {
      status.textContent = note ? `${answer.status} ${note}` : answer.status;
      status.classList.toggle("over", answer.over);
      speak(status.textContent);
    }
  } catch {
    // The form itself brings the marks when the voter goes on.
  }
  keeping = false;
  if (waiting !== null && !leaving) {
    const next = waiting;
    waiting = null;
    keep(next);
  }
}

const fieldset = document.querySelector("fieldset[data-kind]");
if (fieldset) {
  let before = null;
  fieldset.addEventListener("change", (event) => {
    const box = event.target;
    let note = "";
    if (both) both.hidden = true;
    // It keeps its place: nothing may move away under a finger.
    document.getElementById("by-party")?.classList.add("gone");
    if (fieldset.dataset.kind === "one" && box.type === "checkbox" && box.checked) {
      const others = [...fieldset.querySelectorAll("input[type=checkbox]:checked")].filter((other) => other !== box);
      if (others.length === 1) {
        // As with the ballots that people know from elsewhere, one mark moves; who wants both says so.
        before = others[0];
        before.checked = false;
        note = fieldset.dataset.moved;
        both.hidden = false;
      }
    }
    keep(note);
  });
  if (both) {
    both.addEventListener("click", () => {
      if (before) before.checked = true;
      both.hidden = true;
      keep("");
      fieldset.querySelector("input:checked").focus();
    });
  }
}
if (document.body.classList.contains("party")) form.addEventListener("change", () => keep(""));

// A second press while the answer is on its way would only be refused.
form.addEventListener("submit", (event) => {
  if (leaving) event.preventDefault();
  leaving = true;
  window.setTimeout(() => { leaving = false; }, 3000);
});

// --- letters to press, for those without a keyboard --------------------------------------------------------------------------

const keyboard = document.getElementById("keyboard");
if (keyboard) {
  let field = null;
  const press = (text) => {
    if (field === null) return;
    const from = field.selectionStart ?? field.value.length;
    const to = field.selectionEnd ?? from;
    if (text === "") {
      const start = from === to ? Math.max(0, from - 1) : from;
      field.setRangeText("", start, to, "end");
    } else if (field.value.length - (to - from) < field.maxLength) {
      field.setRangeText(text, from, to, "end");
    }
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const key = (row, label, action, long) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    if (long) button.className = "long";
    // The field keeps the cursor. Who has a keyboard needs no letters to press, and shall not have to pass them.
    button.tabIndex = -1;
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", action);
    row.append(button);
  };
  const rows = keyboard.dataset.letters.split("|").map((letters) => letters.split(" "));
  keyboard.setAttribute("role", "group");
  keyboard.setAttribute("aria-label", keyboard.dataset.name);
  for (const letters of rows) {
    const row = document.createElement("div");
    row.dataset.group = "";
    for (const letter of letters) key(row, letter, () => press(letter));
    keyboard.append(row);
  }
  const last = document.createElement("div");
  last.dataset.group = "";
  key(last, keyboard.dataset.space, () => press(" "), true);
  key(last, keyboard.dataset.delete, () => press(""), true);
  key(last, keyboard.dataset.close, () => { keyboard.hidden = true; field.focus(); }, true);
  keyboard.append(last);
  for (const input of document.querySelectorAll(".write-in input")) {
    input.addEventListener(body.dataset.scan === "off" ? "click" : "focus", () => {
      if (field !== input || keyboard.hidden) {
        field = input;
        input.closest(".choice").after(keyboard);
        keyboard.hidden = false;
      }
    });
  }
}

// --- read aloud --------------------------------------------------------------------------------------------------------------

const voice = window.speechSynthesis;
const talking = body.dataset.speech === "on" && Boolean(voice);
if (!voice) document.getElementById("speech").parentElement.hidden = true;

function speak(text) {
  if (!talking || !text) return;
  voice.cancel();
  const saying = new SpeechSynthesisUtterance(text.replace(/\s+/g, " ").trim());
  saying.lang = document.documentElement.lang;
  voice.speak(saying);
}

function named(element) {
  const own = element.getAttribute("aria-label");
  const label = element.closest("label") || (element.labels && element.labels[0]);
  const group = element.closest("[role=group][aria-labelledby]");
  const title = group ? document.getElementById(group.getAttribute("aria-labelledby")).textContent : "";
  const marked = element.checked || element.getAttribute("aria-pressed") === "true" ? "✓ " : "";
  return `${title} ${marked}${own || (label ? label.textContent : element.textContent)} ${element.type === "text" ? element.value : ""}`;
}

if (talking) {
  const first = [...document.querySelectorAll("[role=alert]:not([hidden]), [data-speak]")].map((part) => part.innerText).join(". ");
  speak(first);
  document.addEventListener("focusin", (event) => {
    if (event.target.matches(STOPS) && !event.target.autofocus) speak(named(event.target));
  });
}
window.addEventListener("pagehide", () => voice && voice.cancel());

// --- one or two switches -------------------------------------------------------------------------------------------------------

// A stop is a control, or a row of letters that opens when it is pressed.
const PACE = 2500; // milliseconds on each stop while the frame moves by itself
let inside = null;
let at = -1;
let frame = null;

function stops() {
  const seen = (element) => !element.disabled && !element.hidden && element.getClientRects().length > 0;
  if (inside) return [...inside.querySelectorAll("button")].filter(seen);
  const found = [];
  for (const element of document.querySelectorAll(`${STOPS}, [data-group]`)) {
    if (element.matches("[data-group]") ? element.getClientRects().length > 0 : seen(element) && !element.closest("[data-group]")) {
      if (element.type !== "hidden") found.push(element);
    }
  }
  return found;
}

function move() {
  const all = stops();
  at += 1;
  if (at >= all.length) {
    // After the last letter of a row the whole screen comes again.
    const row = inside;
    inside = null;
    at = row ? stops().indexOf(row) : 0;
  }
  const target = stops()[at];
  if (frame) frame.classList.remove("scanned");
  if (!target) return;
  frame = target.closest(".choice, .point") && target.matches("input[type=checkbox], input[type=radio]") ? target.closest("label") : target;
  frame.classList.add("scanned");
  frame.scrollIntoView({ block: "nearest" });
  if (target.matches("[data-group]")) speak(target.textContent.split("").join(" "));
  else target.focus({ preventScroll: true });
}

function choose() {
  const target = stops()[at];
  if (!target) return;
  if (target.matches("[data-group]")) {
    inside = target;
    at = -1;
    move();
  } else if (target.matches("input[type=text]")) {
    target.focus();
  } else {
    target.click();
  }
}

const scan = body.dataset.scan;
if (scan !== "off") {
  let beat = 0;
  const start = () => {
    window.clearInterval(beat);
    if (scan === "auto") beat = window.setInterval(move, PACE);
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (event.repeat) return;
    if (scan === "two" && event.key === " ") move();
    else choose();
    start();
  }, true);
  document.addEventListener("keyup", (event) => { if (event.key === " ") event.preventDefault(); }, true);
  const all = stops();
  at = document.activeElement ? all.indexOf(document.activeElement) - 1 : -1;
  if (at < -1) at = -1;
  move();
  start();
}

// --- in time -----------------------------------------------------------------------------------------------------------------------

let last = 0;
for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
  document.addEventListener(kind, () => {
    const now = Date.now();
    if (now - last > 5000 && !body.classList.contains("still")) {
      last = now;
      send(`${path}/here`, { step: body.dataset.step }).catch(() => {});
    }
  }, { passive: true, capture: true });
}

const left = document.getElementById("left");
const ends = left ? Date.now() + 1000 * Number(left.dataset.left) : 0;

let missed = 0;

// A machine whose program has ended must not go on showing what somebody marked.
function unanswered(times) {
  missed = times;
  const gone = missed >= 3;
  document.getElementById("screen").inert = gone;
  body.classList.toggle("unanswered", gone);
  document.getElementById("gone").hidden = !gone;
}

async function watch() {
  try {
    const answer = await (await fetch(`${path}/state`, { cache: "no-store" })).json();
    if (answer.revision !== body.dataset.revision && !leaving) {
      window.location.reload();
      return;
    }
    if (missed) unanswered(0);
  } catch {
    // The server is starting again; the next look tells.
    unanswered(missed + 1);
  }
  if (left) left.querySelector(".figure").textContent = Math.max(0, Math.round((ends - Date.now()) / 1000)).toLocaleString(`${document.documentElement.lang}-u-nu-latn`);
  window.setTimeout(watch, 1000);
}
window.setTimeout(watch, 1000);

// A page that the browser kept from before shows nothing of it.
window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
if (scan === "off" && !document.querySelector("[autofocus]")) document.getElementById("main").focus({ preventScroll: true });
