// What can be undone and redone: steps with the functions `undo` and `redo`, which may take time, and `bytes`.

const STEPS = 200;
const BYTES = 300e6;

export class History {
  constructor(changed) {
    this.changed = changed;
    this.reset();
  }

  reset() {
    this.done = [];
    this.undone = [];
    this.changed(this);
  }

  push(step) {
    this.done.push(step);
    this.undone = [];
    const total = () => this.done.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
    while (this.done.length > 1 && (this.done.length > STEPS || total() > BYTES)) this.done.shift();
    this.changed(this);
  }

  undo() {
    return this.move(this.done, this.undone, "undo");
  }

  redo() {
    return this.move(this.undone, this.done, "redo");
  }

  async move(from, to, what) {
    const step = from.pop();
    if (!step) return;
    try {
      await step[what]();
      to.push(step);
    } catch (error) {
      from.push(step);
      throw error;
    } finally {
      this.changed(this);
    }
  }
}
