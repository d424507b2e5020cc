// The original in the middle, which each side is compared with.

import { lookingOnly } from "../presentation.js";

export default {
  views: { both: ["first", "reference", "second"], reference: ["reference", "reference", "reference"] },
  sides: { first: "left", second: "right" },
  tool: null,
  notice: () => null,
  begin: lookingOnly,
};
