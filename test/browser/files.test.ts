/** The files of somebody who never opens a terminal, before a real network of peers. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { needs } from '../needs.js';
import { makeFilm } from './film.js';
import { accessibilityFaults, BrowserStage, CHROMIUM, PHONE, type Tab, until } from './stage.js';

const MANY = 1500;

describe('files in a browser', needs(CHROMIUM), () => {
  let stage: BrowserStage;
  let tab: Tab;
  let page: Page;

  before(async () => {
    stage = await BrowserStage.open({ peers: 3 });
    tab = await stage.tab();
    page = tab.page;
  });

  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  function row(name: string) {
    return page.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) });
  }

  async function content(path: string): Promise<string> {
    return (await stage.shoal(['cat', path])).stdout.toString();
  }

  it('are stored by dropping them on the page', async () => {
    await page.getByText('No files yet').waitFor();
    const drop = `(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['first words'], 'letter.txt', { lastModified: 1_700_000_000_000 }));
      transfer.items.add(new File(['x'.repeat(100000)], 'long.log'));
      return transfer;
    })()`;
    const dataTransfer = await page.evaluateHandle(drop);
    await page.dispatchEvent('main', 'dragenter', { dataTransfer });
    await page.getByText('Drop to store in Files').waitFor();
    await page.dispatchEvent('main', 'drop', { dataTransfer });
    await row('letter.txt').waitFor();
    await row('long.log').waitFor();
    assert.equal(await content('/letter.txt'), 'first words');
  });

  it('are stored with the folders they lie in', async () => {
    mkdirSync(join(stage.folder, 'holiday/day one'), { recursive: true });
    writeFileSync(join(stage.folder, 'holiday/plan.txt'), 'sun');
    writeFileSync(join(stage.folder, 'holiday/day one/ünï 猫.txt'), 'sea');
    await page.setInputFiles('input[data-purpose=folder]', join(stage.folder, 'holiday'));
    await row('holiday').waitFor();
    await page.getByText('4 files stored').waitFor();
    assert.equal(await content('/holiday/day one/ünï 猫.txt'), 'sea');
    await page.getByRole('button', { name: 'holiday', exact: true }).click();
    await page.getByRole('button', { name: 'day one', exact: true }).click();
    await row('ünï 猫.txt').waitFor();
    await page.goBack();
    await row('plan.txt').waitFor();
    await page.getByRole('link', { name: 'Files' }).last().click();
    await row('letter.txt').waitFor();
  });

  it('get other names and other folders', async () => {
    await row('letter.txt').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('a/b');
    await page.getByText('cannot hold "/"').waitFor();
    await page.getByRole('dialog').getByLabel('Name').fill('note.txt');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await row('note.txt').waitFor();
    await page.getByRole('button', { name: 'What to do with note.txt' }).click();
    await page.getByRole('menuitem', { name: 'Move' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'holiday' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Move to holiday' }).click();
    await row('note.txt').waitFor({ state: 'detached' });
    assert.equal(await content('/holiday/note.txt'), 'first words');
  });

  it('go into the trash, and come back', async () => {
    await row('long.log').getByRole('checkbox').check();
    await row('holiday').getByRole('checkbox').check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
    await row('holiday').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await row('holiday').waitFor();
    await row('long.log').waitFor();
    await row('long.log').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await row('long.log').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Trash' }).click();
    await page.getByRole('button', { name: 'Restore long.log' }).click();
    await page.getByText('The trash is empty').waitFor();
    await page.getByRole('link', { name: 'Files' }).click();
    await row('long.log').waitFor();
  });

  it('are what they were, in every version', async () => {
    await stage.shoal(['put', '-', '/draft.txt'], { input: 'older' });
    await stage.shoal(['put', '-', '/draft.txt'], { input: 'newer words' });
    await row('draft.txt').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Versions' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Current').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('listitem').filter({ hasText: '5 B' }).getByRole('link', { name: 'Download' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'draft.txt');
    await dialog.getByRole('button', { name: 'Restore' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await content('/draft.txt'), 'older');
  });

  it('are found by a part of their name', async () => {
    await page.getByRole('searchbox').fill('PLAN');
    await row('plan.txt').waitFor();
    await page.getByText('/holiday', { exact: true }).waitFor();
    await page.getByRole('searchbox').fill('nothing is called so');
    await page.getByText('Nothing found').waitFor();
    await page.getByRole('searchbox').fill('');
    await row('holiday').waitFor();
  });

  it('come as a zip when they are many', async () => {
    await row('holiday').getByRole('checkbox').check();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('toolbar').getByRole('button', { name: 'Download as zip' }).click(),
    ]);
    assert.match(download.suggestedFilename(), /\.zip$/);
    assert.equal(await download.failure(), null);
    await page.getByRole('button', { name: 'Select nothing' }).click();
  });

  it('are films in which one can go forward without fetching all of it', async () => {
    const film = await makeFilm(page);
    await stage.shoal(['put', '-', '/film.webm'], { input: film });
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('film.webm')) asked.push(request.headers()['range'] ?? '');
    });
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
    await page.keyboard.press('Escape');
    await page.locator('video').waitFor({ state: 'detached' });
  });

  it('can be had by keys alone', async () => {
    await page.getByRole('grid').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('End');
    for (let press = 0; press < 9; press += 1) {
      if ((await page.locator('[data-focus=true]').innerText()).includes('draft.txt')) break;
      await page.keyboard.press('ArrowUp');
    }
    await page.keyboard.press('F2');
    await page.keyboard.type('final');
    await page.keyboard.press('Enter');
    await row('final.txt').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('grid').focus();
    await page.keyboard.press('Enter');
    await page.getByText('older', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.getByRole('grid').focus();
    await page.keyboard.press('Delete');
    await row('final.txt').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    assert.equal(await page.evaluate('document.activeElement.type'), 'search');
  });

  it('are many, and only those that are seen are in the page', async () => {
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
    await page.getByRole('link', { name: 'Files' }).last().click();
    await row('holiday').waitFor();
  });

  it('show where they lie, and what may fail', async () => {
    await row('long.log').click({ button: 'right' });
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
