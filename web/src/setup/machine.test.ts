import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { draftOf, faultsOf, isLoopback, joinRequest, networkRequest } from './machine.js';

const draft = draftOf({
  home: '/home/ann/.shoal',
  peer: 'attic',
  listen: '0.0.0.0:8485',
  addresses: ['192.168.1.7:8485', '127.0.0.1:8485'],
  roomBytes: 78_784_442_368,
});

describe('draftOf', () => {
  it('begins with what the machine proposes', () => {
    assert.equal(draft.address, '192.168.1.7:8485');
    assert.equal(draft.capacity, '78');
    assert.equal(draft.peer, 'attic');
  });
});

describe('faultsOf', () => {
  it('asks for a name of the network, or an invitation', () => {
    assert.deepEqual([...faultsOf(draft, 'create')], ['network']);
    assert.deepEqual([...faultsOf(draft, 'join')], ['token']);
    assert.equal(faultsOf({ ...draft, network: 'family' }, 'create').size, 0);
    assert.equal(faultsOf({ ...draft, token: ' SHOAL1-AB12 ' }, 'join').size, 0);
  });

  it('takes only what can be an address, and a size', () => {
    const wrong = { ...draft, network: 'family', listen: '8485', address: 'nas', capacity: '-1', peer: ' ' };
    assert.deepEqual([...faultsOf(wrong, 'create')].sort(), ['address', 'capacity', 'listen', 'peer']);
    assert.equal(faultsOf({ ...draft, network: 'x', address: '[2001:db8::7]:8485' }, 'create').size, 0);
  });
});

describe('requests', () => {
  it('trims what is typed, and leaves out what is not', () => {
    const typed = { ...draft, network: ' family ', zone: ' home', capacity: '' };
    assert.deepEqual(networkRequest(typed, ' alice ', ' kept as it is '), {
      ...{ peer: 'attic', listen: '0.0.0.0:8485', address: '192.168.1.7:8485', zone: 'home' },
      ...{ name: 'family', user: 'alice', passphrase: ' kept as it is ' },
    });
    assert.deepEqual(joinRequest({ ...draft, token: 'shoal1-x\n', backup: true }), {
      ...{ peer: 'attic', listen: '0.0.0.0:8485', address: '192.168.1.7:8485', zone: '' },
      ...{ capacityBytes: 78e9, token: 'shoal1-x', backup: true },
    });
  });
});

describe('isLoopback', () => {
  it('knows what only this machine reaches', () => {
    assert.deepEqual(
      ['127.0.0.1:1', 'localhost:8485', '[::1]:8485', '192.168.1.7:8485', 'nas.example:1'].map(isLoopback),
      [...[true, true, true], ...[false, false]],
    );
  });
});
