/** The plain sentence, and what stands behind it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { needs } from '../needs.js';
import type { StatusReply } from '../../src/gateways/http/api.js';
import type { CompactionReply } from '../../src/gateways/http/compaction-api.js';
import type { GarbageReply } from '../../src/gateways/http/garbage-api.js';
import type { DrainReply, PeerReply } from '../../src/gateways/http/network-api.js';
import type { SafetyReply } from '../../src/gateways/http/safety-api.js';
import { accessibilityFaults, BrowserStage, CHROMIUM, DESKTOP, PHONE, type Tab } from './stage.js';

const MINUTE_MS = 60_000;

/** What a network in trouble says: more than four peers in a devnet can be brought to. */
const TROUBLE: Partial<SafetyReply> = {
  ...{ stripes: 90, degraded: 12, mayFail: -1, zonesMayFail: -1 },
  files: {
    healthy: { files: 1_200, bytes: 9e9 },
    degraded: { files: 7, bytes: 3e8 },
    atRisk: { files: 2, bytes: 4e6 },
    lost: { files: 1, bytes: 5e5 },
    waiting: { files: 8, bytes: 3e8 },
  },
  worst: [
    { path: '/letters/2026/to the bank.pdf', bytes: 5e5, state: 'lost' },
    { path: '/photos/summer.jpg', bytes: 3e6, state: 'atRisk' },
    { path: '/photos/winter.jpg', bytes: 1e6, state: 'atRisk' },
  ],
  zones: [
    { zone: 'attic', machines: 2, up: 1, mayFail: false },
    { zone: 'cellar', machines: 2, up: 2, mayFail: true },
  ],
  repairs: { stripes: 12, chunks: 31, bytes: 2e9, secondsLeft: 125 },
};

const TROUBLES = [
  { mayFail: false, zone: 'cellar' },
  { mayFail: true, zone: 'cellar', denied: 12 },
  { standing: 'distrusted', mayFail: null, zone: 'attic' },
  { standing: 'gone', mayFail: null, zone: 'attic' },
] as const;

function inTrouble(machines: SafetyReply['machines']): SafetyReply['machines'] {
  const byName = [...machines].sort((a, b) => (a.name < b.name ? -1 : 1));
  return byName.map((machine, at) => ({ ...machine, ...TROUBLES[at] }));
}

describe('health in a browser', needs(CHROMIUM), () => {
  let stage: BrowserStage;
  let tab: Tab;
  let page: Page;

  before(async () => {
    stage = await BrowserStage.open({ peers: 4 });
    tab = await stage.tab();
    page = tab.page;
    await page.getByRole('link', { name: 'Health' }).click();
  });

  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  /** How much the page is too wide, in pixels. */
  function overflow(): Promise<number> {
    return page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  }

  /** For people to look at, where they ask for it. */
  async function picture(name: string): Promise<void> {
    const { SCREENSHOTS: folder } = process.env;
    if (folder !== undefined) await page.screenshot({ path: join(folder, `health-${name}.png`), fullPage: true });
  }

  it('says that nothing is stored, and then that it is safe', async () => {
    await page.getByText('Nothing is stored yet').waitFor();
    writeFileSync(join(stage.folder, 'letter.txt'), 'first words');
    assert.equal((await stage.shoal(['put', 'letter.txt', '/letter.txt'])).code, 0);
    await page.getByText(/safe; any 1 of 4 machines may fail/).waitFor();
    await page.getByText('All 4 machines are up.').waitFor();
    await page.getByText('Nothing asks for your attention.').waitFor();
    await page.getByRole('img', { name: '1 healthy' }).waitFor();
    const may = page.getByRole('region', { name: 'What may fail' });
    await may.getByRole('row', { name: /peer-3 .*up yes/ }).waitFor();
    await page.getByRole('region', { name: 'Healing' }).getByText('nothing was broken').first().waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
    await picture('healthy');
  });

  it('tells what takes space for nothing, and why it is not deleted yet', async () => {
    const room = page.getByRole('region', { name: 'Making room' });
    await room.getByText('nothing').first().waitFor();
    const garbage: GarbageReply = await page.evaluate(`fetch('/api/v1/garbage').then((reply) => reply.json())`);
    const peer = { peer: 'ab'.repeat(32), name: 'peer-2' };
    const since = new Date(Date.now() - MINUTE_MS).toISOString();
    const left = { ...peer, chunks: 3, since, nextTry: since, tries: 4, reason: 'It does not answer.' };
    const strays = { strayChunks: 2, strayBytes: 5e6, oldChunks: 0, oldBytes: 0, oldest: since };
    const held = { ...peer, listed: since, chunks: 9, bytes: 8e6, failure: null, ...strays };
    const trouble: GarbageReply = { ...garbage, waiting: [left], held: [held], awaited: ['peer-3'], looksLost: true };
    const looked: CompactionReply = {
      looked: since,
      stripes: 4,
      liveBytes: 1e6,
      deadBytes: 9e6,
      waiting: 1,
      graceMs: 86_400_000,
    };
    await page.route('**/api/v1/garbage', (route) => route.fulfill({ json: trouble }));
    await page.route('**/api/v1/compaction', (route) => route.fulfill({ json: looked }));
    await page.reload();
    await room.getByText('3 chunks at 1 machine').waitFor();
    await room.getByText('2 chunks, 5.0 MB: deleted when known for').waitFor();
    await room.getByText('9.0 MB in 4 stripes').waitFor();
    await room.getByText('1 stripe, after').waitFor();
    const [undeleted, lost, awaited] = await room.getByRole('listitem').allInnerTexts();
    assert.match(undeleted ?? '', /peer-2 has not deleted 3 chunks, first asked .*\s+It does not answer\./);
    assert.match(lost ?? '', /Very much is needed by no file/);
    assert.match(awaited ?? '', /before peer-3 had a say/);
    assert.deepEqual(await accessibilityFaults(tab), []);
    await picture('room');
    await page.unroute('**/api/v1/garbage');
    await page.unroute('**/api/v1/compaction');
  });

  it('tells how far a machine is that is to leave', async () => {
    const peers: PeerReply[] = await page.evaluate(`fetch('/api/v1/peers').then((reply) => reply.json())`);
    const draining = peers.map((peer) => (peer.name === 'peer-3' ? { ...peer, state: 'draining' as const } : peer));
    const [peer] = draining.filter(({ name }) => name === 'peer-3');
    assert.ok(peer !== undefined);
    const leaving = (reply: Partial<DrainReply>): DrainReply => ({
      ...{ peer, phase: 'leaving', forced: false, left: { chunks: 7, bytes: 3e6 }, totalBytes: 9e6 },
      ...{ secondsLeft: 125, staying: { chunks: 0, bytes: 0 }, reason: null, ...reply },
    });
    let told = leaving({});
    await page.route('**/api/v1/peers', (route) => route.fulfill({ json: draining }));
    await page.route('**/api/v1/peers/drain?peer=peer-3', (route) => route.fulfill({ json: told }));
    await page.reload();
    const card = page.getByRole('region', { name: 'Machines that leave' });
    await card.getByText('7 chunks, 3.0 MB, to be moved, about 2 min').waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
    const staying = { chunks: 1, bytes: 1e6 };
    told = leaving({ forced: true, staying, secondsLeft: null, reason: 'It waits for peer-2.' });
    await card.getByText('to be moved; 1 chunk has no other place').waitFor();
    await card.getByText('It waits for peer-2.').waitFor();
    told = leaving({ left: null });
    await card.getByText('counting what only it holds').waitFor();
    await page.unroute('**/api/v1/peers');
    await page.unroute('**/api/v1/peers/drain?peer=peer-3');
    await page.reload();
    await card.waitFor({ state: 'detached' });
  });

  it('warns while a machine is down, says which one, and takes it back', async () => {
    assert.equal((await stage.devnet('stop', '4', '--kill')).code, 0);
    await page.getByText('1 of 4 machines is down.').waitFor();
    await page.getByText('not one more machine may fail').waitFor();
    await page.getByRole('img', { name: '1 at risk' }).waitFor();
    const may = page.getByRole('region', { name: 'What may fail' });
    await may.getByRole('row', { name: /peer-4 .*down has failed/ }).waitFor();
    await may.getByRole('row', { name: /peer-3 .*up not now/ }).waitFor();
    await page.getByText('peer-4 does not answer').first().waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
    assert.equal((await stage.devnet('stop', '3', '--kill')).code, 0);
    await page.getByText('1 file of 1 cannot be read now').waitFor();
    await page.getByRole('listitem').filter({ hasText: '/letter.txt' }).waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
    assert.equal((await stage.devnet('start', '3')).code, 0);
    assert.equal((await stage.devnet('start', '4')).code, 0);
    await page.getByText(/safe; any 1 of 4 machines may fail/).waitFor();
  });

  it('tells what happened', async () => {
    await page.reload();
    const activity = page.getByRole('listitem').filter({ hasText: 'signed in' });
    await activity.first().waitFor();
  });

  it('draws what was measured, in both themes', async () => {
    const now = Date.now();
    const points = [...Array(90).keys()].map((n) => [now - (90 - n) * MINUTE_MS, 1e9 + n * 1e7]);
    const series = [
      { name: 'chunkBytes', unit: 'bytes', points },
      { name: 'freeBytes', unit: 'bytes', points: points.map(([at = 0, value = 0]) => [at, 5e9 - value]) },
    ];
    await page.route('**/api/v1/history?*', (route) => route.fulfill({ json: { series } }));
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.reload();
      const chart = page.getByRole('img', { name: /Space on this machine\. Chunks: now 1\.9 GB, Free: now 3\.1 GB/ });
      await chart.waitFor();
      assert.ok((await colours(chart)) >= 3, 'lines, a grid and words were drawn');
      assert.deepEqual(await accessibilityFaults(tab), []);
    }
    await page.getByRole('button', { name: '1 hour' }).click();
    await page.getByRole('button', { name: '1 hour', pressed: true }).waitFor();
  });

  it('tells what is at risk, gone, distrusted, lost and queued, and what to do', async () => {
    const { safety, peers, ...status } = await page.evaluate<StatusReply>(
      `fetch('/api/v1/status').then((reply) => reply.json())`,
    );
    assert.ok(safety !== null);
    const troubled = { ...status, peers, safety: { ...safety, ...TROUBLE, machines: inTrouble(safety.machines) } };
    const told = `retry: 600000\nevent: status\ndata: ${JSON.stringify(troubled)}\n\n`;
    await page.route('**/api/v1/status', (route) => route.fulfill({ json: troubled }));
    await page.route('**/api/v1/events', (route) => route.fulfill({ contentType: 'text/event-stream', body: told }));
    await page.emulateMedia({ colorScheme: 'light' });
    await page.reload();
    await page.getByText('1 file of 1,210 cannot be read now').waitFor();
    await page.getByRole('img', { name: '1,200 healthy, 7 degraded, 2 at risk, 1 lost' }).waitFor();
    await page.getByText('peer-3 is distrusted').waitFor();
    await page.getByText('peer-4 is gone').waitFor();
    await page.getByText('peer-2 has lost 12 chunks').waitFor();
    const zones = page.getByRole('table', { name: 'Zones' });
    await zones.getByRole('row', { name: 'attic 1 of 2 not now' }).waitFor();
    await zones.getByRole('row', { name: 'cellar 2 of 2 yes' }).waitFor();
    const healing = page.getByRole('region', { name: 'Healing' });
    await healing.getByText('31 chunks, which moves 2.0 GB').waitFor();
    await healing.getByText('about 2 min', { exact: true }).waitFor();
    await page.getByText('What these words mean').click();
    await page.getByText('There is a machine that may not fail now', { exact: false }).first().waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityFaults(tab), []);
    }
    await picture('troubled');
    await page.setViewportSize(PHONE);
    assert.ok((await overflow()) <= 0);
    await picture('troubled-phone');
    await page.setViewportSize(DESKTOP);
    await page.unroute('**/api/v1/status');
    await page.unroute('**/api/v1/events');
    await page.reload();
  });

  it('has room on a phone', async () => {
    await page.setViewportSize(PHONE);
    await page.getByRole('img', { name: /Space on this machine/ }).waitFor();
    assert.ok((await overflow()) <= 0);
    await picture('phone');
    stage.assertQuiet();
  });
});

/** How many different colours, apart from the ground, a chart is drawn in: those of more than a few pixels. */
async function colours(chart: ReturnType<Page['getByRole']>): Promise<number> {
  return await chart.locator('canvas').evaluate((element) => {
    const canvas = element as unknown as {
      readonly width: number;
      readonly height: number;
      getContext(kind: '2d'): { getImageData(...box: number[]): { readonly data: Uint8ClampedArray } };
    };
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const counts = new Map<string, number>();
    for (let at = 0; at < data.length; at += 4) {
      if ((data[at + 3] ?? 0) < 200) continue;
      const key = [data[at], data[at + 1], data[at + 2]].join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts.values()].filter((count) => count > 20).length;
  });
}
