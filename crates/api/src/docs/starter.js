// Shows the OpenAPI document of this server. The page loads nothing from other servers.
const place = document.getElementById("docs");
window.ui = SwaggerUIBundle({
  url: new URL(place.dataset.document, document.baseURI).href,
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
});
