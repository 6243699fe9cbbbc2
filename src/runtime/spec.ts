/** What the runtime is told: everything looked up, no default left to apply, no name left to resolve. */
import type { Limits } from './parts/cgroup-limits.ts'

/** A path on the host, absolute. */
export type HostPath = string
/** A path inside the container's root, absolute; always resolved inside that root by the kernel, never trusted. */
export type RootPath = string

/** One container to start. Compiled by `compile.ts` into the program that its monitor runs. */
export interface ContainerSpec {
  readonly kind: 'container'
  /** 64 hex digits. */
  readonly id: string
  readonly root: RootSpec
  /** In the order they are to be mounted, parents before children; the runtime's own (/proc, /dev, …) come first and are not listed. */
  readonly mounts: readonly MountSpec[]
  readonly namespaces: NamespaceSpec
  readonly network: NetworkSpec
  /** Undefined on a shared UTS namespace. */
  readonly hostname: string | undefined
  readonly domainname: string | undefined
  /** `net.*` only with a network namespace of its own, `kernel.*` IPC ones only with an IPC namespace of its own. Names with dots. */
  readonly sysctls: Readonly<Record<string, string>>
  readonly cgroup: CgroupSpec
  readonly devices: readonly DeviceSpec[]
  /** Every host device and a writable /sys; nothing masked. */
  readonly privileged: boolean
  /** Whether its own groups can be changed from inside. */
  readonly writableCgroups: boolean
  readonly maskedPaths: readonly RootPath[]
  readonly readonlyPaths: readonly RootPath[]
  /** Bytes of /dev/shm; undefined: none is mounted. Of a shared IPC namespace it is the other's. */
  readonly shmSize: number | undefined
  /** A small init of ours as pid 1, which passes signals on and reaps. */
  readonly init: boolean
  readonly oomScoreAdj: number
  readonly process: ProcessSpec
  readonly stdio: StdioSpec
  readonly supervise: SuperviseSpec
}

/** The root file system, mounted in the container's own mount namespace only. */
export interface RootSpec {
  /** Lowest first, each the unpacked folder of one layer; any number. */
  readonly layers: readonly HostPath[]
  /** A layer beneath these that has what is mounted over; without it, that is made in `upper`. */
  readonly mountPoints?: HostPath | undefined
  readonly upper: HostPath
  readonly work: HostPath
  readonly readonly: boolean
  /** `copy`: `upper` is already a whole root (vfs), bound as it is. */
  readonly kind: 'overlay' | 'copy'
}

/** The API field ("HostConfig.Mounts[0]") or default behind a step; `explain` shows the stack file's line for it. */
export interface Caused {
  readonly cause: string
}

export type Propagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'

export type MountSpec = Caused & { readonly target: RootPath } & (
    | {
        readonly kind: 'bind'
        readonly source: HostPath
        /** A relative path within `source`, which others write to: no link on the way may lead out of it. */
        readonly beneath?: string | undefined
        readonly readonly: boolean
        readonly recursive: boolean
        /** Of a read-only one: what is mounted below it stays as it is. */
        readonly writableBelow?: boolean | undefined
        readonly propagation: Propagation
        /** A file bind makes an empty file as its mount point, a folder bind a folder; undefined: by what is found. */
        readonly directory: boolean | undefined
        /** Further flags: nosuid, nodev, noexec. */
        readonly flags: readonly string[]
      }
    | {
        /** An image's files, read-only unless there is a place for what is written. */
        readonly kind: 'image'
        /** Lowest first. */
        readonly layers: readonly HostPath[]
        readonly beneath?: string
        readonly changes?: { readonly upper: HostPath; readonly work: HostPath }
      }
    | {
        readonly kind: 'tmpfs'
        /** Mount data: size=…,mode=…,uid=…,gid=…; flags apart: noexec, nosuid, nodev, ro. */
        readonly data: string
        readonly flags: readonly string[]
      }
  )

/** Make a new one, stay in the host's, or join another container's: its first process, and the cgroup that shows it is still that. */
export type NamespaceChoice =
  | { readonly kind: 'new' }
  | { readonly kind: 'host' }
  | { readonly kind: 'join'; readonly pid: number; readonly cgroupPath: string }

/** The first ids on the host of what are 0 to `size` - 1 in a user namespace. */
export interface IdRange {
  readonly uid: number
  readonly gid: number
  readonly size: number
}

/** `own`: made with the process, or that of the sandbox when there is one. `join`: another container's, whose process it is. */
export type UserNamespace =
  | { readonly kind: 'host' }
  | { readonly kind: 'own'; readonly ids: IdRange }
  | { readonly kind: 'join'; readonly ids: IdRange; readonly pid: number; readonly cgroupPath: string }

/** The network namespace is in NetworkSpec. */
export interface NamespaceSpec {
  readonly user: UserNamespace
  readonly pid: NamespaceChoice
  readonly ipc: NamespaceChoice
  readonly uts: 'new' | 'host'
  readonly cgroup: 'new' | 'host'
}

/**
 * `create`: makes the namespace, keeps it at `path` (a bind mount that `ip netns` sees), and connects it; with `yields` it then waits until
 * `StartOptions.onSandbox` has been done.
 * `join`: an existing sandbox. `host`: none. `none`: a namespace with only lo is `create` without interfaces.
 */
export type NetworkSpec =
  | {
      readonly kind: 'create'
      readonly path: HostPath
      readonly interfaces: readonly InterfaceSpec[]
      readonly yields?: boolean
    }
  | { readonly kind: 'join'; readonly path: HostPath }
  | { readonly kind: 'host' }

/** How a bridge treats one of its ports. */
export interface BridgePort {
  /** No traffic straight to other isolated ports, only to the bridge itself. */
  readonly isolated: boolean
  /** What comes by this port may leave by it: packets that the firewall leads back to who sent them, where br_netfilter is loaded. */
  readonly hairpin: boolean
}

/** One veth pair: `host` on the bridge, `name` inside. Addresses in CIDR form ("172.20.0.2/24"). */
export interface InterfaceSpec extends Caused, BridgePort {
  readonly host: string
  readonly name: string
  readonly bridge: string
  readonly mac: string
  readonly addresses: readonly string[]
  /** Default routes by these gateways, IPv4 and IPv6; empty on an internal network or when another interface has it. */
  readonly gateways: readonly string[]
  readonly mtu: number
  /** Below /proc/sys, with IFNAME where the interface's name belongs. */
  readonly sysctls: readonly { readonly path: string; readonly value: string }[]
}

/** A container's group and its limits: `parts/cgroup-limits.ts` lists them, and knows their files. */
export interface CgroupSpec extends Limits {
  /** Below each hierarchy's mount: "tscompose/<id>". */
  readonly path: string
  /** Device access rules, in order, after the runtime's deny-all and its defaults. Empty and unused when privileged. */
  readonly devices: readonly DeviceRule[]
}

export interface DeviceRule {
  readonly allow: boolean
  readonly type: 'a' | 'b' | 'c'
  readonly major: number | '*'
  readonly minor: number | '*'
  /** Of r, w, m. */
  readonly access: string
}

/** A device node to make inside; its access rule stands in CgroupSpec.devices. */
export interface DeviceSpec extends Caused {
  readonly path: RootPath
  readonly type: 'b' | 'c'
  readonly major: number
  readonly minor: number
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** What runs, in a container or by exec. */
export interface ProcessSpec {
  readonly args: readonly string[]
  /** KEY=value; nothing of the engine's own environment. args[0] is looked up in its PATH inside the root. */
  readonly env: readonly string[]
  readonly cwd: RootPath
  readonly user: UserSpec
  readonly capabilities: CapabilitySpec
  readonly noNewPrivileges: boolean
  readonly seccomp: SeccompSpec
  readonly rlimits: readonly RlimitSpec[]
  readonly umask: number
  readonly apparmor: string | undefined
}

/** Numbers, or names for the monitor's caller to have looked up: always numbers here. */
export interface UserSpec {
  readonly uid: number
  readonly gid: number
  /** All supplementary groups, the primary one included (CVE-2022-36109). */
  readonly groups: readonly number[]
}

/** Names without CAP_, upper case: 'NET_ADMIN'. Inheritable and ambient are always empty. A non-root user's effective set is emptied by the kernel at exec. */
export interface CapabilitySpec {
  readonly bounding: readonly string[]
  readonly effective: readonly string[]
}

/** `capabilities` open further calls of a profile: the container's, also for an exec that has more. */
export type SeccompSpec =
  | { readonly kind: 'default'; readonly capabilities: readonly string[] }
  | { readonly kind: 'unconfined' }
  /** A profile in Docker's JSON form, already parsed as JSON but not checked. */
  | { readonly kind: 'profile'; readonly profile: unknown; readonly capabilities: readonly string[] }

export interface RlimitSpec {
  /** Lower case without RLIMIT_: nofile, nproc, core. */
  readonly name: string
  /** -1 is unlimited. */
  readonly soft: number
  readonly hard: number
}

export interface StdioSpec {
  /** A pseudo terminal from the container's own devpts instead of three pipes. */
  readonly terminal: boolean
  /** Keep stdin open for attached clients; otherwise it is /dev/null. */
  readonly stdin: boolean
  /** Close stdin when the first attached client that sends stdin half-closes. */
  readonly stdinOnce: boolean
  /** Initial rows and columns; [0, 0] leaves the kernel's. */
  readonly size: readonly [rows: number, columns: number]
  /** The first connection is attached before exec, so that not a byte of output is missed. */
  readonly attach: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean } | undefined
}

/** What the monitor does beside waiting. */
export interface SuperviseSpec {
  /** The monitor's own folder, 0700: `control.sock`, and `exit.json` once the process has ended. */
  readonly directory: HostPath
  /** Docker's json-file log, rotated by the monitor; undefined for none (exec, `logging: none`). */
  readonly log: LogFileSpec | undefined
}

export interface LogFileSpec {
  readonly path: HostPath
  /** Bytes before the file is moved to path.1; -1 never. */
  readonly maxSize: number
  /** Files kept, the current one included. */
  readonly maxFiles: number
  /** What stands in every record beside the line. */
  readonly attributes: Readonly<Record<string, string>>
}

/** A further process in a running container. */
export interface ExecSpec {
  readonly kind: 'exec'
  readonly id: string
  /** The container's init, whose namespaces are joined. */
  readonly pid: number
  /** Its cgroup path as in CgroupSpec. */
  readonly cgroupPath: string
  /** Of the container's user namespace, when it has one. */
  readonly ids?: IdRange | undefined
  readonly process: ProcessSpec
  readonly stdio: StdioSpec
  readonly supervise: SuperviseSpec
  readonly privileged: boolean
}

/** Changes to the host that need no process: bridges, sandboxes, live connects. Run in order; a failing one ends the run and names itself. */
export interface HostSpec {
  readonly kind: 'host'
  readonly operations: readonly HostOperation[]
}

export type HostOperation =
  /** A bridge that is up, with its addresses (CIDR) and IPv6 off unless it has one; an existing one of that name is an EEXIST. */
  | {
      readonly kind: 'create-bridge'
      readonly name: string
      readonly addresses: readonly string[]
      readonly mtu: number
      readonly mac: string
    }
  | { readonly kind: 'delete-link'; readonly name: string }
  /** A link of the host becomes a port of a bridge; ENODEV is fine, its container has just gone. */
  | ({ readonly kind: 'join-bridge'; readonly name: string; readonly bridge: string } & BridgePort)
  /** A sandbox without process: namespace kept at `path`, lo up. */
  | {
      readonly kind: 'create-sandbox'
      readonly path: HostPath
      readonly interfaces: readonly InterfaceSpec[]
      /** Whom it belongs to; the host otherwise. */
      readonly user?: UserNamespace
    }
  /** The namespace that a process lives in, kept at `path` again. */
  | { readonly kind: 'keep-sandbox'; readonly path: HostPath; readonly pid: number }
  /** Unmount and unlink; the kernel lets the namespace go with its last process. ENOENT and EINVAL are fine. */
  | { readonly kind: 'delete-sandbox'; readonly path: HostPath }
  /** A veth pair into a running sandbox. */
  | { readonly kind: 'connect'; readonly path: HostPath; readonly interface: InterfaceSpec }
  | { readonly kind: 'disconnect'; readonly path: HostPath; readonly name: string }
  /** The default routes of a running sandbox, from now on by these gateways. */
  | { readonly kind: 'route'; readonly path: HostPath; readonly name: string; readonly gateways: readonly string[] }
  /** Writes `value` to /proc/sys/<name with slashes>, of the host. */
  | { readonly kind: 'sysctl'; readonly name: string; readonly value: string }
  /** Ends what is left in the cgroup and removes it from every hierarchy; ENOENT is fine, EBUSY is retried until the kernel lets go (at most 5 s). */
  | { readonly kind: 'delete-cgroup'; readonly path: string }
