/** Tells the nodes of a new cluster, once they see each other, that they are complete; CouchDB then makes its own databases. */
import { setTimeout as sleep } from 'node:timers/promises';

const { COUCHDB_USER = '', COUCHDB_PASSWORD = '', COUCHDB_URL = '', COUCHDB_NODES = '' } = process.env;
const authorization = `Basic ${Buffer.from(`${COUCHDB_USER}:${COUCHDB_PASSWORD}`).toString('base64')}`;
const headers = { authorization, 'content-type': 'application/json' };

/** @typedef {{ readonly all_nodes?: readonly string[], readonly state?: string }} Answer */

/**
 * @param {string} path @param {object} [body]
 * @returns {Promise<{ ok: boolean, value: Answer }>}
 */
async function ask(path, body) {
  const options = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`${COUCHDB_URL}${path}`, { ...options, headers });
  return { ok: response.ok, value: /** @type {Answer} */ (await response.json()) };
}

for (;;) {
  try {
    const { value } = await ask('/_membership');
    if ((value.all_nodes?.length ?? 0) >= Number(COUCHDB_NODES)) break;
    console.log(`Waiting for ${COUCHDB_NODES} nodes; there are: ${value.all_nodes?.join(', ') ?? 'none'}`);
  } catch (error) {
    const { cause, message } = error instanceof Error ? error : new Error(String(error));
    console.log(`Waiting for CouchDB: ${cause instanceof Error ? cause.message : message}`);
  }
  await sleep(2000);
}
const { value: before } = await ask('/_cluster_setup');
if (before.state !== 'cluster_finished') {
  const { ok, value } = await ask('/_cluster_setup', { action: 'finish_cluster' });
  if (!ok) throw new Error(`CouchDB does not finish the cluster: ${JSON.stringify(value)}`);
}
console.log('The cluster is complete.');
