/** Tells the nodes of a new cluster, once they see each other, that they are complete; CouchDB then makes its own databases. */
import { setTimeout as sleep } from 'node:timers/promises';

const { COUCHDB_USER, COUCHDB_PASSWORD, COUCHDB_URL, COUCHDB_NODES } = process.env;
const authorization = `Basic ${Buffer.from(`${COUCHDB_USER}:${COUCHDB_PASSWORD}`).toString('base64')}`;
const headers = { authorization, 'content-type': 'application/json' };

/** @param {string} path @param {object} [body] */
async function ask(path, body) {
  const method = body === undefined ? 'GET' : 'POST';
  const response = await fetch(`${COUCHDB_URL}${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { ok: response.ok, value: await response.json() };
}

for (;;) {
  try {
    const { value } = await ask('/_membership');
    if (value.all_nodes?.length >= Number(COUCHDB_NODES)) break;
    console.log(`Waiting for ${COUCHDB_NODES} nodes; there are: ${value.all_nodes?.join(', ')}`);
  } catch (error) {
    console.log(`Waiting for CouchDB: ${error.cause?.message ?? error.message}`);
  }
  await sleep(2000);
}
const { value: before } = await ask('/_cluster_setup');
if (before.state !== 'cluster_finished') {
  const { ok, value } = await ask('/_cluster_setup', { action: 'finish_cluster' });
  if (!ok) throw new Error(`CouchDB does not finish the cluster: ${JSON.stringify(value)}`);
}
console.log('The cluster is complete.');
