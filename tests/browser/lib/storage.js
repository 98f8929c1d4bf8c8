// Everything that a page can store in the browser, as one text.

export async function storage(page) {
  const cookies = JSON.stringify(await page.context().cookies());
  return cookies + (await page.evaluate(readStores));
}

async function readStores() {
  const done = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const stores = { local: { ...localStorage }, session: { ...sessionStorage }, databases: {} };
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const content = database.transaction(store).objectStore(store);
      stores.databases[`${name}/${store}`] = [
        await done(content.getAllKeys()),
        await done(database.transaction(store).objectStore(store).getAll()),
      ];
    }
    database.close();
  }
  return JSON.stringify(stores);
}
