"use strict";
/* Keeps a page of figures up to date while it is looked at, quietly: nothing that someone reads, types or has opened is disturbed.

   The file site.json says how many entries the site shows. When that has grown, the page is fetched again and its main part is
   brought to what the new page says, element by element, so that focus, scroll position, open details and typed text stay.
   What the page needs stands in <template id="update-words">; where it has an element #updated, that one's data-size and data-time
   say of which log size and time (milliseconds since 1970) its figures are. Listeners hear "updated" on the document. */
(() => {
  const EVERY = 30_000; // milliseconds between two questions
  const SLOWEST = 480_000; // after failures the pause doubles, up to this
  const words = document.getElementById("update-words");
  const main = document.querySelector("main");
  if (!words || !main || location.protocol === "file:") return;
  const lang = `${document.documentElement.lang}-u-nu-latn`;

  function say(word, values) {
    const text = words.content.querySelector(`[data-word="${word}"]`).textContent;
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  const shownAs = (page, name) => Number(page.querySelector("#updated")?.dataset[name] ?? NaN);

  // --- Bringing the old page to the new one ------------------------------------------------------------------------------

  const isSame = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

  // Whether details are open is for the reader to say, and what scripts have put into an element marked data-keep stays.
  function bring(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.hasAttribute("data-keep")) return;
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
    }
    bringChildren(old, fresh);
  }

  /* The children in turn. One that has an id is looked for among those that follow, so that a section stays the same element when
     another is put before it; any other is brought to the one in its place where both are of a kind, and else replaced. */
  function bringChildren(old, fresh) {
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      let found = at && isSame(at, wanted) ? at : null;
      for (let next = at; wanted.id && next && !found; next = next.nextSibling) if (isSame(next, wanted)) found = next;
      if (!found) {
        old.insertBefore(document.importNode(wanted, true), at);
        continue;
      }
      while (at !== found) {
        const passed = at;
        at = at.nextSibling;
        passed.remove();
      }
      bring(found, wanted);
      at = found.nextSibling;
    }
    while (at) {
      const passed = at;
      at = at.nextSibling;
      passed.remove();
    }
  }

  // --- Asking ------------------------------------------------------------------------------------------------------------

  let size = shownAs(document, "size");
  let answered = Date.now();
  let pause = EVERY;
  let timer = 0;

  async function read(address, as) {
    const answer = await fetch(address, { cache: "no-cache", credentials: "omit" });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return answer[as]();
  }

  async function ask() {
    const site = await read(`${words.dataset.home}site.json`, "json");
    if (Number.isNaN(size)) size = site.size;
    if (!(site.size > size)) return;
    const fresh = new DOMParser().parseFromString(await read(location.pathname + location.search, "text"), "text/html");
    const freshMain = fresh.querySelector("main");
    // A cache may still give the page as it was: then the next question finds the new one.
    const now = Number.isNaN(shownAs(fresh, "size")) ? site.size : shownAs(fresh, "size");
    if (!freshMain || !(now > size)) return;
    bringChildren(main, freshMain);
    document.title = fresh.title;
    size = now;
    document.getElementById("announced").textContent = say("updated", { n: size.toLocaleString(lang) });
    document.dispatchEvent(new CustomEvent("updated"));
  }

  async function turn() {
    clearTimeout(timer);
    try {
      await ask();
      [answered, pause] = [Date.now(), EVERY];
    } catch {
      // No connection, or a server that is overloaded: ask less often, and say so where it lasts.
      pause = Math.min(2 * pause, SLOWEST);
    }
    showAge();
    timer = setTimeout(turn, pause);
  }

  // How old the newest figures are, in the reader's language; or since when the site has not answered.
  function showAge() {
    const place = document.getElementById("age");
    const seconds = Math.max(0, (Date.now() - shownAs(document, "time")) / 1000);
    const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
    const lengths = [[86_400, "day"], [3_600, "hour"], [60, "minute"], [1, "second"]];
    const [length, unit] = lengths.find(([most]) => seconds >= most) ?? [1, "second"];
    if (Date.now() - answered > 2 * EVERY && pause > EVERY) {
      const time = new Date(answered).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" });
      place.textContent = say("silent", { time });
    } else {
      place.textContent = Number.isNaN(seconds) ? "" : say("age", { age: relative.format(-Math.floor(seconds / length), unit) });
    }
  }

  // A page that nobody looks at asks nothing; when it is looked at again, it asks at once.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible") turn();
  });
  showAge();
  if (document.visibilityState === "visible") timer = setTimeout(turn, EVERY);
  setInterval(showAge, 10_000);
})();
