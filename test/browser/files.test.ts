/** The files of somebody who never opens a terminal, before a real network of peers. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { needs } from '../needs.js';
import { BrowserStage, CHROMIUM } from './stage.js';

describe('files in a browser', needs(CHROMIUM), () => {
  let stage: BrowserStage;
  let page: Page;

  before(async () => {
    stage = await BrowserStage.open({ peers: 3 });
    page = (await stage.tab()).page;
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

  it('can be had by keys alone', async () => {
    const names = await page.locator('.list-open').allInnerTexts();
    await page.getByRole('grid').focus();
    await page.keyboard.press('Home');
    for (let at = names.indexOf('draft.txt'); at > 0; at -= 1) await page.keyboard.press('ArrowDown');
    await page.locator('[data-focus=true]').filter({ hasText: 'draft.txt' }).waitFor();
    await page.keyboard.press('F2');
    await page.getByRole('dialog').waitFor();
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

  it('have not made the browser complain', () => {
    stage.assertQuiet();
  });
});
