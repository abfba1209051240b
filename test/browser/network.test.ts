/** Who belongs to a network, how they are, letting machines in and putting them out. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { runCli } from '../../src/cli/run-cli.js';
import { needs } from '../needs.js';
import { accessibilityFaults, BrowserStage, CHROMIUM, PHONE, type Tab } from './stage.js';

describe('the network in a browser', needs(CHROMIUM), () => {
  let stage: BrowserStage;
  let tab: Tab;
  let page: Page;

  before(async () => {
    stage = await BrowserStage.open({ peers: 3 });
    tab = await stage.tab();
    page = tab.page;
    await page.getByRole('link', { name: 'Network' }).click();
  });

  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  function onMap(name: string) {
    return page
      .getByRole('group', { name: 'Map of the machines' })
      .getByRole('button', { name: new RegExp(`^${name} `) });
  }

  function row(name: string) {
    return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: new RegExp(`^${name}`) }) });
  }

  async function choose(name: string, action: string): Promise<void> {
    await row(name).getByRole('button').click();
    await page.getByRole('menuitem', { name: action }).click();
  }

  /** @returns the token */
  async function invite(note: string): Promise<string> {
    await page.getByRole('button', { name: 'Invite a machine' }).click();
    await page.getByLabel('For whom').fill(note);
    await page.getByRole('button', { name: 'Make the invitation' }).click();
    await page.getByRole('img', { name: 'QR code' }).waitFor();
    const token = await page.getByRole('textbox', { name: 'Invitations' }).inputValue();
    assert.deepEqual(await accessibilityFaults(tab), []);
    await page.getByRole('button', { name: 'Done' }).click();
    return token;
  }

  it('is a map of machines in their places, and the same in words', async () => {
    for (const name of ['peer-1', 'peer-2', 'peer-3']) {
      await onMap(name).waitFor();
      await row(name).getByText('up', { exact: true }).waitFor();
    }
    await page.getByText('3 machines · 3 places · any 1 may fail').waitFor();
    await page.getByText('all copied').first().waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
  });

  it('tells more of a machine that is chosen, by keys alone', async () => {
    await onMap('peer-2').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'peer-2' }).waitFor();
    assert.equal(await onMap('peer-2').getAttribute('aria-pressed'), 'true');
    await page.getByText('zone-2', { exact: true }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Room altogether').waitFor();
  });

  it('shows a machine die, and come back', async () => {
    assert.equal((await stage.devnet('stop', '3', '--kill')).code, 0);
    await row('peer-3').getByText('down', { exact: true }).waitFor();
    assert.match((await onMap('peer-3').getAttribute('aria-label')) ?? '', /down/);
    assert.deepEqual(await accessibilityFaults(tab), []);
    assert.equal((await stage.devnet('start', '3')).code, 0);
    await row('peer-3').getByText('up', { exact: true }).waitFor();
  });

  it('makes an invitation good for one machine, and revokes another one', async () => {
    const token = await invite('shed');
    await invite('nobody');
    const [port] = await chooseFreePorts(1);
    const home = join(stage.folder, 'shed');
    const words = ['peer', 'join', '-', '--name', 'shed', '--listen', `127.0.0.1:${String(port)}`];
    const joined = await runCli(words, { home, input: token });
    assert.equal(joined.code, 0, joined.stderr);
    await page.getByText('used by shed').waitFor();
    await row('shed').getByText('down', { exact: true }).waitFor();
    const other = page.getByRole('listitem').filter({ hasText: 'nobody' });
    await other.getByRole('button', { name: 'Revoke' }).click();
    await other.waitFor({ state: 'detached' });
  });

  it('puts a machine out when its name is typed', async () => {
    await choose('shed', 'Remove …');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('peer-2');
    assert.equal(await dialog.getByRole('button', { name: 'Remove it' }).isDisabled(), true);
    await dialog.getByRole('textbox').fill('shed');
    await dialog.getByRole('button', { name: 'Remove it' }).click();
    await row('shed').waitFor({ state: 'detached' });
    await page.getByText('3 machines').waitFor();
  });

  it('changes what this machine says of itself', async () => {
    await choose('peer-1', 'Change …');
    await page.getByLabel('Where it stands').fill('cellar');
    assert.deepEqual(await accessibilityFaults(tab), []);
    await page.getByRole('button', { name: 'Save' }).click();
    await row('peer-1').getByText('cellar').waitFor();
    const { stdout } = await stage.shoal(['peer', 'list', '--json']);
    assert.match(stdout.toString(), /"zone": ?"cellar"/);
  });

  it('has room on a phone, in the dark', async () => {
    await page.setViewportSize(PHONE);
    await page.emulateMedia({ colorScheme: 'dark' });
    await onMap('peer-1').waitFor();
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(overflow <= 0, `the page is ${String(overflow)} px too wide`);
    assert.deepEqual(await accessibilityFaults(tab), []);
  });

  it('complains of nothing meanwhile', () => {
    stage.assertQuiet();
  });
});
