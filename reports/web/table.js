// Turn a finished table into one that a click on a heading sorts; the page is told, so that a link has it too.

export default function ({ parentElement, data, setStateValue }) {
  let root = parentElement.querySelector(".table");
  if (!root) {
    root = document.createElement("div");
    root.className = "table";
    parentElement.append(root);
  }
  if (root.dataset.shown === data.html && root.dataset.sort === data.sort) return;
  root.dataset.shown = data.html;
  root.dataset.sort = data.sort;
  // Every name in it was escaped where the table was made.
  root.innerHTML = data.html;
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
      sort(root, headings, chosen);
      setStateValue("sort", chosen);
    });
  });
  if (data.sort) sort(root, headings, data.sort);
}

function sort(root, headings, chosen) {
  const column = Math.abs(Number(chosen));
  const falling = chosen.startsWith("-");
  if (!headings[column]) return;
  headings.forEach((one) => one.removeAttribute("aria-sort"));
  headings[column].setAttribute("aria-sort", falling ? "descending" : "ascending");
  const body = root.querySelector("tbody");
  const key = (row) => {
    const cell = row.children[column];
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  const numeric = [...body.rows].some((row) => key(row) !== null);
  const rows = [...body.rows].sort((first, second) => {
    if (!numeric) return first.children[column].textContent.localeCompare(second.children[column].textContent);
    const [one, other] = [key(first), key(second)];
    // Empty cells stay below, whichever way.
    if (one === null || other === null) return (one === null) - (other === null) || 0;
    return falling ? other - one : one - other;
  });
  if (!numeric && falling) rows.reverse();
  body.append(...rows);
}
