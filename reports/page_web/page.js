(() => {
  for (const grid of document.querySelectorAll(".arena")) {
    const place = document.createElement("div");
    const data = { html: grid.outerHTML, opening: "", sort: "", pin: false };
    grid.replaceWith(place);
    sortable({ parentElement: place, data, setStateValue: () => {} });
  }
})();

(() => {
  const dialog = document.getElementById("zoom");
  if (!dialog) return;
  const picture = document.getElementById("zoom-picture");
  const view = document.getElementById("zoom-view");
  const original = document.getElementById("zoom-original");
  const part = (name) => document.getElementById(`zoom-${name}`);
  let shots = [];
  let place = 0;
  let factor = 3;
  let held = false;

  const draw = () => {
    const shown = held ? shots[0] : shots[place];
    picture.src = shown.src;
    picture.alt = shown.alt;
    picture.style.width = `${shown.getAttribute("width") * factor}px`;
    picture.style.height = `${shown.getAttribute("height") * factor}px`;
    part("name").textContent = shown.alt;
    part("factor").textContent = `${factor}×`;
    original.setAttribute("aria-pressed", String(held));
  };
  const step = (by) => { place = (place + by + shots.length) % shots.length; draw(); };
  const enlarge = (by) => {
    const middle = [(view.scrollLeft + view.clientWidth / 2) / factor, (view.scrollTop + view.clientHeight / 2) / factor];
    factor = Math.min(16, Math.max(1, factor + by));
    draw();
    view.scrollTo(middle[0] * factor - view.clientWidth / 2, middle[1] * factor - view.clientHeight / 2);
  };
  const hold = (down) => { if (held !== down) { held = down; draw(); } };

  for (const button of document.querySelectorAll("button.open")) {
    button.addEventListener("click", () => {
      const images = [...button.closest(".shots").querySelectorAll("button.open img")];
      shots = images;
      place = images.indexOf(button.querySelector("img"));
      held = false;
      factor = Math.max(1, Math.min(3, Math.floor(window.innerWidth / images[place].getAttribute("width"))));
      dialog.showModal();
      draw();
      view.focus();
    });
  }
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("in").addEventListener("click", () => enlarge(1));
  part("out").addEventListener("click", () => enlarge(-1));
  part("close").addEventListener("click", () => dialog.close());
  original.addEventListener("click", () => hold(!held));
  const keys = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1),
    "+": () => enlarge(1), "=": () => enlarge(1), "-": () => enlarge(-1),
  };
  dialog.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target === view) { event.preventDefault(); hold(true); }
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  dialog.addEventListener("keyup", (event) => {
    if (event.key === " " && event.target === view) { hold(false); }
  });
})();
