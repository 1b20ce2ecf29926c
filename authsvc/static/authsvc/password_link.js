"use strict";

// The secret of a link is after `#`, which browsers send to no server. It goes into the form, and out of the address:
// neither the history nor a copied address has it.

function takeToken() {
  const token = window.location.hash.slice(1);
  if (!token) return;
  const form = document.getElementById("link-form");
  window.history.replaceState(null, "", window.location.pathname);
  form.elements.token.value = token;
  form.hidden = false;
  document.querySelectorAll(".link-note, .errornote").forEach((note) => note.remove());
  form.elements.new_password.focus();
}

takeToken();
// A link that is pasted over the address of this page loads nothing.
window.addEventListener("hashchange", takeToken);
