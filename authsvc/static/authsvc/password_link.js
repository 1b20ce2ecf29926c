"use strict";

// The secret of a link is after `#`, which browsers send to no server. It goes into the form, and out of the address:
// neither the history nor a copied address has it.

const token = window.location.hash.slice(1);
if (token) {
  const form = document.getElementById("link-form");
  window.history.replaceState(null, "", window.location.pathname);
  form.elements.token.value = token;
  form.hidden = false;
  document.getElementById("incomplete-link")?.remove();
  form.elements.new_password.focus();
}
