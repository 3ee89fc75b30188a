// Pictures in the size in which they are shown.

import { $ } from "./ui.js";

const LARGEST = 2048;
const STEP = 256; // so that a window that changes a little needs no other file

function longest() {
  const side = Math.max($("stage").clientWidth, $("stage").clientHeight, 480) * (window.devicePixelRatio || 1);
  return Math.min(LARGEST, STEP * Math.ceil(side / STEP));
}

// Shows a picture of the server in an image element.
export async function load(image, { id }) {
  image.src = `pictures/${id}/view?longest=${longest()}`;
  await image.decode();
}
