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
  say(text);
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { told.textContent = ""; }, 2500);
}

// For those who listen; who looks sees it anyway.
function say(text) {
  const said = one("#said");
  if (!said) return;
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, 5000);
}

// A browser may refuse its storage, to frames of other sites above all: then what was chosen lasts as long as the page.
const choices = {
  has(name) {
    try { return localStorage.getItem(name) !== null; } catch { return false; }
  },
  keep(name, isChosen) {
    try {
      if (isChosen) localStorage.setItem(name, "yes");
      else localStorage.removeItem(name);
    } catch { /* see above */ }
  },
};

// -- what goes on by itself, until somebody stops it (WCAG 2.2.2) --------------------------------------------

const STOPPED = "hookwright-stopped";
let isStopped = choices.has(STOPPED);

function showStop() {
  one("[data-stops]")?.setAttribute("aria-pressed", String(isStopped));
}
showStop();

function setStopped(value) {
  isStopped = value;
  choices.keep(STOPPED, isStopped);
  showStop();
  document.dispatchEvent(new Event(isStopped ? "stopped" : "resumed"));
}

function follow(address, listen) {
  let source = null;
  const begin = () => {
    source = new EventSource(address);
    listen(source);
  };
  const end = () => source?.close();
  if (!isStopped) begin();
  document.addEventListener("resumed", begin);
  document.addEventListener("stopped", end);
  addEventListener("pagehide", end);
}

// -- what any page may have --------------------------------------------------------------------------------

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const shows = event.target.closest("[data-shows]");
  if (shows) document.getElementById(shows.dataset.shows).showModal();
  if (event.target.closest("[data-stops]")) setStopped(!isStopped);
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
  if (isStopped) return;
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
document.addEventListener("resumed", tick);

// -- parts of pages that are loaded anew --------------------------------------------------------------------

async function fetchPage(address) {
  const response = await fetch(address, { headers: { accept: "text/html" } });
  if (response.status === 401) {
    location.reload();
    throw new Error("signed out");
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  stayUntil(one("#ending", page));
  return page;
}

// Who stood at something in a part stands at the same in what comes in its place, or at the part itself.
function exchange(old, fresh, put = () => old.replaceWith(fresh)) {
  const stood = old.contains(document.activeElement) ? document.activeElement : null;
  const alike = (within) => [within, ...all("*", within)].filter((each) => (
    each.tagName === stood.tagName && each.name === stood.name && (each === within || each.textContent === stood.textContent)
  ));
  const at = stood && (stood === old ? 0 : alike(old).indexOf(stood));
  put();
  if (!stood || stood.isConnected) return;
  const same = stood === old ? fresh : alike(fresh)[at];
  const stand = same ?? (fresh.hasAttribute("tabindex") ? fresh : one("a, button", fresh));
  stand?.focus({ preventScroll: true });
}

async function refresh() {
  const part = one("[data-refreshes]");
  if (!part) return;
  const fresh = isStopped ? part : one(`#${part.id}`, await fetchPage(location.href));
  if (!fresh) return;
  if (fresh !== part) exchange(part, document.adoptNode(fresh));
  if (fresh.matches("[data-refreshes]")) setTimeout(refresh, 1000);
  else say(one("p", fresh).textContent);
}
setTimeout(refresh, 1000);

// -- the end of a session or a link, told in time (WCAG 2.2.1) ------------------------------------------------

const TOLD_BEFORE = 120_000;
let endsAt = Infinity;

function stayUntil(ending) {
  if (!ending) return;
  endsAt = Date.now() + ending.dataset.seconds * 1000;
  const shown = one("#ending");
  if (shown) all(":scope > :not(template)", shown).forEach((each) => each.remove());
}
stayUntil(one("#ending"));

setInterval(() => {
  const ending = one("#ending");
  if (!ending || ending.childElementCount > 1 || endsAt - Date.now() > TOLD_BEFORE) return;
  ending.append(one("template", ending).content.cloneNode(true));
}, 1000);

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-stays]")) return;
  await fetchPage(location.href);
  one("#content").focus({ preventScroll: true });
});

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

async function show(address, { remember = true, enters = false } = {}) {
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
  // In a narrow window the pane stands in the place of the list.
  if (enters || !document.activeElement.checkVisibility()) {
    pane.focus({ preventScroll: true });
    one("header", pane).scrollIntoView({ block: "nearest" });
  } else say(one("#pane-title").textContent + ", " + one(".status", pane).textContent);
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
  exchange(pane, fresh, () => place(fresh));
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
    show(one("a", row).href, { enters: true });
  });
  rows.addEventListener("change", countSelected);
  addEventListener("popstate", () => {
    if (/\/deliveries\/\d+/.test(location.pathname)) show(location.href, { remember: false });
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
const HEARD_EVERY = 15_000;
const live = one("[data-live]");

// However many come, those who listen hear of it now and then, in one sentence.
let unheard = 0;
let isHeard = false;

function hear() {
  if (!unheard || isHeard) return;
  say(`${unheard} new ${unheard === 1 ? "delivery" : "deliveries"}`);
  [unheard, isHeard] = [0, true];
  setTimeout(() => { isHeard = false; hear(); }, HEARD_EVERY);
}

function showLive(words) {
  live.classList.toggle("on", words === "live");
  live.textContent = words;
}

function listenToRows(source) {
  let refused = "";
  source.onopen = () => { refused = ""; showLive("live"); };
  source.onerror = () => showLive(refused || "connecting");
  source.addEventListener("refused", (event) => {
    refused = JSON.parse(event.data);
    showLive(refused);
  });
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
      exchange(old, fresh);
      if (one("#pane")?.dataset.id === String(id)) refreshPane();
    } else {
      one(".empty")?.remove();
      rows.closest("table").hidden = false;
      rows.prepend(fresh);
      while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
      unheard += 1;
      hear();
    }
  });
}

if (live && rows) {
  document.addEventListener("stopped", () => showLive("stopped"));
  if (isStopped) showLive("stopped");
  follow(live.dataset.live, listenToRows);
}

// -- keys ---------------------------------------------------------------------------------------------------

const KEYS_OFF = "hookwright-keys-off";
const keysOn = one("#keys-on");
if (keysOn) {
  keysOn.checked = !choices.has(KEYS_OFF);
  keysOn.addEventListener("change", () => choices.keep(KEYS_OFF, !keysOn.checked));
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
    if (link) show(link.href, { enters: true });
    return;
  }
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// -- numbers that change --------------------------------------------------------------------------------------

async function refreshNumbers() {
  const fresh = one("[data-changes]", await fetchPage(location.href));
  const shown = one("[data-changes]");
  if (!fresh) return;
  const opened = all("details", shown).map((each) => each.open);
  all("details", fresh).forEach((each, at) => { each.open = Boolean(opened[at]); });
  exchange(shown, document.adoptNode(fresh));
}

const changes = one("[data-changes]");
if (changes) {
  follow(changes.dataset.changes, (source) => source.addEventListener("changed", refreshNumbers));
  document.addEventListener("resumed", refreshNumbers);
}
