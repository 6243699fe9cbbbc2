/** What this engine tells of itself as a builder. */
import type { apiCapability } from '../../api/buildkit/gateway.ts'
import type { From } from '../../api/buildkit/message.ts'
import type { buildkitVersion, workerRecord } from '../../api/buildkit/operations.ts'
import { machine } from '../images/platform.ts'

/**
 * The BuildKit whose behaviour is followed. Clients compare it before they use a feature (`buildx history`, `--call`), so it is a
 * version they know.
 */
export const version: From<typeof buildkitVersion> = {
  package: 'tscompose',
  version: 'v0.25.1',
  revision: '',
}

export interface WorkerFacts {
  readonly id: string
  /** An address by which the host is reached from containers, for `--add-host x:host-gateway`. */
  readonly hostGateway: string | undefined
}

export function workerOf({ id, hostGateway }: WorkerFacts): From<typeof workerRecord> {
  const { os, architecture, variant } = machine()
  return {
    id,
    labels: new Map([
      ['org.mobyproject.buildkit.worker.executor', 'tscompose'],
      ...(hostGateway === undefined
        ? []
        : ([['org.mobyproject.buildkit.worker.moby.host-gateway-ip', hostGateway]] as const)),
    ]),
    platforms: [{ os, architecture, variant: variant ?? '' }],
    gcPolicy: [],
    buildkitVersion: version,
  }
}

/** Of LLBBridge: results by reference, inputs from other builds, evaluation. */
const frontendIds = [
  ...['solve.base', 'return', 'returnmap', 'proto.refarray', 'reference.output', 'frontend.inputs', 'frontend.caps'],
  ...['gateway.solve.metadata', 'gateway.solve.evaluate', 'gateway.evaluate', 'gateway.warnings', 'importcaches'],
]
/** Of definitions: those that clients look at for what the Dockerfile frontend can do, not because LLB would be taken. */
const llbIds = [
  ...[
    'source.image',
    'source.local',
    'source.local.sessionid',
    'source.local.includepatterns',
    'source.local.followpaths',
  ],
  ...['source.local.excludepatterns', 'source.local.sharedkeyhint', 'source.git', 'source.http', 'file.base'],
  ...['exec.meta.base', 'exec.meta.network', 'exec.meta.security', 'exec.meta.ulimit', 'exec.meta.cgroup.parent'],
  ...[
    'exec.mount.bind',
    'exec.mount.cache',
    'exec.mount.tmpfs',
    'exec.mount.secret',
    'exec.mount.ssh',
    'exec.secretenv',
  ],
  ...['constraints', 'platform', 'meta.ignorecache', 'meta.description', 'exporter.multiple'],
]

export const frontendCapabilities = frontendIds.map(enabled)
export const llbCapabilities = llbIds.map(enabled)

function enabled(id: string): From<typeof apiCapability> {
  return { id, enabled: true }
}
