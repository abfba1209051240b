import type { LevelDatabase } from './level-database.js';
import { statusOf } from './pouch.js';

/** Who may do what with a database, in CouchDB's words. */
export interface SecurityPart {
  readonly names: readonly string[];
  readonly roles: readonly string[];
}

export interface Security {
  readonly admins: SecurityPart;
  readonly members: SecurityPart;
}

/** Ids of local documents that requests do not reach. */
export const RESERVED_LOCAL = '_local/shoal-';
const SECURITY_ID = `${RESERVED_LOCAL}security`;

function partOf(value: unknown): SecurityPart {
  const { names, roles } = Object(value) as { names?: unknown; roles?: unknown };
  const texts = (list: unknown): string[] =>
    Array.isArray(list) ? (list as unknown[]).filter((each) => typeof each === 'string') : [];
  return { names: texts(names), roles: texts(roles) };
}

/** Takes what is understood, so that nothing else is believed. */
export function parseSecurity(value: unknown): Security {
  const { admins, members } = Object(value) as { admins?: unknown; members?: unknown };
  return { admins: partOf(admins), members: partOf(members) };
}

/** Without names or roles where nobody has set any. */
export function readSecurity(database: LevelDatabase): Promise<Security> {
  return database.read('Reading who may use the database', async (pouch) => {
    try {
      return parseSecurity(await pouch.get(SECURITY_ID));
    } catch (error) {
      if (statusOf(error) === 404) return parseSecurity({});
      throw error;
    }
  });
}

export async function writeSecurity(database: LevelDatabase, security: Security): Promise<void> {
  await database.write(async (pouch) => {
    const former = await pouch.get(SECURITY_ID).catch((error: unknown) => {
      if (statusOf(error) === 404) return undefined;
      throw error;
    });
    await pouch.put({ _id: SECURITY_ID, ...(former && { _rev: former._rev }), ...security });
  });
}
