import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkReach, WebOrigins } from './web-origins.js';

const REFUSED = { code: 'PERMISSION_DENIED' };

describe('WebOrigins', () => {
  const origins = new WebOrigins(['files.example.org', '192.0.2.7']);

  it('knows the names of this machine, at any port', () => {
    for (const host of ['127.0.0.1:8484', 'localhost', 'LOCALHOST:9000', '[::1]:8484', 'shoal.localhost:8484']) {
      assert.deepEqual(origins.reachedBy({ host }), { host: host.toLowerCase(), proxied: false });
    }
  });

  it('knows the names that it was told, as those of a proxy', () => {
    for (const host of ['files.example.org', 'Files.example.org:443', '192.0.2.7:8443']) {
      assert.deepEqual(origins.reachedBy({ host }), { host: host.toLowerCase(), proxied: true });
    }
  });

  it('refuses every other name', () => {
    for (const host of [
      ...['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', 'a.files.example.org', '', ' '],
      ...[
        '127.0.0.1@evil.example',
        '127.1',
        '0.0.0.0',
        '[::]',
        'evil.example#localhost',
        'localhost:8484:1',
        'x\u0000',
      ],
    ]) {
      assert.throws(() => origins.reachedBy({ host }), REFUSED, host);
    }
    assert.throws(() => origins.reachedBy({}), REFUSED);
  });

  it('lets its own pages ask, and programs that are no browser', () => {
    const here = origins.reachedBy({ host: '127.0.0.1:8484' });
    origins.checkSite({}, here);
    origins.checkSite({ 'sec-fetch-site': 'none' }, here);
    origins.checkSite({ 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8484' }, here);
    const proxied = origins.reachedBy({ host: 'files.example.org' });
    origins.checkSite({ origin: 'https://files.example.org' }, proxied);
  });

  it('lets no other page ask', () => {
    const here = origins.reachedBy({ host: '127.0.0.1:8484' });
    for (const headers of [
      { origin: 'null' },
      { origin: 'http://127.0.0.1:8485' },
      { origin: 'http://localhost:8484' },
      { origin: 'http://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ] as const) {
      assert.throws(() => origins.checkSite(headers, here), REFUSED, JSON.stringify(headers));
    }
    const proxied = origins.reachedBy({ host: 'files.example.org' });
    // Somebody between the browser and the proxy could be that page.
    assert.throws(() => origins.checkSite({ origin: 'http://files.example.org' }, proxied), REFUSED);
  });
});

describe('checkReach', () => {
  it('lets other machines in only where names are told', () => {
    for (const address of ['127.0.0.1:8484', '127.0.0.2:0', 'localhost:1', '[::1]:8484']) checkReach(address, []);
    checkReach('0.0.0.0:8484', ['files.example.org']);
    for (const address of ['0.0.0.0:8484', '[::]:8484', '192.0.2.7:8484', 'nas:8484', '127.example:1']) {
      assert.throws(() => checkReach(address, []), { code: 'INVALID_ARGUMENT', message: /SHOAL_WEB_HOSTS/ }, address);
    }
  });
});
