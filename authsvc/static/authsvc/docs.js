"use strict";

SwaggerUIBundle({
  dom_id: "#docs",
  url: document.getElementById("docs").dataset.schema,
  deepLinking: true,
  tryItOutEnabled: true,
  // Without this the page would ask a validator on the Internet.
  validatorUrl: null,
});
