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

async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch { // a frame that was not given `clipboard-write`, or a page without https
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
    getSelection().removeAllRanges();
  }
}

// -- times -------------------------------------------------------------------------------------------------

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function span(seconds) {
  for (const [length, name] of UNITS) {
    if (seconds < length) continue;
    const whole = Math.floor(seconds / length);
    const next = UNITS[UNITS.findIndex(([each]) => each === length) + 1];
    const rest = next ? Math.floor((seconds % length) / next[0]) : 0;
    return whole < 10 && rest ? `${whole} ${name} ${rest} ${next[1]}` : `${whole} ${name}`;
  }
  return "0 s";
}

function tick() {
  const now = Date.now();
  for (const time of all("time[data-ago]")) {
    const seconds = Math.floor((now - Date.parse(time.dateTime)) / 1000);
    time.textContent = seconds < 1 ? "now" : `${span(seconds)} ago`;
  }
  for (const time of all("time[data-until]")) {
    const seconds = Math.ceil((Date.parse(time.dateTime) - now) / 1000);
    time.textContent = seconds > 0 ? `in ${span(seconds)}` : "now";
    if (seconds <= 0 && !time.dataset.over) {
      time.dataset.over = "yes";
      setTimeout(refreshPane, 1500);
    }
  }
}
setInterval(tick, 1000);

// -- parts of pages that are loaded anew --------------------------------------------------------------------

async function fetchPage(address) {
  const response = await fetch(address, { headers: { accept: "text/html" } });
  if (response.status === 401) {
    location.reload();
    throw new Error("signed out");
  }
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function refresh() {
  const part = one("[data-refreshes]");
  if (!part) return;
  const fresh = one(`#${part.id}`, await fetchPage(location.href));
  if (!fresh) return;
  part.replaceWith(fresh);
  if (fresh.matches("[data-refreshes]")) setTimeout(refresh, 1000);
}
setTimeout(refresh, 1000);

// -- the list and the pane beside it ------------------------------------------------------------------------

const rows = one("#rows");
const split = one(".split");

function place(pane) {
  one("#pane")?.remove();
  split.classList.toggle("opened", Boolean(pane));
  for (const row of all("tr.open", rows)) row.classList.remove("open");
  if (!pane) return;
  split.append(document.adoptNode(pane));
  one(`#row-${pane.dataset.id}`)?.classList.add("open");
}

// Answers may come in another order than they were asked for. Of two about the same page, what was asked later knows more.
let asks = 0;
let newest = { address: "", ask: 0 };

async function newestPage(address) {
  const [whole, ask] = [new URL(address, location.href).href, ++asks];
  const page = await fetchPage(address);
  if (whole === newest.address && ask < newest.ask) return null;
  newest = { address: whole, ask };
  return page;
}

async function show(address, remember = true) {
  const page = await newestPage(address);
  if (!page) return;
  const pane = one("#pane", page);
  if (!pane) {
    location.assign(address);
    return;
  }
  place(pane);
  document.title = page.title;
  if (remember) history.pushState({}, "", address);
  tick();
}

async function refreshPane() {
  const [pane, address] = [one("#pane"), location.href];
  if (!pane || pane.contains(document.activeElement) && document.activeElement.matches("input")) return;
  const page = await newestPage(address);
  const fresh = page && one("#pane", page);
  if (!fresh || !one("#pane") || location.href !== address) return;
  const opened = all("details", pane).map((each) => each.open);
  if (opened.length === all("details", fresh).length) all("details", fresh).forEach((each, at) => { each.open = opened[at]; });
  const top = pane.scrollTop;
  place(fresh);
  one("#pane").scrollTop = top;
  tick();
}

function closePane() {
  const close = one("#pane .close");
  if (!close) return;
  history.pushState({}, "", close.href);
  const row = one(`#row-${one("#pane").dataset.id}`);
  place(null);
  if (row) stand(row);
}

function stand(row) {
  for (const each of all("tr.here", rows)) each.classList.remove("here");
  row.classList.add("here");
  const link = one("a", row);
  link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const every = all("tr", rows);
  if (!every.length) return;
  const at = every.findIndex((row) => row.matches(".here"));
  const from = at >= 0 ? at : every.findIndex((row) => row.matches(".open"));
  const next = every[Math.min(every.length - 1, Math.max(0, from + by))] ?? every[0];
  stand(next);
  if (one("#pane")) show(one("a", next).href);
}

function countSelected() {
  const button = one("[data-needs-selection]");
  if (!button) return;
  const number = all("input[name=id]:checked", rows).length;
  button.disabled = number === 0;
  one("[data-selected]", button).textContent = number ? ` (${number})` : "";
}

if (rows) {
  rows.addEventListener("click", (event) => {
    if (event.target.closest("input") || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const row = event.target.closest("tr");
    if (!row || getSelection().toString()) return;
    event.preventDefault();
    stand(row);
    show(one("a", row).href);
  });
  rows.addEventListener("change", countSelected);
  addEventListener("popstate", () => {
    if (/\/deliveries\/\d+/.test(location.pathname)) show(location.href, false);
    else location.reload();
  });
  countSelected();
}

document.addEventListener("click", async (event) => {
  if (event.target.closest("#pane .close") && rows) {
    event.preventDefault();
    closePane();
  }
  const copies = event.target.closest("[data-copies]");
  if (copies) {
    await copy(document.getElementById(copies.dataset.copies));
    tell("Copied");
  }
});

// -- live ---------------------------------------------------------------------------------------------------

const MOST_ROWS = 200;
const live = one("[data-live]");
if (live && rows) {
  const source = new EventSource(live.dataset.live);
  source.onopen = () => live.classList.add("on");
  source.onerror = () => live.classList.remove("on");
  source.addEventListener("row", (event) => {
    const { id, html } = JSON.parse(event.data);
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const fresh = one("tr", holder.content);
    const old = one(`#row-${id}`);
    if (old) {
      for (const name of ["here", "open"]) fresh.classList.toggle(name, old.classList.contains(name));
      const [was, is] = [one("input", old), one("input", fresh)];
      if (was && is) is.checked = was.checked;
      const hadFocus = old.contains(document.activeElement);
      old.replaceWith(fresh);
      if (hadFocus) one("a", fresh).focus({ preventScroll: true });
      if (one("#pane")?.dataset.id === String(id)) refreshPane();
    } else {
      one(".empty")?.remove();
      rows.prepend(fresh);
      while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
    }
  });
  addEventListener("pagehide", () => source.close());
}

// -- keys ---------------------------------------------------------------------------------------------------

const KEYS_OFF = "hookwright-keys-off";
const keysOn = one("#keys-on");
if (keysOn) {
  keysOn.checked = !localStorage.getItem(KEYS_OFF);
  keysOn.addEventListener("change", () => {
    if (keysOn.checked) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "yes");
  });
}

function replay() {
  const selected = all("input[name=id]:checked", rows ?? document).length;
  const button = selected ? one("[data-needs-selection]") : one("#pane [data-replays]");
  if (button) button.click();
  else tell("Open or select a delivery first");
}

const KEYS = {
  j: () => rows && step(1),
  k: () => rows && step(-1),
  x: () => { const box = one("tr.here input", rows ?? document); if (box) { box.checked = !box.checked; countSelected(); } },
  r: replay,
  "/": () => one("#search").focus(),
  "?": () => one("#keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (event.key === "Escape" && !one("dialog[open]")) {
    if (typing) event.target.blur();
    else closePane();
    return;
  }
  if (typing || one("dialog[open]") || !keysOn?.checked) return;
  if (event.key === "Enter" && document.activeElement === document.body && rows) {
    const link = one("tr.here a", rows);
    if (link) show(link.href);
    return;
  }
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// -- numbers that change --------------------------------------------------------------------------------------

const changes = one("[data-changes]");
if (changes) {
  const source = new EventSource(changes.dataset.changes);
  source.addEventListener("changed", async () => {
    const shown = one("[data-changes]");
    if (shown.contains(document.activeElement)) return;
    const fresh = one("[data-changes]", await fetchPage(location.href));
    if (!fresh) return;
    const opened = all("details", shown).map((each) => each.open);
    all("details", fresh).forEach((each, at) => { each.open = Boolean(opened[at]); });
    shown.replaceWith(fresh);
  });
  addEventListener("pagehide", () => source.close());
}
