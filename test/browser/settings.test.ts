/** What somebody decides: passphrase, kit, sign-ins, the network's policy, this machine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { needs } from '../needs.js';
import { accessibilityFaults, BrowserStage, CHROMIUM, PHONE, type Tab } from './stage.js';

const NEXT = 'orbit velvet cactus hammer';
const LAST = 'river lantern marble window';

describe('settings in a browser', needs(CHROMIUM), () => {
  let stage: BrowserStage;
  let tab: Tab;
  let page: Page;
  let words: readonly string[] = [];

  before(async () => {
    stage = await BrowserStage.open({ peers: 3 });
    tab = await stage.tab();
    page = tab.page;
    await page.getByRole('link', { name: 'Settings' }).click();
  });

  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  function section(name: string) {
    return page.getByRole('region', { name, exact: true });
  }

  it('are accessible in both themes, which can be chosen', async () => {
    await section('This machine').getByText('drainSeconds').first().waitFor();
    for (const theme of ['Dark', 'Light'] as const) {
      await section('Appearance').getByRole('button', { name: theme }).click();
      await page.locator(`html[data-theme=${theme.toLowerCase()}]`).waitFor();
      assert.deepEqual(await accessibilityFaults(tab), []);
    }
    await section('Appearance').getByRole('button', { name: 'As the system' }).click();
  });

  it('rotate the passphrase, and take no weak one', async () => {
    const present = readFileSync(join(stage.home(1), 'demo.passphrase'), 'utf8').trim();
    const form = section('Passphrase');
    const submit = form.getByRole('button', { name: 'Change the passphrase' });
    await form.getByLabel('New passphrase').fill('demo1234');
    await form.getByLabel('The same once more').fill('demo1234');
    await form.getByLabel('Present passphrase').fill('not the present one');
    assert.equal(await submit.isDisabled(), true);
    await form.getByLabel('New passphrase').fill(NEXT);
    await form.getByText('The two differ.').waitFor();
    await form.getByLabel('The same once more').fill(NEXT);
    await submit.click();
    await form.getByRole('alert').waitFor();
    await form.getByLabel('Present passphrase').fill(present);
    await submit.click();
    await page.getByText('Your passphrase is changed').waitFor();
    await signOut();
    await signIn(present);
    await page.getByRole('alert').waitFor();
    await signIn(NEXT);
    await page.getByRole('navigation').first().waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
  });

  async function signOut(): Promise<void> {
    await page.getByRole('button', { name: 'Sign out' }).last().click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  }

  async function signIn(passphrase: string): Promise<void> {
    await page.getByLabel('Name').fill('demo');
    await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  it('print a kit, and nothing but the kit', async () => {
    const kit = section('Recovery kit');
    await kit.getByLabel('Your passphrase').fill(NEXT);
    await kit.getByRole('button', { name: 'Make a recovery kit' }).click();
    const sheet = page.getByRole('region', { name: 'Shoal recovery kit' });
    await sheet.waitFor();
    const items = await sheet.getByRole('listitem').allInnerTexts();
    words = items.map((item) => item.replace(/[^a-z]/g, ''));
    assert.equal(words.length, 24);
    assert.deepEqual(await accessibilityFaults(tab), []);
    await page.emulateMedia({ media: 'print' });
    await page.getByRole('heading', { name: 'Settings' }).waitFor({ state: 'hidden' });
    assert.equal(await sheet.isVisible(), true);
    await page.emulateMedia({ media: 'screen' });
    await kit.getByRole('button', { name: 'I have it on paper' }).click();
    await kit.getByText('There is a kit on paper').waitFor();
  });

  it('print a kit that opens everything', async () => {
    const input = `${words.join(' ')}\n${LAST}\n`;
    const recovered = await stage.shoal(['user', 'recover', 'demo'], { input });
    assert.equal(recovered.code, 0, recovered.stderr);
    await page.goto(stage.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn(LAST);
    await page.getByRole('navigation').first().waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
  });

  it('make a token that may read, once shown, and revoke it', async () => {
    const sessions = section('Sign-ins and tokens');
    await sessions.getByRole('button', { name: 'New token …' }).click();
    await page.getByLabel('For what').fill('backup script');
    await page.getByRole('button', { name: 'read', exact: true }).click();
    assert.deepEqual(await accessibilityFaults(tab), []);
    await page.getByRole('button', { name: 'Make the token' }).click();
    const token = await page.getByRole('dialog').locator('pre').innerText();
    await page.getByRole('button', { name: 'Done' }).click();
    const ask = (method: string) =>
      fetch(`${stage.url}/api/v1/${method === 'GET' ? 'entries?path=/' : 'folders'}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: JSON.stringify({ path: '/x' }) }),
      });
    assert.equal((await ask('GET')).status, 200);
    assert.equal((await ask('POST')).status, 403);
    const item = sessions.getByRole('listitem').filter({ hasText: 'backup script' });
    await item.getByRole('button', { name: 'Revoke' }).click();
    await item.waitFor({ state: 'detached' });
    assert.equal((await ask('GET')).status, 401);
  });

  it('change a setting of the machine for its next start, and say what is wrong with one', async () => {
    const machine = section('This machine');
    const item = machine.getByRole('listitem').filter({ hasText: 'drainSeconds' });
    await item.getByRole('button').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Value').fill('-1');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Value').fill('21');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await item.getByText('from the next start').waitFor();
    const settings = JSON.parse(readFileSync(join(stage.home(1), 'config.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(settings['drainSeconds'], 21);
  });

  it('say how much may be lost, and make new keys', async () => {
    await section('How much may be lost').getByText('any 1 may fail; 2 data + 1 parity').waitFor();
    await section('Keys').getByRole('button', { name: 'Make new keys …' }).click();
    await page.getByRole('dialog').getByLabel('Your passphrase').fill(LAST);
    await page.getByRole('dialog').getByRole('button', { name: 'Make new keys' }).click();
    await section('Keys').getByText('Generation 2').waitFor();
  });

  it('have room on a phone', async () => {
    await page.setViewportSize(PHONE);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(overflow <= 0, `the page is ${String(overflow)} px too wide`);
    assert.deepEqual(await accessibilityFaults(tab), []);
  });
});
