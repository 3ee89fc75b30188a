// The paint over a picture: strokes by pointer and keys, each of which can be undone. The canvas has the size of
// the picture's view; its opacity is the mask.

const ALPHA = 3; // of four bytes for each pixel

export class Painting {
  constructor({ frame, canvas, brush, history, color, active, changed, tell }) {
    Object.assign(this, { frame, canvas, brush, history, color, active, changed, tell });
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.old = document.createElement("canvas"); // as it was before a stroke
    this.size = 20; // pixels of the canvas
    this.erasing = false;
    this.spot = { x: 0, y: 0 };
    this.last = null; // the end of the last stroke
    this.stroke = null; // the rectangle that a stroke in progress touches
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel", "keydown", "blur"])
      frame.addEventListener(name, (event) => this[name](event));
  }

  open({ width, height }) {
    for (const canvas of [this.canvas, this.old]) Object.assign(canvas, { width, height });
    this.spot = { x: width / 2, y: height / 2 };
    this.last = this.stroke = null;
    this.changed();
  }

  // The whole painting

  png() {
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  async put(file) {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (file) {
      const bitmap = await createImageBitmap(file);
      this.context.drawImage(bitmap, 0, 0);
      bitmap.close();
    }
    this.changed();
  }

  // Replaces it, in a way that can be undone.
  async replace(file) {
    this.begin();
    await this.put(file);
    this.stroke = { left: 0, top: 0, right: this.canvas.width, bottom: this.canvas.height };
    this.end();
  }

  share() {
    const { data } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    let painted = 0;
    for (let index = ALPHA; index < data.length; index += 4) painted += data[index] > 0;
    return painted / (data.length / 4);
  }

  // Strokes

  begin() {
    const context = this.old.getContext("2d");
    context.clearRect(0, 0, this.old.width, this.old.height);
    context.drawImage(this.canvas, 0, 0);
    this.stroke = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  }

  line(from, to) {
    const { context, size, stroke } = this;
    context.globalCompositeOperation = this.erasing ? "destination-out" : "source-over";
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = size;
    context.strokeStyle = this.color;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    context.globalCompositeOperation = "source-over";
    for (const { x, y } of [from, to]) {
      stroke.left = Math.min(stroke.left, x - size);
      stroke.top = Math.min(stroke.top, y - size);
      stroke.right = Math.max(stroke.right, x + size);
      stroke.bottom = Math.max(stroke.bottom, y + size);
    }
    this.last = to;
  }

  end() {
    const rectangle = this.clipped(this.stroke);
    this.stroke = null;
    if (!rectangle) return;
    const before = this.old.getContext("2d").getImageData(...rectangle);
    const after = this.context.getImageData(...rectangle);
    const put = (data) => {
      this.context.putImageData(data, rectangle[0], rectangle[1]);
      this.changed();
    };
    this.history.push({ undo: () => put(before), redo: () => put(after), bytes: 2 * before.data.length });
    this.changed();
  }

  clipped({ left, top, right, bottom }) {
    const x = Math.max(0, Math.floor(left));
    const y = Math.max(0, Math.floor(top));
    const width = Math.min(this.canvas.width, Math.ceil(right)) - x;
    const height = Math.min(this.canvas.height, Math.ceil(bottom)) - y;
    return width > 0 && height > 0 ? [x, y, width, height] : null;
  }

  // By pointer

  place(event) {
    const box = this.frame.getBoundingClientRect();
    const scale = this.canvas.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  pointerdown(event) {
    if (!this.active() || !event.isPrimary || event.button !== 0) return;
    this.frame.setPointerCapture(event.pointerId);
    this.spot = this.place(event);
    if (!this.stroke) this.begin();
    this.line(event.shiftKey && this.last ? this.last : this.spot, this.spot);
    this.showBrush();
  }

  pointermove(event) {
    if (!this.active() || !event.isPrimary) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const each of moves.length ? moves : [event]) {
      const from = this.spot;
      this.spot = this.place(each);
      if (this.stroke) this.line(from, this.spot);
    }
    this.showBrush();
  }

  pointerup(event) {
    if (this.stroke && event.isPrimary) this.end();
    this.showBrush();
  }

  pointercancel(event) {
    this.pointerup(event);
  }

  // By keys

  keydown(event) {
    if (!this.active() || event.target !== this.frame || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = Math.max(1, this.size / (event.shiftKey ? 8 : 2));
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") this.stroke ? this.lift() : this.lower();
    else if (moves[event.key]) this.move(...moves[event.key].map((each) => each * step));
    else return;
    event.preventDefault();
    this.showBrush();
    const across = Math.round((100 * this.spot.x) / this.canvas.width);
    const down = Math.round((100 * this.spot.y) / this.canvas.height);
    this.tell(`Brush ${this.stroke ? "down" : "lifted"}, ${across} % across, ${down} % down`);
  }

  lower() {
    this.begin();
    this.line(this.spot, this.spot);
  }

  lift() {
    this.end();
  }

  move(x, y) {
    const from = this.spot;
    this.spot = {
      x: Math.min(this.canvas.width, Math.max(0, from.x + x)),
      y: Math.min(this.canvas.height, Math.max(0, from.y + y)),
    };
    if (this.stroke) this.line(from, this.spot);
  }

  blur() {
    if (this.stroke) this.end();
  }

  showBrush() {
    const scale = this.frame.clientWidth / this.canvas.width;
    const side = `${Math.max(4, this.size * scale)}px`;
    Object.assign(this.brush.style, {
      width: side,
      height: side,
      left: `${this.spot.x * scale}px`,
      top: `${this.spot.y * scale}px`,
    });
    this.brush.classList.toggle("erasing", this.erasing);
    this.brush.classList.toggle("down", Boolean(this.stroke));
  }
}
