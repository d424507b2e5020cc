// Exchange a ticket for the cookie that keeps the organiser signed in, which no script can read; without one end it.

let sent = null;

export default function ({ data }) {
  if (data.ticket === sent) return; // the page is drawn again and again
  sent = data.ticket;
  fetch(new URL("organiser/visit", window.location.href), { method: "POST", body: data.ticket, cache: "no-store" });
}
