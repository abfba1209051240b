import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DIRECT_OUTPUT_BYTES } from '../../src/limits.js';
import type { Scheme } from '../../src/peers/scheme.js';
import { codeWork } from './code.js';
import { cpuPerGib, wholeSteps } from './cpu-per-gib.js';
import { readWork, storeWork, writeWork } from './files.js';
import { GrpcFloor } from './grpc.js';
import { hashWork } from './hash.js';
import { sealWork, unsealWork } from './seal.js';
import { floorSum, floorWeights, FLOOR_WORKS, type FloorWork, type Primitive, type Weights } from './weights.js';

export interface Floor {
  /** CPU-seconds per GiB of each primitive's own bytes. */
  readonly cost: Readonly<Record<Primitive, number>>;
  readonly weights: Readonly<Record<FloorWork, Weights>>;
  /** CPU-seconds per GiB of the file. */
  readonly sums: Readonly<Record<FloorWork, number>>;
}

/** Enough for the ticks of the clock not to matter; a small benchmark has a small floor. */
const MOST_BYTES = 256 * 2 ** 20;

/** Crosses to another process as JSON. */
export interface FloorOptions {
  readonly folder: string;
  readonly scheme: Scheme;
  /** Length of the benchmark's file. */
  readonly bytes: number;
}

/** What the same bytes cost on this machine without any Shoal around them. */
export async function measureFloor(options: FloorOptions): Promise<Floor> {
  const bytes = wholeSteps(Math.min(options.bytes, MOST_BYTES));
  const folder = join(options.folder, 'floor');
  await mkdir(folder);
  const here = {
    read: readWork(folder),
    seal: sealWork(),
    unseal: unsealWork(),
    hash: hashWork(),
    code: codeWork(options.scheme),
    store: storeWork(folder),
    write: writeWork(folder, options.bytes >= DIRECT_OUTPUT_BYTES),
  };
  const costs: [Primitive, number][] = Object.entries(await measureGrpc(bytes)) as [Primitive, number][];
  for (const [primitive, work] of Object.entries(here)) {
    costs.push([primitive as Primitive, await cpuPerGib(bytes, work)]);
  }
  await rm(folder, { recursive: true });
  const cost = Object.fromEntries(costs) as Record<Primitive, number>;
  const weights = floorWeights(options.scheme);
  const sums = Object.fromEntries(FLOOR_WORKS.map((work) => [work, floorSum(weights[work], cost)]));
  return { cost, weights, sums: sums as Record<FloorWork, number> };
}

async function measureGrpc(bytes: number): Promise<Pick<Record<Primitive, number>, 'upload' | 'download'>> {
  await using grpc = await GrpcFloor.open();
  const server = (): Promise<number> => grpc.serverCpuSeconds();
  const upload = await cpuPerGib(bytes, grpc.uploadWork(), server);
  return { upload, download: await cpuPerGib(bytes, grpc.downloadWork(), server) };
}
