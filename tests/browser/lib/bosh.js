// The part of XEP-0124 that is needed to use a session which somebody else has opened.

export async function post(url, sid, rid, content = "", attributes = "", signal = undefined) {
  const body = `<body xmlns="http://jabber.org/protocol/httpbind" sid="${sid}" rid="${rid}"${attributes}>${content}</body>`;
  const headers = { "Content-Type": "text/xml; charset=utf-8" };
  const response = await fetch(url, { method: "POST", headers, body, signal });
  return response.text();
}

export async function terminate(url, sid, rid, signal = undefined) {
  return post(url, sid, rid, "", ' type="terminate"', signal);
}
