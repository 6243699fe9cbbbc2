/** A place to run containers in for the kernel tests: a busybox root, a runtime, and a stock-take when it closes. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '../../src/lib/ids.ts'
import { createRuntime } from '../../src/runtime/kernel-runtime.ts'
import type { Exit, Runtime, StartOptions, Supervised } from '../../src/runtime/runtime.ts'
import type { ContainerSpec, ExecSpec, HostOperation, ProcessSpec } from '../../src/runtime/spec.ts'
import { engineGroups } from '../support/groups.ts'

export const defaultCapabilities =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  )

export const defaultMasked =
  '/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware'.split(
    ' ',
  )
export const defaultReadonly = '/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger'.split(' ')

/** Why kernel tests cannot run here; never under CI, where that is a failure. */
export function kernelSkip(): string | false {
  const why = process.getuid?.() !== 0 ? 'needs root' : !existsSync('/bin/busybox') ? 'needs busybox-static' : false
  if (why !== false && process.env['CI'] === 'true') throw new Error(`kernel tests must run under CI: ${why}`)
  return why
}

export interface Result {
  readonly exit: Exit
  readonly stdout: string
  readonly stderr: string
}

/** Everything of ours that the kernel could still hold. */
async function stock(prefix: string): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter(line => line.includes(prefix))
  const groups: string[] = []
  for (const folder of engineGroups(prefix)) {
    if (existsSync(folder))
      groups.push(
        ...(await readdir(folder, { withFileTypes: true }))
          .filter(e => e.isDirectory())
          .map(e => `${folder}/${e.name}`),
      )
  }
  const netns = existsSync('/run/netns') ? (await readdir('/run/netns')).filter(name => name.startsWith(prefix)) : []
  return [...mounts, ...groups, ...netns]
}

export class Box implements AsyncDisposable {
  readonly runtime: Runtime
  readonly folder: string
  readonly prefix: string
  readonly #sandboxes = new Map<string, string>()
  readonly #live = new Set<Supervised>()

  constructor(runtime: Runtime, folder: string, prefix: string) {
    this.runtime = runtime
    this.folder = folder
    this.prefix = prefix
  }

  static async open(): Promise<Box> {
    const folder = await mkdtemp(join(tmpdir(), 'tsc-kernel-'))
    const prefix = `tsct${process.pid}`
    const root = join(folder, 'root')
    for (const name of ['bin', 'etc', 'tmp']) await mkdir(join(root, name), { recursive: true })
    await copyFile('/bin/busybox', join(root, 'bin/busybox'))
    for (const name of [
      'sh',
      'cat',
      'echo',
      'ls',
      'id',
      'sleep',
      'true',
      'mount',
      'hostname',
      'stty',
      'ps',
      'head',
      'tty',
      'kill',
      'touch',
      'grep',
      'pwd',
      'wc',
      'dd',
      'env',
      'ip',
      'ping',
      'unshare',
      'stat',
      'yes',
      'tail',
      'chmod',
      'test',
      'mkdir',
      'ln',
      'rm',
      'umount',
      'nc',
      'mknod',
      'tr',
      'readlink',
      'chown',
    ])
      await symlink('busybox', join(root, 'bin', name))
    await writeFile(join(root, 'etc/plain'), 'text', { mode: 0o644 })
    return new Box(await createRuntime({ cgroupParent: prefix }), folder, prefix)
  }

  /** A container as `docker run` would make it, but without interfaces. */
  async spec(
    args: readonly string[],
    change: Partial<Omit<ContainerSpec, 'process'>> & { readonly process?: Partial<ProcessSpec> } = {},
  ): Promise<ContainerSpec> {
    const id = newId()
    const folder = join(this.folder, id)
    for (const name of ['work', 'monitor']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
    // the root of an overlay has the mode of its upper folder
    await mkdir(join(folder, 'upper'), { mode: 0o755 })
    const path = `/run/netns/${this.prefix}-${id.slice(0, 8)}`
    this.#sandboxes.set(id, path)
    return {
      kind: 'container',
      id,
      root: {
        layers: [join(this.folder, 'root')],
        upper: join(folder, 'upper'),
        work: join(folder, 'work'),
        readonly: false,
        kind: 'overlay',
      },
      mounts: [],
      namespaces: { pid: { kind: 'new' }, ipc: { kind: 'new' }, uts: 'new', cgroup: 'host', user: { kind: 'host' } },
      network: { kind: 'create', path, interfaces: [] },
      hostname: id.slice(0, 12),
      domainname: undefined,
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' },
      cgroup: {
        path: `${this.prefix}/${id}`,
        devices: [],
      },
      devices: [],
      privileged: false,
      writableCgroups: false,
      maskedPaths: defaultMasked,
      readonlyPaths: defaultReadonly,
      shmSize: 67_108_864,
      init: false,
      oomScoreAdj: 0,
      stdio: {
        terminal: false,
        stdin: false,
        stdinOnce: false,
        size: [0, 0],
        attach: { stdin: true, stdout: true, stderr: true },
      },
      supervise: {
        directory: join(folder, 'monitor'),
        log: { path: join(folder, 'log'), maxSize: -1, maxFiles: 1, attributes: {} },
      },
      ...change,
      process: {
        args,
        env: ['PATH=/bin', 'HOME=/'],
        cwd: '/',
        user: { uid: 0, gid: 0, groups: [0] },
        capabilities: { bounding: defaultCapabilities, effective: defaultCapabilities },
        noNewPrivileges: false,
        seccomp: { kind: 'default', capabilities: defaultCapabilities },
        rlimits: [],
        umask: 0o022,
        apparmor: undefined,
        ...change.process,
      },
    }
  }

  async start(spec: ContainerSpec | ExecSpec, options?: StartOptions): Promise<Supervised> {
    const running = await this.runtime.start(spec, options)
    this.#live.add(running)
    void running.exited.then(() => this.#live.delete(running))
    return running
  }

  /** Starts, reads everything, waits for the end. */
  async run(spec: ContainerSpec | ExecSpec): Promise<Result> {
    return await finish(await this.start(spec))
  }

  async shell(script: string, change?: Parameters<Box['spec']>[1]): Promise<Result> {
    return await this.run(await this.spec(['sh', '-c', script], change))
  }

  /** A further process in a running container. */
  async exec(
    container: ContainerSpec,
    running: Supervised,
    args: readonly string[],
    change: Partial<Omit<ExecSpec, 'process'>> & { readonly process?: Partial<ProcessSpec> } = {},
  ): Promise<ExecSpec> {
    const id = newId()
    const directory = join(this.folder, container.id, `exec-${id.slice(0, 8)}`)
    await mkdir(directory, { mode: 0o700 })
    return {
      kind: 'exec',
      id,
      pid: running.pid,
      cgroupPath: container.cgroup.path,
      stdio: container.stdio,
      supervise: { directory, log: undefined },
      privileged: false,
      ...change,
      process: { ...container.process, args, ...change.process },
    }
  }

  async host(...operations: readonly HostOperation[]): Promise<void> {
    await this.runtime.runHost({ kind: 'host', operations })
  }

  /** Fails when anything is left that a container made. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const running of this.#live) {
        running.signal(9)
        await running.exited
      }
      await this.host(
        ...[...this.#sandboxes].flatMap(([id, path]): HostOperation[] => [
          { kind: 'delete-sandbox', path },
          { kind: 'delete-cgroup', path: `${this.prefix}/${id}` },
        ]),
      )
      const left = await stock(this.prefix)
      await this.host({ kind: 'delete-cgroup', path: this.prefix })
      assert.deepEqual(left, [], 'left behind')
    } finally {
      await this.runtime.close()
      await rm(this.folder, { recursive: true, force: true })
    }
  }
}

export async function finish(running: Supervised): Promise<Result> {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  for await (const { stream, data } of running.attached?.output ?? []) parts[stream].push(data)
  const exit = await running.exited
  return { exit, stdout: Buffer.concat(parts.stdout).toString(), stderr: Buffer.concat(parts.stderr).toString() }
}
