// Keep, or forget, in the browser that the organiser is signed in: until it is closed.

export default function ({ data }) {
  const secure = window.location.protocol === "https:" ? "; secure" : "";
  const age = data.token ? "" : "; max-age=0";
  document.cookie = `${data.name}=${data.token}; path=/; samesite=strict${secure}${age}`;
}
