import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Lab, needsHosts, type LabHost } from './lab.js';

const run = promisify(execFile);

/** Answers each connection with the address it came from. */
const SERVER = `
  const server = require('node:net').createServer((socket) => socket.end(socket.remoteAddress));
  server.listen(7000, '::', () => process.stdout.write('up'));`;
const CLIENT = `
  const started = performance.now();
  const socket = require('node:net').connect({ host: process.argv[1], port: 7000, timeout: 2000 });
  socket.on('timeout', () => { console.log('silence'); process.exit(); });
  socket.on('error', (error) => { console.log(error.code); process.exit(); });
  socket.on('data', (data) => { console.log(String(data), Math.round(performance.now() - started)); process.exit(); });`;

async function ask(lab: Lab, from: LabHost, address: string): Promise<string> {
  const { command, words } = lab.within(from, process.execPath, ['-e', CLIENT, address]);
  return (await run(command, words)).stdout.trim();
}

test('hosts of the lab reach each other, late, and not across a partition', needsHosts(), async () => {
  await using lab = new Lab();
  const one = await lab.add('a', ['10.77.0.1/24', 'fd00:77::1/64']);
  const two = await lab.add('b', ['10.77.0.2/24', 'fd00:77::2/64']);
  const { command, words } = lab.within(two, process.execPath, ['-e', SERVER]);
  const server = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(server.stdout, 'data');
    assert.match(await ask(lab, one, '10.77.0.2'), /^::ffff:10\.77\.0\.1 /);
    assert.match(await ask(lab, one, 'fd00:77::2'), /^fd00:77::1 /);

    lab.wires.weather = { delayMs: 50, loss: 0 };
    const [, ms] = (await ask(lab, one, '10.77.0.2')).split(' ');
    // The handshake and the answer: two round trips.
    assert.ok(Number(ms) >= 200, `${String(ms)} ms`);

    lab.wires.partition(['a'], ['b']);
    assert.equal(await ask(lab, one, '10.77.0.2'), 'silence');
    lab.wires.heal();
    await lab.readdress(two, ['10.77.0.9/24']);
    assert.match(await ask(lab, one, '10.77.0.9'), /^::ffff:10\.77\.0\.1 /);
  } finally {
    server.kill('SIGKILL');
    await once(server, 'close');
  }
});
