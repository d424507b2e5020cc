// Fetch and decode stimuli, and compute the checksum of what a canvas shows.

import { sha256 } from "./sha256.js";

/** Return the decoded picture behind an address; its pixels are those of the file, not colour-managed. */
export async function loadBitmap(address) {
  const answer = await fetch(address, { cache: "no-store", credentials: "omit" });
  if (!answer.ok) throw new Error(`stimulus: status ${answer.status}`);
  return createImageBitmap(await answer.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}

/** Return every picture of a trial by its role, all decoded. */
export async function loadPictures(addresses) {
  const roles = Object.keys(addresses).sort();
  const bitmaps = await Promise.all(roles.map((role) => loadBitmap(addresses[role])));
  return Object.fromEntries(roles.map((role, index) => [role, bitmaps[index]]));
}

/** Return a context that neither blends colours nor keeps its bitmap where reading it back is slow. */
export function contextOf(canvas) {
  return canvas.getContext("2d", { alpha: false, colorSpace: "srgb", willReadFrequently: true });
}

/** Draw a picture, each of its pixels `zoom` x `zoom` pixels of the screen, `view` at the top left. */
export function draw(canvas, bitmap, { zoom, view, background }) {
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = false;
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, -view.x * zoom, -view.y * zoom, bitmap.width * zoom, bitmap.height * zoom);
}

/**
 * Return the SHA-256 of the picture that a canvas really holds: "HEIGHTxWIDTHx3\n", then its RGB bytes.
 *
 * Null where some pixel is not the same over its whole zoomed square, or not opaque: no picture of ours is.
 */
export function checksum(canvas, bitmap, zoom) {
  const { width, height } = bitmap;
  const header = new TextEncoder().encode(`${height}x${width}x3\n`);
  const bytes = new Uint8Array(header.length + width * height * 3);
  bytes.set(header);
  const stride = width * zoom;
  const shown = new Uint32Array(contextOf(canvas).getImageData(0, 0, stride, height * zoom).data.buffer);
  let at = header.length;
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const corner = row * zoom * stride + column * zoom;
      const pixel = shown[corner];
      if (pixel >>> 24 !== 255 || !even(shown, corner, stride, zoom)) return null;
      bytes[at] = pixel & 255;
      bytes[at + 1] = (pixel >>> 8) & 255;
      bytes[at + 2] = (pixel >>> 16) & 255;
      at += 3;
    }
  }
  return sha256(bytes);
}

function even(shown, corner, stride, zoom) {
  for (let row = 0; row < zoom; row += 1) {
    for (let column = 0; column < zoom; column += 1) {
      if (shown[corner + row * stride + column] !== shown[corner]) return false;
    }
  }
  return true;
}
