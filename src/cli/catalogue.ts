import type { Define } from './invocation.js';

/** A command as the overview names it; its module is loaded only when it is used. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Define>;
}

/** In the order of the overview. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'put',
    summary: 'store files, folders or standard input',
    load: async () => (await import('./commands/put.js')).definePut,
  },
  { name: 'get', summary: 'fetch files or folders', load: async () => (await import('./commands/get.js')).defineGet },
  {
    name: 'cat',
    summary: 'write files to standard output',
    load: async () => (await import('./commands/cat.js')).defineCat,
  },
  { name: 'ls', summary: 'list a folder', load: async () => (await import('./commands/ls.js')).defineLs },
  { name: 'mkdir', summary: 'make folders', load: async () => (await import('./commands/mkdir.js')).defineMkdir },
  {
    name: 'mv',
    summary: 'rename or move files and folders',
    load: async () => (await import('./commands/mv.js')).defineMv,
  },
  { name: 'rm', summary: 'remove files and folders', load: async () => (await import('./commands/rm.js')).defineRm },
  {
    name: 'restore',
    summary: 'take back what was removed, or an old version',
    load: async () => (await import('./commands/restore.js')).defineRestore,
  },
  {
    name: 'trash',
    summary: 'empty the trash',
    load: async () => (await import('./commands/trash.js')).defineTrash,
  },
  {
    name: 'uploads',
    summary: 'list large files that are stored in part, or give them up',
    load: async () => (await import('./commands/uploads.js')).defineUploads,
  },
  {
    name: 'versions',
    summary: 'list the versions of a file',
    load: async () => (await import('./commands/versions.js')).defineVersions,
  },
  {
    name: 'where',
    summary: 'show which peer holds which chunk of a file',
    load: async () => (await import('./commands/where.js')).defineWhere,
  },
  {
    name: 'status',
    summary: 'show the network, the store and what may fail',
    load: async () => (await import('./commands/status.js')).defineStatus,
  },
  {
    name: 'scrub',
    summary: 'find what has rotted on the disk of this peer, and mend it',
    load: async () => (await import('./commands/scrub.js')).defineScrub,
  },
  {
    name: 'audit',
    summary: 'find out whether other peers hold what they should',
    load: async () => (await import('./commands/audit.js')).defineAudit,
  },
  {
    name: 'repair',
    summary: 'rebuild elsewhere what other peers have lost',
    load: async () => (await import('./commands/repair.js')).defineRepair,
  },
  {
    name: 'garbage',
    summary: 'show what peers are still to delete, and delete what they hold for nothing',
    load: async () => (await import('./commands/garbage.js')).defineGarbage,
  },
  {
    name: 'compact',
    summary: 'store anew what is needed of stripes of which little is',
    load: async () => (await import('./commands/compact.js')).defineCompact,
  },
  {
    name: 'metrics',
    summary: 'print the status for Prometheus',
    load: async () => (await import('./commands/metrics.js')).defineMetrics,
  },
  {
    name: 'doctor',
    summary: 'find what is wrong with this machine and its peer, and how to mend it',
    load: async () => (await import('./commands/doctor.js')).defineDoctor,
  },
  { name: 'web', summary: 'open the web UI', load: async () => (await import('./commands/web.js')).defineWeb },
  {
    name: 'token',
    summary: 'make tokens for programs that use the HTTP API',
    load: async () => (await import('./commands/token.js')).defineToken,
  },
  {
    name: 'unlock',
    summary: 'unlock a user with the passphrase',
    load: async () => (await import('./commands/unlock.js')).defineUnlock,
  },
  {
    name: 'lock',
    summary: 'forget the keys of a user',
    load: async () => (await import('./commands/lock.js')).defineLock,
  },
  {
    name: 'user',
    summary: 'make users; change passphrases, keys, recovery kits and SSH keys',
    load: async () => (await import('./commands/user.js')).defineUser,
  },
  {
    name: 'recover',
    summary: 'bring files back when the databases are gone',
    load: async () => (await import('./commands/recover.js')).defineRecover,
  },
  {
    name: 'network',
    summary: 'make a network, or show it',
    load: async () => (await import('./commands/network.js')).defineNetwork,
  },
  {
    name: 'peer',
    summary: 'invite peers, join, list, remove and change them',
    load: async () => (await import('./commands/peer.js')).definePeer,
  },
  { name: 'serve', summary: 'run a peer', load: async () => (await import('./commands/serve.js')).defineServe },
  {
    name: 'nginx',
    summary: 'print the configuration of nginx as the front',
    load: async () => (await import('./commands/nginx.js')).defineNginx,
  },
  {
    name: 'devnet',
    summary: 'run a whole network on this machine',
    load: async () => (await import('./commands/devnet.js')).defineDevnet,
  },
  {
    name: 'simulate',
    summary: 'compute how long files last in a network that you think of',
    load: async () => (await import('./commands/simulate.js')).defineSimulate,
  },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    load: async () => (await import('./commands/completion.js')).defineCompletion,
  },
];
