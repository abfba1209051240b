import type { Command } from 'commander';
import { StorageError } from '../errors.js';
import type { CommonOptions, Invocation } from './invocation.js';

/** The user that is meant. @throws StorageError INVALID_ARGUMENT when it is not clear which, NOT_FOUND when there is none */
export async function userMeant(invocation: Invocation, name: string | undefined, command: Command): Promise<string> {
  const meant = name ?? command.optsWithGlobals<CommonOptions>().user;
  if (meant !== undefined) return meant;
  const users = await invocation.client.users();
  const [only] = users;
  if (only === undefined) {
    throw new StorageError('NOT_FOUND', 'This network has no user yet. Make one with `shoal user create NAME`.');
  }
  if (users.length === 1) return only.name;
  throw new StorageError('INVALID_ARGUMENT', `There are ${String(users.length)} users: say which one.`);
}
