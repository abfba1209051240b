import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UserId } from '../../chunk/ids.js';
import { MAX_BROWSER_SESSIONS, MAX_WEB_LINKS, WEB_LINK_MS, WEB_SESSION_IDLE_MS, WEB_SESSION_MS } from '../../limits.js';
import { BrowserSessions, isSameSecret } from './browser-sessions.js';
import { Links } from './links.js';

const ANN = { user: 'ann', userId: 'id of ann' as UserId, name: 'a browser', host: '127.0.0.1:8484' };

describe('BrowserSessions', () => {
  it('finds a session by its secret, under the host that it was given under', () => {
    const sessions = new BrowserSessions(() => 0);
    const { secret, session } = sessions.open(ANN);
    assert.equal(sessions.find(secret, ANN.host), session);
    assert.equal(sessions.find(secret, 'localhost:8484'), undefined);
    assert.equal(sessions.find(`${secret}x`, ANN.host), undefined);
    assert.notEqual(sessions.open(ANN).session.csrf, session.csrf);
  });

  it('ends what is not used, and what is old', () => {
    let nowMs = 0;
    const sessions = new BrowserSessions(() => nowMs);
    const idle = sessions.open(ANN);
    const used = sessions.open(ANN);
    for (nowMs = 0; nowMs < WEB_SESSION_MS; nowMs += WEB_SESSION_IDLE_MS / 2) {
      const found = sessions.find(used.secret, ANN.host);
      assert.ok(found !== undefined);
      sessions.touch(found);
    }
    assert.equal(sessions.find(idle.secret, ANN.host), undefined);
    assert.equal(sessions.find(used.secret, ANN.host), undefined, 'however much it is used');
  });

  it('tells who is signed out, all but one where one stays', () => {
    const sessions = new BrowserSessions(() => 0);
    const [one, two] = [sessions.open(ANN).session, sessions.open(ANN).session];
    const bob = sessions.open({ ...ANN, user: 'bob' }).session;
    const ended: string[] = [];
    sessions.onEnd(({ id }) => ended.push(id));
    sessions.endAll('ann', two.id);
    assert.deepEqual(ended, [one.id]);
    assert.deepEqual([sessions.has(one.id), sessions.has(two.id), sessions.has(bob.id)], [false, true, true]);
    assert.equal(sessions.end(one.id), false);
  });

  it('tells of those whose time is up when it is asked to look, whether they are used or not', () => {
    let nowMs = 0;
    const sessions = new BrowserSessions(() => nowMs);
    const { id } = sessions.open(ANN).session;
    const ended: string[] = [];
    sessions.onEnd((session) => ended.push(session.id));
    sessions.expire();
    assert.deepEqual(ended, []);
    nowMs = WEB_SESSION_IDLE_MS;
    sessions.expire();
    sessions.expire();
    assert.deepEqual(ended, [id]);
  });

  it('has room for a number of them, and makes it', () => {
    let nowMs = 0;
    const sessions = new BrowserSessions(() => nowMs);
    const all = Array.from({ length: MAX_BROWSER_SESSIONS + 1 }, () => {
      nowMs++;
      return sessions.open(ANN).session.id;
    });
    assert.equal(sessions.list('ann').length, MAX_BROWSER_SESSIONS);
    assert.equal(sessions.has(all[0] ?? ''), false);
  });
});

describe('Links', () => {
  it('work once, for some minutes', () => {
    let nowMs = 0;
    const links = new Links(() => nowMs);
    const { secret, expiresMs } = links.make('ann');
    assert.equal(expiresMs, WEB_LINK_MS);
    assert.equal(links.use('another'), undefined);
    assert.equal(links.use(secret)?.user, 'ann');
    assert.equal(links.use(secret), undefined);
    const late = links.make('ann');
    nowMs = WEB_LINK_MS;
    assert.equal(links.use(late.secret), undefined);
  });

  it('of one user end when they are dropped', () => {
    const links = new Links(() => 0);
    const [ann, bob] = [links.make('ann').secret, links.make('bob').secret];
    links.drop('ann');
    assert.deepEqual([links.use(ann), links.use(bob)?.user], [undefined, 'bob']);
  });

  it('are bounded: the oldest makes room', () => {
    const links = new Links(() => 0);
    const [first = '', ...others] = Array.from({ length: MAX_WEB_LINKS + 1 }, (_, n) => links.make(String(n)).secret);
    assert.equal(links.use(first), undefined);
    assert.equal(links.use(others.at(-1) ?? '')?.user, String(MAX_WEB_LINKS));
  });
});

it('secrets are the same or not', () => {
  assert.ok(isSameSecret('abc', 'abc'));
  assert.ok(!isSameSecret('abc', 'abcd') && !isSameSecret('', 'a'));
});
