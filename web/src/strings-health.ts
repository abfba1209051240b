import { counted } from './format.js';

const files = (n: number | null): string =>
  n === null ? 'All your files' : n === 1 ? 'Your file' : `All ${counted(n, 'file')}`;
const are = (n: number | null): string => (n === 1 ? 'is' : 'are');

export const HEALTH = {
  sentence: {
    checking: 'Looking at every machine …',
    unknown: 'What may fail is not known',
    unknownDetail: 'Sign in again: what is stored can only be told for somebody whose keys are open.',
    tooFew: 'There are too few machines to store anything yet',
    tooFewDetail: (n: number) =>
      `${counted(n, 'machine')} ${are(n)} here, three are needed. Invite more on the page Network.`,
    empty: 'Nothing is stored yet',
    emptyDetail: (all: number) => `${counted(all, 'machine')} ${are(all)} ready.`,
    safe: (n: number | null, may: number, all: number) =>
      `${files(n)} ${are(n)} safe; any ${String(may)} of ${String(all)} machines may fail`,
    safeStill: (n: number | null, may: number) => `${files(n)} ${are(n)} safe; any ${String(may)} more may fail`,
    edge: (n: number | null) => `${files(n)} can be read, but not one more machine may fail`,
    lost: 'Some files cannot be read now',
    lostDetail: 'Too many machines are missing: bring one back, and they can be read again.',
    down: (down: number, all: number) => `${String(down)} of ${counted(all, 'machine')} ${are(down)} down.`,
    allUp: (all: number) => `All ${counted(all, 'machine')} are up.`,
    oneUp: 'This machine is up.',
    degraded: (n: number) =>
      `${counted(n, 'stripe')} ${n === 1 ? 'lacks' : 'lack'} a chunk until it is back or rebuilt.`,
    computed: 'Worked out from where the chunks lie and who answers, not from a promise.',
  },
  facts: {
    stripes: 'Stripes of your files',
    degraded: 'of them lacking a chunk',
    chunks: 'Chunks held here',
    held: 'for everybody, sealed',
    free: 'Free on this disk',
    reserve: (bytes: string) => `${bytes} of it stay free`,
    outbox: 'Deletions under way',
    outboxHint: 'sent until every machine has heard',
  },
  problems: 'To look at',
  noProblems: 'Nothing asks for your attention.',
  problem: {
    down: (name: string) => `${name} does not answer`,
    downHint: 'Is it switched on, and online? Files stay readable as long as enough others are up.',
    service: (name: string) => `The service ${name} of this machine does not answer`,
    sync: (name: string) => `The catalog is not being copied to ${name}`,
    damaged: (name: string) => `The database ${name} was damaged and set aside`,
    damagedHint: (place: string) => `It lies in ${place} now, and is being filled again from the backup hosts.`,
    lost: (n: number) => `The record of ${counted(n, 'stripe')} is lost`,
    lostHint: 'Run “shoal recover” at a machine: it finds them again from the chunks themselves.',
    full: 'The disk of this machine is nearly full',
    fullHint: (free: string) => `${free} are left for chunks: it takes in no more soon. Make room, or add a machine.`,
    record: {
      refused: 'A record was refused',
      replayed: 'An old record was put back',
      newer: 'Shoal has to be upgraded',
      lost: 'A record is lost',
    },
    certificate: (name: string) => `The certificate of ${name} ends soon`,
    certificateHint: (when: string) =>
      `On ${when}. It is renewed by itself while a machine with the authority’s role is up.`,
    noBackup: 'There is no backup host but this machine',
    noBackupHint: 'Make another one: on its page Network, “Change …”, “Keep a backup”.',
  },
  charts: 'Over time',
  ranges: { hour: '1 hour', day: '1 day', week: '1 week', year: '1 year' },
  range: 'Range of the charts',
  noHistory: 'The first points appear within minutes.',
  chart: {
    space: 'Space on this machine',
    traffic: 'Files in and out',
    files: 'Your files',
    machines: 'Machines up',
    degraded: 'Lacking a chunk',
    latency: 'Round trip to other machines',
    healed: 'Healed',
  },
  series: {
    chunkBytes: 'Chunks',
    freeBytes: 'Free',
    files: 'Files',
    storedBytes: 'Stored',
    putBytes: 'Stored',
    getBytes: 'Fetched',
    peersUp: 'Up',
    peers: 'All',
    latency: 'Mean',
    degradedStripes: 'Stripes',
    healedSegments: 'Segments',
  } as Readonly<Record<string, string>>,
  now: (what: string) => `now ${what}`,
  activity: 'What happened',
  noActivity: 'Nothing yet.',
};
