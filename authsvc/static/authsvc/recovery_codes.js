"use strict";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const button of document.querySelectorAll("[data-copy]")) {
  // Browsers have a clipboard for pages over HTTPS only.
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const codes = document.getElementById(button.dataset.copy).querySelectorAll("code");
    await navigator.clipboard.writeText(Array.from(codes, (code) => code.textContent).join("\n"));
    button.textContent = button.dataset.copied;
  });
}
