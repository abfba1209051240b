import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../errors.js';
import { Database } from './sqlite.js';

/** Opens `gateway.sqlite` in `directory`, which is created when it is missing: what the gateway alone keeps. */
export async function openGatewayState(directory: string): Promise<Database> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const schema = new URL('schema/gateway/', import.meta.url);
    return await Database.open({ file: join(directory, 'gateway.sqlite'), schema, name: 'What the gateway keeps' });
  } catch (error) {
    throw wrapError(error, `Opening what the gateway keeps in ${directory}`);
  }
}
