/** Of what a command with `--json` has written: how it ended. */
export function lastLine(stdout: Buffer): unknown {
  return JSON.parse(stdout.toString().trimEnd().split('\n').at(-1) ?? '');
}
