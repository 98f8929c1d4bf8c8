// The strictest Content-Security-Policy that Converse.js 14 works under.

export function contentSecurityPolicy(nonce, boshUrl) {
  const directives = {
    "default-src": "'none'",
    // What a module with the nonce imports inherits it. WebAssembly is for OMEMO.
    "script-src": `'nonce-${nonce}' 'wasm-unsafe-eval'`,
    // Converse.js makes style elements without a nonce, and style attributes.
    "style-src": "'self' 'unsafe-inline'",
    // People's pictures come from the chat, as data.
    "img-src": "'self' data:",
    "font-src": "'self'",
    // Sounds.
    "media-src": "'self'",
    "connect-src": ["'self'", boshUrl && new URL(boshUrl).origin].filter(Boolean).join(" "),
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
  };
  return Object.entries(directives)
    .map((directive) => directive.join(" "))
    .join("; ");
}
