// Turn a finished table into one that a click on a heading sorts; the page is told, so that a link has it too.

export default function ({ parentElement, data, setStateValue }) {
  let root = parentElement.querySelector(".table");
  if (!root) {
    root = document.createElement("div");
    root.className = "table";
    parentElement.append(root);
  }
  const opening = String(data.opening);
  if (root.dataset.shown === data.html && root.dataset.opening === opening) return;
  // Afterwards the clicks decide: the page learns of them too late to say what is to be shown.
  if (root.dataset.opening !== opening) root.dataset.sort = data.sort;
  root.dataset.shown = data.html;
  root.dataset.opening = opening;
  // Every name in it was escaped where the table was made.
  root.innerHTML = data.html;
  const rows = [...root.querySelectorAll("tbody tr")];
  const headings = [...root.querySelectorAll("thead th")];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    if (heading.title) {
      button.title = heading.title;
      heading.removeAttribute("title");
    }
    heading.append(button);
    button.addEventListener("click", () => {
      const falling = heading.getAttribute("aria-sort") === "ascending";
      const chosen = `${falling ? "-" : ""}${column}`;
      root.dataset.sort = chosen;
      sort(rows, headings, chosen);
      setStateValue("sort", chosen);
    });
  });
  if (root.dataset.sort) sort(rows, headings, root.dataset.sort);
}

const order = new Intl.Collator(undefined, { numeric: true });

/** Sort rows by the column of that place, falling with a minus; equal ones stay as the table came. */
function sort(rows, headings, chosen) {
  const column = Math.abs(Number(chosen));
  const way = chosen.startsWith("-") ? -1 : 1;
  if (!headings[column]) return;
  headings.forEach((heading) => heading.removeAttribute("aria-sort"));
  headings[column].setAttribute("aria-sort", way < 0 ? "descending" : "ascending");
  const value = (row) => {
    const cell = row.children[column];
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  const text = (row) => row.children[column].textContent;
  const numeric = rows.some((row) => value(row) !== null);
  const sorted = [...rows].sort((first, second) => {
    if (!numeric) return way * order.compare(text(first), text(second));
    const [left, right] = [value(first), value(second)];
    // Empty cells stay below, whichever way.
    if (left === null || right === null) return (left === null) - (right === null);
    return left === right ? 0 : way * (left < right ? -1 : 1);
  });
  rows[0]?.parentElement.append(...sorted);
}
