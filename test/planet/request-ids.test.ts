import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Writable } from 'node:stream';
import { it } from 'node:test';
import { pino } from 'pino';
import { requestFields } from '../../src/log.js';
import type { Logger } from '../../src/log.js';
import { socketPath } from '../../src/socket-path.js';
import { Planet } from './planet.js';

type Line = Readonly<Record<string, unknown>>;

/** A logger as a process has it, whose lines are kept. */
function keeper(lines: Line[]): Logger {
  const stream = new Writable({
    write: (text: Buffer, _encoding, done) => {
      lines.push(JSON.parse(text.toString()) as Line);
      done();
    },
  });
  return pino({ level: 'debug', base: {}, mixin: requestFields }, stream);
}

async function put(home: string, path: string, id: string): Promise<string | string[] | undefined> {
  const asking = request({
    socketPath: socketPath(home, 'control'),
    method: 'PUT',
    path: `/v1/content?path=${encodeURIComponent(path)}`,
    headers: { 'content-type': 'application/octet-stream', 'x-request-id': id },
  });
  asking.end(randomBytes(300_000));
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  assert.equal(response.statusCode, 200);
  return response.headers['x-request-id'];
}

it('a request has one id in the log of its own peer and of those that work for it, and no path is in any log', async () => {
  const logs = new Map<number, Line[]>([1, 2, 3].map((n) => [n, []]));
  await using planet = await Planet.open({ peers: 3, logger: (n) => keeper(logs.get(n) ?? []) });
  assert.equal(await put(planet.home(1), '/secret-name', 'from-the-user'), 'from-the-user');
  const forged = await put(planet.home(1), '/another', 'x"y');
  assert.match(String(forged), /^[0-9a-f-]{36}$/);

  const of = (n: number, id: unknown): Line[] => (logs.get(n) ?? []).filter((line) => line['request'] === id);
  assert.ok(of(1, 'from-the-user').some((line) => line['call'] === 'PUT /v1/content'));
  for (const id of ['from-the-user', forged]) {
    const remote = [2, 3].flatMap((n) => of(n, id));
    assert.ok(
      remote.some((line) => line['call'] === '/shoal.v1.FileReceiver/StoreChunk'),
      'the peers that store a chunk know for which request',
    );
  }
  assert.ok(![...logs.values()].flat().some((line) => JSON.stringify(line).includes('secret-name')));
});
