// One place, A and B in turn: the rater flips, and must have seen both.

const begin = (parameters, screen) => {
  const seen = new Set(["first"]);
  let view = "first";
  let toggles = 0;
  return {
    use() {
      view = view === "first" ? "second" : "first";
      seen.add(view);
      toggles += 1;
      screen.note("flipped");
      screen.turnTo(view);
    },
    frame() {},
    missing: () => (seen.size < 2 ? "look_at_both" : null),
    record: () => ({ toggles }),
  };
};

export default {
  views: { first: ["first"], second: ["second"], reference: ["reference"] },
  sides: { first: "a", second: "b" },
  tool: { text: "flip", help: "keys_flip" },
  notice: () => null,
  begin,
};
