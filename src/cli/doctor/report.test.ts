import assert from 'node:assert/strict';
import { it } from 'node:test';
import pc from 'picocolors';
import { ok, problem, unknown, warning } from './finding.js';
import { reportText } from './report.js';

const plain = pc.createColors(false);

it('a report shows what to do below what was found', () => {
  const findings = [
    ok('Node.js', 'Node.js 20.'),
    problem('home', 'Others may\u001b enter.', 'chmod 700'),
    unknown('sync', '?'),
  ];
  assert.equal(
    reportText([...findings, warning('clock', 'Off.', 'Set it.')], plain),
    [
      'ok       Node.js  Node.js 20.',
      'PROBLEM  home     Others may\\u{1b} enter.',
      '                  → chmod 700',
      '?        sync     ?',
      'warning  clock    Off.',
      '                  → Set it.',
      '',
      '1 problem, 1 warning.',
    ].join('\n'),
  );
  assert.match(reportText([ok('a', 'b')], plain), /Nothing is wrong\.$/);
});
