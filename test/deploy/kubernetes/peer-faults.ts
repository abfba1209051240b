import { SERVICES } from '../../../src/config.js';
import { type Cluster, POD_NAME_LABEL, type Workload } from './cluster.js';

/** What every peer runs; the rest is for some. */
const EVERY_PEER = ['front', 'file-sender', 'file-receiver', 'db-service', 'pouchdb'];

/** What is wrong with the peers as a network: processes, addresses, the first of them. */
export function peerFaults(cluster: Cluster): string[] {
  const peers = cluster.workloads.filter(({ labels }) => labels['app.kubernetes.io/component'] === 'peer');
  const settings = cluster.of('ConfigMap').find(({ metadata }) => metadata.name === 'settings')?.data ?? {};
  const pods = peers.flatMap((peer) => peer.pods);
  const faults = pods.filter((pod) => !hasAddress(pod, cluster)).map((pod) => `no Service is the address of ${pod}`);
  if (pods.length < 3) faults.push('a network of fewer than three peers can lose none');
  if (!pods.includes(settings['FIRST_PEER'] ?? '')) faults.push('FIRST_PEER is no pod');
  if (settings['SHOAL_SEPARATE']?.split(',').sort().join() !== [...SERVICES].sort().join()) {
    faults.push('SHOAL_SEPARATE does not name every service');
  }
  return [...faults, ...peers.flatMap(processFaults)];
}

function processFaults({ name, spec }: Workload): string[] {
  const served = spec.containers.map(({ args = [] }) => args[1]);
  const missing = EVERY_PEER.filter((service) => !served.includes(service));
  const faults = missing.map((service) => `nobody serves ${service}`);
  const settings = spec.containers.map(({ env = [] }) =>
    JSON.stringify(env.filter((variable) => variable.name.startsWith('SHOAL_'))),
  );
  if (new Set(settings).size > 1) faults.push('its processes have different settings');
  return faults.map((fault) => `StatefulSet/${name}: ${fault}`);
}

/** The Service of the pod's own name, on the port that the pod says it is reached at. */
function hasAddress(pod: string, cluster: Cluster): boolean {
  return cluster.of('Service').some(({ metadata, spec }) => {
    const ports = spec.ports.map(({ port }) => `$(PEER_NAME)$(DOMAIN):${String(port)}`);
    const peer = cluster.workloads.find(({ pods }) => pods.includes(pod));
    const addresses = peer?.spec.initContainers?.flatMap(({ env = [] }) =>
      env.flatMap((variable) => (variable.name === 'SHOAL_ADDRESS' && 'value' in variable ? [variable.value] : [])),
    );
    return (
      metadata.name === pod &&
      spec.selector[POD_NAME_LABEL] === pod &&
      addresses?.some((address) => ports.includes(address)) === true
    );
  });
}
