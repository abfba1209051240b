import type { Upstream } from './routes.js';

const SERVICES: Readonly<Record<Upstream, string>> = {
  'file-receiver': 'The File Receiver of this peer does not run: start it with `shoal serve file-receiver`.',
  'file-sender': 'The File Sender of this peer does not run: start it with `shoal serve file-sender`.',
  couchdb: 'The CouchDB hosting of this peer does not run: start it with `shoal serve couchdb`.',
  enrolment: 'The DB Service of this peer does not run: start it with `shoal serve db-service`.',
};

/** What a front says when nobody listens on the socket of a service. */
export function absenceOf(upstream: Upstream): string {
  return SERVICES[upstream];
}
