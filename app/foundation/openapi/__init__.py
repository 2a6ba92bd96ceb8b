"""One OpenAPI 3.1 document of both APIs, made from what stands beside each route."""
