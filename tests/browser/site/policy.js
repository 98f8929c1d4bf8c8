// The strictest Content-Security-Policy that Converse.js 14 works under.

export function contentSecurityPolicy(nonce, boshUrl) {
  const directives = {
    "default-src": "'none'",
    // The nonce is for the module in the page; the scripts that it imports inherit it.
    "script-src": `'nonce-${nonce}' 'wasm-unsafe-eval'`,
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self'",
    "font-src": "'self'",
    "media-src": "'self'",
    "manifest-src": "'self'",
    "connect-src": ["'self'", boshUrl && new URL(boshUrl).origin].filter(Boolean).join(" "),
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
  };
  return Object.entries(directives)
    .map((directive) => directive.join(" "))
    .join("; ");
}
