// Adds the figures of the whole to the page of a place. They change all night and the page of the place does not, so they are
// fetched from the summary of the results. Without this script the table stays hidden, and nothing else is missing.
"use strict";
for (const section of document.querySelectorAll("section[data-whole]")) {
  const settings = section.dataset;
  // Hundredths of a per cent, rounded half up as everywhere on the site.
  const hundredths = (part, of) => Math.floor((part * 20000 + of) / (2 * of));
  const written = (value) =>
    Math.floor(value / 100) + settings.decimal + String(value % 100).padStart(2, "0");
  const points = (value) =>
    (value > 0 ? "+" : value < 0 ? settings.minus : "") + written(Math.abs(value));
  fetch(settings.whole)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
    .then((summary) => {
      const contest = summary.contests.find((found) => found.contest === settings.contest);
      const valid = Object.values(contest.votes).reduce((sum, votes) => sum + votes, 0);
      const aside = (contest.blank ?? 0) + (contest.null ?? 0);
      const base = { valid, cast: valid + aside, ballots: contest.ballots - aside }[settings.base];
      for (const row of section.querySelectorAll("tr[data-part]")) {
        const { candidate, part, of } = row.dataset;
        const votes = candidate ? contest.candidates[candidate] : contest.ballots;
        const whole = candidate ? base : contest.roll_counted;
        const [, there, difference] = row.querySelectorAll("td");
        if (whole > 0 && of > 0) {
          const share = hundredths(votes, whole);
          there.textContent = settings.before + written(share) + settings.after;
          difference.textContent = points(hundredths(Number(part), Number(of)) - share);
        }
      }
      section.hidden = false;
    })
    .catch(() => {
      // Read from a disk, or without a connection: the page is complete without the comparison.
    });
}
