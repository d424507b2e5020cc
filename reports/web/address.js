// Complete the entry of the browser's history that is shown: Streamlit itself would add another one.

/** Return an address's words in an order that does not depend on who wrote them. */
function words(query) {
  const listed = [...new URLSearchParams(query)].map((pair) => JSON.stringify(pair));
  return listed.sort().join();
}

export default function ({ data }) {
  const { location, history } = window;
  const shown = words(location.search);
  // A page that the visitor has left by now must not write into the next one's entry.
  if (location.pathname.split("/").pop() !== data.path) return;
  if (shown === words(data.query) || !data.instead.some((query) => words(query) === shown)) return;
  history.replaceState(history.state, "", location.pathname + (data.query && `?${data.query}`) + location.hash);
}
