import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StorageError, wrapError } from '../errors.js';

export interface NginxProgram {
  readonly path: string;
  readonly version: NginxVersion;
}

export type NginxVersion = readonly [major: number, minor: number, patch: number];

/** Debian 12's; older ones lack directives that the configuration uses. */
export const OLDEST_NGINX: NginxVersion = [1, 22, 0];

/** Where Debian keeps daemons; an ordinary user's PATH lacks them. */
const DAEMON_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Whatever the configuration needs and a build may lack. */
const NEEDED = ['http_ssl_module', 'http_v2_module', 'http_auth_request_module'];
const COMMON = ['grpc', 'proxy', 'fastcgi', 'uwsgi', 'scgi', 'limit_conn', 'limit_req', 'upstream_keepalive', 'map'];

/**
 * Finds nginx, and looks whether it will do.
 *
 * @param path absent: wherever it is installed
 * @throws StorageError NOT_FOUND when it is missing, UNSUPPORTED when it is too old or lacks a module
 */
export async function findNginx(path?: string, environment: NodeJS.ProcessEnv = process.env): Promise<NginxProgram> {
  const found = path ?? search(environment['PATH'] ?? '');
  if (found === undefined) {
    throw new StorageError(
      'NOT_FOUND',
      'nginx is not installed. Install it (on Debian: `apt-get install nginx-light`), or leave --nginx away: the built-in front does the same.',
    );
  }
  const { version, options } = await describe(found);
  if (compare(version, OLDEST_NGINX) < 0) {
    throw new StorageError(
      'UNSUPPORTED',
      `${found} is nginx ${version.join('.')}, and ${OLDEST_NGINX.join('.')} is the oldest that will do. Install a newer one, or leave --nginx away: the built-in front does the same.`,
    );
  }
  const missing = lacking(options);
  if (missing.length > 0) {
    throw new StorageError(
      'UNSUPPORTED',
      `${found} was built without ${missing.join(', ')}. Install another (on Debian: \`apt-get install nginx-light\`), or leave --nginx away: the built-in front does the same.`,
    );
  }
  return { path: found, version };
}

function search(path: string): string | undefined {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...DAEMON_FOLDERS];
  return folders.map((folder) => join(folder, 'nginx')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface Description {
  readonly version: NginxVersion;
  /** Of its `configure`. */
  readonly options: string;
}

async function describe(path: string): Promise<Description> {
  const said = await new Promise<string>((resolve, reject) => {
    execFile(path, ['-V'], (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(wrapError(error, `Asking ${path} for its version`));
    });
  });
  const [, major, minor, patch] = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(said) ?? [];
  if (patch === undefined) throw new StorageError('UNSUPPORTED', `${path} does not say that it is nginx.`);
  return { version: [Number(major), Number(minor), Number(patch)], options: said };
}

function lacking(options: string): readonly string[] {
  return [
    ...NEEDED.filter((name) => !options.includes(`--with-${name}`)),
    ...COMMON.map((name) => `http_${name}_module`).filter((name) => options.includes(`--without-${name}`)),
  ];
}

function compare(a: NginxVersion, b: NginxVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
