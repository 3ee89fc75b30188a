// The frame around a picture that is to be extended: drawn on the stage, or typed as four numbers.

export const SIDES = ["left", "top", "right", "bottom"];
export const ROOM = 0.5; // of the picture's sides, around it on the stage

export class Extending {
  constructor({ stage, frame, edge, inputs, active, changed }) {
    Object.assign(this, { stage, frame, edge, inputs, active, changed });
    this.start = null;
    stage.addEventListener("pointerdown", (event) => this.pointerdown(event));
    stage.addEventListener("pointermove", (event) => this.pointermove(event));
    stage.addEventListener("pointerup", () => (this.start = null));
    for (const input of Object.values(inputs)) input.addEventListener("input", () => this.show());
  }

  open({ width, height }) {
    this.size = { width, height };
    const most = { left: width, right: width, top: height, bottom: height };
    for (const side of SIDES) Object.assign(this.inputs[side], { value: 0, max: most[side] });
    this.show();
  }

  margins() {
    const whole = (input) => Math.min(Number(input.max), Math.max(0, Math.round(Number(input.value)) || 0));
    return Object.fromEntries(SIDES.map((side) => [side, whole(this.inputs[side])]));
  }

  place(event) {
    const box = this.frame.getBoundingClientRect();
    const scale = this.size.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  pointerdown(event) {
    if (!this.active() || !event.isPrimary || event.button !== 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.start = this.place(event);
  }

  // The new picture is the rectangle that is drawn and the old picture together.
  pointermove(event) {
    if (!this.active() || !this.start) return;
    const { width, height } = this.size;
    const end = this.place(event);
    const within = (value, side) => Math.round(Math.min(ROOM * side, Math.max(0, value)));
    this.inputs.left.value = within(-Math.min(this.start.x, end.x), width);
    this.inputs.right.value = within(Math.max(this.start.x, end.x) - width, width);
    this.inputs.top.value = within(-Math.min(this.start.y, end.y), height);
    this.inputs.bottom.value = within(Math.max(this.start.y, end.y) - height, height);
    this.show();
  }

  show() {
    const margins = this.margins();
    const scale = this.frame.clientWidth / this.size.width;
    for (const side of SIDES) this.edge.style[side] = `${-margins[side] * scale}px`;
    this.changed(Object.values(margins).some(Boolean));
  }
}
