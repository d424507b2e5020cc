// Run a rater's whole session from the invitation in the address: pages, trials, votes, end.

import { make, pause, speaker } from "./dom.js";
import { Outbox, uuid } from "./outbox.js";
import * as pages from "./pages.js";
import { loadPictures } from "./pictures.js";
import { loadPresentation } from "./presentation.js";
import * as screenPages from "./screen.js";
import { TrialView } from "./trial.js";

const ACKNOWLEDGED_WITHIN_MS = 1200;
/** Where the server answers: this file lies in its folder of web files, whatever path a proxy shows it below. */
const SERVER = new URL("../", import.meta.url);

/** A request that the server refused: trying again cannot help. */
class Refused extends Error {
  constructor(status, { error, detail }) {
    super(detail ? `${error}: ${detail}` : error);
    this.status = status;
    this.code = error;
    this.final = true;
  }
}

async function post(path, body) {
  const answer = await fetch(new URL(path, SERVER), {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
    cache: "no-store",
    credentials: "omit",
  });
  // 429: the server asks for patience, and trying again later helps.
  if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
  const content = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, content);
  return content;
}

/** Return how often this tab has begun a trial: more than once where the page was loaded again. */
function timesBegun(trial) {
  try {
    const times = Number(sessionStorage.getItem(trial) ?? 0) + 1;
    sessionStorage.setItem(trial, String(times));
    return times;
  } catch {
    return null; // storage is switched off
  }
}

/** Return what was kept under a name for other days; null where nothing is, or storage is switched off. */
function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch {
    // as above: then the panel's own link must tell who comes back
  }
}

class Session {
  constructor(root, banner, say) {
    this.root = root;
    this.banner = banner;
    this.say = say;
    this.pictures = new Map();
    this.parameters = new URLSearchParams(window.location.search);
  }

  /** Try until the server answers; what it refuses is refused. */
  async insist(act) {
    for (let wait = 400; ; wait = Math.min(wait * 2, 5000)) {
      try {
        const result = await act();
        this.warn(false);
        return result;
      } catch (error) {
        if (error.final) throw error;
        this.warn(true);
        await pause(wait);
      }
    }
  }

  ask(path, body = {}) {
    return this.insist(() => post(path, { session: this.token, ...body }));
  }

  warn(lost) {
    this.banner.hidden = !lost;
    this.banner.textContent = lost ? this.say("connection_lost") : "";
  }

  async run() {
    if (this.parameters.has("withdraw")) await this.withdraw(null);
    else if (await this.join()) {
      this.only();
      await this.visit();
    } else pages.message(this.root, this.say("no_invitation"), this.say("no_invitation_text"));
  }

  /** Do something, and show what the server says where it refuses. */
  async guarded(act) {
    try {
      await act();
    } catch (error) {
      if (!error.final) throw error;
      this.view?.close();
      pages.message(this.root, this.say("refused"), this.say(`refused_${error.code}`), pages.button(this.say("reload"), () => window.location.reload()));
    }
  }

  async join() {
    const value = (name) => this.parameters.get(name) ?? "";
    const invitation = value("invite");
    const body = invitation
      ? { invitation }
      : { study: value("study"), participant: value("PROLIFIC_PID"), panel_study: value("STUDY_ID"), panel_session: value("SESSION_ID") };
    if (!invitation && !(body.study && body.participant)) return false;
    this.name = `study ${invitation || `${body.study} ${body.participant}`}`;
    // Who comes back to a panel's study shows that it is the same browser: ids can be guessed.
    if (!invitation) body.earlier = kept(this.name) ?? "";
    this.token = (await this.insist(() => post("join", body))).session_token;
    if (!invitation) keep(this.name, this.token);
    this.outbox = new Outbox(
      `${this.name} votes`,
      (vote) => post("vote", { session: this.token, ...vote }),
      (pending) => this.warn(pending > 0),
    );
    return true;
  }

  /** Let the newest tab be the only one: two clocks for one trial measure nothing. */
  only() {
    const tabs = new BroadcastChannel(this.name);
    const me = uuid();
    tabs.onmessage = ({ data }) => {
      if (data === me) return;
      this.view?.close();
      this.retired = true;
      const again = pages.button(this.say("continue_here"), () => window.location.reload());
      pages.message(this.root, this.say("other_tab"), this.say("other_tab_text"), again);
    };
    tabs.postMessage(me);
  }

  async visit() {
    // Votes that a closed tab could not send come first: the server then knows where this rater stands.
    await this.outbox.flush();
    this.welcome = await this.ask("welcome");
    this.presentation = await this.insist(() => loadPresentation(this.welcome.presentation));
    for (let { stage } = this.welcome; this.before[stage]; ) stage = (await this.before[stage]()).stage;
    await this.trials();
  }

  get before() {
    const { root, say, welcome, presentation } = this;
    return {
      consent: async () => this.ask("consent", { version: welcome.consent_version, ...(await pages.consent(root, say, welcome)) }),
      screening: async () =>
        this.ask("screening", { answers: await pages.questions(root, say, say("screening_title"), say("screening_text"), welcome.screening) }),
      calibration: async () => {
        await screenPages.room(root, say, welcome, presentation);
        const millimetre = welcome.ask_card_calibration ? await screenPages.card(root, say) : null;
        const read = welcome.ask_colour_plates ? await screenPages.plates(root, say) : [];
        const environment = welcome.environment.length
          ? await pages.questions(root, say, say("environment_title"), say("environment_text"), welcome.environment)
          : {};
        return this.ask("calibration", { record: screenPages.described(millimetre, read, environment) });
      },
    };
  }

  async trials() {
    const withdraw = () => this.guarded(() => this.withdraw(this.token));
    let { step, upcoming } = await this.ask("next");
    if (step.step === "trial") await pages.instructions(this.root, this.say, this.welcome, this.presentation, withdraw);
    while (!this.retired) {
      if (step.step === "break") {
        await pages.rest(this.root, this.say, step, withdraw);
        ({ step, upcoming } = await this.ask("continue"));
      } else if (step.step === "trial") {
        ({ step, upcoming } = await this.trial(step, upcoming));
      } else if (step.step === "done") {
        this.view?.close();
        pages.done(this.root, this.say, step, withdraw);
        return;
      } else {
        await this.visit();
        return;
      }
    }
  }

  async trial(step, upcoming) {
    this.view = this.view?.element.isConnected ? this.view : new TrialView(this.root, this.say);
    const presentation = await this.insist(() => loadPresentation(step.presentation));
    const pictures = await this.fetch(step);
    this.prefetch(upcoming);
    const begun = timesBegun(step.trial);
    const result = await this.view.run(step, presentation, pictures);
    result.display.times_begun = begun;
    this.forget(step);
    const sent = this.outbox.add({ trial: step.trial, client_uuid: uuid(), ...result });
    const early = upcoming && pause(ACKNOWLEDGED_WITHIN_MS).then(() => null);
    const answer = await this.accepted(early ? Promise.race([sent, early]) : sent);
    if (answer === null) {
      // The server is away: go on with the trial that is here already; the vote is kept and sent in turn.
      sent.then(({ upcoming: later }) => this.prefetch(later)).catch(() => {});
      return { step: upcoming, upcoming: null };
    }
    if (answer.receipt?.feedback) await this.feedback(answer.receipt.feedback);
    return { step: answer.step, upcoming: answer.upcoming };
  }

  /** A vote that was refused as not due was overtaken in another tab: ask where the rater stands. */
  async accepted(sent) {
    try {
      return await sent;
    } catch (error) {
      if (error.status === 409) return this.ask("next");
      throw error;
    }
  }

  async feedback(kind) {
    const told = make("p", { class: "feedback", role: "status" }, this.say(`feedback_${kind.replace("-", "_")}`));
    this.view.element.append(told);
    await pause(1800);
    told.remove();
  }

  fetch(step) {
    if (!this.pictures.has(step.trial)) {
      const addresses = Object.fromEntries(step.pictures.map(({ slot, token }) => [slot, new URL(`picture/${token}`, SERVER)]));
      this.pictures.set(step.trial, this.insist(() => loadPictures(addresses)));
    }
    return this.pictures.get(step.trial);
  }

  prefetch(step) {
    if (step) this.fetch(step).catch(() => this.pictures.delete(step.trial));
  }

  forget(step) {
    this.pictures.get(step.trial)?.then((found) => Object.values(found).forEach((bitmap) => bitmap.close()));
    this.pictures.delete(step.trial);
  }

  async withdraw(token) {
    const code = await pages.confirmWithdrawal(this.root, this.say, token);
    if (code === null) return token ? this.visit() : window.history.back();
    const { votes } = await this.insist(() => post("withdraw", { token: code }));
    pages.message(this.root, this.say("withdrawn"), this.say("withdrawn_text", { votes }));
    return undefined;
  }
}

/** Put the study over the page that hosts it, once: no ancestor of ours can then move or scale a picture. */
export async function mount() {
  if (document.getElementById("study")) return;
  const host = make("div", { id: "study" });
  document.body.append(host);
  const shadow = host.attachShadow({ mode: "open" });
  const [texts, style] = await Promise.all(["texts_en.json", "style.css"].map((name) => fetch(new URL(name, import.meta.url))));
  const root = make("div", { class: "root" });
  const banner = make("p", { class: "banner", role: "alert", hidden: true });
  shadow.append(make("style", {}, await style.text()), root, banner);
  const session = new Session(root, banner, speaker(await texts.json()));
  await session.guarded(() => session.run());
}
