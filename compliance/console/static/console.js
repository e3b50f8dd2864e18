// What every page of the console does beyond plain links and forms. Without it all of them still work.
"use strict";

// A form or button with data-confirm asks first.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A field with data-submits sends its form when it changes (filters).
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// A piece that keeps itself up to date gives up quietly when the session has ended; the next click signs in.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) document.querySelectorAll("[hx-trigger*='every']").forEach((piece) => piece.remove());
});

// htmx keeps the address of the page in the tab's storage; it may hold what was searched for.
document.addEventListener("DOMContentLoaded", () => sessionStorage.removeItem("htmx-current-path-for-history"));
