import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Administration } from '../../enrolment/administration.js';
import { MAX_PLACED_CHUNKS, MIN_DATA_CHUNKS, MAX_SETTING_CHARS } from '../../limits.js';
import { check } from './requests.js';
import { schemeOrNone } from './scheme-or-none.js';
import type { PolicyReply, SettingReply } from './web-api.js';

/** The settings of a peer, wherever they are kept. */
export interface SettingsSource {
  list(): readonly SettingReply[];
  /** For the next start; null takes one out of the file. @throws StorageError INVALID_ARGUMENT, PERMISSION_DENIED */
  change(changes: Readonly<Record<string, unknown>>): Promise<void>;
}

export const SETTINGS_REQUESTS = {
  settings: z
    .record(
      z.string().max(64),
      z.union([
        z.string().max(MAX_SETTING_CHARS),
        z.number(),
        z.boolean(),
        z.array(z.string().max(256)).max(64),
        z.null(),
      ]),
    )
    .describe('The settings to change, by name; null takes one out of the file.'),
  policy: z.strictObject({
    tolerate: z
      .number()
      .int()
      .min(1)
      .max(MAX_PLACED_CHUNKS - MIN_DATA_CHUNKS)
      .nullable(),
  }),
} as const;

/** What may be changed about this peer, and about the network. */
export function settingsRoutes(server: FastifyInstance, settings: SettingsSource): void {
  server.get('/v1/settings', async () => settings.list());

  server.patch('/v1/settings', async (request) => {
    await settings.change(check(SETTINGS_REQUESTS.settings, request.body));
    return settings.list();
  });
}

export function policyRoutes(server: FastifyInstance, administration: Administration): void {
  server.get('/v1/policy', async () => policyReply(administration));

  server.post('/v1/policy', async (request) => {
    const { tolerate } = check(SETTINGS_REQUESTS.policy, request.body);
    await administration.setTolerance(tolerate ?? undefined);
    return policyReply(administration);
  });
}

async function policyReply(administration: Administration): Promise<PolicyReply> {
  const { tolerate, authorities } = await administration.network();
  const members = (await administration.peers()).filter(({ state }) => state === 'member').length;
  return {
    tolerate: tolerate ?? null,
    ...schemeOrNone(members, tolerate),
    mostTolerated: Math.max(0, Math.min(members, MAX_PLACED_CHUNKS) - MIN_DATA_CHUNKS),
    changeable: authorities.includes(administration.self),
  };
}
