// Shows one front end of /api/openapi.json: its calls by POST, since GET takes the same parameters in the query.
"use strict";

const LANGUAGES = { Shell: "bash", Python: "python", PHP: "php", JavaScript: "javascript", Java: "java", "C#": "csharp" };

function chosen(links) {
  const door = new URLSearchParams(location.search).get("door");
  const found = links.find((link) => link.search === `?door=${door}`) || links[0];
  found.setAttribute("aria-current", "page");
  return new URLSearchParams(found.search).get("door");
}

// The parameter output chooses JSON or XML; the viewer would offer an Accept header for that.
function asJson(response) {
  const json = response.content["application/json"];
  return json ? { ...response, content: { "application/json": json } } : response;
}

// Without a public URL the examples name the address that the gateway listens at; the reader's is better.
function here(source, server) {
  return server === "/" ? source.replace(/https?:\/\/[^'"/]+(?=\/api\/)/, location.origin) : source;
}

function shown({ "x-codeSamples": samples = [], ...rest }, server) {
  const known = samples.map(({ lang, label, source }) => ({
    label,
    lang: LANGUAGES[lang] || lang,
    source: here(source, server),
  }));
  return { ...rest, "x-code-samples": known };
}

function partOf(specification, door) {
  const prefix = `/api/${door}/`;
  const paths = {};
  for (const [path, methods] of Object.entries(specification.paths)) {
    if (path.startsWith(prefix) && methods.post) {
      paths[path] = { post: shown(methods.post, specification.servers[0].url) };
    }
  }
  const used = new Set(Object.values(paths).flatMap((methods) => methods.post.tags));
  const asked = new Set(Object.values(paths).flatMap((methods) => methods.post.security.flatMap(Object.keys)));
  const schemes = Object.entries(specification.components.securitySchemes).filter(([name]) => asked.has(name));
  const responses = Object.entries(specification.components.responses).map(([name, one]) => [name, asJson(one)]);
  return {
    ...specification,
    paths,
    servers: [{ url: location.origin }],
    tags: specification.tags.filter((tag) => used.has(tag.name)),
    components: {
      ...specification.components,
      responses: Object.fromEntries(responses),
      securitySchemes: Object.fromEntries(schemes),
    },
  };
}

async function show() {
  const door = chosen([...document.querySelectorAll("nav a")]);
  const answer = await fetch("/api/openapi.json");
  await customElements.whenDefined("openapi-explorer");
  await document.querySelector("openapi-explorer").loadSpec(partOf(await answer.json(), door));
}

show();
