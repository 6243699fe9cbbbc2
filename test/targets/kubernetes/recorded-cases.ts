/** What an API server is asked for recorded.json: in this order, since each builds on those before. */

export interface Case {
  readonly what: string
  readonly method: 'PATCH' | 'GET' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly accept?: string
  readonly body?: object
}

const stack = 'tscompose-recorded'
const root = '/apis/apps/v1/namespaces/default/deployments'
const core = '/api/v1/namespaces/default'
const labels = { 'tscompose.dev/stack': stack }

const web = (
  containers: object,
  { hostname, ...more }: { readonly hostname?: string; readonly [member: string]: unknown } = {},
) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'recorded-web', namespace: 'default', labels },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { ...(hostname && { hostname }), containers: [{ name: 'web', image: 'web:1', ...containers }] },
    },
    ...more,
  },
})
const published = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', labels },
  spec: {
    type: 'NodePort',
    selector: labels,
    ports: [{ name: 'tcp-80', port: 80, targetPort: 80, protocol: 'TCP', nodePort: 30970 }],
  },
})
const list = (what: string, plural: string): Case => ({
  what,
  method: 'GET',
  path: `${core}/${plural}`,
  query: { labelSelector: `tscompose.dev/stack=${stack}` },
  accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;q=0.1',
})
const env = [
  { name: 'A', value: '1' },
  { name: 'B', value: '2' },
]
const ports = [{ containerPort: 80, protocol: 'TCP' }]

const apply = (what: string, path: string, body: object, query: Readonly<Record<string, string>> = {}): Case => ({
  what,
  method: 'PATCH',
  path,
  query: { fieldManager: 'tscompose', force: 'true', ...query },
  contentType: 'application/apply-patch+yaml',
  body,
})
const job = (image: string) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'recorded-job', namespace: 'default', labels },
  spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'job', image }] } } },
})
const config = (text: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'recorded-config', namespace: 'default', labels },
  immutable: true,
  data: { content: text },
})
const service = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'recorded-web', namespace: 'default', labels },
  spec: {
    type: 'ClusterIP',
    selector: labels,
    ports: [{ name: 'tcp-80', port: 80, targetPort: 80, protocol: 'TCP' }],
    ...spec,
  },
})
const claim = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'recorded-claim', namespace: 'default', labels },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
})
const batch = '/apis/batch/v1/namespaces/default/jobs/recorded-job'

export const cases: readonly Case[] = [
  apply('a dry run of a new one keeps nothing', `${root}/recorded-web`, web({ env, ports }), { dryRun: 'All' }),
  { what: 'it is not there', method: 'GET', path: `${root}/recorded-web` },
  apply('a new one', `${root}/recorded-web`, web({ env, ports })),
  apply('the same again', `${root}/recorded-web`, web({ env, ports })),
  apply('a dry run of another image', `${root}/recorded-web`, web({ image: 'web:2', env, ports }), { dryRun: 'All' }),
  { what: 'it is as it was', method: 'GET', path: `${root}/recorded-web` },
  apply('another manager is refused', `${root}/recorded-web`, web({ image: 'web:3' }, { replicas: 5 }), {
    fieldManager: 'other',
    force: 'false',
  }),
  apply('another manager takes over', `${root}/recorded-web`, web({ image: 'web:3' }, { replicas: 5 }), {
    fieldManager: 'other',
  }),
  apply('the first takes back, and says less', `${root}/recorded-web`, web({ env: [env[0]] })),
  apply('a number that is none', `${root}/recorded-web`, web({ env }, { replicas: -1 })),
  apply('an image that is none', `${root}/recorded-web`, web({ image: '' })),
  apply(
    'another selector',
    `${root}/recorded-web`,
    web(
      {},
      {
        selector: { matchLabels: { other: 'x' } },
        template: { metadata: { labels: { other: 'x' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
      },
    ),
  ),
  apply('a job', batch, job('job:1')),
  apply('another template of a job', batch, job('job:2')),
  apply('a config', `${core}/configmaps/recorded-config`, config('one')),
  apply('another content of it', `${core}/configmaps/recorded-config`, config('two')),
  apply('a service', `${core}/services/recorded-web`, service({})),
  apply('a service without its address', `${core}/services/recorded-web`, service({ clusterIP: 'None' })),
  apply('a claim', `${core}/persistentvolumeclaims/recorded-claim`, claim({})),
  apply(
    'another mode of a claim',
    `${core}/persistentvolumeclaims/recorded-claim`,
    claim({ accessModes: ['ReadWriteMany'] }),
  ),
  apply('a port of the nodes', `${core}/services/recorded-published`, published('recorded-published')),
  apply('one that is taken', `${core}/services/recorded-other`, published('recorded-other')),
  apply('a name of a host that is none', `${root}/recorded-web`, web({}, { hostname: 'No_Name' })),
  list('heads of configs', 'configmaps'),
  list('heads where there are none', 'secrets'),
  apply('where there is no namespace', '/api/v1/namespaces/missing/configmaps/recorded-config', {
    ...config('one'),
    metadata: { name: 'recorded-config', namespace: 'missing' },
  }),
  {
    what: 'another one of the name is not removed',
    method: 'DELETE',
    path: `${core}/configmaps/recorded-config`,
    body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'other' } },
  },
  ...[
    `${core}/configmaps/recorded-config`,
    `${core}/services/recorded-web`,
    `${core}/services/recorded-published`,
    `${root}/recorded-web`,
    batch,
    `${core}/persistentvolumeclaims/recorded-claim`,
  ].map(
    (path): Case => ({
      what: `${path.split('/').at(-2)} removed`,
      method: 'DELETE',
      path,
      body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
    }),
  ),
  { what: 'what is gone is not removed twice', method: 'DELETE', path: `${core}/configmaps/recorded-config` },
]
