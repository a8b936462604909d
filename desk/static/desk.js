// The little that pages need beside htmx: keys, a quiet page while hidden, an honest banner.
"use strict";

const results = () => [...document.querySelectorAll("[data-result]")];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.querySelector("[data-find]");
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "/" && !typing && field) {
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const all = results();
    const here = all.indexOf(document.activeElement);
    if (!all.length || (here < 0 && !event.target.matches("[data-find]"))) return;
    event.preventDefault();
    const next = here + (event.key === "ArrowDown" ? 1 : -1);
    if (next < 0) field?.focus();
    else all[Math.min(next, all.length - 1)].focus();
  } else if (event.key === "Escape" && event.target.matches("[data-find]")) {
    event.target.value = "";
    event.target.dispatchEvent(new Event("search", { bubbles: true }));
  }
});

// A day is shown when it is chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A page that nobody sees asks nothing; it asks at once when somebody looks again.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.matches("[data-live]")) event.preventDefault();
});

// What a reader has unfolded stays unfolded when its part of the page is drawn anew.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (!event.detail.target.querySelector("details[open]")) return;
  event.detail.fragment.querySelector("details")?.setAttribute("open", "");
});

// What cannot be asked any more is told, until it can be asked again.
document.addEventListener("htmx:afterRequest", (event) => {
  const status = event.detail.xhr.status;
  document.body.classList.toggle("is-lost", status === 0 || status >= 500);
});
