import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ControlClient } from '../../src/cli/control-client.js';
import type { Family } from '../../src/gateways/http/metrics/family.js';
import { METRICS, PROCESS_METRICS, type MetricEntry } from '../../src/gateways/http/metrics/table.js';
import { NEVER } from '../contract/offer.js';
import { REPOSITORY, tableRows } from '../repository.js';
import { Planet } from './planet.js';

const ALL = new Map<string, MetricEntry>([
  ...Object.entries<MetricEntry>(METRICS).map(([name, entry]) => [`shoal_${name}`, entry] as const),
  ...Object.entries<MetricEntry>(PROCESS_METRICS),
]);

/** These have samples only where something went wrong, or where a peer is several processes. */
const RARE = new Set(['shoal_service_up', 'shoal_peer_failures_total', 'shoal_peer_corruptions_total']);

async function scrape(planet: Planet): Promise<readonly Family[]> {
  await using client = new ControlClient(planet.home(1), { signal: NEVER });
  await client.metrics();
  return await client.metrics();
}

/** @returns the sum of the samples with these labels */
function sumOf(families: readonly Family[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = families.find((family) => family.name === name);
  return (found?.values ?? [])
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

describe('the metrics of a network', () => {
  it('are those of the table, and count what was moved', async () => {
    await using planet = await Planet.open({ peers: 3, backupHosts: 1 });
    await using client = new ControlClient(planet.home(1), { signal: NEVER });
    const bytes = randomBytes(300_000);
    await client.upload(
      '/file',
      (async function* () {
        yield bytes;
      })(),
    );
    for await (const part of client.download('/file')) assert.ok(part.length > 0);
    await assert.rejects(client.stat('/nothing'), { code: 'NOT_FOUND' });

    for await (const { event } of client.compareNow()) assert.equal(event, 'done');
    const families = await scrape(planet);
    for (const { name, type, values } of families) {
      const entry = ALL.get(name);
      assert.ok(entry !== undefined, `${name} is in no table`);
      assert.equal(type, entry.type, name);
      for (const { labels } of values) {
        const names = Object.keys(labels).filter((label) => label !== 'le');
        assert.deepEqual(names.sort(), [...entry.labels, 'process'].sort(), name);
      }
    }
    await using other = new ControlClient(planet.home(2), { signal: NEVER });
    const remote = await other.metrics();
    const told = new Set([...families, ...remote].filter(({ values }) => values.length > 0).map(({ name }) => name));
    for (const name of ALL.keys()) assert.ok(told.has(name) || RARE.has(name), `${name} is told of nowhere`);

    assert.equal(sumOf(families, 'shoal_files_total', { action: 'put', outcome: 'done' }), 1);
    assert.equal(sumOf(families, 'shoal_files_total', { action: 'get', outcome: 'done' }), 1);
    for (const action of ['put', 'get']) {
      assert.equal(sumOf(families, 'shoal_file_bytes_total', { action }), bytes.length);
      assert.ok(sumOf(families, 'shoal_stripes_moved_total', { action, outcome: 'done' }) > 0);
    }
    assert.equal(sumOf(families, 'shoal_peer_up'), 3);
    assert.equal(sumOf(families, 'shoal_users_unlocked'), 1);
    assert.equal(sumOf(families, 'shoal_peers_may_fail'), 1);
    assert.ok(sumOf(families, 'shoal_store_bytes') > 0);

    assert.ok(sumOf(remote, 'shoal_chunk_received_bytes_total') > 150_000);
    const calls = remote.find(({ name }) => name === 'shoal_grpc_call_seconds')?.values ?? [];
    assert.ok(calls.some(({ labels }) => labels['method'] === 'FileReceiver/StoreChunk'));

    await planet.stop(3);
    const later = await scrape(planet);
    assert.equal(sumOf(later, 'shoal_peer_up'), 2);
  });

  it('are those of docs/metrics.md', () => {
    const rows = tableRows('docs/metrics.md').map(([name = '', type, labels, help]) => {
      return [name.replaceAll('`', ''), type, labels?.replaceAll('`', ''), help];
    });
    const documented = rows.filter(([name]) => ALL.has(name ?? '') || /^(shoal|process|nodejs)_/.test(name ?? ''));
    const expected = [...ALL].map(([name, { type, labels, help }]) => [name, type, labels.join(', '), help]);
    assert.deepEqual(documented.sort(), expected.sort());
  });

  it('are the only ones that the dashboards and alerts ask for', () => {
    const folder = join(REPOSITORY, 'deploy/grafana');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const asked = files
      .filter((file) => /\.(json|ya?ml)$/.test(file))
      .flatMap((file) => [
        ...readFileSync(join(folder, file), 'utf8').matchAll(/\b(?:shoal|process|nodejs)_[a-z0-9_]+/g),
      ]);
    const names = new Set(asked.map(([name]) => name));
    assert.ok(names.size > 15, 'the dashboard shows what there is');
    for (const name of names) {
      const known = ALL.get(name) ?? ALL.get(name.replace(/_(bucket|sum|count)$/, ''));
      assert.ok(known !== undefined, `${name} is asked for, and nobody tells it`);
    }
  });
});
