/** What each task of a service is made of: its container, resources, place and networks. */
import type { SwarmContainerSpec, SwarmMount, TaskSpec } from '../../../api/swarm-objects.ts'
import { bareCapability } from '../../../lib/capabilities.ts'
import { isJob } from '../../../model/deploy.ts'
import type { FileReference } from '../../../model/file-object.ts'
import type { Mount } from '../../../model/mount.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { filled, filledMap, given } from '../../members.ts'
import { saysRestart } from '../../restart.ts'
import { labels } from '../labels.ts'
import type { PlannedFile, PlannedFiles } from './files.ts'
import { privileges } from './privileges.ts'

export interface SpecInput {
  readonly project: Project
  readonly service: Service
  readonly replicas: number
  /** With its digest, where that is known. */
  readonly image: string
  readonly files: PlannedFiles
  /** JSON of profiles of seccomp, by path. */
  readonly profiles: ReadonlyMap<string, string>
  /** How often its tasks were made anew for no other reason. */
  readonly forced: number
}

export function taskTemplate(input: SpecInput): TaskSpec {
  const { service, project } = input
  const { deploy, limits, logging, platform } = service
  const placement = deploy?.placement
  const [OS, Architecture] = platform?.split('/') ?? []
  return {
    ContainerSpec: containerSpec(input),
    Resources: {
      Limits: given({
        NanoCPUs: nano(limits.cpus),
        MemoryBytes: limits.memory,
        Pids: limits.pids,
      }),
      Reservations: given({
        NanoCPUs: nano(deploy?.cpuReservation),
        MemoryBytes: limits.memoryReservation,
        GenericResources: filled(
          deploy?.genericResources?.map(({ kind, value }) => ({ DiscreteResourceSpec: { Kind: kind, Value: value } })),
        ),
      }),
    },
    RestartPolicy: restartPolicy(service),
    Placement: given({
      Constraints: filled(placement?.constraints),
      Preferences: filled(
        placement?.spread.map(SpreadDescriptor => ({
          Spread: { SpreadDescriptor },
        })),
      ),
      MaxReplicas: placement?.maxReplicasPerNode,
      Platforms: OS === undefined ? undefined : [given({ OS, Architecture })],
    }),
    Networks: networksOf(project, service),
    ...(logging && {
      LogDriver: given({
        Name: logging.driver,
        Options: filledMap(logging.options),
      }),
    }),
    ForceUpdate: input.forced,
    Runtime: 'container',
  }
}

function containerSpec({ project, service, image, files, profiles }: SpecInput): SwarmContainerSpec {
  const { healthcheck: check, dns, dnsSearch, dnsOpt } = service
  return given<SwarmContainerSpec>({
    Image: image,
    Labels: { ...service.labels, [labels.stack]: project.name },
    Command: filled(service.entrypoint),
    Args: filled(service.command),
    Hostname: service.hostname,
    Env: filled(Object.entries(service.environment).map(([key, value]) => (value === null ? key : `${key}=${value}`))),
    Dir: service.workingDir,
    User: service.user,
    Groups: filled(service.groupAdd),
    Privileges: privileges(service.securityOpt, { profiles, directory: project.directory }),
    Init: service.init,
    StopSignal: service.stopSignal,
    TTY: service.tty || undefined,
    OpenStdin: service.stdinOpen || undefined,
    ReadOnly: service.readOnly || undefined,
    Mounts: filled([...service.mounts.map(mount => mountOf(project, mount)), ...sharedMemory(service)]),
    StopGracePeriod: service.stopGracePeriod ?? 10e9,
    Healthcheck:
      check &&
      (check.disable
        ? { Test: ['NONE'] }
        : given({
            Test: check.test,
            Interval: check.interval,
            Timeout: check.timeout,
            Retries: check.retries,
            StartPeriod: check.startPeriod,
            StartInterval: check.startInterval,
          })),
    Hosts: filled(service.extraHosts.map(({ host, address }) => `${address} ${host}`)),
    DNSConfig: given({
      Nameservers: filled(dns),
      Search: filled(dnsSearch),
      Options: filled(dnsOpt),
    }),
    Secrets: filled(
      references(service.secrets, files.secret, (File, { name }) => ({
        File,
        SecretID: '',
        SecretName: name,
      })),
    ),
    Configs: filled(
      references(service.configs, files.config, (File, { name }) => ({
        File,
        ConfigID: '',
        ConfigName: name,
      })),
    ),
    Isolation: 'default',
    Sysctls: filledMap(service.sysctls),
    CapabilityAdd: filled(service.capAdd.map(capability).sort()),
    CapabilityDrop: filled(service.capDrop.map(capability).sort()),
    Ulimits: filled(
      service.ulimits.map(({ name, soft, hard }) => ({
        Name: name,
        Soft: soft,
        Hard: hard,
      })),
    ),
    OomScoreAdj: service.limits.oomScoreAdj,
  })
}

/** Where nothing is said a task comes again, and a job's until it has done its work: that is a swarm's own rule. */
function restartPolicy(service: Service): TaskSpec['RestartPolicy'] {
  const { restart, deploy } = service
  const job = isJob(service)
  const usual = job ? 'on-failure' : 'any'
  const Condition = !saysRestart(service)
    ? usual
    : restart.kind === 'no'
      ? 'none'
      : restart.kind === 'on-failure' || job
        ? 'on-failure'
        : 'any'
  const attempts = restart.kind === 'on-failure' && restart.maxRetries > 0 ? restart.maxRetries : undefined
  return {
    Condition,
    Delay: deploy?.restartDelay ?? 5e9,
    MaxAttempts: attempts ?? deploy?.restartAttempts ?? 0,
    Window: deploy?.restartWindow ?? 0,
  }
}

function networksOf(project: Project, { name, networkMode, networks }: Service): TaskSpec['Networks'] {
  if (networkMode.kind === 'host') return [{ Target: 'host' }]
  return Object.entries(networks).map(([key, { aliases, driverOpts }]) => ({
    Target: project.networks[key]?.name ?? key,
    Aliases: [...new Set([name, ...aliases])],
    ...(Object.keys(driverOpts).length === 0 ? {} : { DriverOpts: driverOpts }),
  }))
}

/** An engine gives it back where nothing is said. */
const usualPropagation = 'rprivate'

function mountOf(project: Project, mount: Mount): SwarmMount {
  const common = {
    Type: mount.kind,
    Target: mount.target,
    ...(mount.readOnly && { ReadOnly: true }),
  }
  switch (mount.kind) {
    case 'bind':
      return {
        ...common,
        Source: mount.source,
        BindOptions:
          mount.recursive === 'disabled'
            ? { Propagation: mount.propagation ?? usualPropagation, NonRecursive: true }
            : given({ Propagation: mount.propagation }),
      }
    case 'volume': {
      const volume = mount.source === undefined ? undefined : project.volumes[mount.source]
      const made = volume && !volume.external
      return {
        ...common,
        ...(mount.source !== undefined && {
          Source: volume?.name ?? mount.source,
        }),
        VolumeOptions: given({
          NoCopy: mount.nocopy || undefined,
          Subpath: mount.subpath,
          Labels: {
            ...mount.labels,
            ...(made && { ...volume.labels, [labels.stack]: project.name }),
          },
          DriverConfig: made
            ? given({
                Name: volume.driver,
                Options: filledMap(volume.driverOpts),
              })
            : undefined,
        }),
      }
    }
    case 'tmpfs':
      return {
        ...common,
        TmpfsOptions: given({
          SizeBytes: mount.size,
          Mode: mount.mode,
          // a node takes no other
          Options: filled(mount.options.filter(text => text === 'exec' || text === 'noexec').map(text => [text])),
        }),
      }
    default:
      return { ...common, Source: mount.source }
  }
}

/** A size of /dev/shm is that of a tmpfs in its place. */
function sharedMemory({ shmSize }: Service): readonly SwarmMount[] {
  return shmSize === undefined
    ? []
    : [
        {
          Type: 'tmpfs',
          Target: '/dev/shm',
          TmpfsOptions: { SizeBytes: shmSize },
        },
      ]
}

interface InTask {
  readonly Name: string
  readonly UID: string
  readonly GID: string
  readonly Mode: number
}

function references<T>(
  all: readonly FileReference[],
  planned: ReadonlyMap<string, PlannedFile>,
  make: (file: InTask, planned: PlannedFile) => T,
): readonly T[] {
  return all.flatMap(({ source, target, uid, gid, mode }) => {
    const found = planned.get(source)
    return found
      ? [
          make(
            {
              Name: target,
              UID: uid ?? '0',
              GID: gid ?? '0',
              Mode: mode ?? 0o444,
            },
            found,
          ),
        ]
      : []
  })
}

function capability(name: string): string {
  const bare = bareCapability(name)
  return bare === 'ALL' ? bare : `CAP_${bare}`
}

function nano(cpus: number | undefined): number | undefined {
  return cpus === undefined ? undefined : Math.round(cpus * 1e9)
}
