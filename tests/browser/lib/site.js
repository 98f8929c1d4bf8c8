// Starts a site by a command. The environment tells the site where to listen and which users it has.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { until } from "./until.js";

// The site may have to install or compile its dependencies.
const patience = 120_000;

// `port` is a preference. The result has the `url`, and `stop()`.
export async function start(
  command,
  { http_url: boshUrl },
  users,
  { port = 0, env: more, ...options } = {},
) {
  const listening = String(await freePort(port));
  const env = {
    ...process.env,
    SITE_PORT: listening,
    SITE_BOSH_URL: boshUrl,
    SITE_USERS: JSON.stringify(users),
    ...more,
  };
  // The command runs in its own process group, so that everything it starts ends as well.
  const child = spawn(command, { shell: true, detached: true, stdio: "inherit", env, ...options });
  const ended = once(child, "exit");
  const url = `http://127.0.0.1:${listening}`;
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    await ended;
  };
  try {
    await until(
      `the site answers: ${command}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`the site ended: ${command}`);
        const response = await fetch(`${url}/login`).catch(() => undefined);
        return response?.ok;
      },
      patience,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function freePort(preferred) {
  const server = createServer().listen(preferred, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (preferred && error.code === "EADDRINUSE") return freePort(0);
    throw error;
  }
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
