import { z } from 'zod';

/**
 * The fields that our manifests use, and no other: `kubectl kustomize` passes on whatever it reads, and an API server
 * drops a field that is misspelt or a level too deep without a word. Types and rules are those of the Kubernetes API
 * reference.
 */
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const portName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/);
const portNumber = z.number().int().min(1).max(65_535);
const path = z.string().startsWith('/');
const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti)?$/);
const labels = z.record(
  z.string().regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/),
  z.string().regex(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/),
);
const mode = z.number().int().min(0).max(0o777);
const seconds = z.number().int().min(1);

const selector = z.strictObject({
  matchLabels: labels.optional(),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()).min(1) }))
    .optional(),
});

const metadata = z.strictObject({
  name,
  namespace: name.optional(),
  labels: labels.optional(),
});

const keyRef = z.strictObject({ name, key: z.string().min(1) });
const variable = z.union([
  z.strictObject({ name: z.string().regex(/^[A-Z][A-Z0-9_]*$/), value: z.string() }),
  z.strictObject({
    name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
    valueFrom: z.union([
      z.strictObject({
        fieldRef: z.strictObject({ apiVersion: z.literal('v1').optional(), fieldPath: z.string().min(1) }),
      }),
      z.strictObject({ configMapKeyRef: keyRef }),
      z.strictObject({ secretKeyRef: keyRef }),
    ]),
  }),
]);

const probe = z
  .strictObject({
    exec: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
    httpGet: z.strictObject({ path, port: portName }).optional(),
    periodSeconds: seconds,
    timeoutSeconds: seconds,
    failureThreshold: seconds.optional(),
  })
  .refine(({ exec, httpGet }) => (exec === undefined) !== (httpGet === undefined), 'needs one of exec and httpGet');

const container = z.strictObject({
  name,
  image: z.string().min(1),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(variable).optional(),
  envFrom: z.array(z.strictObject({ configMapRef: z.strictObject({ name }) })).optional(),
  ports: z.array(z.strictObject({ name: portName, containerPort: portNumber })).optional(),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity }),
    limits: z.strictObject({ cpu: quantity.optional(), memory: quantity }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(
    z.strictObject({ name, mountPath: path, subPath: z.string().optional(), readOnly: z.boolean().optional() }),
  ),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
});

const volume = z.union([
  z.strictObject({ name, configMap: z.strictObject({ name }) }),
  z.strictObject({
    name,
    secret: z.strictObject({ secretName: name, optional: z.boolean().optional(), defaultMode: mode.optional() }),
  }),
  z.strictObject({
    name,
    emptyDir: z.strictObject({ medium: z.literal('Memory').optional(), sizeLimit: quantity }),
  }),
]);

const podSpec = z.strictObject({
  automountServiceAccountToken: z.literal(false),
  enableServiceLinks: z.literal(false),
  restartPolicy: z.literal('OnFailure').optional(),
  terminationGracePeriodSeconds: seconds.optional(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.number().int().min(1),
    runAsGroup: z.number().int().min(1),
    fsGroup: z.number().int().min(1).optional(),
    fsGroupChangePolicy: z.literal('OnRootMismatch').optional(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: seconds,
        topologyKey: z.enum(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']),
        whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
        labelSelector: selector,
      }),
    )
    .optional(),
  initContainers: z.array(container).optional(),
  containers: z.array(container).min(1),
  volumes: z.array(volume).optional(),
});

const template = z.strictObject({ metadata: z.strictObject({ labels }), spec: podSpec });

const statefulSet = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('StatefulSet'),
  metadata,
  spec: z.strictObject({
    serviceName: name,
    replicas: z.number().int().min(1),
    podManagementPolicy: z.enum(['Parallel', 'OrderedReady']),
    selector,
    template,
    volumeClaimTemplates: z.array(
      z.strictObject({
        metadata: z.strictObject({ name }),
        spec: z.strictObject({
          accessModes: z.tuple([z.literal('ReadWriteOnce')]),
          storageClassName: name.optional(),
          resources: z.strictObject({ requests: z.strictObject({ storage: quantity }) }),
        }),
      }),
    ),
  }),
});

const job = z.strictObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata,
  spec: z.strictObject({
    backoffLimit: z.number().int().min(0),
    ttlSecondsAfterFinished: z.number().int().min(0),
    template,
  }),
});

const service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({
    type: z.enum(['ClusterIP', 'LoadBalancer']).optional(),
    clusterIP: z.literal('None').optional(),
    externalTrafficPolicy: z.literal('Local').optional(),
    publishNotReadyAddresses: z.boolean().optional(),
    selector: labels,
    ports: z.array(z.strictObject({ name: portName, port: portNumber, targetPort: portName })).min(1),
  }),
});

const disruptionBudget = z.strictObject({
  apiVersion: z.literal('policy/v1'),
  kind: z.literal('PodDisruptionBudget'),
  metadata,
  spec: z.strictObject({ maxUnavailable: z.number().int().min(1), selector }),
});

const policyPorts = z.array(
  z.strictObject({ protocol: z.enum(['TCP', 'UDP']), port: z.union([portName, portNumber]) }),
);
const policyPeers = z.array(
  z.strictObject({ namespaceSelector: selector.optional(), podSelector: selector.optional() }),
);

const networkPolicy = z.strictObject({
  apiVersion: z.literal('networking.k8s.io/v1'),
  kind: z.literal('NetworkPolicy'),
  metadata,
  spec: z.strictObject({
    podSelector: selector,
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])).min(1),
    ingress: z.array(z.strictObject({ from: policyPeers.optional(), ports: policyPorts })).optional(),
    egress: z.array(z.strictObject({ to: policyPeers.optional(), ports: policyPorts })).optional(),
  }),
});

const configMap = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  metadata,
  data: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), z.string()),
});

const namespace = z.strictObject({ apiVersion: z.literal('v1'), kind: z.literal('Namespace'), metadata });

export const MANIFEST = z.discriminatedUnion('kind', [
  configMap,
  disruptionBudget,
  job,
  namespace,
  networkPolicy,
  service,
  statefulSet,
]);

export type Manifest = z.infer<typeof MANIFEST>;
export type Container = z.infer<typeof container>;
export type PodSpec = z.infer<typeof podSpec>;
export type Selector = z.infer<typeof selector>;
export type Labels = z.infer<typeof labels>;
export type OfKind<Kind extends Manifest['kind']> = Extract<Manifest, { kind: Kind }>;
