// What a user does and sees on the site and in Converse.js.

import { until } from "./until.js";
import { siteUrl, users } from "./settings.js";
import { Wire } from "./wire.js";

export async function signIn(page, name) {
  await page.goto(`${siteUrl}/login`);
  await signInHere(page, name);
}

// Signs in on the page that already shows the form.
export async function signInHere(page, name) {
  await page.locator("input[name=username]").fill(name);
  await page.locator("input[name=password]").fill(users[name].password);
  await page.locator("input[name=password]").press("Enter");
  await page.waitForURL(`${siteUrl}/`);
}

export async function signOut(page) {
  await page.locator("#logout").click();
  await page.waitForURL((url) => url.href !== `${siteUrl}/`);
}

// Waits until the chat says that the user is online, and opens the list of contacts.
export async function online(page, name) {
  const profile = page.locator("converse-user-profile");
  await until(`${name} is online`, async () => {
    // While it connects, Converse may open or close the list by itself, even during a click.
    const toggle = page.locator(".toggle-controlbox");
    if (await toggle.isVisible()) await toggle.click({ timeout: 1000 }).catch(() => {});
    return profile.isVisible();
  });
  await profile.getByText(users[name].jid).waitFor();
  await profile.locator("[data-value=online]").waitFor();
  // Converse shows the user as online before the server knows it.
  await until(`${name} is announced`, () => Wire.of(page).isPresent());
}

export function contact(page, name) {
  return page.locator(`converse-roster li:has(a.open-chat[data-jid="${users[name].jid}"])`);
}

// Waits until a contact is listed and online.
export async function contactOnline(page, name) {
  await contact(page, name).and(page.locator(".online")).waitFor();
}

export function chat(page, name) {
  return page.locator(`converse-chat[jid="${users[name].jid}"]`);
}

export async function say(page, name, text) {
  if (!(await chat(page, name).isVisible()))
    await contact(page, name).locator("a.open-chat").click();
  const field = chat(page, name).locator("textarea.chat-textarea");
  await field.fill(text);
  await field.press("Enter");
  await said(page, name, text);
}

// Waits until a text is in the conversation with this user. Either of the two may have written it.
export async function said(page, name, text) {
  await texts(page, name, text).waitFor();
}

// Whether the text is there within a second, once or more often.
export async function hasSaid(page, name, text) {
  return texts(page, name, text)
    .first()
    .waitFor({ timeout: 1000 })
    .then(
      () => true,
      () => false,
    );
}

function texts(page, name, text) {
  return chat(page, name).locator(".chat-msg__text").getByText(text, { exact: true });
}
