// What a presentation is in the browser: which pictures each view shows, and what happens while a trial runs.
//
// Each is the default export of a file of presentations/, named as plans name it; parameters, consent and the
// fields of its record are declared in studies/presentations of the Python package.

/**
 * @typedef {object} Presentation
 * @property {Record<string, string[]>} views which picture ("first", "second", "reference") each panel shows in
 *   each view, as many in all of them; a trial begins with the first view. A view named `reference` is shown
 *   while the rater holds the key for the original
 * @property {{first: string, second: string}} sides what the two pictures are called: "a" and "b", or "left" and
 *   "right"; the texts label_, choose_ and keys_choose_ have a sentence for each
 * @property {?{text: string, help: string}} tool a button of its own, also ↑ and a tap on the picture: the texts on
 *   it and about it
 * @property {() => ?string} notice text that is due where this device cannot show it as meant, else null; more of
 *   it in the texts with _title and _text behind the key
 * @property {(parameters: object, screen: Screen) => Run} begin called for each trial, before its pictures are shown
 *
 * @typedef {object} Screen what a presentation may do
 * @property {(view: ?string) => void} show make a view visible, or none: in a time too short to read labels
 * @property {(view: ?string) => void} turnTo make a view visible with its labels, and say so to who does not see it
 * @property {(event: string) => void} note put an event into the record
 *
 * @typedef {object} Run one trial; nothing is called while the original is held or after the answer
 * @property {() => void} use the rater uses the tool
 * @property {(milliseconds: number) => void} frame a frame is due, so long after the pictures were shown
 * @property {() => ?string} missing text of what must be done before an answer counts, or null; whoever answers
 *   too early reads it, and the tool is used
 * @property {(milliseconds: number) => object} record the fields that the record of the vote gains; the time is
 *   the answer's
 */

/** Return a presentation by its name. */
export async function loadPresentation(name) {
  const file = await import(`./presentations/${name}.js`);
  return file.default;
}

/** A run in which nothing happens but looking and answering. */
export const lookingOnly = () => ({ use() {}, frame() {}, missing: () => null, record: () => ({}) });
