"use strict";

// Passkeys and security keys (WebAuthn Level 3). A form with `data-ceremony`, `create` or `get`, asks the browser for a
// credential and sends it as JSON in its field `credential`; binary values are unpadded base64url.

const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));

const toBase64url = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const withBinaryId = (item) => ({ ...item, id: fromBase64url(item.id) });

function decoded(options) {
  const found = { ...options, challenge: fromBase64url(options.challenge) };
  if (options.user) found.user = withBinaryId(options.user);
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    if (options[list]) found[list] = options[list].map(withBinaryId);
  }
  return found;
}

function encoded(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toBase64url(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return {
    id: credential.id,
    rawId: toBase64url(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const response = await fetch(form.dataset.optionsUrl, { credentials: "same-origin" });
  if (!response.ok) throw new Error(response.statusText);
  return response.json();
}

// By the names of the errors that browsers raise: the text of the form's `data-` attribute.
const MESSAGES = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known", SecurityError: "address" };

// A browser that finds no passkey may wait for minutes before it gives up: the button stays usable, and asks again.
let asking = new AbortController();

async function perform(form) {
  const note = form.querySelector("[role=alert]");
  asking.abort();
  const own = (asking = new AbortController());
  note.hidden = true;
  try {
    const publicKey = decoded(await optionsOf(form));
    const credential = await navigator.credentials[form.dataset.ceremony]({ publicKey, signal: own.signal });
    form.elements.credential.value = JSON.stringify(encoded(credential));
    form.submit();
  } catch (error) {
    if (own.signal.aborted) return;
    note.textContent = form.dataset[MESSAGES[error.name] || "failed"];
    note.hidden = false;
  }
}

for (const form of document.querySelectorAll("form[data-ceremony]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    perform(form);
  });
  form.hidden = !window.PublicKeyCredential;
}
