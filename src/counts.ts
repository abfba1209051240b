/**
 * What a process has done since it began, as plain numbers: counting costs a transfer nothing, and nobody reads them before
 * they are asked for. Passed in like the logger; what they mean to others is in gateways/http/metrics.
 */
export class Counts {
  /** Calls of the control API, by "GET /v1/status 2xx". */
  readonly requests = new Tallies();
  /** Calls of other peers and processes by gRPC, by "/shoal.v1.FileSender/SendChunk". */
  readonly calls = new Tallies();
  readonly put = new TransferCount();
  readonly get = new TransferCount();
  /** Stripes stored with a chunk missing. */
  degradedStripes = 0;
  /** Segments of chunks that were read around, because they were not what they should be. */
  corruptSegments = 0;
  /** Bytes of chunks that other peers, and other processes of this one, were sent by the File Sender. */
  sentBytes = 0;
  /** Bytes of chunks that others have sent to the File Receiver. */
  receivedBytes = 0;
  /** By the name of a peer. */
  readonly peerFailures = new Map<string, number>();
  readonly peerCorruptions = new Map<string, number>();
  readonly scrub = new ScrubCount();
  readonly repair = new RepairCount();
  readonly garbage = new GarbageCount();
  readonly compaction = new CompactionCount();
  readonly audits = new AuditCount();
}

/** Audits of other peers, by how they ended. */
export class AuditCount {
  passed = 0;
  missing = 0;
  corrupt = 0;
  unreachable = 0;
  stalled = 0;
}

/** What was done for chunks that have no good holder any more. */
export class RepairCount {
  /** Chunks that have a new place because of this peer. */
  chunks = 0;
  failedChunks = 0;
  /** That this peer rebuilt into its own store, for itself or because another asked. */
  rebuiltChunks = 0;
  /** That other peers sent for it. */
  movedBytes = 0;
  /** Chunks that this peer had moved to where they belong since the members changed. */
  rebalancedChunks = 0;
  /** Own chunks that lie elsewhere by now and were dropped here. */
  droppedChunks = 0;
}

/** What lay at peers and no file referred to, and is deleted there. */
export class GarbageCount {
  chunks = 0;
  bytes = 0;
}

/** What was needed of sparse stripes and is stored anew. */
export class CompactionCount {
  /** Of which nothing is needed any more. */
  stripes = 0;
  movedBytes = 0;
  /** That were not needed. */
  deadBytes = 0;
}

/** What scrubs of the own chunks have read, found and mended. */
export class ScrubCount {
  /** That were read whole. */
  chunks = 0;
  bytes = 0;
  /** That were rebuilt from other chunks and written back. */
  healedSegments = 0;
  healedBytes = 0;
  /** That other peers sent for it. */
  movedBytes = 0;
  /** Chunks that anything was mended of. */
  healedChunks = 0;
  /** Of these: files whose row was lost, taken up again without moving a byte. */
  adoptedChunks = 0;
  /** Labels and hash lists that were lost, and found again elsewhere. */
  mendedRows = 0;
  /** Files that belonged to nothing. */
  removedFiles = 0;
  /** Times that a damaged chunk could not be mended, because too few others of its stripe could be had, say. */
  failures = 0;
}

/** Files on their way into the network, or out of it. */
export class TransferCount {
  /** Of files, by how they ended. */
  done = 0;
  failed = 0;
  /** Of files that are safe, or delivered. */
  bytes = 0;
  stripes = 0;
  failedStripes = 0;
}

/** Upper bounds of the classes of a tally, in seconds. A call that is no transfer belongs into the first ones. */
export const BOUNDS_SECONDS: readonly number[] = [0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** Calls of one kind. */
export class Tally {
  active = 0;
  failed = 0;
  seconds = 0;
  /** Ended ones by how long they took: up to each bound, and the last class without one. */
  readonly classes: number[] = Array.from({ length: BOUNDS_SECONDS.length + 1 }, () => 0);

  begin(): void {
    this.active++;
  }

  end(seconds: number, failed: boolean): void {
    this.active--;
    this.seconds += seconds;
    if (failed) this.failed++;
    let index = 0;
    while (index < BOUNDS_SECONDS.length && seconds > (BOUNDS_SECONDS[index] ?? 0)) index++;
    this.classes[index] = (this.classes[index] ?? 0) + 1;
  }
}

/** Tallies by their kind; there must be few kinds, and none that a caller can make up. */
export class Tallies {
  readonly #tallies = new Map<string, Tally>();

  of(kind: string): Tally {
    const known = this.#tallies.get(kind);
    if (known !== undefined) return known;
    const tally = new Tally();
    this.#tallies.set(kind, tally);
    return tally;
  }

  entries(): IterableIterator<[kind: string, tally: Tally]> {
    return this.#tallies.entries();
  }
}

/** Adds one to what is counted under a name. */
export function countUnder(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
