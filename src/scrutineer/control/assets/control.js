// What the control room needs a script for: passkeys, renewing what is shown, and moving about by keyboard.
// Pages hold all texts, so that they are in the reader's language; nothing is signed or sent but by a form.
"use strict";

// --- passkeys: WebAuthn speaks in bytes, the server in base64url ------------------------------------------------------

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function readOptions(options) {
  const read = (credential) => ({ ...credential, id: toBytes(credential.id) });
  const publicKey = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) publicKey.user = { ...options.user, id: toBytes(options.user.id) };
  if (options.allowCredentials) publicKey.allowCredentials = options.allowCredentials.map(read);
  if (options.excludeCredentials) publicKey.excludeCredentials = options.excludeCredentials.map(read);
  return { publicKey };
}

function writeAnswer(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = toText(credential.response[part]);
  }
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: {},
    response,
  };
}

class Unanswered extends Error {}

async function ask(address, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (document.body.dataset.token) headers["x-token"] = document.body.dataset.token;
  let answer, said;
  try {
    answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    said = await answer.json();
  } catch {
    // Whether the server heard of it nobody knows here: it may have been done.
    throw new Unanswered();
  }
  if (!answer.ok) throw new Error(said.error);
  return said;
}

for (const form of document.querySelectorAll("form[data-ceremony]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { ceremony, options, answer, failed, unanswered } = form.dataset;
    const [button, wrong] = [form.querySelector("button"), form.querySelector(".wrong")];
    const fields = Object.fromEntries(new FormData(form));
    wrong.hidden = button.disabled = true;
    try {
      const asked = readOptions(await ask(options, fields));
      const credential = await navigator.credentials[ceremony](asked);
      location.assign((await ask(answer, { ...fields, answer: writeAnswer(credential) })).to);
    } catch (error) {
      // The browser's own errors (nobody touched the key, no passkey there) come as DOMException, in words for programmers.
      if (error instanceof Unanswered) wrong.textContent = unanswered;
      else wrong.textContent = error instanceof DOMException || error instanceof TypeError ? failed : error.message;
      wrong.hidden = button.disabled = false;
    }
  });
}

// The code of an enrolment link stands behind the '#', so that it reaches no server and no server's log.
const code = document.getElementById("code");
if (code && location.hash.length > 1) code.value = decodeURIComponent(location.hash.slice(1));

// --- what is shown, renewed when it has changed -----------------------------------------------------------------------

const notice = document.getElementById("notice");
let fetching = false;
let again = false;
let shown = new Date();

async function renew() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { "x-live": "1" }, redirect: "manual" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of page.querySelectorAll("[data-part]")) replace(document.getElementById(part.id), part);
    shown = new Date();
    notice.textContent = "";
  } catch {
    // The stream says when the line is back.
  } finally {
    fetching = false;
    if (again) {
      again = false;
      renew();
    }
  }
}

// Replaces a part of the page only where it differs, and keeps the focus on the same row.
function replace(old, part) {
  if (!old || old.innerHTML === part.innerHTML) return;
  const rows = [...old.querySelectorAll("[data-row]")];
  const focused = rows.indexOf(document.activeElement);
  const target = focused < 0 ? null : document.activeElement.getAttribute("href");
  old.replaceChildren(...part.childNodes);
  if (focused < 0) return;
  const now = [...old.querySelectorAll("[data-row]")];
  const same = target && now.find((row) => row.getAttribute("href") === target);
  (same || now[Math.min(focused, now.length - 1)])?.focus({ preventScroll: true });
}

if ("live" in document.body.dataset) {
  const { ended, lost } = document.body.dataset;
  const events = new EventSource(`/events?seen=${document.body.dataset.version}`);
  events.addEventListener("changed", renew);
  events.addEventListener("over", () => {
    events.close();
    notice.textContent = ended;
  });
  events.addEventListener("error", () => {
    notice.textContent = lost.replace("{time}", shown.toLocaleTimeString(document.documentElement.lang));
    // A browser gives up after an answer that is no stream; the room may just be starting again.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 15000);
  });
  events.addEventListener("open", () => notice.textContent && renew());
  // Ages grow also while nothing happens.
  setInterval(renew, 30000);
}

// --- moving about by keyboard: keys never act -------------------------------------------------------------------------

const OFF = "control-shortcuts-off";
const choice = document.getElementById("shortcuts");
if (choice) {
  choice.disabled = false;
  choice.checked = !localStorage.getItem(OFF);
  choice.addEventListener("change", () => (choice.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
}

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest("input, textarea, select, [contenteditable]");
  if (!document.body.dataset.token || writing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.getItem(OFF)) return;
  if (event.key === "j" || event.key === "k") {
    const rows = [...document.querySelectorAll("[data-row]")];
    const at = rows.indexOf(document.activeElement);
    const next = at < 0 ? 0 : at + (event.key === "j" ? 1 : -1);
    rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
  } else if (event.key === "/") {
    const find = document.getElementById("find");
    if (find) find.focus();
    else location.assign("/late");
  } else if (event.key === "?") {
    location.assign("/keys");
  } else {
    return;
  }
  event.preventDefault();
});
