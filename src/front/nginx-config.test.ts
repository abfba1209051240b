import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../errors.js';
import { RECEIVER_NAME, SENDER_NAME } from '../wire/server.js';
import { nginxConfig, type NginxSettings } from './nginx-config.js';
import { ROUTES } from './routes.js';

function settings(change: Partial<NginxSettings> = {}): NginxSettings {
  return {
    address: '[::]:8485',
    key: '/home/peer one/peer.key',
    certificate: '/home/peer one/peer.crt',
    authority: '/home/peer one/network.crt',
    socketOf: (name) => `/home/peer one/${name}.sock`,
    couch: { socket: '/home/peer one/couchdb.sock' },
    folder: '/home/peer one/nginx',
    version: [1, 22, 1],
    ...change,
  };
}

describe('the configuration of nginx', () => {
  it('has a location for each row of the routing table, and a 404 for the rest', () => {
    const text = nginxConfig(settings());
    for (const { prefix } of ROUTES) assert.ok(text.includes(`location ^~ ${prefix} {`), prefix);
    assert.equal(text.match(/location \^~/g)?.length, ROUTES.length);
    assert.match(text, /location \/ \{\s+default_type [^;]+;\s+return 404/);
  });

  it('asks every route but that of joining for a certificate', () => {
    const doors = nginxConfig(settings()).match(/\$ssl_client_verify != SUCCESS/g)?.length;
    assert.equal(doors, ROUTES.filter(({ identity }) => identity === 'member').length);
    assert.deepEqual(
      ROUTES.filter(({ identity }) => identity === 'anyone').map(({ prefix }) => prefix),
      ['/enrol/'],
    );
  });

  it('names the services as they name themselves', () => {
    const names = ROUTES.filter(({ protocol }) => protocol === 'grpc').map(({ prefix }) => prefix);
    assert.deepEqual(names, [`/${RECEIVER_NAME}/`, `/${SENDER_NAME}/`]);
  });

  it('suits the version of nginx, and CouchDB wherever it is', () => {
    assert.match(nginxConfig(settings()), /listen \[::\]:8485 ssl http2;/);
    assert.match(nginxConfig(settings({ version: [1, 25, 1] })), /listen \[::\]:8485 ssl;\s+http2 on;/);
    const text = nginxConfig(settings({ couch: { url: new URL('https://db.example/prefix/') } }));
    assert.match(text, /server db\.example:443;/);
    assert.match(text, /proxy_pass "https:\/\/couchdb\/prefix\$shoal_path";/);
    assert.match(text, /proxy_ssl_verify on;/);
  });

  it('has the path of the URL of CouchDB in quotes, whatever is in it', () => {
    const at = (path: string): string => nginxConfig(settings({ couch: { url: new URL(`http://db.example${path}`) } }));
    assert.match(at(`/a;b'{c} d/`), /proxy_pass "http:\/\/couchdb\/a;b'%7Bc%7D%20d\$shoal_path";/);
    assert.throws(() => at('/$document_root/'), /nginx cannot be told the path \/\$document_root\/ of couch\.url/);
  });

  it('counts addresses of IPv6 by their network', () => {
    const text = nginxConfig(settings());
    assert.match(text, /map \$remote_addr \$shoal_address \{/);
    assert.match(text, /limit_conn_zone \$shoal_address zone=strangers/);
    assert.match(text, /limit_req_zone \$shoal_address /);
    assert.doesNotMatch(text, /binary_remote_addr/);
  });

  it('refuses a path that nginx would read as something else', () => {
    for (const path of ['/home/$user/peer.key', '/home/"/peer.key', '/home/\n/peer.key', '/home/\\/peer.key']) {
      assert.throws(
        () => nginxConfig(settings({ key: path })),
        (error) => StorageError.is(error, 'INVALID_ARGUMENT'),
      );
    }
  });
});
