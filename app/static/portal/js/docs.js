// The page /docs. The validator is a service of somebody else's: it stays off.
addEventListener('DOMContentLoaded', function () {
  var place = document.getElementById('api-docs');
  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    deepLinking: true,
    filter: true,
    validatorUrl: null
  });
});
