import { type Cluster, POD_NAME_LABEL, selects, type Workload } from './cluster.js';
import { repeated } from './pod-faults.js';
import type { OfKind, Selector } from './schema.js';

const NAMES_PORT = 53;

/** What is wrong between objects: names, selectors, ports, and who may talk to whom. */
export function networkFaults(cluster: Cluster): string[] {
  const names = cluster.manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  return [
    ...repeated(names).map((name) => `${name}: there are two`),
    ...namespaceFaults(cluster),
    ...cluster.of('StatefulSet').flatMap((set) => statefulSetFaults(set, cluster)),
    ...cluster.of('Service').flatMap((service) => serviceFaults(service, cluster)),
    ...cluster.of('PodDisruptionBudget').flatMap(({ metadata, spec }) => {
      const isFound = cluster.workloads.some(({ labels }) => selects(spec.selector, labels));
      return isFound ? [] : [`PodDisruptionBudget/${metadata.name}: it is about no pod`];
    }),
    ...cluster.of('NetworkPolicy').flatMap((policy) => policyFaults(policy, cluster)),
    ...cluster.workloads.flatMap((workload) => reachFaults(workload, cluster)),
  ];
}

function namespaceFaults(cluster: Cluster): string[] {
  const [namespace, another] = cluster.of('Namespace').map(({ metadata }) => metadata.name);
  if (namespace === undefined || another !== undefined) return ['there is not one Namespace'];
  return cluster.manifests
    .filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== namespace)
    .map(({ kind, metadata }) => `${kind}/${metadata.name}: it is not in ${namespace}`);
}

function statefulSetFaults({ metadata, spec }: OfKind<'StatefulSet'>, cluster: Cluster): string[] {
  const faults: string[] = [];
  if (!selects(spec.selector, spec.template.metadata.labels)) faults.push('it does not select its own pods');
  const rivals = cluster.workloads.filter(({ labels }) => selects(spec.selector, labels));
  if (rivals.length > 1) faults.push(`it selects the pods of ${rivals.map(({ name }) => name).join(' and ')}`);
  const service = cluster.of('Service').find((found) => found.metadata.name === spec.serviceName);
  if (service?.spec.clusterIP !== 'None') faults.push(`${spec.serviceName} is no headless Service`);
  for (const { labelSelector } of spec.template.spec.topologySpreadConstraints ?? []) {
    if (!selects(labelSelector, spec.template.metadata.labels)) faults.push('it is spread by the pods of others');
  }
  if (
    cluster.of('PodDisruptionBudget').every((budget) => !selects(budget.spec.selector, spec.template.metadata.labels))
  )
    faults.push('no PodDisruptionBudget is about its pods');
  return faults.map((fault) => `StatefulSet/${metadata.name}: ${fault}`);
}

/** @returns those whose pods have the labels, the pod's name among them */
function selectedBy(selector: Selector, cluster: Cluster): readonly Workload[] {
  return cluster.workloads.filter(({ labels, pods }) =>
    [undefined, ...pods].some((pod) => selects(selector, { ...labels, ...(pod && { [POD_NAME_LABEL]: pod }) })),
  );
}

function serviceFaults({ metadata, spec }: OfKind<'Service'>, cluster: Cluster): string[] {
  const selected = selectedBy({ matchLabels: spec.selector }, cluster);
  const faults = selected.length === 0 ? ['it selects no pod'] : [];
  for (const { targetPort } of spec.ports) {
    for (const workload of selected) {
      if (portNumber(workload, targetPort) === undefined) faults.push(`${workload.name} has no port ${targetPort}`);
    }
  }
  return faults.map((fault) => `Service/${metadata.name}: ${fault}`);
}

function portsOf({ spec }: Workload): readonly { readonly name: string; readonly containerPort: number }[] {
  return spec.containers.flatMap(({ ports = [] }) => ports);
}

function portNumber(workload: Workload, port: string | number): number | undefined {
  return portsOf(workload).find(({ name, containerPort }) => name === port || containerPort === port)?.containerPort;
}

function policyFaults({ metadata, spec }: OfKind<'NetworkPolicy'>, cluster: Cluster): string[] {
  const selected = selectedBy(spec.podSelector, cluster);
  const faults = selected.length === 0 ? ['it is about no pod'] : [];
  for (const { from = [], ports } of spec.ingress ?? []) {
    for (const { port } of ports) {
      if (selected.every((workload) => portNumber(workload, port) === undefined)) {
        faults.push(`nobody has a port ${String(port)}`);
      }
    }
    faults.push(...strangers(from, cluster));
  }
  for (const { to = [] } of spec.egress ?? []) faults.push(...strangers(to, cluster));
  if ((spec.ingress !== undefined && !spec.policyTypes.includes('Ingress')) || !spec.policyTypes.includes('Egress')) {
    faults.push('policyTypes leaves out a direction');
  }
  return faults.map((fault) => `NetworkPolicy/${metadata.name}: ${fault}`);
}

/** Pods of this namespace that are named as the other side, and that nobody is. */
function strangers(
  peers: readonly { readonly namespaceSelector?: Selector | undefined; readonly podSelector?: Selector | undefined }[],
  cluster: Cluster,
): string[] {
  return peers.flatMap(({ namespaceSelector, podSelector }) =>
    namespaceSelector === undefined && podSelector !== undefined && selectedBy(podSelector, cluster).length === 0
      ? [`no pod is ${JSON.stringify(podSelector)}`]
      : [],
  );
}

/** What no policy allows is forbidden as soon as one policy is about a pod. */
function reachFaults(workload: Workload, cluster: Cluster): string[] {
  const policies = cluster.of('NetworkPolicy').filter(({ spec }) => selects(spec.podSelector, workload.labels));
  if (policies.length === 0) return [`${workload.kind}/${workload.name}: no NetworkPolicy is about its pods`];
  const opened = policies.flatMap(({ spec }) => (spec.ingress ?? []).flatMap(({ ports }) => ports));
  const allowed = policies.flatMap(({ spec }) => (spec.egress ?? []).flatMap(({ ports }) => ports));
  const faults = portsOf(workload)
    .filter(({ name, containerPort }) => opened.every(({ port }) => port !== name && port !== containerPort))
    .map(({ name }) => `no NetworkPolicy opens the port ${name}`);
  if (allowed.every(({ port }) => port !== NAMES_PORT)) faults.push('no NetworkPolicy lets it look up a name');
  return faults.map((fault) => `${workload.kind}/${workload.name}: ${fault}`);
}
