import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAvailable, parseLoopback, parsePeak, parseResident, parseStat } from './proc-stat.js';

const REST = 'S 1 2 2 0 -1 4194304 78 0 0 0 120 30 7 3 20 0 11 0 624701 2449408 81 18446744073709551615 0 0';

describe('/proc/<pid>/stat', () => {
  it('gives the time of the process and of the children it has waited for', () => {
    assert.deepEqual(parseStat(`4711 (node) ${REST}`), { own: 150, reaped: 10 });
  });

  it('is not confused by the name of the command', () => {
    assert.deepEqual(parseStat(`4711 (a) R 9 (b c) ${REST}`), { own: 150, reaped: 10 });
  });

  it('says when it is something else', () => {
    assert.equal(parseStat(''), undefined);
    assert.equal(parseStat('4711 (node) S 1 2'), undefined);
  });
});

describe('/proc/<pid>/status', () => {
  it('gives the resident size in bytes, now and at its largest', () => {
    const text = 'Name:\tnode\nVmPeak:\t  900 kB\nVmHWM:\t   52000 kB\nVmRSS:\t 40000 kB\n';
    assert.equal(parsePeak(text), 52000 * 1024);
    assert.equal(parseResident(text), 40000 * 1024);
  });

  it('has none for a process that has ended', () => {
    assert.equal(parsePeak('Name:\tnode\nState:\tZ (zombie)\n'), undefined);
    assert.equal(parseResident('Name:\tnode\nState:\tZ (zombie)\n'), undefined);
  });
});

describe('/proc/meminfo', () => {
  it('gives the memory that programs can have', () => {
    assert.equal(parseAvailable('MemTotal:  900 kB\nMemFree:  5 kB\nMemAvailable:   700 kB\n'), 700 * 1024);
    assert.equal(parseAvailable(''), undefined);
  });
});

describe('/proc/net/dev', () => {
  it('gives the bytes that loopback has received', () => {
    const text = 'Inter-|   Receive\n face |bytes    packets\n  eth0: 5 1 0\n    lo: 181278767348 4853788    0\n';
    assert.equal(parseLoopback(text), 181278767348);
    assert.equal(parseLoopback('  eth0: 5 1 0\n'), undefined);
  });
});
