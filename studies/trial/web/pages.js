// Turn what the server says about a study into the pages around its trials: consent, questions, break, end.

import { make, paragraphs } from "./dom.js";

/** Show a page of text and return its element; the heading takes the focus, so that readers begin there. */
export function page(root, title, ...content) {
  const heading = make("h1", { tabindex: "-1" }, title);
  const article = make("main", { class: "page" }, heading, ...content);
  root.replaceChildren(make("div", { class: "scroll" }, article));
  heading.focus({ preventScroll: true });
  return article;
}

export const button = (text, onclick, kind = "primary") => make("button", { type: "button", class: kind, onclick }, text);

const checkbox = (id, text) =>
  make("p", { class: "check" }, make("input", { type: "checkbox", id }), make("label", { for: id }, text));

const warning = (title, text) =>
  make("div", { class: "warning", role: "note" }, make("h2", {}, title), ...paragraphs(text));

/** Ask for consent; return what was agreed to. */
export function consent(root, say, welcome) {
  return new Promise((resolve) => {
    const boxes = [
      checkbox("of-age", say("of_age", { age: welcome.minimum_age })),
      checkbox("agreed", say("agreed")),
    ];
    const own = `consent_${welcome.presentation}`;
    if (welcome.asks_presentation_consent) boxes.push(checkbox("presentation", say(`${own}_accept`)));
    const status = make("p", { class: "error", role: "alert" });
    const given = (id) => Boolean(article.querySelector(`#${id}`)?.checked);
    const agree = button(say("agree"), () => {
      if (!["of-age", "agreed"].every(given)) status.textContent = say("both_boxes");
      else resolve({ agreed: true, of_age: true, accepts_presentation: given("presentation") });
    });
    const decline = button(say("decline"), () => resolve({ agreed: false, of_age: given("of-age") }), "secondary");
    const article = page(
      root,
      welcome.title,
      ...paragraphs(welcome.introduction),
      make("h2", {}, say("consent_title")),
      make("div", { class: "terms" }, ...paragraphs(welcome.consent_text)),
      welcome.asks_presentation_consent ? warning(say(`${own}_title`), say(`${own}_warning`, welcome.parameters)) : null,
      ...boxes,
      status,
      make("p", { class: "actions" }, agree, decline),
      contact(say, welcome),
    );
  });
}

const contact = (say, welcome) =>
  welcome.contact ? make("p", { class: "small" }, say("contact", { contact: welcome.contact })) : null;

/** Ask questions with fixed answers; return the answers by key. `extra` stands before the button. */
export function questions(root, say, title, introduction, choices, extra = []) {
  return new Promise((resolve) => {
    const status = make("p", { class: "error", role: "alert" });
    const article = page(
      root,
      title,
      ...paragraphs(introduction),
      ...choices.map((choice) => fieldset(choice)),
      ...extra,
      status,
      make("p", { class: "actions" }, button(say("continue"), () => {
        const answers = Object.fromEntries(
          choices.map(({ key }) => [key, article.querySelector(`input[name="${CSS.escape(key)}"]:checked`)?.value]),
        );
        const open = choices.find(({ key }) => answers[key] === undefined);
        if (!open) return resolve(answers);
        status.textContent = say("answer_all");
        return article.querySelector(`input[name="${CSS.escape(open.key)}"]`).focus();
      })),
    );
  });
}

const fieldset = ({ key, question, answers }) =>
  make(
    "fieldset",
    {},
    make("legend", {}, question),
    ...answers.map((answer, index) => {
      const id = `${key}-${index}`;
      return make("p", { class: "check" }, make("input", { type: "radio", name: key, id, value: answer }), make("label", { for: id }, answer));
    }),
  );

/** Explain the task and its keys; resolve when the rater begins. */
export function instructions(root, say, welcome, presentation, withdraw) {
  const { sides, tool, views } = presentation;
  const notice = presentation.notice();
  const lines = [
    tool ? ["↑", say(tool.help)] : null,
    views.reference ? [say("key_space"), say("keys_hold")] : null,
    ["←", say(`keys_choose_${sides.first}`)],
    ["→", say(`keys_choose_${sides.second}`)],
    welcome.allow_no_preference ? ["↓", say("keys_none")] : null,
    welcome.magnify ? ["+ −", say("keys_zoom")] : null,
  ].filter(Boolean);
  return new Promise((resolve) => {
    page(
      root,
      say("instructions_title"),
      make("p", { class: "lead" }, welcome.question),
      ...paragraphs(say(`task_${welcome.presentation}`)),
      make("table", { class: "keys" }, ...lines.map(([key, text]) => make("tr", {}, make("th", { scope: "row" }, make("kbd", {}, key)), make("td", {}, text)))),
      notice ? warning(say(`${notice}_title`), say(`${notice}_text`)) : null,
      ...paragraphs(say("instructions_touch")),
      ...paragraphs(say("instructions_end", { total: welcome.progress.total })),
      make(
        "p",
        { class: "actions" },
        button(say(welcome.progress.done ? "resume" : "begin"), resolve),
        welcome.progress.done ? button(say("withdraw"), withdraw, "secondary") : null,
      ),
    );
  });
}

/** Show a break that the rater may end; resolve when it has ended. */
export function rest(root, say, { seconds, progress }, withdraw) {
  return new Promise((resolve) => {
    const left = make("p", { class: "countdown", role: "timer" });
    const ends = performance.now() + seconds * 1000;
    const tick = () => {
      const remaining = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      left.textContent = remaining ? say("break_left", { seconds: remaining }) : say("break_over");
      if (!remaining) clearInterval(timer);
    };
    const timer = setInterval(tick, 500);
    const go = button(say("continue"), () => {
      clearInterval(timer);
      resolve();
    });
    page(root, say("break_title"), ...paragraphs(say("break_text", progress)), left, make("p", { class: "actions" }, go, button(say("withdraw"), withdraw, "secondary")));
    tick();
  });
}

/** Show the last page; `withdraw` is called when the rater asks to have everything deleted. */
export function done(root, say, step, withdraw) {
  const code = step.completion_code;
  page(
    root,
    say(`done_${step.outcome}`),
    ...paragraphs(say(`done_${step.outcome}_text`)),
    code ? make("p", {}, say("completion_code")) : null,
    code ? make("p", { class: "code" }, code) : null,
    step.completion_url ? make("p", { class: "actions" }, make("a", { class: "primary", href: step.completion_url, rel: "noreferrer" }, say("completion_link"))) : null,
    step.withdrawal_code ? make("h2", {}, say("withdraw_title")) : null,
    ...(step.withdrawal_code ? paragraphs(say("withdraw_later")) : []),
    step.withdrawal_code ? make("p", { class: "code" }, step.withdrawal_code) : null,
    step.withdrawal_code ? make("p", { class: "actions" }, button(say("withdraw"), withdraw, "secondary")) : null,
  );
}

/** Ask once more before everything is deleted; `code` null asks for the code as well. */
export function confirmWithdrawal(root, say, code) {
  return new Promise((resolve) => {
    const input = make("input", { type: "text", id: "code", autocomplete: "off", spellcheck: "false" });
    page(
      root,
      say("withdraw_title"),
      ...paragraphs(say("withdraw_text")),
      code ? null : make("p", {}, make("label", { for: "code" }, say("withdraw_code")), input),
      make(
        "p",
        { class: "actions" },
        button(say("withdraw_now"), () => resolve(code ?? input.value.trim()), "danger"),
        button(say("back"), () => resolve(null), "secondary"),
      ),
    );
  });
}

/** Show a message that ends the visit or waits for something. */
export function message(root, title, text, ...actions) {
  page(root, title, ...paragraphs(text), actions.length ? make("p", { class: "actions" }, ...actions) : null);
}
