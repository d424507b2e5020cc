// Record the rater's screen: whether the study fits, the size of a pixel, which colours are distinguished.

import { make, paragraphs } from "./dom.js";
import { arrange } from "./lattice.js";
import { button, page } from "./pages.js";
import { surroundings } from "./record.js";

/** The short and the long edge of a bank card (ISO/IEC 7810 ID-1), in millimetres. */
const CARD_MM = [53.98, 85.6];
/** What question, labels and buttons take of the window's height, in CSS pixels. */
const STRIPS = { top: 110, bottom: 150, gap: 16 };

/** Wait until the study's pictures fit the window pixel for pixel; say what to do while they do not. */
export function room(root, say, welcome, presentation) {
  const panels = Object.values(presentation.views)[0].length;
  const shown = { width: welcome.picture_width * welcome.zoom, height: welcome.picture_height * welcome.zoom };
  return new Promise((resolve) => {
    const verdict = make("div", { role: "status" });
    const next = button(say("continue"), () => {
      window.removeEventListener("resize", look);
      resolve();
    });
    const full = document.documentElement.requestFullscreen
      ? button(say("full_screen"), () => document.documentElement.requestFullscreen().catch(() => {}), "secondary")
      : null;
    const look = () => {
      const window_ = { width: document.documentElement.clientWidth, height: window.innerHeight };
      const plan = arrange(panels, shown, window_, STRIPS, window.devicePixelRatio);
      next.disabled = Boolean(plan.problem);
      const size = { width: shown.width * panels + STRIPS.gap * (panels - 1), height: shown.height };
      verdict.className = plan.problem ? "warning" : "good";
      verdict.replaceChildren(
        ...paragraphs(say(plan.problem ? `no_${plan.problem}` : "fits", size)),
        ...(plan.problem ? paragraphs(say(`no_${plan.problem}_remedy`)) : []),
      );
    };
    window.addEventListener("resize", look);
    page(root, say("screen_title"), ...paragraphs(say("screen_text")), verdict, make("p", { class: "actions" }, next, full));
    look();
  });
}

/** Let the rater match a drawn card to a real one; return CSS pixels per millimetre, or null. */
export function card(root, say) {
  return new Promise((resolve) => {
    const upright = window.innerWidth < 600;
    const [short, long] = CARD_MM;
    const [width, height] = upright ? [short, long] : [long, short];
    const most = Math.min(12, (Math.min(window.innerWidth, 900) - 48) / width);
    const drawn = make("div", { class: "card", "aria-hidden": "true" }, make("span", {}, say("card_face")));
    const slider = make("input", {
      type: "range",
      id: "scale",
      min: "2",
      max: most.toFixed(2),
      step: "0.01",
      value: Math.min(96 / 25.4, most).toFixed(2),
    });
    const draw = () => {
      drawn.style.width = `${slider.value * width}px`;
      drawn.style.height = `${slider.value * height}px`;
    };
    slider.addEventListener("input", draw);
    const nudge = (by) => button(by < 0 ? "−" : "+", () => {
      slider.value = Number(slider.value) + by;
      draw();
    }, "secondary square");
    page(
      root,
      say("card_title"),
      ...paragraphs(say("card_text")),
      make("p", { class: "slide" }, nudge(-0.02), make("label", { for: "scale", class: "hidden" }, say("card_slider")), slider, nudge(0.02)),
      drawn,
      make(
        "p",
        { class: "actions" },
        button(say("card_matches"), () => resolve(Number(slider.value))),
        button(say("card_none"), () => resolve(null), "secondary"),
      ),
    );
    draw();
  });
}

/** Dots of the figure and of the ground; each pair differs in hue, hardly in lightness, as the dots vary. */
const PLATES = {
  control: { figure: ["#d9d9d9", "#cfcfcf"], ground: ["#4a4a4a", "#5a5a5a"] },
  "red-green": { figure: ["#c8743c", "#d98a54", "#b9683a"], ground: ["#8a8a3c", "#9c9a50", "#7d8042"] },
  "green-red": { figure: ["#6f9455", "#80a268", "#5f8649"], ground: ["#a58256", "#b89468", "#93744c"] },
};

/** Show plates of dots; return what was drawn and what was read. It is a hint at colour vision, not a test. */
export async function plates(root, say) {
  const found = [];
  const digits = [..."23456789"].sort(() => Math.random() - 0.5);
  for (const [index, kind] of Object.keys(PLATES).entries()) {
    const answer = await plate(root, say, kind, digits[index], index + 1);
    found.push({ kind, drawn: digits[index], read: answer });
  }
  return found;
}

function plate(root, say, kind, digit, number) {
  return new Promise((resolve) => {
    const canvas = make("canvas", { width: "560", height: "560", class: "plate", role: "img", "aria-label": say("plate_alt") });
    paint(canvas, PLATES[kind], digit);
    const keys = [..."123456789"].map((one) => button(one, () => resolve(one), "secondary square"));
    page(
      root,
      say("plate_title", { number, total: Object.keys(PLATES).length }),
      ...paragraphs(say("plate_text")),
      canvas,
      make("p", { class: "actions digits" }, ...keys),
      make("p", { class: "actions" }, button(say("plate_none"), () => resolve("none"), "secondary")),
    );
  });
}

function paint(canvas, colours, digit) {
  const { width } = canvas;
  const mask = make("canvas", { width: String(width), height: String(width) }).getContext("2d", { willReadFrequently: true });
  mask.font = `bold ${width * 0.72}px sans-serif`;
  mask.textAlign = "center";
  mask.textBaseline = "middle";
  mask.fillText(digit, width / 2, width * 0.53);
  const inside = mask.getImageData(0, 0, width, width).data;
  const context = canvas.getContext("2d");
  context.fillStyle = "#f2f0ea";
  context.fillRect(0, 0, width, width);
  const dots = [];
  for (let tries = 0; tries < 9000; tries += 1) {
    const radius = tries < 3000 ? 7 + Math.random() * 6 : 4 + Math.random() * 4;
    const angle = Math.random() * 2 * Math.PI;
    const away = Math.sqrt(Math.random()) * (width / 2 - radius);
    const dot = { x: width / 2 + away * Math.cos(angle), y: width / 2 + away * Math.sin(angle), radius };
    if (dots.some((one) => Math.hypot(one.x - dot.x, one.y - dot.y) < one.radius + dot.radius + 1)) continue;
    dots.push(dot);
    const figure = inside[(Math.round(dot.y) * width + Math.round(dot.x)) * 4 + 3] > 127;
    const choice = figure ? colours.figure : colours.ground;
    context.fillStyle = choice[Math.floor(Math.random() * choice.length)];
    context.beginPath();
    context.arc(dot.x, dot.y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

/** Return the browser's part of the display record. */
export const described = (millimetre, plateAnswers, environment) => ({
  ...surroundings(),
  css_pixels_per_mm: millimetre,
  device_pixels_per_mm: millimetre === null ? null : Number((millimetre * window.devicePixelRatio).toFixed(3)),
  colour_plates: plateAnswers,
  environment,
});
