/** What each capability lets a process do to the host (capabilities(7)), and which of them a service has. */
import { bareCapability, capabilityNames } from '../lib/capabilities.ts'
import type { Service } from '../model/service.ts'
import type { Risk, Severity } from './finding.ts'

/** What a container has when nothing is said: the fourteen of a Docker Engine. */
const usual = (
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL ' +
  'AUDIT_WRITE'
).split(' ')

const dangers: Readonly<Record<string, readonly [Severity, string]>> = {
  SYS_ADMIN: ['critical', 'mounts file systems and joins namespaces: the usual way out of a container'],
  SYS_MODULE: ['critical', 'loads kernel modules, which are not bound by any container'],
  SYS_RAWIO: ['critical', 'writes to I/O ports and raw disks: it can change or crash the host'],
  BPF: ['high', 'loads programs into the kernel that can read what other containers do'],
  DAC_READ_SEARCH: ['high', 'opens any file of the host by its handle, whatever is mounted'],
  MAC_ADMIN: ['high', 'changes the rules of AppArmor, SELinux or Smack for the whole host'],
  MAC_OVERRIDE: ['high', 'is bound by no rule of AppArmor, SELinux or Smack'],
  NET_ADMIN: ['high', 'changes routes and filters: with the network of others it reads and redirects their traffic'],
  PERFMON: ['high', 'watches the whole machine, and so what other containers compute'],
  SYS_BOOT: ['high', 'restarts the host or loads another kernel'],
  SYS_PTRACE: ['high', 'reads and changes other processes: with the PID namespace of others, theirs too'],
  SYS_TIME: ['high', 'sets the clock of the host: certificates, logs and schedules of everybody depend on it'],
  AUDIT_CONTROL: ['medium', 'switches the audit trail of the host off'],
  CHECKPOINT_RESTORE: ['medium', 'writes process ids and memory maps that the kernel otherwise guards'],
  IPC_LOCK: ['medium', 'pins memory without limit, until the host has none left'],
  IPC_OWNER: ['medium', 'reads and writes shared memory of others in the same IPC namespace'],
  LINUX_IMMUTABLE: ['medium', 'makes files of mounted folders undeletable for the host'],
  SYSLOG: ['medium', 'reads the kernel log, with addresses that help to attack the kernel'],
  SYS_NICE: ['medium', 'takes processor time from everything else on the host'],
  SYS_PACCT: ['low', 'switches process accounting of the host on and off'],
  SYS_RESOURCE: ['medium', 'goes beyond quotas and limits that protect the host'],
  SYS_TTY_CONFIG: ['low', 'changes virtual terminals of the host'],
  AUDIT_READ: ['medium', 'reads the audit trail of the host'],
  BLOCK_SUSPEND: ['low', 'keeps the host from going to sleep'],
  WAKE_ALARM: ['low', 'wakes the host from sleep'],
  LEASE: ['low', 'holds back others who open the same file'],
  NET_BROADCAST: ['low', 'is not used by the kernel'],
}

/** Bare names of all that a service has, `privileged` apart. */
export function capabilitiesOf({ capAdd, capDrop }: Pick<Service, 'capAdd' | 'capDrop'>): ReadonlySet<string> {
  const added = capAdd.map(bareCapability)
  const dropped = capDrop.map(bareCapability)
  const base = added.includes('ALL') ? capabilityNames : dropped.includes('ALL') ? [] : usual
  const own = new Set([...base, ...added.filter(name => name !== 'ALL')])
  for (const name of dropped) if (name !== 'ALL' && !added.includes(name)) own.delete(name)
  return own
}

export function* capabilities(service: Service): Generator<Risk> {
  for (const [index, written] of service.capAdd.entries()) {
    const name = bareCapability(written)
    const path = ['cap_add', String(index)]
    if (name === 'ALL')
      yield {
        rule: 'capability',
        severity: 'critical',
        path,
        grants: 'cap_add ALL',
        risk: 'The container may do nearly all that root of the host may',
        change: 'Name the capabilities that the program asks for',
      }
    else if (Object.hasOwn(dangers, name)) {
      const [severity, risk] = dangers[name]!
      const change = `Remove it; if the program needs it, give it to that service alone`
      yield { rule: 'capability', severity, path, grants: `cap_add ${name}`, risk: `It ${risk}`, change }
    }
  }
  const dropsAll = service.capDrop.some(name => bareCapability(name) === 'ALL')
  if (!dropsAll && !service.privileged && !service.capAdd.some(name => bareCapability(name) === 'ALL'))
    yield {
      rule: 'default-capabilities',
      severity: 'low',
      path: [],
      grants: 'the fourteen capabilities a container has by default',
      risk: 'Few programs need them; NET_RAW forges packets, MKNOD and SETUID help who has broken in',
      change: 'cap_drop: [ALL], and cap_add for what the program then misses',
    }
}
