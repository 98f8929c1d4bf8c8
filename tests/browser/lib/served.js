// Changes what the site serves on the way to the browser.

// `change` gets the HTML and the headers, and returns the HTML. It may change the headers in place.
export async function serveChanged(page, url, change, options) {
  const serve = async (route) => {
    if (!route.request().isNavigationRequest()) return route.fallback();
    const response = await route.fetch({ maxRedirects: 0 });
    // The length has changed.
    const headers = response.headers();
    delete headers["content-length"];
    const body = change(await response.text(), headers);
    await route.fulfill({ response, headers, body });
  };
  await page.route(url, serve, options);
}

// Changes the page's script so that it does not wait for up to a minute before it asks for another session.
// The case `pace` tests that wait. Sites serve the script under its own name or at the path of the endpoint.
export async function hurry(context) {
  await context.route(/chat|prebind/, async (route) => {
    if (route.request().resourceType() !== "script") return route.fallback();
    const response = await route.fetch();
    const script = await response.text();
    const headers = response.headers();
    delete headers["content-length"];
    const body = script.replace(/(?<=static spread = )\d+/, "1");
    await route.fulfill({ response, headers, body });
  });
}

// The HTML with something at the start of its body, where a user's text may be. A page may have no body tag.
export function withContent(html, content) {
  const [start] = /<body[^>]*>|<h1>/.exec(html);
  return start === "<h1>"
    ? html.replace(start, () => `<body>${content}${start}`)
    : html.replace(start, () => start + content);
}

// The HTML with something at the end of its body.
export function withContentAtEnd(html, content) {
  return html.replace(/(<\/body>|$)/, (end) => content + end);
}

// An answer of the BOSH endpoint, which may have another origin than the page.
export function boshAnswer(status, attributes = "") {
  return {
    status,
    contentType: "text/xml",
    headers: { "Access-Control-Allow-Origin": "*" },
    body: status === 200 ? `<body xmlns="http://jabber.org/protocol/httpbind"${attributes}/>` : "",
  };
}

// The answer of a server that no longer knows the session.
export const lost = boshAnswer(200, ' type="terminate" condition="item-not-found"');
