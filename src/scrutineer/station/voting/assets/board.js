// Renews the overview when the machine has moved on, says so when it does not answer, and takes a form once.
"use strict";
(() => {
  const body = document.body;
  const lost = document.getElementById("lost");
  if (body.dataset.version) {
    const look = async () => {
      try {
        const answer = await fetch("/state", { headers: { accept: "application/json" }, cache: "no-store" });
        if (!answer.ok) throw new Error(String(answer.status));
        const state = await answer.json();
        lost.hidden = true;
        if (state.version !== body.dataset.version) {
          location.replace("/");
          return;
        }
      } catch {
        lost.textContent = body.dataset.lost;
        lost.hidden = false;
      }
      setTimeout(look, 2000);
    };
    setTimeout(look, 2000);
  }
  for (const form of document.forms) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
