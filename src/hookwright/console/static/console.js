// Makes the pages quicker to use. Everything here is also there without it, by links and forms.
"use strict";

const root = document.documentElement;
root.classList.add("scripted");

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function tell(text) {
  const told = one("#told");
  if (!told) return;
  told.textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { told.textContent = ""; }, 2500);
}

// -- what any page may have --------------------------------------------------------------------------------

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const shows = event.target.closest("[data-shows]");
  if (shows) document.getElementById(shows.dataset.shows).showModal();
});
