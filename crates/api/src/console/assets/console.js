// The console without this script shows the same pages and sends the same forms.
// It refreshes what changed, moves by keyboard, and opens the help.
"use strict";

const busy = () => {
  const at = document.activeElement;
  const writes = at && (at.matches("input:not([type=search]), textarea, select") || at.closest("dialog[open]"));
  const changed = [...document.querySelectorAll("main input, main textarea")].some(
    (field) => field.type !== "hidden" && field.value !== field.defaultValue,
  );
  return Boolean(writes) || changed;
};

let chosen = -1;
const rows = () => [...document.querySelectorAll("main [data-row]")];

const choose = (place) => {
  const all = rows();
  if (all.length === 0) return;
  chosen = Math.max(0, Math.min(all.length - 1, place));
  all.forEach((row, index) => row.classList.toggle("chosen", index === chosen));
  all[chosen].scrollIntoView({ block: "nearest" });
};

// A new copy of the page takes the place of the old one, unless somebody writes.
let waiting = false;
const refresh = async () => {
  if (busy()) {
    waiting = true;
    return;
  }
  waiting = false;
  const answer = await fetch(location.href, { headers: { "x-refresh": "yes" } });
  if (!answer.ok || answer.redirected !== false && new URL(answer.url).pathname === "/login") return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [now, then] = [document.querySelector("main"), page.querySelector("main")];
  if (!now || !then || busy() || now.innerHTML === then.innerHTML) return;
  now.replaceWith(then);
  if (chosen >= 0) choose(chosen);
};

let pulse = null;
const listen = () => {
  const is_parked = /^\/parked\/./.test(location.pathname);
  const is_form = location.pathname === "/withdraw";
  if (document.hidden || !document.querySelector(".body") || is_parked || is_form) {
    if (pulse) pulse.close();
    pulse = null;
  } else if (!pulse) {
    pulse = new EventSource("/pulse");
    let due = null;
    pulse.onmessage = () => {
      clearTimeout(due);
      due = setTimeout(() => refresh().catch(() => {}), 250);
    };
  }
};
document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => pulse && pulse.close());
document.addEventListener("focusout", () => waiting && setTimeout(() => refresh().catch(() => {}), 300));
listen();

const help = document.querySelector("#help");
const opener = document.querySelector("#help-open");
if (help && opener) opener.addEventListener("click", () => help.showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  if (at.matches && at.matches("input, textarea, select")) {
    if (event.key === "Escape") at.blur();
    return;
  }
  const keys = {
    "/": () => document.querySelector("#search")?.focus(),
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    a: () => {
      const field = document.querySelector("#approve-reason:not([disabled])");
      if (field) field.focus();
      else if (!document.querySelector("#decide")) location.assign("/approve");
    },
    "?": () => help && !help.open && help.showModal(),
  };
  if (event.key === "Enter" && chosen >= 0 && at === document.body) {
    rows()[chosen]?.querySelector("a")?.click();
  } else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});
