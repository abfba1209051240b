import type { CatalogResult, Rate, Weight } from '../catalog/result.js';
import type { Sheet } from './sheets.js';

const MIB = 2 ** 20;

export function catalogSheets(catalog: CatalogResult): Sheet[] {
  return [speedSheet(catalog), weightSheet(catalog)];
}

function speedSheet(catalog: CatalogResult): Sheet {
  const { single, together, batched, list, unlock, unlockAgain, push, pull, removal, change, memory } = catalog;
  const removed = count(change.removed);
  const plain = (what: string, figure: string): string[] => [what, '', '', '', figure];
  return {
    title: `The catalog, ${count(catalog.entries)} entries`,
    heading: ['what', 'number', 'seconds', 'CPU-s', 'figure'],
    align: ['left', 'right', 'right', 'right', 'right'],
    rows: [
      row('files committed one after the other', single),
      row('files committed one by one, many at once', together),
      row('files committed in batches', batched),
      row('entries listed, the whole tree', list),
      row('entries unlocked for the first time after that', unlock),
      row('entries unlocked when they were summed up', unlockAgain),
      row('documents to the backup host for the first time', push),
      row('documents from there to a new peer', pull),
      row('files of one folder removed for ever', removal),
      plain('a file of one peer seen at the other', `${change.beforeMs.toFixed(0)} ms`),
      plain(`the same after ${removed} files were removed`, `${change.afterMs.toFixed(0)} ms`),
      plain('DB Service, nobody unlocked', mebibytes(memory.beforeBytes)),
      plain('DB Service, all unlocked and listed', mebibytes(memory.unlockedBytes)),
      plain('DB Service, at its peak until then', mebibytes(memory.peakBytes)),
    ],
  };
}

function row(what: string, rate: Rate): string[] {
  const perSecond = `${count(Math.round(rate.count / rate.seconds))}/s`;
  return [what, count(rate.count), rate.seconds.toFixed(2), rate.cpuSeconds.toFixed(2), perSecond];
}

/** @returns a line with the documents and bytes of each of `shares` that share the weight */
function weightRow(what: string, { documents, bytes }: Weight, shares = 1): string[] {
  const each = documents / shares;
  return [what, each.toFixed(Number.isInteger(each) ? 0 : 3), count(Math.round(bytes / shares))];
}

function weightSheet({ weights, stripePeers }: CatalogResult): Sheet {
  const { smallFile, packedFile, largeFile, largeFileStripes } = weights;
  const { stripes } = largeFileStripes;
  return {
    title: 'What the catalog holds of a file (documents, and their bytes as JSON)',
    heading: ['what', 'documents', 'bytes'],
    align: ['left', 'right', 'right'],
    rows: [
      weightRow('a small file put alone', smallFile),
      weightRow('a small file of a thousand put together', packedFile),
      weightRow(`a file of 1 GiB (${String(stripes)} stripes)`, largeFile),
      weightRow(`a stripe on ${String(stripePeers)} peers`, largeFileStripes, stripes),
    ],
  };
}

function count(amount: number): string {
  return amount.toLocaleString('en-US');
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
