// The two versions next to each other, and no original.

import { lookingOnly } from "../presentation.js";

export default {
  views: { both: ["first", "second"] },
  sides: { first: "left", second: "right" },
  tool: null,
  notice: () => null,
  begin: lookingOnly,
};
