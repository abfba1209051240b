import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HOME } from '../../src/home.js';
import { openNative } from '../../src/store/sqlite-driver.js';
import type { Planet } from './planet.js';

/** Stops all peers, deletes every document database of each, and starts them again. */
export async function loseDatabases(planet: Planet): Promise<void> {
  await planet.stop(...planet.numbers);
  for (const n of planet.numbers) await rm(join(planet.home(n), HOME.documents), { recursive: true });
  await Promise.all(planet.numbers.map((n) => planet.start(n)));
}

/** A peer that is down forgets its databases and what it remembers of users, as one that never met them. */
export async function forgetUsers(home: string): Promise<void> {
  await rm(join(home, HOME.documents), { recursive: true });
  const memory = await openNative(join(home, HOME.state, 'memory.sqlite'));
  try {
    memory.exec("DELETE FROM records WHERE id LIKE 'user-%'");
  } finally {
    memory.close();
  }
}
