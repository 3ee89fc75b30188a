// What all of the page uses: its elements, its modes, work that takes time, messages.

import { Refusal } from "./api.js";

export const $ = (id) => document.getElementById(id);

export function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

// "start", "paint", "extend" or "result"
export function mode() {
  return document.body.dataset.mode;
}

export function busy() {
  return document.body.classList.contains("busy");
}

// Does something that takes time; nothing else is begun meanwhile, and what goes wrong is told.
export async function during(words, work) {
  if (busy()) return;
  document.body.classList.add("busy");
  $("editor").setAttribute("aria-busy", "true");
  $("problem").hidden = true;
  if (words) tell(words);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    complain(error instanceof Refusal ? error.message : "This did not work. Please try again.");
  } finally {
    document.body.classList.remove("busy");
    $("editor").removeAttribute("aria-busy");
  }
}

// To those who do not see the page.
export function tell(words) {
  $("said").textContent = words;
}

export function complain(words) {
  $("problem").firstElementChild.textContent = words;
  $("problem").hidden = false;
}

export function megabytes(bytes) {
  return `${Number((bytes / 2 ** 20).toPrecision(3))} MB`;
}

export function onFile(id, work) {
  $(id).addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = ""; // the same file can be chosen again, and a refused one does not stay
    work(file);
  });
}

export function setTheme(theme, keep) {
  document.documentElement.dataset.theme = theme;
  if (keep) localStorage.setItem("theme", theme);
}
