import { StorageError } from '../../errors.js';
import type { StatusReply } from '../../gateways/http/api.js';
import { ok, problem, warning, type Finding } from './finding.js';

const NAME = 'peer';

/** Whether the peer of this home runs, all of it, and in the version of this command. */
export function checkDaemon(status: StatusReply | StorageError, version: string): readonly Finding[] {
  if (status instanceof StorageError) {
    const isStopped = status.code === 'UNAVAILABLE';
    const found = isStopped ? 'No peer runs in this home.' : `The peer does not tell how it is: ${status.message}`;
    const remedy = isStopped ? 'Start it with `shoal serve`.' : 'Read its log, and start it again.';
    return [problem(NAME, found, remedy)];
  }
  const findings = status.missing.map(({ service, message }) =>
    problem(NAME, message, `Start it with \`shoal serve ${service}\`, or see its log.`),
  );
  if (status.version !== version) {
    const found = `The peer runs Shoal ${status.version}, and this command is of ${version}.`;
    findings.push(warning(NAME, found, 'Start the peer again, so that it runs the version that is installed.'));
  }
  const unsound = status.problems.length;
  if (unsound > 0) {
    const found = `${String(unsound)} records of the shared databases are not as they should be.`;
    findings.push(warning(NAME, found, '`shoal status --json` and the log say which, and what is done about them.'));
  }
  return findings.length > 0 ? findings : [ok(NAME, `The peer ${status.peer.name} runs.`)];
}
