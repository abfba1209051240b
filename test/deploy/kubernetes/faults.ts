import { openCluster } from './cluster.js';
import { networkFaults } from './network-faults.js';
import { peerFaults } from './peer-faults.js';
import { type Outside, podFaults } from './pod-faults.js';

/** @returns everything that is wrong with the objects of an overlay, a sentence each */
export function faultsOf(objects: readonly unknown[], outside: Outside): readonly string[] {
  const cluster = openCluster(objects);
  if (!('manifests' in cluster)) return cluster;
  return [...networkFaults(cluster), ...podFaults(cluster, outside), ...peerFaults(cluster)];
}
