// Send votes until they are acknowledged: they stay in the browser until the server has stored them.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 5000;

/** Return a random UUID (version 4); crypto.randomUUID is missing on plain http. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Outbox {
  /**
   * Keep votes under a name of localStorage, so that they outlive a reload while the server is away.
   *
   * @param {(vote: object) => Promise<object>} send resolves to the server's answer; rejects with
   *   `final: true` where trying again cannot help
   * @param {(pending: number) => void} changed hears how many votes still wait, after each try
   */
  constructor(name, send, changed) {
    this.name = name;
    this.send = send;
    this.changed = changed;
    this.memory = [];
    this.waiters = new Map();
    this.running = null;
    window.addEventListener("online", () => this.wake && this.wake());
  }

  /** Return the votes that still wait, oldest first. */
  pending() {
    try {
      return JSON.parse(localStorage.getItem(this.name)) || [];
    } catch {
      return this.memory; // storage is switched off: the votes live as long as the page
    }
  }

  keep(votes) {
    this.memory = votes;
    try {
      if (votes.length) localStorage.setItem(this.name, JSON.stringify(votes));
      else localStorage.removeItem(this.name);
    } catch {
      // as above
    }
  }

  /** Keep a vote and start to send it; resolve to the server's answer, however long that takes. */
  add(vote) {
    this.keep([...this.pending(), vote]);
    const answered = new Promise((resolve, reject) => this.waiters.set(vote.client_uuid, { resolve, reject }));
    this.flush();
    return answered;
  }

  /** Send what waits, oldest first, until nothing does. */
  flush() {
    this.running ??= this.work().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  async work() {
    let wait = FIRST_WAIT_MS;
    for (let vote = this.pending()[0]; vote; vote = this.pending()[0]) {
      try {
        this.settle(vote, "resolve", await this.send(vote));
        wait = FIRST_WAIT_MS;
      } catch (error) {
        if (error.final) this.settle(vote, "reject", error);
        else {
          this.changed(this.pending().length);
          await this.pause(wait);
          wait = Math.min(wait * 2, LONGEST_WAIT_MS);
        }
      }
    }
    this.changed(0);
  }

  settle(vote, how, result) {
    this.keep(this.pending().filter((one) => one.client_uuid !== vote.client_uuid));
    const waiter = this.waiters.get(vote.client_uuid);
    this.waiters.delete(vote.client_uuid);
    if (waiter) waiter[how](result);
  }

  pause(milliseconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }
}
