/** How files are shown: one, many, and to everybody. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { needs } from '../needs.js';
import { makeFilm } from './film.js';
import { accessibilityFaults, BrowserStage, CHROMIUM, PHONE, type Tab, until } from './stage.js';

/** Far more than are seen at once. */
const MANY = 10_000;
const FRAMES = 120;

describe('files that a browser shows', needs(CHROMIUM), () => {
  let stage: BrowserStage;
  let tab: Tab;
  let page: Page;

  before(async () => {
    stage = await BrowserStage.open({ peers: 3 });
    await stage.shoal(['put', '-', '/letter.txt'], { input: 'first words' });
    await stage.shoal(['put', '-', '/gone.txt'], { input: 'last words' });
    await stage.shoal(['rm', '/gone.txt']);
    tab = await stage.tab();
    page = tab.page;
    await row('letter.txt').waitFor();
  });

  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  function row(name: string) {
    return page.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) });
  }

  it('are films in which one can go forward without fetching all of it', async () => {
    const film = await makeFilm(page);
    await stage.shoal(['put', '-', '/film.webm'], { input: film });
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('film.webm')) asked.push(request.headers()['range'] ?? '');
    });
    // On a line on which all of it takes twenty seconds: else it may be here before anybody goes forward.
    const line = await page.context().newCDPSession(page);
    const conditions = { offline: false, latency: 0, uploadThroughput: -1 };
    await line.send('Network.emulateNetworkConditions', { ...conditions, downloadThroughput: film.length / 20 });
    await page.getByRole('button', { name: 'film.webm', exact: true }).click();
    await page.locator('video').waitFor();
    const player = "document.querySelector('video')";
    await until(page, `${player}.readyState >= 2`);
    assert.equal(await page.evaluate(`Math.round(${player}.duration)`), 40);
    await page.evaluate(`${player}.pause(), (${player}.currentTime = 33)`);
    await until(page, `!${player}.seeking && ${player}.readyState >= 2`);
    assert.equal(await page.evaluate(`Math.round(${player}.currentTime)`), 33);
    const starts = asked.map((range) => Number(/^bytes=(\d+)-/.exec(range)?.[1] ?? 0));
    assert.ok(
      starts.some((start) => start > film.length / 2),
      `asked for ${asked.join(', ')} of ${String(film.length)}`,
    );
    await line.detach();
    await page.keyboard.press('Escape');
    await page.locator('video').waitFor({ state: 'detached' });
  });

  it('are many, and only those that are seen are in the page', async (t) => {
    mkdirSync(join(stage.folder, 'many'));
    for (let n = 0; n < MANY; n += 1) writeFileSync(join(stage.folder, 'many', `${String(n)}.txt`), String(n));
    const put = await stage.shoal(['put', 'many', '/many']);
    assert.equal(put.code, 0, put.stderr);
    await page.goto(`${stage.url}/files?path=%2Fmany`);
    await row('0.txt').waitFor();
    assert.ok((await page.getByRole('row').count()) < 100);
    await page.getByRole('grid').focus();
    await page.keyboard.press('End');
    await row(`${String(MANY - 1)}.txt`).waitFor();
    assert.ok((await page.getByRole('row').count()) < 100);
    const frames = (await scrollUp()).toSorted((a, b) => a - b);
    t.diagnostic(`scrolling: median frame ${String(frames[FRAMES / 2])} ms, slowest ${String(frames.at(-1))} ms`);
    await row('0.txt').waitFor();
    await page.getByRole('link', { name: 'Files' }).last().click();
    await row('letter.txt').waitFor();
  });

  /** From the end of the list to its beginning. @returns milliseconds of each frame */
  function scrollUp(): Promise<number[]> {
    return page.evaluate<number[]>(`new Promise((resolve) => {
      const step = document.documentElement.scrollHeight / ${String(FRAMES)};
      const frames = [];
      let last = performance.now();
      const draw = (now) => {
        frames.push(Math.round(now - last));
        last = now;
        scrollBy(0, -step);
        if (frames.length > ${String(FRAMES)}) resolve(frames);
        else requestAnimationFrame(draw);
      };
      requestAnimationFrame(draw);
    })`);
  }

  it('show where they lie, and what may fail', async () => {
    await row('letter.txt').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Where it lies' }).click();
    await page.getByText('Any one of the 3 machines that hold it may fail').waitFor();
    await page.getByRole('button', { name: /peer-2/ }).click();
    await page.getByText('no further machine may fail').waitFor();
    await page.getByRole('button', { name: /peer-3/ }).click();
    await page.getByText('cannot be brought back').waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
  });

  it('can be had by everybody: axe finds nothing serious', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const outside = await stage.tab({ signedIn: false, colorScheme });
      await outside.page.getByRole('heading', { name: 'Sign in' }).waitFor();
      assert.deepEqual(await accessibilityFaults(outside), [], colorScheme);
      await outside.page.context().close();
    }
    const inside = await stage.tab({ viewport: PHONE, colorScheme: 'dark' });
    await inside.page.getByRole('grid').waitFor();
    assert.deepEqual(await accessibilityFaults(inside), [], 'a list');
    await inside.page.getByRole('button', { name: 'New folder' }).click();
    assert.deepEqual(await accessibilityFaults(inside), [], 'a dialog');
    await inside.page.keyboard.press('Escape');
    await inside.page.getByRole('link', { name: 'Trash' }).click();
    await inside.page.getByRole('button', { name: 'Empty the trash' }).waitFor();
    assert.deepEqual(await accessibilityFaults(inside), [], 'the trash');
  });

  it('are there at once: the first page is small, and nothing of it comes from elsewhere', async () => {
    const { page: fresh } = await stage.tab();
    await fresh.getByRole('grid').waitFor();
    const loaded = await fresh.evaluate<string[]>("performance.getEntriesByType('resource').map(({ name }) => name)");
    assert.deepEqual(new Set(loaded.map((url) => new URL(url).origin)), new Set([stage.url]));
    let zipped = 0;
    for (const url of [stage.url, ...loaded.filter((name) => !name.includes('/api/'))])
      zipped += gzipSync(await (await fresh.request.get(url)).body()).length;
    assert.ok(zipped > 10_000 && zipped < 200_000, `${String(zipped)} bytes`);
  });

  it('have not made the browser complain', () => {
    stage.assertQuiet();
  });
});
