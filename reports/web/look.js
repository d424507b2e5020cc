// Turn addresses of pictures into canvases whose every pixel is the picture's own: slider, flip, side by side.

const ZOOMS = [1, 2, 3, 4, 6, 8, 12, 16];
const MODES = { slider: "Slider", flip: "Flip", side: "Side by side" };
const GROUND = "#808080";
const bitmaps = new Map();

/** Return the decoded picture behind an address; its pixels are those of the file, not colour-managed. */
function load(address) {
  if (!bitmaps.has(address)) {
    const bitmap = fetch(address)
      .then(async (answer) => {
        if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `status ${answer.status}`);
        return createImageBitmap(await answer.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
      })
      .catch((error) => {
        bitmaps.delete(address);
        throw error;
      });
    bitmaps.set(address, bitmap);
    // The oldest ones go: a picture of 20 megapixels takes 80 MB.
    if (bitmaps.size > 24) bitmaps.delete(bitmaps.keys().next().value);
  }
  return bitmaps.get(address);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

class Look {
  constructor(root, tell) {
    this.root = root;
    this.tell = tell;
    this.state = { mode: "slider", zoom: 1, x: 0, y: 0, first: 0, second: 1, split: 50 };
    this.bar = element("div", { class: "bar", role: "toolbar", "aria-label": "How pictures are compared" });
    this.stage = element("div", { class: "stage", tabindex: "0", role: "application",
      "aria-label": "Pictures. Arrow keys move, plus and minus magnify, space flips, digits choose a picture." });
    this.below = element("div");
    this.word = element("p", { class: "word", "aria-live": "polite" });
    root.append(this.bar, this.stage, this.below, this.word);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(root);
  }

  /** Take the panes and, where the page was opened or the browser went back, the view. */
  take(data) {
    if (data.opening !== this.opening) {
      Object.assign(this.state, parse(data.view));
      this.opening = data.opening;
    }
    const key = JSON.stringify(data.panes.map((one) => [one.address, one.name, one.numbers]));
    if (key === this.key) return;
    this.key = key;
    this.panes = data.panes;
    this.images = this.panes.map(() => null);
    this.troubles = this.panes.map(() => "");
    this.clamp();
    this.controls();
    this.panes.forEach((pane, index) => {
      load(pane.address).then(
        (image) => { if (this.key === key) { this.images[index] = image; this.draw(); } },
        (error) => { if (this.key === key) { this.troubles[index] = error.message; this.draw(); } },
      );
    });
    this.draw();
  }

  clamp() {
    const last = this.panes.length - 1;
    const { state } = this;
    state.first = Math.min(Math.max(0, state.first), last);
    state.second = Math.min(Math.max(0, state.second), last);
    if (!(state.mode in MODES)) state.mode = "slider";
    if (!ZOOMS.includes(state.zoom)) state.zoom = 1;
  }

  controls() {
    const { state } = this;
    const modes = Object.entries(MODES).map(([mode, name]) => this.button(name, () => { state.mode = mode; }, mode === state.mode));
    const chooser = (which, label) => {
      const select = element("select", { "aria-label": label });
      this.panes.forEach((pane, index) => select.append(new Option(pane.name, index, false, index === state[which])));
      select.addEventListener("change", () => { state[which] = Number(select.value); this.changed(); });
      return select;
    };
    const zoom = element("span", { class: "zoom", "aria-live": "polite" }, `${state.zoom}×`);
    const groups = [
      [...modes],
      state.mode === "side" ? [] : [chooser("first", "First picture"), chooser("second", "Second picture")],
      [this.button("−", () => this.step(-1), null, "Smaller"), zoom, this.button("+", () => this.step(1), null, "Larger")],
    ];
    const focused = this.bar.contains(this.root.getRootNode().activeElement)
      ? [...this.bar.querySelectorAll("button, select")].indexOf(this.root.getRootNode().activeElement) : -1;
    this.bar.replaceChildren(...groups.map((group) => element("div", { class: "group" }, ...group)));
    if (focused >= 0) [...this.bar.querySelectorAll("button, select")][focused]?.focus();
  }

  button(name, act, pressed = null, label = null) {
    const made = element("button", { type: "button" }, name);
    if (pressed !== null) made.setAttribute("aria-pressed", String(pressed));
    if (label) made.setAttribute("aria-label", label);
    made.addEventListener("click", () => { act(); this.changed(); });
    return made;
  }

  step(by) {
    const at = ZOOMS.indexOf(this.state.zoom) + by;
    this.zoomTo(ZOOMS[Math.min(Math.max(at, 0), ZOOMS.length - 1)]);
  }

  /** Magnify, keeping a point of the canvas (device pixels; its middle if absent) where it is. */
  zoomTo(zoom, point = null) {
    const { state } = this;
    const at = point || { x: this.size.width / 2, y: this.size.height / 2 };
    state.x += at.x / state.zoom - at.x / zoom;
    state.y += at.y / state.zoom - at.y / zoom;
    state.zoom = zoom;
  }

  changed() {
    this.controls();
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(write(this.state)), 400);
  }

  /** Return which panes are drawn beside each other. */
  shown() {
    const { mode, first } = this.state;
    if (mode === "side") return this.panes.map((_, index) => index);
    return [first];
  }

  draw() {
    if (!this.panes) return;
    const ratio = window.devicePixelRatio || 1;
    const shown = this.shown();
    const room = this.root.clientWidth || 300;
    const columns = Math.max(1, Math.min(shown.length, Math.floor(room / 260)));
    this.stage.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    const image = this.images.find((one) => one);
    const wide = Math.floor(((room - (columns - 1) * 8) / columns) * ratio);
    const tall = Math.floor(Math.max(240, window.innerHeight * (columns < shown.length ? 0.4 : 0.62)) * ratio);
    const { state } = this;
    this.size = image
      ? { width: Math.min(wide, image.width * state.zoom), height: Math.min(tall, image.height * state.zoom) }
      : { width: wide, height: Math.round(tall / 2) };
    if (image) {
      const within = (value, length, seen) => Math.min(Math.max(0, Math.round(value)), Math.max(0, Math.ceil(length - seen / state.zoom)));
      state.x = within(state.x, image.width, this.size.width);
      state.y = within(state.y, image.height, this.size.height);
    }
    while (this.stage.children.length > shown.length) this.stage.lastChild.remove();
    while (this.stage.children.length < shown.length) {
      this.stage.append(element("div", { class: "pane" }, element("canvas"), element("div", { class: "caption" })));
    }
    shown.forEach((index, place) => this.pane(this.stage.children[place], index, ratio));
    this.slider();
    const troubles = [...new Set(this.troubles.filter(Boolean))];
    const ready = this.panes.every((_, index) => this.images[index] || this.troubles[index]);
    this.word.className = troubles.length ? "word trouble" : "word";
    this.word.textContent = troubles.length ? troubles.join(" · ") : !ready ? "Decoding the pictures …"
      : "One pixel of the picture is a whole number of pixels of the screen; nothing is smoothed or re-encoded. "
        + "Drag or arrow keys move, + and − or the wheel with Ctrl magnify, space flips, digits choose.";
    this.root.dataset.ready = String(ready);
  }

  pane(box, index, ratio) {
    const [canvas, caption] = box.children;
    const { width, height } = this.size;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    Object.assign(canvas.style, { width: `${width / ratio}px`, height: `${height / ratio}px`, marginLeft: "0", marginTop: "0" });
    snap(canvas, ratio);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", this.label(index));
    const context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb" });
    context.imageSmoothingEnabled = false;
    context.fillStyle = GROUND;
    context.fillRect(0, 0, width, height);
    if (this.state.mode === "slider") {
      const edge = Math.round((width * this.state.split) / 100);
      this.paint(context, this.state.first, 0, edge, height);
      this.paint(context, this.state.second, edge, width - edge, height);
      context.fillStyle = "#ffffff";
      if (edge > 0 && edge < width) context.fillRect(edge - 1, 0, 2, height);
    } else {
      this.paint(context, index, 0, width, height);
    }
    const told = this.state.mode === "slider" ? [this.state.first, this.state.second] : [index];
    caption.replaceChildren(...told.flatMap((one, at) => this.told_of(one, told.length > 1 ? ["Left: ", "Right: "][at] : "")));
  }

  label(index) {
    const { mode, first, second } = this.state;
    return mode === "slider" ? `${this.panes[first].name}, left, and ${this.panes[second].name}, right` : this.panes[index].name;
  }

  told_of(index, before) {
    const line = element("div", {}, before, element("b", {}, this.panes[index].name));
    line.append(element("span", { class: "numbers" }, this.panes[index].numbers));
    return [line];
  }

  paint(context, index, left, width, height) {
    const image = this.images[index];
    if (!image || width <= 0) return;
    const { zoom, x, y } = this.state;
    context.save();
    context.beginPath();
    context.rect(left, 0, width, height);
    context.clip();
    context.drawImage(image, -x * zoom, -y * zoom, image.width * zoom, image.height * zoom);
    context.restore();
  }

  slider() {
    const { state } = this;
    if (state.mode !== "slider") {
      this.below.replaceChildren();
      return;
    }
    if (!this.below.firstChild) {
      const split = element("input", { class: "split", type: "range", min: "0", max: "100", step: "0.5", "aria-label": "Where the first picture ends and the second begins" });
      split.value = String(state.split);
      split.addEventListener("input", () => { state.split = Number(split.value); this.draw(); });
      split.addEventListener("change", () => this.changed());
      this.below.append(split);
    }
    this.below.firstChild.style.width = `${this.size.width / (window.devicePixelRatio || 1)}px`;
    if (Number(this.below.firstChild.value) !== state.split) this.below.firstChild.value = String(state.split);
  }

  listen() {
    const { stage } = this;
    let grip = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.target.tagName !== "CANVAS") return;
      stage.focus({ preventScroll: true });
      stage.setPointerCapture(event.pointerId);
      grip = { x: event.clientX, y: event.clientY, from: { ...this.state } };
    });
    stage.addEventListener("pointermove", (event) => {
      if (!grip) return;
      const scale = (window.devicePixelRatio || 1) / this.state.zoom;
      this.state.x = grip.from.x - (event.clientX - grip.x) * scale;
      this.state.y = grip.from.y - (event.clientY - grip.y) * scale;
      this.draw();
    });
    for (const name of ["pointerup", "pointercancel"]) {
      stage.addEventListener(name, () => { if (grip) { grip = null; this.changed(); } });
    }
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = stage.querySelector("canvas").getBoundingClientRect();
      const ratio = window.devicePixelRatio || 1;
      const at = ZOOMS.indexOf(this.state.zoom) - Math.sign(event.deltaY);
      if (at < 0 || at >= ZOOMS.length) return;
      this.zoomTo(ZOOMS[at], { x: (event.clientX - box.left) * ratio, y: (event.clientY - box.top) * ratio });
      this.changed();
    }, { passive: false });
    stage.addEventListener("keydown", (event) => { if (this.key_pressed(event)) event.preventDefault(); });
  }

  key_pressed(event) {
    const { state } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const far = (event.shiftKey ? 128 : 32) / state.zoom;
    const moves = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] };
    if (event.key in moves) {
      state.x += moves[event.key][0];
      state.y += moves[event.key][1];
    } else if (event.key === "+" || event.key === "=") this.step(1);
    else if (event.key === "-") this.step(-1);
    else if (event.key === " ") [state.first, state.second] = [state.second, state.first];
    else if (event.key >= "1" && event.key <= "9" && Number(event.key) <= this.panes.length) state.first = Number(event.key) - 1;
    else return false;
    this.changed();
    return true;
  }
}

/** Move a canvas onto the screen's own pixels: half a pixel off, and the browser would blend neighbours. */
function snap(canvas, ratio) {
  const box = canvas.getBoundingClientRect();
  const off = (value) => (Math.ceil(value * ratio - 1e-3) - value * ratio) / ratio;
  canvas.style.marginLeft = `${off(box.left + window.scrollX)}px`;
  canvas.style.marginTop = `${off(box.top + window.scrollY)}px`;
}

const NAMES = ["mode", "zoom", "x", "y", "first", "second", "split"];

function write(state) {
  return NAMES.map((name) => (name === "mode" ? state.mode : String(Math.round(state[name] * 10) / 10))).join("~");
}

function parse(text) {
  const parts = text.split("~");
  if (parts.length !== NAMES.length) return {};
  const found = { mode: parts[0] };
  NAMES.slice(1).forEach((name, index) => { found[name] = Number(parts[index + 1]) || 0; });
  return found;
}

const looks = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let root = parentElement.querySelector(".look");
  if (!root) {
    root = element("div", { class: "look" });
    parentElement.append(root);
    looks.set(root, new Look(root, (view) => setStateValue("view", view)));
  }
  looks.get(root).take(data);
}
