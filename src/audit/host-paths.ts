/** Folders, files, sockets and devices of the host that a container had better not have. */
import { posix } from 'node:path'
import type { Mount } from '../model/mount.ts'
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { Risk, Severity } from './finding.ts'

interface Sensitive {
  readonly paths: RegExp
  readonly writable: Severity
  readonly readOnly: Severity
  readonly risk: string
  readonly change: string
}

const sockets = 'Who may write to it starts containers as root of the host; read-only mounts do not hold a socket back'

/** The first row that fits counts. */
const sensitive: readonly Sensitive[] = [
  {
    paths: /\/(?:docker|podman|containerd|crio|engine|keeper|balena-engine)\.sock$/,
    writable: 'critical',
    readOnly: 'critical',
    risk: sockets,
    change: 'Leave it out; what only looks can be given a proxy that lets GET through',
  },
  {
    paths: /^\/(?:run|var\/run|run\/(?:tscompose|docker|podman|containerd|crio)|var\/run\/(?:docker|podman))$/,
    writable: 'critical',
    readOnly: 'critical',
    risk: `It holds the sockets of engines and of system services. ${sockets}`,
    change: 'Mount the one file that is needed',
  },
  {
    paths: /^\/$/,
    writable: 'critical',
    readOnly: 'high',
    risk: 'Every file of the host, its keys and passwords among them',
    change: 'Mount the folder that is needed, read-only where that will do',
  },
  {
    paths: /^\/(?:etc|boot|root|usr|bin|sbin|lib|lib64|opt|var|var\/spool(?:\/cron.*)?|etc\/.+\.d|etc\/systemd.*)$/,
    writable: 'critical',
    readOnly: 'medium',
    risk: 'The host runs what is written there: programs, units, jobs, passwords',
    change: 'Mount the one file that is needed, read-only',
  },
  {
    paths: /^\/etc\/(?:shadow|gshadow|sudoers.*|ssh.*|ssl\/private.*|passwd|crontab|ld\.so.*)$/,
    writable: 'critical',
    readOnly: 'high',
    risk: 'Passwords, keys and rights of the host',
    change: 'Give the program a secret or an account of its own',
  },
  {
    paths: /^\/var\/lib\/(?:docker|tscompose|containers|containerd|kubelet|rancher)(?:\/.*)?$/,
    writable: 'critical',
    readOnly: 'high',
    risk: 'Root file systems, volumes and secrets of all containers',
    change: 'Mount the volume that is needed by its name',
  },
  {
    paths: /^\/(?:proc|sys)(?:\/.*)?$/,
    writable: 'critical',
    readOnly: 'medium',
    risk: 'Settings and processes of the host; one write to core_pattern or uevent_helper runs a program there',
    change: 'Mount the one file that is needed, read-only',
  },
  {
    paths: /^\/dev$/,
    writable: 'high',
    readOnly: 'high',
    risk: 'Disks, memory and terminals of the host, as far as the device rules let',
    change: 'Name the devices under "devices"',
  },
  {
    paths: /\/\.(?:ssh|aws|kube|docker|gnupg|azure|config\/gcloud|password-store)(?:\/.*)?$/,
    writable: 'high',
    readOnly: 'high',
    risk: "Keys that open a person's other machines and accounts",
    change: 'Give the program a secret of its own, or forward the agent (build: ssh)',
  },
  {
    paths: /^\/(?:home|home\/[^/]+|Users\/[^/]+)$/,
    writable: 'high',
    readOnly: 'medium',
    risk: 'Everything that belongs to the people of the host, their keys and start-up files among it',
    change: 'Mount the folder of the project',
  },
  {
    paths: /^\/var\/log$/,
    writable: 'medium',
    readOnly: 'low',
    risk: 'What all services of the host have written; links laid there are followed by who reads them as root',
    change: 'Mount the one file that is needed, read-only',
  },
]

export function* hostPaths(service: Service, project: Project): Generator<Risk> {
  let shared: readonly string[] | undefined
  for (const mount of service.mounts) {
    const folder = hostFolder(mount, project)
    if (folder === undefined) continue
    const source = posix.normalize(folder).replace(/(?<=.)\/$/, '')
    const path = mount.path.slice(2)
    const grants = `${source} of the host${mount.readOnly ? ', read-only' : ''}`
    const found = sensitive.find(({ paths }) => paths.test(source))
    if (found)
      yield {
        rule: 'host-path',
        severity: mount.readOnly ? found.readOnly : found.writable,
        path,
        grants,
        risk: found.risk,
        change: found.change,
      }
    else if (!mount.readOnly) shared ??= path
    if (mount.kind !== 'bind') continue
    if (mount.propagation === 'shared' || mount.propagation === 'rshared')
      yield {
        rule: 'shared-propagation',
        severity: 'medium',
        path,
        grants: `mounts below ${source} in both directions`,
        risk: 'What is mounted in the container appears on the host, over what is there',
        change: 'Leave "propagation" out, or write rslave',
      }
  }
  const own = capabilitiesOf(service)
  const needsNoRights = service.securityOpt.some(option => /^no-new-privileges(?:[=:]true)?$/.test(option))
  if (shared && !service.privileged && !service.user && own.has('SETUID') && own.has('FSETID') && !needsNoRights)
    yield {
      rule: 'set-uid-files',
      severity: 'low',
      path: shared,
      grants: 'a writable folder of the host together with SETUID and FSETID',
      risk: 'Root of the container can leave set-uid programs there, which a user of the host may then run as root',
      change: 'user: with an id that is not 0, or cap_drop: [FSETID]',
    }
}

/** Of a bind, and of a volume that the local driver binds (mount(8), options `type`, `o` and `device`). */
function hostFolder(mount: Mount, project: Project): string | undefined {
  if (mount.kind === 'bind') return mount.source
  if (mount.kind !== 'volume' || mount.source === undefined) return undefined
  const { device = '', o = '' } = project.volumes[mount.source]?.driverOpts ?? {}
  return /(?:^|,)r?bind(?:,|$)/.test(o) && device.startsWith('/') ? device : undefined
}

const deviceRows: readonly (readonly [paths: RegExp, severity: Severity, risk: string])[] = [
  [/^\/dev\/(?:mem|kmem|port|kcore)$/, 'critical', 'the memory of the host'],
  [
    /^\/dev\/(?:sd|hd|vd|xvd|nvme|mmcblk|dm-|md|loop)\w*|^\/dev\/(?:mapper|disk)\//,
    'critical',
    'a disk of the host, file rights left aside',
  ],
  [/^\/dev$/, 'critical', 'all devices of the host'],
  [/^\/dev\/(?:kmsg|tty\d*|console|uinput|input\/.*)$/, 'high', 'keyboards, terminals or the kernel log of the host'],
  [/^\/dev\/(?:kvm|vhost-.*|vfio\/.*)$/, 'medium', 'virtual machines and hardware of the host'],
]

/** Whole ranges of numbers. */
const ruleRows: readonly (readonly [rule: RegExp, severity: Severity])[] = [
  [/^a /, 'critical'],
  [/^b \S+:\* /, 'critical'],
  [/^c \*:/, 'critical'],
  [/^c \d+:\* /, 'medium'],
]

export function* devices(service: Service): Generator<Risk> {
  for (const [index, { source, permissions }] of service.devices.entries()) {
    const row = deviceRows.find(([paths]) => paths.test(source))
    if (row)
      yield {
        rule: 'device',
        severity: row[1],
        path: ['devices', String(index)],
        grants: `${source} (${permissions})`,
        risk: `It gives ${row[2]}`,
        change: 'Leave it out, or give a program of the host that work',
      }
  }
  for (const [index, rule] of service.deviceCgroupRules.entries()) {
    const severity = ruleRows.find(([pattern]) => pattern.test(rule))?.[1]
    if (severity)
      yield {
        rule: 'device-rule',
        severity,
        path: ['device_cgroup_rules', String(index)],
        grants: `device_cgroup_rules "${rule}"`,
        risk: 'With MKNOD, which is there by default, the container makes itself these devices of the host',
        change: 'Name the devices under "devices"',
      }
  }
}
