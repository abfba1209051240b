import assert from 'node:assert/strict';
import { it } from 'node:test';
import { browserName } from './browser-name.js';

it('browserName says what people call a browser', () => {
  const chrome =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
  const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1';
  assert.equal(browserName(chrome), 'Chrome on Linux');
  assert.equal(browserName(phone), 'Safari on iOS');
  assert.equal(browserName('curl/8.0'), 'curl/8.0');
});
