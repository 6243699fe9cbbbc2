/** Walls that a service takes down: privileges, namespaces of the host, security options. */
import type { Service } from '../model/service.ts'
import type { Risk, Severity } from './finding.ts'

export function* privileges(service: Service): Generator<Risk> {
  if (service.privileged)
    yield {
      rule: 'privileged',
      severity: 'critical',
      path: ['privileged'],
      grants: 'privileged',
      risk: 'All capabilities, all devices, no system call filter: whoever is root in it is root of the host',
      change: 'Leave it out; add what the program needs by cap_add and devices',
    }
  if (service.useApiSocket)
    yield {
      rule: 'engine-socket',
      severity: 'critical',
      path: ['use_api_socket'],
      grants: "the engine's socket and credentials",
      risk: 'Who may write to it starts containers as root of the host',
      change: 'Leave it out',
    }
  for (const [index, hook] of [...service.preStart, ...service.postStart, ...service.preStop].entries())
    if (hook.privileged) {
      const name =
        index < service.preStart.length
          ? 'pre_start'
          : index < service.preStart.length + service.postStart.length
            ? 'post_start'
            : 'pre_stop'
      yield {
        rule: 'privileged-hook',
        severity: 'high',
        path: [name],
        grants: `privileged ${name}`,
        risk: 'The command has all capabilities while it runs, on files that the service could have changed',
        change: 'Leave "privileged" out',
      }
    }
}

/** Field, severity, what the host's namespace shows. */
const hostRows: readonly (readonly [
  key: 'ipc' | 'pid' | 'uts' | 'usernsMode',
  field: string,
  severity: Severity,
  risk: string,
])[] = [
  ['pid', 'pid', 'high', 'It sees, and as root signals, every process of the host, and reads their environment'],
  ['ipc', 'ipc', 'medium', 'It reads and writes shared memory of the programs of the host'],
  ['uts', 'uts', 'low', 'With SYS_ADMIN it renames the host'],
  ['usernsMode', 'userns_mode', 'low', 'Root of the container is root of the host, whatever the engine does otherwise'],
]

export function* hostNamespaces(service: Service): Generator<Risk> {
  const { networkMode } = service
  if (networkMode.kind === 'host')
    yield {
      rule: 'host-namespace',
      severity: 'high',
      path: ['network_mode'],
      grants: 'network_mode host',
      risk: 'It reaches what listens on loopback only, abstract sockets, and any port of the host',
      change: 'A network of the stack and "ports" for what is to be reached',
    }
  for (const [key, field, severity, risk] of hostRows)
    if (service[key]?.kind === 'host')
      yield { rule: 'host-namespace', severity, path: [field], grants: `${field} host`, risk, change: 'Leave it out' }
  if (service.cgroup === 'host')
    yield {
      rule: 'host-namespace',
      severity: 'medium',
      path: ['cgroup'],
      grants: 'cgroup host',
      risk: 'It sees the control groups of all containers, and changes them where they are writable',
      change: 'Leave it out',
    }
}

const optionRows: readonly (readonly [option: RegExp, severity: Severity, risk: string])[] = [
  [/^seccomp[=:]unconfined$/, 'high', 'Every system call is open, those by which kernels were broken into among them'],
  [/^systempaths[=:]unconfined$/, 'high', '/proc and /sys are writable: settings of the host, and a way to run there'],
  [/^apparmor[=:]unconfined$/, 'medium', 'No AppArmor profile holds back what gets past the other walls'],
  [/^label[=:]disable$/, 'medium', 'No SELinux label holds back what gets past the other walls'],
  [/^writable-cgroups(?:[=:]true)?$/, 'medium', 'The container changes its own limits'],
  [/^no-new-privileges[=:]false$/, 'low', 'Set-uid programs of the image give rights that the process did not have'],
]

export function* securityOptions(service: Service): Generator<Risk> {
  for (const [index, option] of service.securityOpt.entries()) {
    const row = optionRows.find(([pattern]) => pattern.test(option))
    if (row)
      yield {
        rule: 'security-option',
        severity: row[1],
        path: ['security_opt', String(index)],
        grants: `security_opt ${option}`,
        risk: row[2],
        change: /seccomp/.test(option) ? 'Leave it out, or name a profile file of your own' : 'Leave it out',
      }
  }
  if (!service.privileged && !service.securityOpt.some(option => option.startsWith('no-new-privileges')))
    yield {
      rule: 'new-privileges',
      severity: 'low',
      path: [],
      grants: 'new privileges by set-uid programs',
      risk: 'Who has broken into a program without rights gets root by a set-uid program of the image',
      change: 'security_opt: [no-new-privileges:true]',
    }
  if (!service.readOnly)
    yield {
      rule: 'writable-root',
      severity: 'low',
      path: [],
      grants: 'a writable root file system',
      risk: 'Who has broken in changes the program itself',
      change: 'read_only: true, with tmpfs for what must be written',
    }
}
