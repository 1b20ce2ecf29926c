// Keeps what was typed into a form whose submission led to the login, and fills it in after the login.
//
// Hidden fields too: the version that was read makes the form refuse to overwrite what others have changed meanwhile.
// It is kept in this tab alone (sessionStorage), for an hour, for the same user, and never passwords or files. A logout
// drops it in every tab.
"use strict";

(() => {
  const script = document.currentScript;
  const KEY = "authsvc.typed";
  const HOUR = 3600 * 1000;
  // The form of an object, and a confirmation with its reason.
  const FORMS = "#content form[id$='_form']:not(#changelist-form)";
  const KEPT = "input:not([type=password]):not([type=file]):not([type=submit]), select, textarea";

  const logouts = new BroadcastChannel("authsvc.logouts");

  const read = () => JSON.parse(sessionStorage.getItem(KEY) || "null");
  const write = (value) => sessionStorage.setItem(KEY, JSON.stringify(value));
  const forget = () => sessionStorage.removeItem(KEY);
  const fieldsOf = (form) =>
    [...form.querySelectorAll(KEPT)].filter((field) => field.name && field.name !== "csrfmiddlewaretoken");

  const remember = (form) => {
    const fields = fieldsOf(form).map((field) => [field.name, field.value, field.checked === true]);
    write({ fields, id: form.id, path: location.pathname, target: new URL(form.action, location).pathname,
            user: script.dataset.user, at: Date.now(), lost: false });
  };

  const fill = (form, typed) => {
    for (const [name, value, checked] of typed.fields) {
      const field = fieldsOf(form).find((each) => each.name === name);
      if (!field) continue;
      if (field.type === "checkbox" || field.type === "radio") field.checked = checked;
      else field.value = value;
    }
    const note = document.createElement("p");
    note.className = "messagelist warning typed-note";
    note.setAttribute("role", "status");
    note.textContent = script.dataset.restored;
    form.prepend(note);
  };

  // A confirmation page is the answer to a POST: it is asked for again, with what was typed and without the confirmation.
  const ask = (typed) => {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (!token) return;
    const form = document.createElement("form");
    form.method = "post";
    form.action = typed.target;
    for (const [name, value] of [...typed.fields, ["csrfmiddlewaretoken", token.value]]) {
      if (name === "confirmed") continue;
      const field = document.createElement("input");
      field.type = "hidden";
      [field.name, field.value] = [name, value];
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  };

  const typed = read();
  const atLogin = document.body.classList.contains("login") || document.getElementById("retry");
  if (typed && Date.now() - typed.at > HOUR) forget();
  else if (typed && atLogin) {
    write({ ...typed, lost: true });
    setTimeout(forget, typed.at + HOUR - Date.now());
  }
  else if (typed && !(typed.lost && typed.user === script.dataset.user)) forget();
  else if (typed) {
    const form = document.getElementById(typed.id);
    forget();
    if (form && typed.path === location.pathname) fill(form, typed);
    else if (typed.id === "confirm_form") ask(typed);
  }
  document.addEventListener("submit", (event) => {
    if (event.target.matches(FORMS)) remember(event.target);
    if (event.target.id === "logout-form") {
      forget();
      logouts.postMessage("");
    }
  });
  logouts.addEventListener("message", forget);
})();
