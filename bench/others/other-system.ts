import { mkdir, rm } from 'node:fs/promises';
import { runCommand, type Command } from '../measure/command.js';
import { measure } from '../measure/use.js';
import type { Original, Stage } from '../phases/stage.js';
import { timeoutFor, type System, type WorkName, type WorkResult } from '../phases/work.js';
import { SshServer } from './ssh-server.js';

/** The same two errands as Shoal's, by another program over SSH. */
export interface OtherSystem {
  readonly system: System;
  /** Programs that must be installed. */
  readonly needs: readonly string[];
  /** Commands that make ready, unmeasured. @param place a new folder at the server, for this original alone */
  prepare(place: Place, ssh: SshServer): readonly Command[];
  put(place: Place, ssh: SshServer): Command;
  /** @param copy a new, empty folder */
  get(place: Place, ssh: SshServer, copy: string): Command;
  /** Where in the copy the original lies then. */
  found(place: Place, copy: string): string;
}

export interface Place {
  readonly folder: string;
  readonly original: Original;
  /** For what the program keeps of its own. */
  readonly scratch: string;
  readonly timeoutMs: number;
}

/** Puts and gets the big file and the folder of small ones. */
export async function measureOther(stage: Stage, other: OtherSystem): Promise<WorkResult[]> {
  const folder = stage.workshop.path(other.system);
  await mkdir(folder);
  const results: WorkResult[] = [];
  {
    await using ssh = await SshServer.open(`${folder}/ssh`, stage.signal);
    const big = { folder: `${folder}/big`, original: await stage.bigFile() };
    const small = { folder: `${folder}/small`, original: await stage.smallFiles() };
    results.push(...(await putAndGet({ stage, other, ssh }, big, ['put', 'get'])));
    results.push(...(await putAndGet({ stage, other, ssh }, small, ['put-small', 'get-small'])));
  }
  await rm(folder, { recursive: true });
  return results;
}

interface Setting {
  readonly stage: Stage;
  readonly other: OtherSystem;
  readonly ssh: SshServer;
}

async function putAndGet(
  { stage, other, ssh }: Setting,
  { folder, original }: Pick<Place, 'folder' | 'original'>,
  [putName, getName]: readonly [WorkName, WorkName],
): Promise<WorkResult[]> {
  const { files, bytes } = original;
  const place = { folder, original, scratch: `${folder}-scratch`, timeoutMs: timeoutFor(bytes, files) };
  const copy = `${folder}-copy`;
  for (const path of [folder, place.scratch, copy]) await mkdir(path);
  for (const command of other.prepare(place, ssh)) await runCommand(command, stage.signal);
  const run = async (work: WorkName, command: Command): Promise<WorkResult> => {
    const use = await measure(
      () => ssh.cpuSeconds(),
      async () => {
        const used = await runCommand(command, stage.signal);
        await ssh.sessionsEnded();
        return used;
      },
    );
    return { system: other.system, work, files, bytes, ...use };
  };
  await ssh.sessionsEnded();
  const results = [await run(putName, other.put(place, ssh)), await run(getName, other.get(place, ssh, copy))];
  await original.compare(other.found(place, copy));
  for (const path of [folder, place.scratch, copy]) await rm(path, { recursive: true });
  return results;
}
