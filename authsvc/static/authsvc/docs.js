"use strict";

SwaggerUIBundle({
  dom_id: "#docs",
  url: document.getElementById("docs").dataset.schema,
  deepLinking: true,
  tryItOutEnabled: true,
  // The description names the service's own address; this page may be open at another.
  requestInterceptor: (request) => {
    const { pathname, search } = new URL(request.url, location.origin);
    request.url = `${location.origin}${pathname}${search}`;
    return request;
  },
  // Without this the page would ask a validator on the Internet.
  validatorUrl: null,
});
