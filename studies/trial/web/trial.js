// Run one trial: pictures on the stage, keys, buttons and touch, the clock, the record.

import { frame, make, pause } from "./dom.js";
import { TrialRecord } from "./record.js";
import { Stage } from "./stage.js";

const NEUTRAL = "#6c6c6c"; // 15 % of white's luminance, as BT.500 asks for around the picture
const HINT_MS = 1600;
const PAN_PIXELS = 16;

export class TrialView {
  /** Build the page of the trials inside an element; `say` gives texts. */
  constructor(root, say) {
    this.say = say;
    this.question = make("h1", { class: "question" });
    this.progress = make("p", { class: "progress" });
    this.bar = make("div", { class: "meter" }, make("span"));
    this.header = make("header", { class: "strip" }, this.question, this.progress, this.bar);
    this.labels = make("div", { class: "labels", "aria-hidden": "true" });
    this.surface = make("div", { class: "surface", role: "img", "aria-label": say("pictures") });
    this.status = make("p", { class: "status", role: "status" });
    this.spoken = make("p", { class: "hidden", role: "status" }); // what the label shows to those who see it
    this.buttons = make("div", { class: "buttons" });
    this.footer = make("footer", { class: "strip" }, this.status, this.spoken, this.buttons);
    this.problem = make("div", { class: "problem", role: "alert", hidden: true });
    this.element = make("section", { class: "trial" }, this.surface, this.labels, this.header, this.footer, this.problem);
    root.replaceChildren(this.element);
    this.stage = new Stage(this.surface, NEUTRAL);
  }

  /** Take the pictures away and give back every listener. */
  close() {
    this.stop?.abort();
    this.stage.clear();
  }

  /**
   * Show a trial and return its answer once there is one.
   *
   * @param {object} trial as the server sent it
   * @param {import("./presentation.js").Presentation} presentation the one that the trial names
   * @param {Record<string, ImageBitmap>} pictures decoded, by slot
   */
  async run(trial, presentation, pictures) {
    this.stop = new AbortController();
    this.trial = trial;
    this.presentation = presentation;
    this.answered = false;
    this.describe(trial);
    const gapEnds = performance.now() + trial.gap_ms;
    this.stage.mount(presentation.views, pictures, trial.zoom);
    this.views = Object.keys(this.stage.views);
    await this.fit();
    const checksums = this.stage.proof();
    await pause(Math.max(0, gapEnds - performance.now()));
    const onset = await this.unveil();
    this.record = new TrialRecord(onset);
    const { answer, at } = await this.listen(onset);
    this.stage.show(null);
    this.labels.replaceChildren();
    this.stop.abort();
    const display = this.record.close({
      zoom: trial.zoom,
      largest_zoom: this.largestZoom,
      ...this.running.record(at - onset),
    });
    this.stage.clear();
    const read = Object.fromEntries(Object.entries(checksums).filter(([, sum]) => sum !== null));
    return { answer, response_ms: at - onset, checksums: read, display };
  }

  describe(trial) {
    const { say } = this;
    this.question.textContent = trial.question;
    const { done, total } = trial.progress;
    this.progress.textContent = say(trial.training ? "progress_training" : "progress", { now: done + 1, total });
    this.bar.firstChild.style.width = `${(100 * done) / total}%`;
    const { sides, tool, views, notice, begin } = this.presentation;
    this.running = begin(trial.parameters, this.screen());
    const caution = notice();
    this.standing = caution ? say(caution) : "";
    this.status.textContent = this.standing;
    this.labels.replaceChildren();
    const [first, second] = ["first", "second"].map((answer, index) =>
      this.button(`choose_${sides[answer]}`, ["←", "→"][index], "choice", { onclick: (event) => this.choose(answer, event) }),
    );
    const none = trial.answers.includes("none")
      ? this.button("no_preference", "↓", "choice none", { onclick: (event) => this.choose("none", event) })
      : null;
    const use = tool ? this.button(tool.text, "↑", "tool", { onclick: () => this.useTool() }) : null;
    const hold = views.reference ? this.button("hold_original", say("key_space"), "tool hold", this.holding()) : null;
    const zoom = trial.magnify ? this.zoomButtons() : null;
    this.choices = [first, none, second].filter(Boolean);
    this.buttons.replaceChildren(
      ...[
        make("div", { class: "row" }, ...[use, hold, zoom].filter(Boolean)),
        make("div", { class: "row" }, ...this.choices),
      ],
    );
    this.ready(false);
  }

  zoomButtons() {
    return make(
      "span",
      { class: "zoom" },
      this.button("zoom_out", "−", "tool small", { onclick: () => this.magnify(-1) }),
      this.button("zoom_in", "+", "tool small", { onclick: () => this.magnify(1) }),
    );
  }

  button(text, key, kind, listeners) {
    const small = kind.includes("small");
    return make(
      "button",
      { type: "button", class: kind, "aria-label": this.say(text), ...listeners },
      ...(small ? [] : [make("span", {}, this.say(text))]),
      make("kbd", { "aria-hidden": "true" }, key),
    );
  }

  holding() {
    const release = () => this.hold(false);
    return {
      onpointerdown: (event) => {
        event.target.setPointerCapture?.(event.pointerId);
        this.hold(true);
      },
      onpointerup: release,
      onpointercancel: release,
      oncontextmenu: (event) => event.preventDefault(),
    };
  }

  ready(yes) {
    this.accepting = yes;
    for (const one of this.choices) one.setAttribute("aria-disabled", String(!yes));
  }

  margins() {
    return {
      top: this.header.getBoundingClientRect().height + 30, // the labels' line
      bottom: this.footer.getBoundingClientRect().height + 6,
    };
  }

  /** Lay the stage out, and wait with a message while the window has no room for exact pixels. */
  async fit() {
    for (;;) {
      const lack = this.stage.lay(this.margins());
      this.tell(lack);
      if (!lack) return;
      await this.changedWindow();
    }
  }

  changedWindow() {
    return new Promise((resolve) => {
      const options = { once: true };
      window.addEventListener("resize", resolve, options);
      window.visualViewport?.addEventListener("resize", resolve, options);
    }).then(frame);
  }

  tell(lack) {
    this.problem.hidden = lack === null;
    this.surface.hidden = lack !== null;
    this.labels.hidden = lack !== null;
    if (lack === null) {
      this.label();
      return;
    }
    const { say } = this;
    const ratio = window.devicePixelRatio;
    const inPixels = (size) => `${Math.ceil(size.width * ratio)} × ${Math.ceil(size.height * ratio)}`;
    const room = lack.problem === "room";
    const detail = room ? say("no_room_detail", { needed: inPixels(lack.needed), room: inPixels(lack.room) }) : "";
    this.problem.replaceChildren(
      make("h2", {}, say(`no_${lack.problem}`)),
      ...(detail ? [make("p", {}, detail)] : []),
      make("p", {}, say(`no_${lack.problem}_remedy`)),
    );
  }

  /** Write above each panel what it shows: never by colour alone. */
  label() {
    const view = this.stage.view ?? this.views[0];
    this.labels.replaceChildren(
      ...this.stage.views[view].map((role, panel) => {
        const canvas = this.stage.canvas(panel, role);
        const box = canvas.getBoundingClientRect();
        const text = make("span", { class: `label ${role}` }, this.name(role));
        text.style.left = `${box.left + box.width / 2}px`;
        text.style.top = `${box.top - 28}px`;
        return text;
      }),
    );
  }

  /** Return what a picture is called: A, Left, Original. */
  name(role) {
    return this.say(`label_${role === "reference" ? "original" : this.presentation.sides[role]}`);
  }

  /** Return what the presentation may do. */
  screen() {
    return {
      show: (view) => this.stage.show(view),
      turnTo: (view) => this.turnTo(view),
      note: (event) => this.record.note(event),
    };
  }

  /** Show the pictures; return the time of the first frame after the one that painted them. */
  async unveil() {
    this.look(this.views[0]);
    this.largestZoom = this.trial.zoom;
    await frame();
    await frame();
    return performance.now();
  }

  look(view) {
    this.stage.show(view);
    if (view === null) this.labels.replaceChildren();
    else this.label();
  }

  turnTo(view) {
    this.look(view);
    const roles = new Set(this.stage.views[view] ?? []);
    this.spoken.textContent = roles.size === 1 ? this.name([...roles][0]) : "";
  }

  listen(onset) {
    const { trial } = this;
    const { signal } = this.stop;
    const listen = (target, kind, act, options = {}) => target.addEventListener(kind, act, { signal, ...options });
    return new Promise((resolve) => {
      this.finish = (answer, at) => resolve({ answer, at });
      const opens = setTimeout(() => this.ready(true), trial.minimum_view_ms);
      const skips = trial.time_limit_ms && setTimeout(() => this.end("skip", performance.now()), trial.time_limit_ms);
      signal.addEventListener("abort", () => [opens, skips].forEach(clearTimeout));
      // In the capture phase: nothing else on the page may act on these keys or swallow them.
      listen(window, "keydown", (event) => this.keyDown(event), { capture: true });
      listen(window, "keyup", (event) => this.keyUp(event), { capture: true });
      listen(window, "blur", () => this.away("blurred", true));
      listen(window, "focus", () => this.away("blurred", false));
      listen(document, "visibilitychange", () => this.away("hidden", document.hidden));
      listen(window, "resize", () => this.refit());
      if (window.visualViewport) listen(window.visualViewport, "resize", () => this.refit());
      this.touch(listen);
      this.frames(signal, onset);
    });
  }

  away(name, begins) {
    if (begins) {
      this.hold(false);
      this.record.begin(name);
    } else this.record.end(name);
  }

  async refit() {
    if (this.refitting || this.answered) return;
    this.refitting = true;
    this.record.begin("refitted");
    await this.fit();
    this.record.end("refitted");
    this.refitting = false;
  }

  frames(signal, onset) {
    const due = (stamp) => {
      if (signal.aborted) return;
      this.record.frame(stamp);
      if (!this.held && !this.answered) this.running.frame(performance.now() - onset);
      requestAnimationFrame(due);
    };
    requestAnimationFrame(due);
  }

  keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pans = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const acts = {
      ArrowLeft: () => this.choose("first", event),
      ArrowRight: () => this.choose("second", event),
      ArrowDown: () => this.choose("none", event),
      ArrowUp: () => this.useTool(),
      " ": () => this.hold(true),
      "+": () => this.magnify(1),
      "=": () => this.magnify(1),
      "-": () => this.magnify(-1),
    };
    event.stopPropagation();
    const pan = event.shiftKey && pans[event.key];
    if (!pan && !(event.key in acts)) return;
    event.preventDefault();
    if (pan) this.move(...pan.map((one) => one * PAN_PIXELS));
    else if (!event.repeat) acts[event.key]();
  }

  keyUp(event) {
    event.stopPropagation();
    if (event.key !== " ") return;
    event.preventDefault();
    this.hold(false);
  }

  touch(listen) {
    let from = null;
    listen(this.surface, "pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY, moved: false };
    });
    listen(window, "pointermove", (event) => {
      if (!from) return;
      const step = (before, now) => Math.trunc(((before - now) * window.devicePixelRatio) / this.stage.zoom);
      const [right, down] = [step(from.x, event.clientX), step(from.y, event.clientY)];
      if (!right && !down) return;
      from = { x: event.clientX, y: event.clientY, moved: true };
      this.move(right, down);
    });
    listen(window, "pointerup", () => {
      if (from && !from.moved) this.useTool();
      from = null;
    });
  }

  useTool() {
    if (this.presentation.tool && !this.held && !this.answered) this.running.use();
  }

  hold(down) {
    if (this.answered || !this.stage.views?.reference || Boolean(this.held) === down) return;
    if (down) {
      this.held = { before: this.stage.view };
      this.record.begin("reference_held");
      this.turnTo("reference");
    } else {
      this.turnTo(this.held.before);
      this.held = null;
      this.record.end("reference_held");
    }
  }

  magnify(step) {
    if (this.answered || !this.trial.magnify || !this.stage.magnify(step)) return;
    this.largestZoom = Math.max(this.largestZoom, this.stage.zoom);
    this.record.note(`zoom ${this.stage.zoom}`);
    this.status.textContent = this.say("zoomed", { zoom: this.stage.zoom });
  }

  move(right, down) {
    if (this.answered || this.stage.zoom === this.trial.zoom) return;
    this.record.counts.panned = (this.record.counts.panned ?? 0) + 1;
    this.stage.move(right, down);
  }

  choose(answer, event) {
    const again = event.type === "click" && event.detail > 1; // the second half of a double click
    if (again || this.answered || !this.problem.hidden || !this.trial.answers.includes(answer)) return;
    const missing = this.running.missing();
    if (!this.accepting) {
      this.hint("look_longer");
    } else if (missing) {
      this.useTool();
      this.hint(missing);
    } else {
      this.record.note(event.pointerType || (event.type === "click" && event.detail ? "pointer" : "keyboard"), event.timeStamp);
      this.end(answer, event.timeStamp);
    }
  }

  hint(key) {
    this.status.textContent = this.say(key);
    const shown = this.status.textContent;
    setTimeout(() => {
      if (this.status.textContent === shown) this.status.textContent = this.standing;
    }, HINT_MS);
  }

  end(answer, at) {
    if (this.answered) return;
    this.hold(false);
    this.answered = true;
    this.ready(false);
    this.finish(answer, at);
  }
}
