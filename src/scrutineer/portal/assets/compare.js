// Puts a place beside the whole of its contest. The figures of the whole change all night and the page of a place does not, so they
// are fetched from the summary of the results. Without this script the table stays hidden, and nothing else is missing.
"use strict";
for (const section of document.querySelectorAll("section[data-file]")) {
  const here = section.dataset;
  // Hundredths of a per cent, rounded half up as everywhere on the site.
  const hundredths = (part, of) => Math.floor((part * 20000 + of) / (2 * of));
  const written = (value) => Math.floor(value / 100) + here.decimal + String(value % 100).padStart(2, "0");
  const share = (value) => here.before + written(value) + here.after;
  const points = (value) => (value > 0 ? "+" : value < 0 ? here.minus : "") + written(Math.abs(value));
  const names = section.parentElement.querySelectorAll("table.votes tbody th");
  const body = section.querySelector("tbody");

  const add = (name, [part, of], [partThere, ofThere]) => {
    if (!(of > 0 && ofThere > 0)) return;
    const row = body.insertRow();
    const head = row.appendChild(document.createElement("th"));
    head.scope = "row";
    head.append(name);
    const shares = [hundredths(part, of), hundredths(partThere, ofThere)];
    for (const text of [...shares.map(share), points(shares[0] - shares[1])]) row.insertCell().textContent = text;
  };

  const show = (summary) => {
    const whole = summary.contests.find((contest) => contest.contest === here.contest);
    const valid = Object.values(whole.votes).reduce((sum, votes) => sum + votes, 0);
    const aside = (whole.blank ?? 0) + (whole.null ?? 0);
    const base = { valid, cast: valid + aside, ballots: whole.ballots - aside }[here.base];
    const votes = here.votes.split(" ").map(Number);
    here.candidates.split(" ").forEach((candidate, index) => {
      const name = names[index].cloneNode(true);
      name.querySelector(".parts")?.remove();
      const label = document.createElement("span");
      label.append(...name.childNodes);
      add(label, [votes[index], Number(here.of)], [whole.candidates[candidate], base]);
    });
    add(here.turnout, [Number(here.ballots), Number(here.roll)], [whole.ballots, whole.roll_counted]);
    section.hidden = false;
  };

  fetch(here.file)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
    .then(show)
    .catch(() => {
      // Read from a disk, or without a connection: the page is complete without the comparison.
    });
}
