import { counted, formatCount } from './format.js';

const files = (n: number): string => (n === 1 ? 'Your file' : `All ${counted(n, 'file')}`);
const are = (n: number): string => (n === 1 ? 'is' : 'are');

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
    safe: (n: number, may: number, all: number) =>
      `${files(n)} ${are(n)} safe; any ${String(may)} of ${String(all)} machines may fail`,
    safeStill: (n: number, may: number) => `${files(n)} ${are(n)} safe; any ${String(may)} more may fail`,
    edge: (atRisk: number, all: number) =>
      atRisk === all
        ? `${files(all)} can be read, but not one more machine may fail`
        : `${counted(atRisk, 'file')} of ${counted(all, 'file')} ${are(atRisk)} at risk: not one more machine may fail`,
    lost: (lost: number, all: number) => `${counted(lost, 'file')} of ${formatCount(all)} cannot be read now`,
    lostDetail: 'Too many machines are missing: bring one back, and they can be read again.',
    lostDetailUp: 'Machines have lost what they held. What can be done is below, under “To look at”.',
    down: (down: number, all: number) => `${String(down)} of ${counted(all, 'machine')} ${are(down)} down.`,
    allUp: (all: number) => `All ${counted(all, 'machine')} are up.`,
    oneUp: 'This machine is up.',
    degraded: (n: number) =>
      `${counted(n, 'stripe')} ${n === 1 ? 'lacks' : 'lack'} a chunk until it is back or rebuilt.`,
    computed: 'Worked out from where the chunks lie and who answers, not from a promise.',
  },
  files: 'Your files',
  waiting: (n: number) => `Of ${counted(n, 'file')} a chunk is being rebuilt, or waits for it.`,
  worst: 'Files to care about',
  moreFiles: (more: string) => `And ${more} more: “shoal status --files” names them.`,
  words: 'What these words mean',
  states: {
    healthy: {
      name: 'healthy',
      meaning: 'Every chunk is where it should be, and every machine that holds one answers.',
    },
    degraded: { name: 'degraded', meaning: 'Something is missing, and any one machine may fail all the same.' },
    atRisk: { name: 'at risk', meaning: 'They can be read, but there is a machine that may not fail now.' },
    lost: {
      name: 'lost',
      meaning:
        'They cannot be read now. They come back with the machines that are missing, if these still have their disks.',
    },
  },
  mayFail: {
    title: 'What may fail',
    machine: 'Machine',
    zone: 'Zone',
    standing: 'Now',
    may: 'May fail',
    mayWhole: 'May fail as a whole',
    zones: 'Zones',
    machines: 'Machines up',
    upOf: (up: number, all: number) => `${String(up)} of ${String(all)}`,
    denied: (n: number) => `has lost ${counted(n, 'chunk')}`,
    yes: 'yes',
    no: 'not now',
    failed: 'has failed',
    asFailed: 'counts as failed',
    standings: { up: 'up', down: 'down', gone: 'gone', distrusted: 'distrusted' },
    compared: 'What the machines hold was compared with the records ',
    notCompared: 'By the records alone: what the machines hold has not been compared yet. That takes some minutes.',
  },
  healed: {
    title: 'Healing',
    disk: 'On this disk',
    elsewhere: 'For other machines',
    queued: 'Waiting for repair',
    left: 'Done in',
    none: 'nothing was broken',
    nothing: 'nothing',
    segments: (n: number, moved: string) => `${counted(n, 'segment')} healed, moved ${moved}`,
    chunks: (n: number, moved: string) => `${counted(n, 'chunk')} given a new place, moved ${moved}`,
    running: (n: string) => `${n} under way`,
    queue: (n: number, bytes: string) => `${counted(n, 'chunk')}, which moves ${bytes}`,
    about: (time: string) => `about ${time}`,
    off: 'not begun here: the setting repairMegabytes is 0',
    since: 'Counted since this machine’s Shoal was started; “What happened” has more.',
  },
  room: {
    title: 'Making room',
    waiting: 'Waiting to be deleted',
    strays: 'Needed by no file',
    sparse: 'Dead in stripes that are in use',
    places: 'Moved, and given back later',
    nothing: 'nothing',
    chunksAt: (n: number, machines: number) => `${counted(n, 'chunk')} at ${counted(machines, 'machine')}`,
    strayChunks: (n: number, bytes: string, after: string) =>
      `${counted(n, 'chunk')}, ${bytes}: deleted when known for ${after}`,
    unwatched: 'not all machines have told yet',
    unlooked: 'not looked at yet',
    sparseIn: (bytes: string, n: number) => `${bytes} in ${counted(n, 'stripe')}`,
    placesAfter: (n: number, after: string) => `${counted(n, 'stripe')}, after ${after}`,
    undeleted: (name: string, n: number, since: string) =>
      `${name} has not deleted ${counted(n, 'chunk')}${since === '' ? '' : `, first asked ${since}`}`,
    looksLost: 'Very much is needed by no file',
    looksLostHint:
      'As if a catalog had been lost, so nothing of it is deleted by itself. “shoal garbage” tells what it is; “shoal recover” brings files back.',
    awaited: (names: string) => `Nothing is deleted before ${names} had a say`,
    awaitedHint: 'It may know of files that nobody else knows of yet. It has to be up once, and its users unlocked.',
    by: 'All of this goes on by itself; “shoal garbage” and “shoal compact” tell more, and do it now.',
  },
  leaving: {
    title: 'Machines that leave',
    left: 'has left',
    counting: 'counting what only it holds',
    toMove: (n: number, bytes: string, time: string) =>
      `${counted(n, 'chunk')}, ${bytes}, to be moved${time === '' ? '' : `, about ${time}`}`,
    staying: (n: number) => `${counted(n, 'chunk')} ${n === 1 ? 'has' : 'have'} no other place`,
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
    gone: (name: string) => `${name} is gone`,
    goneHint:
      'It has been silent for the grace period, so what lay there is rebuilt on others. Start it again, or take it out of the network on the page Network.',
    distrusted: (name: string, failed: number, stalled: number) =>
      failed > 0
        ? `${name} is distrusted: it failed ${counted(failed, 'audit')}`
        : stalled > 0
          ? `${name} is distrusted: it left ${counted(stalled, 'audit')} unanswered`
          : `${name} is distrusted`,
    distrustedHint:
      'It gets nothing new, and its chunks are rebuilt elsewhere. Look at its disk and memory; it is trusted again after eight passed audits.',
    denied: (name: string, n: number) => `${name} has lost ${counted(n, 'chunk')}`,
    deniedHint:
      'It says so itself: its disk was replaced, or is damaged. What can be rebuilt, is rebuilt by itself; “shoal repair --now” begins at once.',
    rotting: (n: number) => `${counted(n, 'segment')} on the disk of this machine had rotted`,
    rottingHint: 'They are healed. A disk that forgets so much wants to be replaced: “shoal scrub” says more.',
    unmended: (n: number) => `${counted(n, 'chunk')} on the disk of this machine could not be mended yet`,
    unmendedHint: 'It is tried again by itself; “shoal scrub” says why. Mostly other machines have to be up for it.',
    service: (name: string) => `The service ${name} of this machine does not answer`,
    sync: (name: string) => `The catalog is not being copied to ${name}`,
    syncUnknown: 'Whether the catalog is being copied is not known',
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
