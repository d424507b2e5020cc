// Two places, in each a version in turn with the original: the more they differ, the more it flickers.

import { stillness } from "../dom.js";

const begin = ({ flicker_hz: hertz }, screen) => {
  const still = stillness().matches;
  let phase = 0;
  let changes = 0;
  return {
    use() {},
    frame(milliseconds) {
      const due = Math.floor((milliseconds * hertz * 2) / 1000) % 2;
      if (still || due === phase) return;
      phase = due;
      changes += 1;
      screen.show(phase ? "reference" : "both");
    },
    missing: () => null,
    record: (milliseconds) => ({
      flicker_hz: { requested: hertz, achieved: Number(((changes * 500) / milliseconds).toFixed(3)) },
    }),
  };
};

export default {
  views: { both: ["first", "second"], reference: ["reference", "reference"] },
  sides: { first: "left", second: "right" },
  tool: null,
  // Whoever waits for a flicker that never comes must know why.
  notice: () => (stillness().matches ? "flicker_still" : null),
  begin,
};
