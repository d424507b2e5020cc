// Create elements from short descriptions, and look up sentences of the texts file.

/** Return an element: `make("p", { class: "hint" }, "text", child)`; `on...` properties are listeners. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a function that gives a text by its key, `{name}` filled in. */
export function speaker(texts) {
  return (key, values = {}) => {
    if (!(key in texts)) throw new Error(`texts have no ${key}`);
    return texts[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  };
}

/** Return the paragraphs of a plain text, split at empty lines. */
export const paragraphs = (text) =>
  text.trim().split(/\n\s*\n/).map((part) => make("p", {}, part.replace(/\s*\n\s*/g, " ")));

/** Whether the device asks for reduced motion, now and as it changes. */
export const stillness = () => window.matchMedia("(prefers-reduced-motion: reduce)");

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
