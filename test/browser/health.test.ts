/** The plain sentence, and what stands behind it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { needs } from '../needs.js';
import { accessibilityFaults, BrowserStage, CHROMIUM, PHONE, type Tab } from './stage.js';

const MINUTE_MS = 60_000;

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

  it('says that nothing is stored, and then that it is safe', async () => {
    await page.getByText('Nothing is stored yet').waitFor();
    writeFileSync(join(stage.folder, 'letter.txt'), 'first words');
    assert.equal((await stage.shoal(['put', 'letter.txt', '/letter.txt'])).code, 0);
    await page.getByText(/safe; any 1 of 4 machines may fail/).waitFor();
    await page.getByText('All 4 machines are up.').waitFor();
    await page.getByText('Nothing asks for your attention.').waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
  });

  it('warns while a machine is down, says which one, and takes it back', async () => {
    assert.equal((await stage.devnet('stop', '4', '--kill')).code, 0);
    await page.getByText('1 of 4 machines is down.').waitFor();
    await page.getByText('not one more machine may fail').waitFor();
    await page.getByText('peer-4 does not answer').first().waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
    assert.equal((await stage.devnet('stop', '3', '--kill')).code, 0);
    await page.getByText('Some files cannot be read now').waitFor();
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

  it('has room on a phone', async () => {
    await page.setViewportSize(PHONE);
    await page.getByRole('img', { name: /Space on this machine/ }).waitFor();
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(overflow <= 0, `the page is ${String(overflow)} px too wide`);
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
