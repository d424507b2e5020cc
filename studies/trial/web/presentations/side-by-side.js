// The original in the middle, one version on each side.

import { lookingOnly } from "../presentation.js";

export default {
  views: { both: ["first", "reference", "second"], reference: ["reference", "reference", "reference"] },
  sides: { first: "left", second: "right" },
  tool: null,
  notice: () => null,
  begin: lookingOnly,
};
