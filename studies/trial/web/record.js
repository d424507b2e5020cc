// Record what happens during one trial, to be sent with its vote.

const MOST_EVENTS = 300;
const MOST_FRAMES = 6000;

const median = (values) => {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted.length ? sorted[sorted.length >> 1] : null;
};
const rounded = (value, digits = 2) => (value === null ? null : Number(value.toFixed(digits)));

/** Return what the browser tells about screen and window; nothing in it names a person. */
export function surroundings() {
  const matches = (query) => window.matchMedia(query).matches;
  return {
    device_pixel_ratio: window.devicePixelRatio,
    window: [window.innerWidth, window.innerHeight],
    screen: [window.screen.width, window.screen.height],
    colour_depth: window.screen.colorDepth,
    colour_gamut: ["rec2020", "p3", "srgb"].find((gamut) => matches(`(color-gamut: ${gamut})`)) ?? null,
    high_dynamic_range: matches("(dynamic-range: high)"),
    reduced_motion: matches("(prefers-reduced-motion: reduce)"),
    touch: navigator.maxTouchPoints > 0,
  };
}

export class TrialRecord {
  /** Begin at the first frame that shows the pictures. */
  constructor(onset) {
    this.onset = onset;
    this.events = [];
    this.counts = {};
    this.frames = [];
    this.spans = {};
    this.open = {};
  }

  /** Note an event by name, when it happened, and how often it has. */
  note(name, at = performance.now()) {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    if (this.events.length < MOST_EVENTS) this.events.push([Math.round(at - this.onset), name]);
  }

  /** Begin or end a span whose total length is kept. */
  begin(name) {
    if (this.open[name] === undefined) {
      this.open[name] = performance.now();
      this.note(name);
    }
  }

  end(name) {
    if (this.open[name] === undefined) return;
    this.spans[name] = (this.spans[name] ?? 0) + performance.now() - this.open[name];
    delete this.open[name];
  }

  /** Note a frame by its time stamp. */
  frame(stamp) {
    if (this.last !== undefined && this.frames.length < MOST_FRAMES) this.frames.push(stamp - this.last);
    this.last = stamp;
  }

  /** Return everything as plain values. */
  close(more) {
    Object.keys(this.open).forEach((name) => this.end(name));
    const interval = median(this.frames);
    return {
      ...surroundings(),
      events: this.events,
      counts: this.counts,
      span_ms: Object.fromEntries(Object.entries(this.spans).map(([name, ms]) => [name, Math.round(ms)])),
      frame_interval_ms: rounded(interval),
      frames: this.frames.length,
      late_frames: this.frames.filter((one) => interval !== null && one > 1.5 * interval).length,
      shown_at: new Date(performance.timeOrigin + this.onset).toISOString(),
      ...more,
    };
  }
}
