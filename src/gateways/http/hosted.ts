import type { Service } from '../../services/service-names.js';

/** A route of the control API that another service than the gateway answers. */
export interface HostedRoute {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly url: string;
  /** It is made in the name of an unlocked user. */
  readonly session: boolean;
  /** The reply is lines of events. */
  readonly lines: boolean;
  /** It names files of this machine: not for browsers. */
  readonly local?: true;
}

export type HostingService = Extract<Service, 'file-sender' | 'file-receiver'>;

const ONE_REPLY = { session: true, lines: false } as const;
const EVENTS = { session: true, lines: true } as const;

/** Where those services are processes of their own, the gateway passes these on to them. */
export const HOSTED: Readonly<Record<HostingService, readonly HostedRoute[]>> = {
  'file-sender': [
    { method: 'PUT', url: '/v1/content', ...ONE_REPLY },
    { method: 'GET', url: '/v1/uploads', ...ONE_REPLY },
    { method: 'POST', url: '/v1/uploads', ...ONE_REPLY },
    { method: 'OPTIONS', url: '/v1/uploads', session: false, lines: false },
    { method: 'HEAD', url: '/v1/uploads/:id', ...ONE_REPLY },
    { method: 'PATCH', url: '/v1/uploads/:id', ...ONE_REPLY },
    { method: 'DELETE', url: '/v1/uploads/:id', ...ONE_REPLY },
    { method: 'POST', url: '/v1/imports', ...EVENTS, local: true },
    { method: 'DELETE', url: '/v1/entries', ...ONE_REPLY },
    { method: 'DELETE', url: '/v1/trash', ...ONE_REPLY },
    { method: 'POST', url: '/v1/recovery', ...EVENTS },
    { method: 'POST', url: '/v1/users/adopt', session: false, lines: false },
    { method: 'GET', url: '/v1/garbage', session: false, lines: false },
    { method: 'POST', url: '/v1/garbage', ...EVENTS },
    { method: 'GET', url: '/v1/compaction', session: false, lines: false },
    { method: 'POST', url: '/v1/compaction', ...EVENTS },
    { method: 'GET', url: '/v1/audits', session: false, lines: false },
    { method: 'POST', url: '/v1/audits', session: false, lines: true },
    { method: 'GET', url: '/v1/holdings', session: false, lines: false },
    { method: 'POST', url: '/v1/holdings', session: false, lines: true },
    { method: 'GET', url: '/v1/repairs', session: false, lines: false },
    { method: 'POST', url: '/v1/repairs', session: false, lines: true },
  ],
  'file-receiver': [
    { method: 'HEAD', url: '/v1/content', ...ONE_REPLY },
    { method: 'GET', url: '/v1/content', ...ONE_REPLY },
    { method: 'GET', url: '/v1/archive', ...ONE_REPLY },
    { method: 'POST', url: '/v1/exports', ...EVENTS, local: true },
    { method: 'GET', url: '/v1/scrub', session: false, lines: false },
    { method: 'POST', url: '/v1/scrub', session: false, lines: true },
  ],
};
