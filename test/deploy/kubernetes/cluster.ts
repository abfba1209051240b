import { parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { MANIFEST, type Labels, type Manifest, type OfKind, type PodSpec, type Selector } from './schema.js';

/** What runs pods. */
export interface Workload {
  readonly name: string;
  readonly kind: 'StatefulSet' | 'Job';
  readonly labels: Labels;
  /** Names of its pods; of a Job's nobody knows them. */
  readonly pods: readonly string[];
  readonly spec: PodSpec;
  /** Volumes that come from claims. */
  readonly claims: readonly string[];
}

export interface Cluster {
  readonly manifests: readonly Manifest[];
  readonly workloads: readonly Workload[];
  readonly of: <Kind extends Manifest['kind']>(kind: Kind) => readonly OfKind<Kind>[];
}

/** @returns the documents of a YAML stream as an API server reads them: YAML 1.1, where 0440 is octal */
export function readYaml(text: string): unknown[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document): unknown => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
}

/** @returns the cluster, or what is wrong with the shape of its objects */
export function openCluster(objects: readonly unknown[]): Cluster | readonly string[] {
  const read = objects.map((object) => ({ object, result: MANIFEST.safeParse(object) }));
  const faults = read.flatMap(({ object, result }) => (result.success ? [] : describe(object, result.error)));
  if (faults.length > 0) return faults;
  const manifests = read.flatMap(({ result }) => (result.success ? [result.data] : []));
  return {
    manifests,
    workloads: manifests.flatMap(workloadOf),
    of: <Kind extends Manifest['kind']>(kind: Kind) =>
      manifests.filter((manifest): manifest is OfKind<Kind> => manifest.kind === kind),
  };
}

function describe(object: unknown, error: z.ZodError): string[] {
  const { kind, metadata } = Object(object) as { kind?: unknown; metadata?: { name?: unknown } };
  const issues = error.issues.flatMap(deepest);
  return issues.map(({ path, message }) => `${String(kind)}/${String(metadata?.name)}: ${path.join('.')}: ${message}`);
}

/** Of a union the alternative that fits best says most. */
function deepest(issue: z.core.$ZodIssue): { readonly path: PropertyKey[]; readonly message: string }[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const [best = []] = [...issue.errors].sort((a, b) => a.length - b.length);
  return best.flatMap(deepest).map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

function workloadOf(manifest: Manifest): Workload[] {
  const { name } = manifest.metadata;
  if (manifest.kind === 'Job') {
    const { metadata, spec } = manifest.spec.template;
    return [{ name, kind: 'Job', labels: metadata.labels, pods: [], spec, claims: [] }];
  }
  if (manifest.kind !== 'StatefulSet') return [];
  const { replicas, template, volumeClaimTemplates } = manifest.spec;
  return [
    {
      name,
      kind: 'StatefulSet',
      labels: template.metadata.labels,
      pods: Array.from({ length: replicas }, (_, ordinal) => `${name}-${String(ordinal)}`),
      spec: template.spec,
      claims: volumeClaimTemplates.map(({ metadata }) => metadata.name),
    },
  ];
}

/** An empty selector selects everything, as the API has it. */
export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}

/** What Kubernetes itself adds to the labels of a StatefulSet's pod. */
export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
