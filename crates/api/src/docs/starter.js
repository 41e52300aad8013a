// Shows the server's own OpenAPI document; nothing is loaded from anywhere else.
const place = document.getElementById("docs");
window.ui = SwaggerUIBundle({
  url: new URL(place.dataset.document, document.baseURI).href,
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
});
