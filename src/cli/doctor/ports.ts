import { createServer } from 'node:net';
import { ok, problem, type Finding } from './finding.js';

/** A setting that says where something listens. */
export interface ListeningSetting {
  /** As in config.json. */
  readonly name: string;
  readonly variable: string;
  /** HOST:PORT */
  readonly value: string;
}

/** @param running a process of this peer runs, so that whoever has the port is taken for it */
export async function checkPort({ name, variable, value }: ListeningSetting, running: boolean): Promise<Finding> {
  const check = `port (${name})`;
  const code = await tryToListen(value);
  if (code === undefined) return ok(check, `${value} can be listened on.`);
  if (code === 'EADDRINUSE' && running) return ok(check, `${value} is in use, as it should while the peer runs.`);
  const other = `Choose another with ${variable} or "${name}" in config.json.`;
  if (code === 'EADDRINUSE') {
    const remedy = `Stop the other program (\`ss -ltnp\` names it). ${other}`;
    return problem(check, `${value} is taken by another program.`, remedy);
  }
  if (code === 'EACCES')
    return problem(check, `This user may not listen on ${value}.`, `Ports below 1024 are root’s. ${other}`);
  if (code === 'EADDRNOTAVAIL') return problem(check, `${value} is no address of this machine.`, other);
  return problem(check, `${value} cannot be listened on (${code}).`, other);
}

/** @returns the system's code for why not */
function tryToListen(value: string): Promise<string | undefined> {
  const { hostname, port } = new URL(`tcp://${value}`);
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}
