import type { Upstream } from './routes.js';

const SERVICES: Readonly<Record<Upstream, readonly [title: string, command: string]>> = {
  'file-receiver': ['The File Receiver', 'file-receiver'],
  'file-sender': ['The File Sender', 'file-sender'],
  couchdb: ['The CouchDB hosting', 'couchdb'],
  // Whoever runs the DB Service lets new peers in.
  enrolment: ['The DB Service', 'db-service'],
};

/** What a front says when nobody listens on the socket of a service. */
export function absenceOf(upstream: Upstream): string {
  const [title, command] = SERVICES[upstream];
  return `${title} of this peer does not answer. If it does not run, start it with \`shoal serve ${command}\`.`;
}
