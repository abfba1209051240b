import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { OPTIONS, SERVICES } from '../../src/config.js';
import { REPOSITORY } from '../repository.js';

const PEERS = [1, 2, 3, 4, 5, 6];
const EVERY_PEER = ['front', 'file-sender', 'file-receiver', 'db-service', 'pouchdb'];
const VARIABLES = new Map<string, z.ZodType>(OPTIONS.map(({ variable, schema }) => [variable, schema]));

const SERVICE = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  tmpfs: z.string().optional(),
  restart: z.string(),
  volumes: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  networks: z.unknown(),
  depends_on: z.record(z.string(), z.object({ condition: z.literal('service_completed_successfully') })).optional(),
  healthcheck: z
    .object({ test: z.array(z.string()) })
    .loose()
    .optional(),
});
const FILE = z.object({
  services: z.record(z.string(), SERVICE),
  volumes: z.record(z.string(), z.null()),
  networks: z.record(z.string(), z.null()),
});

function read(name: string): string {
  return readFileSync(join(REPOSITORY, 'deploy', name), 'utf8');
}

const { services, volumes } = FILE.parse(parse(read('compose.yaml'), { merge: true, maxAliasCount: -1 }));
/** Those that stay. */
const running = Object.entries(services).filter(([, { healthcheck }]) => healthcheck !== undefined);

describe('deploy/compose.yaml', () => {
  it('is six peers with their services, two backup hosts, one gateway', () => {
    const expected = PEERS.flatMap((n) => [
      ...EVERY_PEER.map((service) => `peer-${String(n)}-${service}`),
      ...(n <= 2 ? [`peer-${String(n)}-couchdb`] : []),
      ...(n === 1 ? ['peer-1-gateway'] : []),
    ]);
    assert.deepEqual(running.map(([name]) => name).sort(), expected.sort());
  });

  it('each serves what it is called, and is asked about that', () => {
    for (const [name, { command, healthcheck }] of running) {
      const service = name.replace(/^peer-\d-/, '');
      assert.equal(command?.[1], service, name);
      assert.ok((SERVICES as readonly string[]).includes(service), name);
      assert.deepEqual(healthcheck?.test, ['CMD', 'shoal', 'serve', service, '--check'], name);
    }
  });

  it('each is confined, and nothing has a port outside', () => {
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      assert.equal(service.tmpfs, '/tmp', name);
      assert.ok(!('ports' in service), name);
    }
  });

  it('each has the home of its own peer, which is made before it starts', () => {
    for (const [name, service] of running) {
      const peer = name.slice(0, 'peer-1'.length);
      assert.deepEqual(service.volumes, [`${peer}:/var/lib/shoal`], name);
      assert.deepEqual(Object.keys(service.depends_on ?? {}), [`${peer}-home`], name);
      assert.equal(service.restart, 'unless-stopped', name);
    }
  });

  it('every volume and every service that is named exists', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const volume of service.volumes) assert.ok((volume.split(':')[0] ?? '') in volumes, `${name}: ${volume}`);
      for (const other of Object.keys(service.depends_on ?? {})) assert.ok(other in services, `${name}: ${other}`);
    }
  });

  it('every home knows its peer, by the name that others reach its front by', () => {
    for (const n of PEERS) {
      const peer = `peer-${String(n)}`;
      const { environment } = services[`${peer}-home`] ?? assert.fail(peer);
      assert.equal(environment['PEER_NAME'], peer);
      assert.equal(environment['SHOAL_ADDRESS'], `${peer}:8485`);
      assert.equal(environment['ROLE'], n <= 2 ? 'backup' : 'member');
      assert.deepEqual(services[`${peer}-front`]?.networks, { peers: { aliases: [peer] } });
    }
  });

  it('Shoal knows every setting', () => {
    for (const [name, { environment }] of Object.entries(services)) {
      for (const [variable, value] of Object.entries(environment)) {
        if (!variable.startsWith('SHOAL_')) continue;
        const schema = VARIABLES.get(variable) ?? assert.fail(`${name}: ${variable} is no setting`);
        assert.ok(schema.safeParse(value).success, `${name}: ${variable}`);
      }
    }
    const separate = services['peer-1-front']?.environment['SHOAL_SEPARATE']?.split(',');
    assert.deepEqual(separate?.sort(), [...SERVICES].sort());
  });

  it('compose.couchdb.yaml is about services that exist, and their settings', () => {
    const over = z
      .object({ services: z.record(z.string(), z.object({ environment: z.record(z.string(), z.string()) }).loose()) })
      .parse(parse(read('compose.couchdb.yaml'), { merge: true }));
    const names = Object.keys(over.services).filter((name) => !name.startsWith('couchdb-'));
    // All processes of a home need the same settings.
    const expected = Object.keys(services).filter((name) => /^peer-[12]-/.test(name));
    assert.deepEqual(names.sort(), expected.sort());
    for (const name of names) {
      assert.ok(name in services, name);
      const couch = over.services[name]?.environment['SHOAL_COUCH'];
      if (couch === undefined) continue;
      assert.ok(VARIABLES.get('SHOAL_COUCH')?.safeParse(couch).success, name);
      assert.ok(couch.includes(`http://couchdb-${name.slice(5, 6)}:5984`), name);
    }
  });
});

describe('deploy/compose.web.yaml', () => {
  const over = z
    .object({
      services: z.record(
        z.string(),
        z.object({ environment: z.record(z.string(), z.string()), ports: z.array(z.string()) }).strict(),
      ),
    })
    .parse(parse(read('compose.web.yaml'), { merge: true }));

  it('opens the web UI of peer 1 to this machine and to no other', () => {
    assert.deepEqual(Object.keys(over.services), ['peer-1-gateway']);
    const { environment = {}, ports } = over.services['peer-1-gateway'] ?? {};
    for (const [variable, value] of Object.entries(environment)) {
      assert.ok(VARIABLES.get(variable)?.safeParse(value).success, variable);
    }
    assert.deepEqual(ports, ['127.0.0.1:8484:8484']);
  });
});

describe('deploy/docker', () => {
  const dockerfile = read('docker/Dockerfile');

  it('takes only what is there and what .dockerignore lets through', () => {
    const ignore = readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8').split('\n');
    assert.ok(ignore.includes('*'), 'all but what is named is kept out');
    for (const [, words = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const path of words.split(' ')) {
        assert.ok(existsSync(join(REPOSITORY, path)), path);
        assert.ok(
          ignore.some((line) => line === `!${path}` || line.startsWith(`!${path}/`)),
          `${path} is ignored`,
        );
      }
    }
  });

  it('runs as nobody special, with a check of its health', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    assert.match(last, /^USER 1000:1000$/m);
    assert.match(last, /^HEALTHCHECK .*CMD \["shoal", "serve", "--check"\]$/m);
    assert.match(last, /^ENTRYPOINT \["tini", /m);
    assert.doesNotMatch(last, /\bnpm\b.*&&/);
  });

  it('names no host to fetch anything from', () => {
    for (const name of ['docker/Dockerfile', 'compose.yaml', 'compose.couchdb.yaml', 'up', 'docker/shoal-home']) {
      const hosts = read(name).match(/https?:\/\/[\w.-]+/g) ?? [];
      assert.deepEqual(
        hosts.filter((host) => !/\/\/couchdb-\d$/.test(host)),
        [],
        name,
      );
    }
  });
});
