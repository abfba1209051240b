import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HOME } from '../../src/home.js';
import type { Planet } from './planet.js';

/** Stops all peers, deletes every document database of each, and starts them again. */
export async function loseDatabases(planet: Planet): Promise<void> {
  await planet.stop(...planet.numbers);
  for (const n of planet.numbers) await rm(join(planet.home(n), HOME.documents), { recursive: true });
  await Promise.all(planet.numbers.map((n) => planet.start(n)));
}
