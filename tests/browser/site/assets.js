// The files of Converse.js, from its npm package.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answer } from "./answers.js";

const prefix = "/assets/converse/";
const directory = fileURLToPath(new URL("../node_modules/converse.js/dist/", import.meta.url));

const types = {
  ".css": "text/css",
  ".ico": "image/x-icon",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mp3": "audio/mpeg",
  ".ogg": "audio/ogg",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".ttf": "font/ttf",
  ".wasm": "application/wasm",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

// The route for a path, if it is one of ours.
export function asset(pathname) {
  if (!pathname.startsWith(prefix)) return undefined;
  return async (request, response) => {
    // Normalized with its leading slash, so that no `..` leads out of the directory.
    const path = join(
      directory,
      normalize(`/${decodeURIComponent(pathname.slice(prefix.length))}`),
    );
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile())
      return answer(response, 404, { "Content-Type": "text/plain" }, "not found\n");
    const headers = { "Content-Type": types[extname(path)] ?? "application/octet-stream" };
    response.writeHead(200, { ...headers, "Cache-Control": "max-age=3600" });
    createReadStream(path).pipe(response);
  };
}
