import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../needs.js';
import { REPOSITORY } from '../repository.js';
import { readYaml } from './kubernetes/cluster.js';
import { faultsOf } from './kubernetes/faults.js';

/** Secrets that docs/operations.md tells people to make. */
const OUTSIDE = {
  local: { secrets: { invitations: [] } },
  production: { secrets: { invitations: [], couchdb: ['user', 'password', 'proxy-secret', 'cookie'] } },
} as const;

type Overlay = keyof typeof OUTSIDE;

function build(overlay: Overlay): unknown[] {
  const folder = join(REPOSITORY, 'deploy', 'kubernetes', 'overlays', overlay);
  const text = execFileSync('kubectl', ['kustomize', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return readYaml(text);
}

type Named = { readonly kind: string; readonly metadata: { readonly name: string } } & Record<string, unknown>;

/** A change to one object, by JSON Pointer, and a fault that it must bring; `undefined` takes the field out. */
type Damage = readonly [object: string, pointer: string, value: unknown, fault: RegExp];

/** @returns the objects with one of them changed; its name is found by its beginning, because some end in a hash */
function damage(objects: readonly unknown[], [object, pointer, value]: Damage): unknown[] {
  const copy = structuredClone(objects) as Named[];
  const keys = pointer.split('/').map((key) => key.replaceAll('~1', '/'));
  const last = keys.pop() ?? '';
  const names = copy.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  const exact = names.indexOf(object);
  const index = exact < 0 ? names.findIndex((name) => name.startsWith(object)) : exact;
  let place = (copy[index] ?? assert.fail(`there is no ${object}`)) as Record<string, unknown>;
  for (const key of keys) place = (place[key] ?? assert.fail(`${object} has no ${key}`)) as Record<string, unknown>;
  assert.ok(value !== undefined || last in place, `${object} has no ${pointer}`);
  if (value === undefined) Reflect.deleteProperty(place, last);
  else place[last] = value;
  return copy;
}

const POD = 'spec/template/spec';
const FIRST = `${POD}/containers/0`;

const DAMAGES: readonly Damage[] = [
  ['StatefulSet/peer', `${FIRST}/livenesProbe`, {}, /Unrecognized key: "livenesProbe"/],
  ['StatefulSet/peer', `${POD}/volumeMounts`, [], /Unrecognized key/],
  ['StatefulSet/peer', `${FIRST}/resources`, undefined, /resources/],
  ['StatefulSet/peer', `${FIRST}/resources/limits/memory`, '512 MB', /memory/],
  ['StatefulSet/peer', `${FIRST}/securityContext/readOnlyRootFilesystem`, false, /readOnlyRootFilesystem/],
  ['StatefulSet/peer', `${POD}/securityContext/runAsNonRoot`, false, /runAsNonRoot/],
  ['StatefulSet/peer', `${POD}/enableServiceLinks`, undefined, /enableServiceLinks/],
  ['StatefulSet/peer', `${FIRST}/readinessProbe`, undefined, /front: it has no readinessProbe/],
  ['StatefulSet/peer', `${FIRST}/livenessProbe/exec/command/2`, 'file-sender', /it asks another service/],
  ['StatefulSet/peer', `${FIRST}/livenessProbe/exec/command/4`, 'ready', /does not ask whether it is live/],
  ['StatefulSet/peer', `${FIRST}/livenessProbe/exec/command/0`, 'curl', /there is no program curl/],
  ['StatefulSet/peer', `${FIRST}/args/1`, 'frnt', /there is no `shoal serve frnt/],
  ['StatefulSet/peer', `${FIRST}/image`, 'shoal', /has no version/],
  ['StatefulSet/peer', `${FIRST}/volumeMounts/0/name`, 'hme', /no volume is called hme/],
  ['StatefulSet/peer', `${POD}/volumes/0/name`, 'temp', /nobody mounts temp/],
  ['StatefulSet/peer', `${POD}/volumes/1/secret/secretName`, 'invitation', /no Secret invitation/],
  ['StatefulSet/peer', `${FIRST}/envFrom/0/configMapRef/name`, 'setting', /no ConfigMap setting/],
  ['StatefulSet/peer', `${FIRST}/env/1/value`, '$(POD):8485', /names POD, which is not set/],
  ['StatefulSet/peer', `${FIRST}/env/1/name`, 'SHOAL_ADRESS', /SHOAL_ADRESS is no setting/],
  [
    'StatefulSet/peer',
    `${POD}/initContainers/0/env/4/value`,
    '$(PEER_NAME):8486',
    /no Service is the address of peer-0/,
  ],
  ['StatefulSet/backup', `${FIRST}/env`, [], /its processes have different settings/],
  ['StatefulSet/peer', 'spec/serviceName', 'peer', /peer is no headless Service/],
  ['StatefulSet/peer', 'spec/template/metadata/labels/shoal~1role', 'backup', /it does not select its own pods/],
  ['StatefulSet/peer', 'spec/selector/matchLabels', { 'app.kubernetes.io/name': 'shoal' }, /selects the pods of/],
  ['StatefulSet/peer', 'spec/replicas', 9, /no Service is the address of peer-8/],
  ['Service/peer-0', 'spec/ports/0/targetPort', 'frnt', /has no port frnt/],
  ['Service/peer-0', 'spec/selector/app.kubernetes.io~1name', 'shaol', /it selects no pod/],
  ['Service/peer-1', 'metadata/name', 'peer-0', /there are two/],
  ['Service/peer-1', 'metadata/namespace', undefined, /it is not in shoal/],
  ['PodDisruptionBudget/peers', 'spec/selector/matchLabels', { a: 'b' }, /no PodDisruptionBudget is about its pods/],
  ['NetworkPolicy/peers', 'spec/ingress/0/ports/0/port', 8443, /no NetworkPolicy opens the port front/],
  ['NetworkPolicy/peers', 'spec/podSelector/matchLabels', { a: 'b' }, /it is about no pod/],
  ['ConfigMap/settings', 'data/SHOAL_SEPARATE', 'front', /SHOAL_SEPARATE does not name every service/],
  ['ConfigMap/settings', 'data/SHOAL_LOG', 'loud', /SHOAL_LOG is wrong/],
  ['ConfigMap/settings', 'data/FIRST_PEER', 'peer-9', /FIRST_PEER is no pod/],
  ['ConfigMap/couchdb', 'data/shoal.ini', undefined, /has no shoal.ini/],
  ['StatefulSet/couchdb', `${FIRST}/env/1/valueFrom/secretKeyRef/key`, 'cookies', /no cookies in the Secret couchdb/],
  ['StatefulSet/couchdb', `${FIRST}/livenessProbe/httpGet/port`, 'http', /no port is called http/],
  ['StatefulSet/couchdb', `${FIRST}/volumeMounts/3/mountPath`, '/var/tmp', /it has no \/tmp/],
  ['Service/couchdb', 'spec/clusterIP', 'none', /clusterIP/],
  ['NetworkPolicy/couchdb', 'spec/ingress/0/from/0/podSelector/matchLabels/shoal~1role', 'backups', /no pod is/],
  ['Job/couchdb-cluster', `${POD}/restartPolicy`, 'Never', /restartPolicy/],
];

describe('deploy/kubernetes', needs('kubectl'), () => {
  for (const overlay of ['local', 'production'] as const) {
    it(`the overlay ${overlay} has no fault`, () => {
      assert.deepEqual(faultsOf(build(overlay), OUTSIDE[overlay]), []);
    });
  }

  it('what is damaged is found', async (context) => {
    const objects = build('production');
    for (const each of DAMAGES) {
      const [object, pointer, value, fault] = each;
      await context.test(`${object}: ${pointer} = ${value === undefined ? 'nothing' : JSON.stringify(value)}`, () => {
        assert.match(faultsOf(damage(objects, each), OUTSIDE.production).join('\n'), fault);
      });
    }
    for (const name of [
      'Service/peer-2',
      'ConfigMap/settings',
      'NetworkPolicy/names-only',
      'PodDisruptionBudget/couchdb',
    ]) {
      await context.test(`without ${name}`, () => {
        const rest = (objects as Named[]).filter(({ kind, metadata }) => `${kind}/${metadata.name}` !== name);
        assert.equal(rest.length, objects.length - 1);
        assert.notDeepEqual(faultsOf(rest, OUTSIDE.production), []);
      });
    }
  });
});
