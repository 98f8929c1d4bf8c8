// Who is signed in, in memory: an unguessable cookie for each sign-in.

import { randomUUID } from "node:crypto";

const names = new Map();

export function open(name) {
  const id = randomUUID();
  names.set(id, name);
  return `session=${id}; HttpOnly; SameSite=Lax; Path=/`;
}

export function close(request) {
  names.delete(idOf(request));
  return "session=; Max-Age=0; Path=/";
}

export function userOf(request) {
  return names.get(idOf(request));
}

function idOf(request) {
  return /(?:^|; )session=([^;]*)/.exec(request.headers.cookie ?? "")?.[1];
}
