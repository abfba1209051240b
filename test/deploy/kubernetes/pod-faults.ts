import { OPTIONS, SERVICES } from '../../../src/config.js';
import type { Cluster, Workload } from './cluster.js';
import type { Container } from './schema.js';

/** What is in the image besides `shoal`. */
const PROGRAMS = new Set(['shoal', 'shoal-home', 'tini', 'node']);
/** Services whose processes read no environment of Shoal. */
const SHOAL_IMAGE = /(^|\/)shoal:/;
const VARIABLES = new Map(OPTIONS.map(({ variable, schema }) => [variable, schema]));

export interface Outside {
  /** Secrets that are made by hand, and their keys; docs/operations.md says how. */
  readonly secrets: Readonly<Record<string, readonly string[]>>;
}

/** What is wrong inside the pods: volumes, variables, commands, probes. */
export function podFaults(cluster: Cluster, outside: Outside): string[] {
  return cluster.workloads.flatMap((workload) => {
    const { spec } = workload;
    const all = [...(spec.initContainers ?? []), ...spec.containers];
    const faults = [
      ...repeated(all.map(({ name }) => name)).map((name) => `two containers are called ${name}`),
      ...volumeFaults(workload, all, { cluster, outside }),
      ...all.flatMap((container) =>
        [
          ...variableFaults(container, { cluster, outside }),
          ...commandFaults(container),
          ...mountFaults(container),
        ].map((fault) => `${container.name}: ${fault}`),
      ),
      ...(workload.kind === 'StatefulSet' ? spec.containers.flatMap(probeFaults) : []),
    ];
    return faults.map((fault) => `${workload.kind}/${workload.name}: ${fault}`);
  });
}

interface Around {
  readonly cluster: Cluster;
  readonly outside: Outside;
}

function volumeFaults(workload: Workload, containers: readonly Container[], { cluster, outside }: Around): string[] {
  const volumes = workload.spec.volumes ?? [];
  const names = [...volumes.map(({ name }) => name), ...workload.claims];
  const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts);
  const faults = repeated(names).map((name) => `two volumes are called ${name}`);
  for (const { name } of mounts) if (!names.includes(name)) faults.push(`no volume is called ${name}`);
  for (const name of names) if (!mounts.some((mount) => mount.name === name)) faults.push(`nobody mounts ${name}`);
  for (const volume of volumes) {
    if ('secret' in volume && outside.secrets[volume.secret.secretName] === undefined) {
      faults.push(`there is no Secret ${volume.secret.secretName}`);
    }
    if (!('configMap' in volume)) continue;
    const data = dataOf(cluster, volume.configMap.name);
    if (data === undefined) faults.push(`there is no ConfigMap ${volume.configMap.name}`);
    for (const { name, subPath } of mounts) {
      if (name === volume.name && subPath !== undefined && data?.[subPath] === undefined) {
        faults.push(`${volume.configMap.name} has no ${subPath}`);
      }
    }
  }
  return faults;
}

function dataOf(cluster: Cluster, name: string): Readonly<Record<string, string>> | undefined {
  return cluster.of('ConfigMap').find(({ metadata }) => metadata.name === name)?.data;
}

function variableFaults(container: Container, { cluster, outside }: Around): string[] {
  const faults: string[] = [];
  const known = new Map<string, string | undefined>();
  for (const { configMapRef } of container.envFrom ?? []) {
    const data = dataOf(cluster, configMapRef.name);
    if (data === undefined) faults.push(`there is no ConfigMap ${configMapRef.name}`);
    for (const [name, value] of Object.entries(data ?? {})) known.set(name, value);
  }
  for (const variable of container.env ?? []) {
    if ('value' in variable) {
      for (const [, name = ''] of variable.value.matchAll(/\$\((\w+)\)/g)) {
        if (!known.has(name)) faults.push(`${variable.name} names ${name}, which is not set before it`);
      }
    } else if ('secretKeyRef' in variable.valueFrom) {
      const { name, key } = variable.valueFrom.secretKeyRef;
      if (outside.secrets[name]?.includes(key) !== true) faults.push(`there is no ${key} in the Secret ${name}`);
    } else if ('configMapKeyRef' in variable.valueFrom) {
      const { name, key } = variable.valueFrom.configMapKeyRef;
      if (dataOf(cluster, name)?.[key] === undefined) faults.push(`there is no ${key} in the ConfigMap ${name}`);
    }
    known.set(variable.name, 'value' in variable ? variable.value : undefined);
  }
  return SHOAL_IMAGE.test(container.image) ? [...faults, ...settingFaults(known)] : faults;
}

/** Shoal ends with an error at a SHOAL_ variable that it does not know. */
function settingFaults(variables: ReadonlyMap<string, string | undefined>): string[] {
  const faults: string[] = [];
  for (const [name, value] of variables) {
    if (!name.startsWith('SHOAL_') || name === 'SHOAL_HOME') continue;
    const schema = VARIABLES.get(name);
    if (schema === undefined) faults.push(`${name} is no setting of Shoal`);
    // A value that Kubernetes puts together is not known here.
    else if (value?.includes('$(') === false && !schema.safeParse(value).success) faults.push(`${name} is wrong`);
  }
  return faults;
}

function commandFaults({ image, command = [], args = [] }: Container): string[] {
  const faults = /:[^/]+$/.test(image) && !image.endsWith(':latest') ? [] : [`${image} has no version`];
  if (!SHOAL_IMAGE.test(image)) return faults;
  const words = command.length > 0 ? [...command, ...args] : ['shoal', ...args];
  return [...faults, ...wordFaults(words)];
}

function wordFaults(words: readonly string[]): string[] {
  const [program = '', verb, service] = words[0] === 'tini' ? words.slice(2) : words;
  if (!PROGRAMS.has(program)) return [`there is no program ${program}`];
  if (program !== 'shoal') return [];
  const isKnown = verb === 'serve' && SERVICES.some((known) => known === service);
  return isKnown ? [] : [`there is no \`${words.join(' ')}\``];
}

/** The root is read-only, and programs want a folder for what they write for a moment. */
function mountFaults({ volumeMounts }: Container): string[] {
  const paths = volumeMounts.map(({ mountPath }) => mountPath);
  const isRoot = volumeMounts.some(({ readOnly }) => readOnly !== true) && !paths.includes('/tmp');
  return [
    ...repeated(paths).map((path) => `two volumes are mounted at ${path}`),
    ...(isRoot ? ['it has no /tmp that it may write to'] : []),
  ];
}

function probeFaults({ name, image, args, ports = [], ...probes }: Container): string[] {
  const { startupProbe, readinessProbe, livenessProbe } = probes;
  return Object.entries({ startupProbe, readinessProbe, livenessProbe }).flatMap(([which, probe]) => {
    const faults: string[] = [];
    if (probe === undefined) return [`${name}: it has no ${which}`];
    const { exec, httpGet } = probe;
    if (httpGet !== undefined && !ports.some((port) => port.name === httpGet.port)) {
      faults.push(`no port is called ${httpGet.port}`);
    }
    if (exec !== undefined && SHOAL_IMAGE.test(image)) {
      faults.push(...wordFaults(exec.command));
      if (exec.command[2] !== args?.[1]) faults.push('it asks another service');
      const what = which === 'readinessProbe' ? 'ready' : 'live';
      if (exec.command.slice(3).join(' ') !== `--check ${what}`) faults.push(`it does not ask whether it is ${what}`);
    }
    return faults.map((fault) => `${name}: ${which}: ${fault}`);
  });
}

export function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
