// The page: a picture is chosen, painted on, filled; the result is downloaded, or the next picture to paint on.

import { ask, blob, fileName, json, save } from "./api.js";
import { Extending, ROOM, SIDES } from "./extending.js";
import { History } from "./history.js";
import { Painting } from "./painting.js";
import { $, busy, complain, during, element, megabytes, mode, onFile, setTheme, tell } from "./ui.js";
import { load } from "./views.js";

const MARGIN = 16; // pixels around the picture
const BRUSH = 1 / 18; // of the picture's shorter side

let facts;
let picture = null; // what the server told of the picture that is painted on
let result = null; // {base, mask, query, fills: [{title, note, picture}], chosen}
const history = new History(({ done, undone }) => {
  $("undo").disabled = !done.length;
  $("redo").disabled = !undone.length;
});
const painting = new Painting({
  frame: $("frame"),
  canvas: $("mask"),
  brush: $("brush"),
  history,
  color: getComputedStyle(document.documentElement).getPropertyValue("--paint").trim(),
  active: () => mode() === "paint" && !busy(),
  changed: showShare,
  tell,
});
const extending = new Extending({
  stage: $("stage"),
  frame: $("frame"),
  edge: $("canvas-edge"),
  inputs: Object.fromEntries(SIDES.map((side) => [side, $(side)])),
  active: () => mode() === "extend" && !busy(),
  changed: (any) => ($("extend").disabled = !any),
});

// States

function enter(next) {
  document.body.dataset.mode = next;
  $("back").hidden = next !== "start" || !picture;
  fit();
}

// All that a step of the history brings back.
async function snapshot() {
  return { mode: mode() === "result" ? "result" : "paint", picture, result, mask: await painting.png() };
}

async function restore(saved) {
  ({ picture, result } = saved);
  await show();
  painting.open(picture.view);
  await painting.put(saved.mask);
  enter(saved.mode);
  if (result) showResult();
}

function remember(before, after) {
  history.push({ undo: () => restore(before), redo: () => restore(after), bytes: 1e5 });
}

// The picture

async function show() {
  await load($("before"), result ? result.base : picture);
  if (result) await load($("after"), result.fills[result.chosen].picture);
  $("before").alt = `Your picture, ${picture.width} by ${picture.height} pixels`;
  fit();
}

// As large as the stage allows, with room around it while it is extended.
function fit() {
  if (!picture) return;
  const { width, height } = picture;
  const around = mode() === "extend" ? 1 + 2 * ROOM : 1;
  const [across, down] = [$("stage").clientWidth - 2 * MARGIN, $("stage").clientHeight - 2 * MARGIN];
  const scale = Math.max(0, Math.min(across / (around * width), down / (around * height)));
  Object.assign($("frame").style, {
    width: `${width * scale}px`,
    height: `${height * scale}px`,
    left: `${MARGIN + (across - width * scale) / 2}px`,
    top: `${MARGIN + (down - height * scale) / 2}px`,
  });
  painting.showBrush();
  if (mode() === "extend") extending.show();
}

async function opened(told) {
  picture = told;
  result = null;
  document.body.dataset.mode = "paint"; // so that the stage has a size
  await show();
  painting.open(picture.view);
  history.reset();
  const side = Math.min(picture.view.width, picture.view.height);
  $("size").max = Math.max(1, Math.round(side / 2));
  setSize(BRUSH * side);
  showFormats();
  if (picture.hole) await painting.put(await blob(`pictures/${picture.id}/hole`));
  enter("paint");
  const why = picture.transparent ? " Its transparent parts are marked." : " What is to go is marked already.";
  tell(`${picture.name}, ${picture.width} by ${picture.height} pixels.${picture.hole ? why : ""}`);
  $("frame").focus({ preventScroll: true });
}

function choose(file) {
  if (!file) return;
  if (file.size > facts.upload)
    return complain(`${file.name} has ${megabytes(file.size)}; this page takes up to ${megabytes(facts.upload)}.`);
  return during("Opening", async () => {
    await opened(await json("pictures", { body: file, query: { name: file.name } }));
  });
}

// The mask

function showShare() {
  const share = picture ? painting.share() : 0;
  const percent = 100 * share;
  const most = share > (facts?.mostly ?? 1);
  const shown = percent < 0.1 ? "Less than 0.1" : percent.toPrecision(percent < 10 ? 2 : 3);
  $("share").textContent = !share
    ? "Nothing is marked yet."
    : `${shown} % of the picture will be filled.${most ? " Is it the inverse that you mean? (Mask, Invert)" : ""}`;
  $("share").classList.toggle("warned", most);
  $("fill").disabled = !share || share === 1;
  $("clear").disabled = !share;
}

function setSize(size) {
  const most = Number($("size").max);
  painting.size = Math.max(1, Math.min(most, Math.round(size)));
  $("size").value = painting.size;
  $("size-shown").textContent = `${painting.size} px`;
  painting.showBrush();
}

function setTool(erasing) {
  painting.erasing = erasing;
  $("tool-paint").setAttribute("aria-pressed", String(!erasing));
  $("tool-erase").setAttribute("aria-pressed", String(erasing));
  painting.showBrush();
}

function changeMask(query) {
  return during("Changing the mask", async () => {
    const body = await painting.png();
    await painting.replace(await blob(`pictures/${picture.id}/paint`, { body, query }));
  });
}

function by() {
  return Math.max(1, Math.min(facts.farthest, Math.round(Number($("by").value)) || 1));
}

function loadMask(file) {
  if (!file) return;
  return during("Loading the mask", async () => {
    await painting.replace(await blob(`pictures/${picture.id}/mask`, { body: file }));
  });
}

function saveMask() {
  return during("", async () => {
    const data = await blob(`pictures/${picture.id}/mask_file`, { body: await painting.png() });
    save(data, `${picture.name.replace(/\.[^.]*$/, "")}_mask.png`);
  });
}

// Filling

async function fillNow(before) {
  const query = { model: $("model").value, blend: $("blend").value };
  const filled = await json(`pictures/${picture.id}/filled`, { body: before.mask, query });
  const fills = [{ title: query.model, picture: filled }];
  result = { base: picture, mask: before.mask, query, fills, chosen: 0 };
  picture = filled;
  await show();
  enter("result");
  showResult();
  remember(before, { mode: "result", picture, result, mask: null });
  $("compare").value = 50;
  moveCut();
  $("stage").scrollIntoView({ block: "start" });
  $("result-title").focus({ preventScroll: true });
  tell($("note").textContent);
}

function fill() {
  return during("Filling the hole", async () => fillNow(await snapshot()));
}

function extend() {
  return during("Extending the picture", async () => {
    const before = await snapshot();
    picture = await json(`pictures/${picture.id}/extended`, { method: "POST", query: extending.margins() });
    try {
      await show();
      painting.open(picture.view);
      await painting.put(await blob(`pictures/${picture.id}/hole`));
      remember(before, await snapshot());
      await fillNow({ ...(await snapshot()), mode: "paint" });
    } catch (error) {
      enter("paint");
      throw error;
    }
  });
}

function showResult() {
  const { fills, chosen } = result;
  const { missing, seconds, grown } = fills[chosen].picture;
  const wider = grown ? ` The hole was widened by ${grown} px, where what it covers shone through.` : "";
  $("note").textContent = `${missing.toLocaleString("en")} pixels were filled in ${seconds.toFixed(1)} s; all others are as they were.${wider}`;
  $("fills").hidden = fills.length < 2;
  $("fills").replaceChildren(
    ...fills.map(({ title, picture: each }, index) => {
      const button = element("button", title);
      button.append(element("small", `${each.seconds.toFixed(1)} s`));
      button.setAttribute("aria-pressed", String(index === chosen));
      button.addEventListener("click", () => during("", () => take(index)));
      return button;
    }),
  );
  $("refine").hidden = !fills[0].picture.smooth || fills.some(({ title }) => title === detailed());
  const shown = new Set(fills.map(({ title }) => title));
  for (const button of $("methods").children) button.disabled = shown.has(button.textContent);
  showFormats();
}

async function take(index) {
  result.chosen = index;
  picture = result.fills[index].picture;
  await show();
  showResult();
  tell(`Shown is the fill by ${result.fills[index].title}`);
}

function compareWith(title, query) {
  return during(`Filling by ${title}`, async () => {
    const options = { body: result.mask, query };
    const filled = await json(`pictures/${result.base.id}/filled`, options);
    await take(result.fills.push({ title, picture: filled }) - 1);
  });
}

function moveCut() {
  $("frame").style.setProperty("--cut", `${$("compare").value}%`);
}

function goOn() {
  return during("", async () => {
    const before = await snapshot();
    result = null;
    await show();
    painting.open(picture.view);
    enter("paint");
    remember(before, await snapshot());
    tell("Paint over what is to go next.");
    $("frame").focus({ preventScroll: true });
  });
}

function showFormats() {
  const own = new Option(`${picture.format}, as it came`, "");
  $("format").replaceChildren(...(picture.format === "PNG" ? [own] : [own, new Option("PNG, without loss", "png")]));
}

function download() {
  return during("Preparing the file", async () => {
    const query = $("format").value ? { png: "" } : {};
    const response = await ask(`pictures/${picture.id}/file`, { query });
    save(await response.blob(), fileName(response));
    tell("Downloaded");
  });
}

// Wiring

function example([name, title]) {
  const [item, button, image] = [element("li"), element("button"), element("img")];
  image.src = `examples/${name}`;
  image.alt = "";
  button.append(image, element("span", title));
  button.addEventListener("click", () =>
    during("Opening", async () => opened(await json(`examples/${name}`, { method: "POST" }))),
  );
  item.append(button);
  return item;
}

function method([name, title]) {
  const button = element("button", title);
  button.addEventListener("click", () => compareWith(title, { method: name }));
  return button;
}

function detailed() {
  return `${result.query.model}, with detail`;
}

function refine() {
  return compareWith(detailed(), { ...result.query, detail: "auto" });
}

const CLICKS = {
  new: () => enter("start"),
  back: () => enter(result ? "result" : "paint"),
  help: () => $("keys").showModal(),
  theme: () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true),
  undo: () => during("Undone", () => history.undo()),
  redo: () => during("Redone", () => history.redo()),
  clear: () => during("Cleared", () => painting.replace(null)),
  grow: () => changeMask({ grow: by() }),
  shrink: () => changeMask({ grow: -by() }),
  feather: () => changeMask({ feather: by() }),
  invert: () => changeMask({ invert: "" }),
  "face-mask": () =>
    during("", async () => painting.replace(await blob(`pictures/${picture.id}/face_mask`))),
  "save-mask": saveMask,
  "tool-paint": () => setTool(false),
  "tool-erase": () => setTool(true),
  "tool-extend": () => {
    extending.open(picture);
    enter("extend");
  },
  "extend-cancel": () => enter("paint"),
  fill,
  extend,
  download,
  "go-on": goOn,
  refine,
};

const KEYS = {
  b: () => mode() === "paint" && setTool(false),
  e: () => mode() === "paint" && setTool(true),
  x: () => mode() === "paint" && CLICKS["tool-extend"](),
  "[": () => setSize(Math.min(painting.size - 1, painting.size / 1.2)),
  "]": () => setSize(Math.max(painting.size + 1, painting.size * 1.2)),
  Enter: () => ({ paint: $("fill"), extend: $("extend"), result: $("go-on") })[mode()]?.click(),
};

function onKey(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const typing = event.target.closest("input:not([type=range]), select, dialog");
  if (typing || mode() === "start") return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    const redo = key === "y" || (key === "z" && event.shiftKey);
    if (key !== "z" && !redo) return;
    event.preventDefault();
    CLICKS[redo ? "redo" : "undo"]();
  } else if (KEYS[key] && !event.altKey && !(key === "Enter" && event.target.closest("button, summary"))) {
    event.preventDefault();
    KEYS[key]();
  }
}

function onDrop(event) {
  event.preventDefault();
  document.body.classList.remove("over");
  ({ start: choose, paint: loadMask })[mode()]?.(event.dataTransfer.files[0]);
}

function wire() {
  for (const [id, work] of Object.entries(CLICKS)) $(id).addEventListener("click", work);
  onFile("picture", choose);
  onFile("mask-file", loadMask);
  $("size").addEventListener("input", () => setSize(Number($("size").value)));
  $("compare").addEventListener("input", moveCut);
  $("problem").lastElementChild.addEventListener("click", () => ($("problem").hidden = true));
  document.addEventListener("keydown", onKey);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  document.addEventListener("dragleave", () => document.body.classList.remove("over"));
  document.addEventListener("drop", onDrop);
  document.addEventListener("paste", (event) => mode() === "start" && choose(event.clipboardData.files[0]));
  new ResizeObserver(fit).observe($("stage"));
}

async function begin() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  setTheme(localStorage.getItem("theme") || (dark ? "dark" : "light"));
  wire();
  facts = await json("facts");
  $("limits").textContent = `${facts.formats.join(", ")}; up to ${megabytes(facts.upload)} and ${facts.megapixels} megapixels.`;
  $("examples").append(...Object.entries(facts.examples).map(example));
  $("methods").append(...Object.entries(facts.classical).map(method));
  $("model").append(...facts.models.map((name) => new Option(name, name)));
  $("blend").append(...Object.entries(facts.blendings).map(([name, title]) => new Option(title, name)));
  document.body.dataset.ready = "";
}

begin().catch((error) => complain(error.message));
