import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_TOKEN_CHARS } from '../../limits.js';
import { demandName } from '../../enrolment/peer-name.js';
import { homeOf, Invocation, type CommonOptions } from '../invocation.js';
import { addNewPeerOptions, loopbackNote, newPeerOf, serveCommand, type NewPeerOptions } from '../new-peer-options.js';
import { printable } from '../printable.js';
import type { Runtime } from '../runtime.js';

const AFTER = `
TOKEN comes from \`shoal peer invite\`; "-" reads it from standard input, so that no list of processes shows it. The key of the
peer is made here and stays here. A peer that was a member before keeps its key, its id and its chunks: that is how one comes
back whose certificate has expired. It must not run meanwhile.

Examples:
  shoal peer join shoal1-… --listen 0.0.0.0:8485 --address attic.example:8485
  shoal peer join --token-file invitation --name attic --zone home --backup
`;

interface JoinOptions extends CommonOptions, NewPeerOptions {
  readonly tokenFile?: string;
  readonly name?: string;
  readonly backup?: true;
}

export function definePeerJoin(command: Command, runtime: Runtime): void {
  addNewPeerOptions(
    command
      .description('join a network with an invitation')
      .argument('[token]', 'the invitation, or - for standard input')
      .option('--token-file <path>', 'read it from a file')
      .option('--name <name>', 'what people call this peer (default: the name of the machine)'),
  )
    .option('--backup', 'it keeps the databases of all others, too')
    .addHelpText('after', AFTER)
    .action(async (token: string | undefined, _options: unknown, invoked: Command) => {
      const options = invoked.optsWithGlobals<JoinOptions>();
      await using invocation = new Invocation(invoked, runtime);
      const { parseToken } = await import('../../enrolment/token.js');
      const { joinNetwork } = await import('../../enrolment/join-network.js');
      const { silentLogger } = await import('../../log.js');
      const home = homeOf(options, runtime.env);
      const { name, backup = false } = options;
      if (name !== undefined) demandName(name);
      const joined = await joinNetwork({
        home,
        token: parseToken(await readToken(runtime, token, options.tokenFile)),
        peer: (former) => newPeerOf({ home, options, name, backup, env: runtime.env, former }),
        logger: silentLogger(),
        nowMs: Date.now,
        signal: runtime.signal,
      });
      const { network, peer, isAuthority } = joined;
      const reply = { network, name: joined.name, home, peer: peer.id, address: peer.address, authority: isAuthority };
      invocation.result(
        reply,
        () =>
          `${printable(peer.name)} is a peer of ${printable(joined.name)} now${isAuthority ? ', with the authority’s role' : ''}. Start it with \`${serveCommand(home)}\`.`,
      );
      const note = loopbackNote(peer.address);
      if (note !== undefined) invocation.note(note);
    });
}

async function readToken(runtime: Runtime, token: string | undefined, file: string | undefined): Promise<string> {
  if (token !== undefined && token !== '-') return token;
  if (token === '-') {
    let text = '';
    for await (const part of runtime.stdin) {
      text += part.toString();
      if (text.length > MAX_TOKEN_CHARS) break;
    }
    return text;
  }
  if (file === undefined) {
    throw new StorageError('INVALID_ARGUMENT', 'The invitation is missing. See `shoal peer join --help`.');
  }
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw wrapError(error, `Reading the invitation from ${file}`);
  }
}
