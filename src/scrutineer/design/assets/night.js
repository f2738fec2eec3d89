// Compares two published versions: fetches the figures of both and shows the difference. The page works without it.
"use strict";

(() => {
  const section = document.getElementById("compare");
  const texts = document.getElementById("compare-texts");
  if (!section || !texts) return;
  const said = (name) => texts.content.querySelector(name).cloneNode(true);
  // Why nothing can be compared, in place of what is shown without this script.
  const refuse = (name) => section.querySelector(".without").replaceWith(said(name));
  if (location.protocol === "file:") {
    refuse(".folder"); // A page on a disk may read no other file.
    return;
  }

  const form = section.querySelector("form");
  const [earlier, later] = section.querySelectorAll("select");
  const result = section.querySelector(".result");
  const language = document.documentElement.lang;
  const numbers = new Intl.NumberFormat(language, { numberingSystem: "latn", useGrouping: "always" });
  const signs = new Intl.NumberFormat(language, { numberingSystem: "latn", useGrouping: "always", signDisplay: "exceptZero" });
  const times = new Intl.DateTimeFormat(language, {
    dateStyle: "medium", timeStyle: "short", hourCycle: "h23", numberingSystem: "latn", timeZone: section.dataset.zone,
  });
  const fetched = new Map();

  const show = (...parts) => result.replaceChildren(...parts);
  const get = (path) => {
    if (!fetched.has(path)) {
      fetched.set(path, fetch(path).then((answer) => {
        if (!answer.ok) throw new Error(answer.statusText);
        return answer.json();
      }).catch((error) => { fetched.delete(path); throw error; }));
    }
    return fetched.get(path);
  };
  const named = (selector, otherwise) => texts.content.querySelector(selector)?.firstChild?.cloneNode(true) ?? document.createTextNode(otherwise);

  function row(body, head, before, after) {
    const line = body.insertRow();
    const title = document.createElement("th");
    title.scope = "row";
    title.append(head);
    line.append(title);
    const known = (value) => (value === null || value === undefined ? "–" : numbers.format(value));
    line.insertCell().textContent = known(before);
    line.insertCell().textContent = known(after);
    const change = line.insertCell();
    change.className = "change-figure";
    change.textContent = Number.isInteger(before) && Number.isInteger(after) ? signs.format(after - before).replace("-", "−") : "–";
  }

  function table(before, after, when) {
    const drawn = said("table");
    const list = `[data-contest="${CSS.escape(after.contest)}"]`;
    drawn.caption.append(named(list, after.contest));
    drawn.querySelector(".earlier-head").textContent = when[0];
    drawn.querySelector(".later-head").textContent = when[1];
    const body = drawn.tBodies[0];
    for (const [option, votes] of Object.entries(after.votes)) {
      row(body, named(`${list} [data-option="${CSS.escape(option)}"]`, option), before.votes[option], votes);
    }
    for (const label of texts.content.querySelectorAll("[data-field]")) {
      row(body, label.textContent, before[label.dataset.field], after[label.dataset.field]);
    }
    const wide = document.createElement("div");
    wide.className = "wide";
    wide.append(drawn);
    return wide;
  }

  async function compare() {
    if (earlier.value === later.value) return show(said(".same"));
    const asked = [Number(earlier.value), Number(later.value)].sort((a, b) => a - b);
    try {
      const [before, after] = await Promise.all(asked.map((size) => get(`${section.dataset.folder}/${size}.json`)));
      const when = [before, after].map((version) => times.format(version.time_ms));
      show(...after.contests.map((contest, number) => table(before.contests[number], contest, when)));
    } catch {
      show(said(".failed"));
    }
    return undefined;
  }

  async function begin() {
    const list = await get(section.dataset.index);
    if (list.snapshots.length < 2) {
      refuse(".single");
      return;
    }
    for (const version of list.snapshots) {
      for (const select of [earlier, later]) {
        select.add(new Option(`${times.format(version.time_ms)} (${numbers.format(version.size)})`, version.size));
      }
    }
    earlier.selectedIndex = list.snapshots.length - 2;
    later.selectedIndex = list.snapshots.length - 1;
    form.hidden = false;
    section.querySelector(".without").hidden = true;
    for (const select of [earlier, later]) select.addEventListener("change", compare);
    await compare();
  }

  begin().catch(() => refuse(".failed"));
})();
