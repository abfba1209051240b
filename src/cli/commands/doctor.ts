import type { Command } from 'commander';
import pc from 'picocolors';
import { StorageError } from '../../errors.js';
import { diagnose } from '../doctor/diagnose.js';
import { admit } from '../doctor/patient.js';
import { reportText } from '../doctor/report.js';
import { Invocation } from '../invocation.js';
import { wantsColor, type Runtime } from '../runtime.js';
import { count } from '../units.js';

const AFTER = `
Looks at this machine, at the home, at the peer that runs there and at the network around it, says what is wrong, and
what to do about it. It changes nothing: on the disk it only writes a small file for a moment, to see how fast that is.
Run it as the user that the peer runs as, with its environment.

The exit code is 0 when nothing is worse than a warning, else 1.

Examples:
  shoal doctor
  shoal doctor --home /srv/shoal
  shoal doctor --json | jq '.findings[] | select(.level == "problem")'
`;

export function defineDoctor(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER).action(async (_options: unknown, invoked: Command) => {
    await using invocation = new Invocation(invoked, runtime);
    const { home, client } = invocation;
    const { env, signal } = runtime;
    const findings = await diagnose(await admit({ home, env, status: () => client.status(), signal }));
    const problems = findings.filter(({ level }) => level === 'problem').length;
    const colors = pc.createColors(wantsColor(runtime.stdout, env));
    invocation.result({ healthy: problems === 0, findings }, () => reportText(findings, colors));
    // Exit code 1, as of a check for probes.
    if (problems > 0) throw new StorageError('INTERNAL', `${count(problems, 'problem')}: see above.`);
  });
}
