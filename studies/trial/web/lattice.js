// Lay out boxes on the grid of device pixels, from the device pixel ratio and the window.

export const LARGEST_STEP = 40;

/**
 * Return the lattice of a device pixel ratio: `css` CSS pixels are exactly `physical` pixels of the screen.
 *
 * Null where no step up to LARGEST_STEP lands on a whole pixel: nothing can then be shown exactly.
 * Browsers keep the ratio in single precision, hence the tolerance.
 */
export function latticeOf(ratio) {
  for (let css = 1; css <= LARGEST_STEP; css += 1) {
    const physical = Math.round(css * ratio);
    if (physical > 0 && Math.abs(css * ratio - physical) < 1e-4) return { css, physical };
  }
  return null;
}

const up = (length, step) => Math.ceil(length / step) * step;
const down = (length, step) => Math.floor(length / step) * step;

/**
 * Return where panels of one size stand in the window, or what is lacking.
 *
 * A canvas is padded to whole lattice cells and stands on a lattice point, so its every pixel is one of the
 * screen's. Panels are equal, in one row, the row in the middle of what `top` and `bottom` leave free.
 *
 * @param {number} count panels beside each other
 * @param {{width: number, height: number}} shown pixels of the screen that one panel must show
 * @param {{width: number, height: number}} room CSS size of the window
 * @param {{top: number, bottom: number, gap: number}} margins CSS pixels that are not for panels
 */
export function arrange(count, shown, room, margins, ratio) {
  const lattice = latticeOf(ratio);
  if (!lattice) return { problem: "ratio", ratio };
  const { css, physical } = lattice;
  const width = (up(shown.width, physical) / physical) * css;
  const height = (up(shown.height, physical) / physical) * css;
  const gap = up(margins.gap, css);
  const needed = { width: count * width + (count - 1) * gap, height: height + margins.top + margins.bottom };
  if (needed.width > room.width || needed.height > room.height) {
    return { problem: "room", needed, room };
  }
  const left = down((room.width - needed.width) / 2, css);
  const top = Math.min(
    up(margins.top + (room.height - needed.height) / 2, css),
    down(room.height - margins.bottom - height, css),
  );
  if (top < margins.top) return { problem: "room", needed: { ...needed, height: needed.height + css }, room };
  return {
    boxes: Array.from({ length: count }, (_, index) => ({ left: left + index * (width + gap), top, width, height })),
    pixels: { width: (width / css) * physical, height: (height / css) * physical },
    lattice,
  };
}

/** Place a canvas in its box; its bitmap gets one pixel for each of the screen's. */
export function place(canvas, box, pixels) {
  if (canvas.width !== pixels.width) canvas.width = pixels.width;
  if (canvas.height !== pixels.height) canvas.height = pixels.height;
  Object.assign(canvas.style, {
    left: `${box.left}px`,
    top: `${box.top}px`,
    width: `${box.width}px`,
    height: `${box.height}px`,
  });
}
