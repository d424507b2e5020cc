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
  const found = [...root.querySelectorAll("tbody tr")];
  // A page that scrolls keeps them in sight; a file that is printed has them where they belong.
  const rows = data.pin ? pinnedFirst(found) : found;
  rows[0]?.parentElement.append(...rows);
  const headings = [...root.querySelectorAll("thead th")];
  const columns = headings.map((heading) => heading.textContent).join("\n");
  // Where other columns are shown, the page knows the place of the one that sorts.
  if (root.dataset.columns !== undefined && root.dataset.columns !== columns) root.dataset.sort = data.sort;
  root.dataset.columns = columns;
  // What is pinned stands just below the headings, however many lines they take.
  new ResizeObserver(([head]) => {
    root.style.setProperty("--head", `${head.target.offsetHeight}px`);
  }).observe(root.querySelector("thead"));
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
      sort(rows, headings, chosen, data.pin);
      setStateValue("sort", chosen);
    });
  });
  if (root.dataset.sort) sort(rows, headings, root.dataset.sort, data.pin);
}

/** Put the pinned rows first, and leave the others in their order. */
function pinnedFirst(rows) {
  const pinned = (row) => row.classList.contains("pinned");
  return [...rows.filter(pinned), ...rows.filter((row) => !pinned(row))];
}

/** Compare letters in any case, and numbers in them by their size; the page sorts its copies likewise. */
function compare(left, right) {
  const [one, other] = [left, right].map((text) => text.toLowerCase().split(/([0-9]+)/));
  for (let part = 0; part < Math.min(one.length, other.length); part += 1) {
    if (one[part] === other[part]) continue;
    const [first, second] = part % 2 ? [Number(one[part]), Number(other[part])] : [one[part], other[part]];
    if (first !== second) return first < second ? -1 : 1;
  }
  return one.length - other.length;
}

/** Sort rows by the column of that place, falling with a minus; equal ones stay as the table came. */
function sort(rows, headings, chosen, pin) {
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
    if (!numeric) return way * compare(text(first), text(second));
    const [left, right] = [value(first), value(second)];
    // Empty cells stay below, whichever way.
    if (left === null || right === null) return (left === null) - (right === null);
    return left === right ? 0 : way * (left < right ? -1 : 1);
  });
  rows[0]?.parentElement.append(...(pin ? pinnedFirst(sorted) : sorted));
}
