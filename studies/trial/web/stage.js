// Draw the pictures of one trial on stacked canvases, of which one in each panel is visible.

import { arrange, place } from "./lattice.js";
import { checksum, draw } from "./pictures.js";

const GAP = 16;
export const LARGEST_ZOOM = 8;

export class Stage {
  /** Keep the canvases of one trial inside an element that no transform touches. */
  constructor(root, background) {
    this.root = root;
    this.background = background;
    this.canvases = new Map();
    this.clear();
  }

  /** Take every picture away: what stays is the neutral background. */
  clear() {
    for (const canvas of this.canvases.values()) canvas.remove();
    this.canvases.clear();
    this.trial = null;
    this.view = null;
    this.visible = false;
  }

  /** Take the pictures of a trial, still invisible; `views` as a presentation has them. */
  mount(views, pictures, zoom) {
    this.clear();
    this.views = views;
    this.panels = Object.values(this.views)[0].length;
    this.trial = { pictures, zoom };
    this.zoom = zoom;
    this.pan = { x: 0, y: 0 };
    this.view = Object.keys(this.views)[0];
    for (const roles of Object.values(this.views)) {
      roles.forEach((role, panel) => this.canvas(panel, role));
    }
  }

  canvas(panel, role) {
    const key = `${panel} ${role}`;
    if (!this.canvases.has(key)) {
      const canvas = document.createElement("canvas");
      canvas.className = "picture";
      canvas.style.visibility = "hidden";
      canvas.setAttribute("aria-hidden", "true");
      canvas.dataset.panel = String(panel);
      canvas.dataset.role = role;
      this.root.append(canvas);
      this.canvases.set(key, canvas);
    }
    return this.canvases.get(key);
  }

  /** Place and draw everything for the window as it is now; return null, or what is lacking. */
  lay(margins) {
    const { pictures, zoom } = this.trial;
    const sizes = Object.values(pictures);
    const shown = { width: sizes[0].width * zoom, height: sizes[0].height * zoom };
    if (sizes.some((one) => one.width !== sizes[0].width || one.height !== sizes[0].height)) {
      return { problem: "sizes" };
    }
    const scale = window.visualViewport ? window.visualViewport.scale : 1;
    if (Math.abs(scale - 1) > 1e-3) return { problem: "pinch" };
    const room = { width: document.documentElement.clientWidth, height: window.innerHeight };
    const plan = arrange(this.panels, shown, room, { ...margins, gap: GAP }, window.devicePixelRatio);
    if (plan.problem) return plan;
    this.box = shown;
    for (const [key, canvas] of this.canvases) {
      place(canvas, plan.boxes[Number(key.split(" ")[0])], plan.pixels);
    }
    this.redraw();
    return null;
  }

  redraw() {
    for (const canvas of this.canvases.values()) {
      draw(canvas, this.trial.pictures[canvas.dataset.role], {
        zoom: this.zoom,
        view: this.pan,
        background: this.background,
      });
      const context = canvas.getContext("2d");
      context.fillStyle = this.background;
      // What a larger zoom draws beyond the panel's own picture area belongs to the padding.
      context.fillRect(this.box.width, 0, canvas.width, canvas.height);
      context.fillRect(0, this.box.height, canvas.width, canvas.height);
    }
  }

  /** Return the checksum of each picture as its canvases hold it; null where two canvases disagree. */
  proof() {
    const found = {};
    for (const canvas of this.canvases.values()) {
      const { role } = canvas.dataset;
      const sum = checksum(canvas, this.trial.pictures[role], this.trial.zoom);
      found[role] = role in found && found[role] !== sum ? null : sum;
    }
    return found;
  }

  /** Make one view visible, or none. */
  show(view) {
    this.view = view;
    for (const canvas of this.canvases.values()) canvas.style.visibility = "hidden";
    if (view === null) return;
    this.views[view].forEach((role, panel) => {
      this.canvas(panel, role).style.visibility = "visible";
    });
  }

  /** Magnify every panel alike by whole numbers, never below the study's own zoom. */
  magnify(step) {
    const { zoom } = this.trial;
    const next = Math.min(Math.max(this.zoom + step * zoom, zoom), LARGEST_ZOOM * zoom);
    if (next === this.zoom) return false;
    this.zoom = next;
    this.move(0, 0);
    return true;
  }

  /** Move every panel's view alike, by whole pixels of the picture. */
  move(right, down) {
    const picture = Object.values(this.trial.pictures)[0];
    const limit = (length) => Math.max(0, length - Math.floor((length * this.trial.zoom) / this.zoom));
    const within = (value, most) => Math.min(Math.max(Math.round(value), 0), most);
    this.pan = {
      x: within(this.pan.x + right, limit(picture.width)),
      y: within(this.pan.y + down, limit(picture.height)),
    };
    this.redraw();
  }
}
