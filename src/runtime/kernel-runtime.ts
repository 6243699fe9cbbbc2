/** The Runtime on the Linux kernel: specs to programs, programs to monitors. */
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { debug } from '../lib/debug.ts'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import { prepareCgroups, prepareParent, removeEmptyGroup } from './cgroup-parents.ts'
import { KernelCgroups } from './cgroups.ts'
import { compile } from './compile.ts'
import { compileExec } from './exec.ts'
import { type HostDevice, type HostFacts, hostDevices, readFacts } from './host.ts'
import { endLeftovers } from './leftovers.ts'
import { findMonitor, launch, Nursery, Running } from './monitor.ts'
import { compileHost } from './operations.ts'
import { groupWithin } from './parts/group-within.ts'
import { programLines } from './print.ts'
import { type Program, undoSteps } from './program.ts'
import { RealtimeTime } from './realtime.ts'
import type { Cgroups, Exit, LastSeen, ProgramLine, Runtime, StartOptions, Supervised } from './runtime.ts'
import { filterFor } from './seccomp/filter.ts'
import type { ContainerSpec, ExecSpec, HostSpec } from './spec.ts'
import { step } from './steps.ts'
import { isSystemd, Scopes } from './systemd-scopes.ts'

export interface RuntimeOptions {
  /** Where sandboxes are kept (made as iproute2 makes it, on first use). Default /run/netns. */
  readonly netns?: string
  /** The group above all containers' in each cgroup hierarchy. Default "tscompose". */
  readonly cgroupParent?: string
  /** What its processes are called, before "-nursery" and "-monitor": 7 characters at most. Default "tsc". */
  readonly title?: string
  /** Capabilities whose default seccomp filter is made ahead, as soon as there is nothing else to do (15 ms saved at the first start). */
  readonly expect?: readonly string[]
  /** Hears, a line each, of what was gone and is there again. Default: the debug log. */
  readonly say?: (line: string) => void
}

interface Belongings {
  readonly netns: string
  readonly parent: string
  readonly scopes: Scopes | undefined
  readonly say: (line: string) => void
}

class KernelRuntime implements Runtime {
  readonly cgroups: Cgroups
  readonly #facts: HostFacts
  readonly #nursery: Nursery
  readonly #netns: string
  readonly #parent: string
  readonly #scopes: Scopes | undefined
  readonly #say: (line: string) => void
  readonly #running = new Set<Running>()
  readonly #realtime: RealtimeTime
  #devices: readonly HostDevice[] = []
  #netnsReady: Promise<unknown> | undefined

  constructor(facts: HostFacts, nursery: Nursery, { netns, parent, scopes, say }: Belongings) {
    this.#facts = facts
    this.#nursery = nursery
    this.#netns = netns
    this.#parent = parent
    this.#scopes = scopes
    this.#say = say
    this.#realtime = new RealtimeTime(facts.cgroup, parent)
    this.cgroups = new KernelCgroups(facts.cgroup, this.#realtime, {
      prepare: parent => this.#prepareParent(parent),
      run: steps => this.#runHost({ host: [...steps], child: [] }),
    })
  }

  async start(spec: ContainerSpec | ExecSpec, { signal, onSandbox }: StartOptions = {}): Promise<Supervised> {
    signal?.throwIfAborted()
    if (spec.kind === 'container') {
      if (spec.network.kind === 'create') await this.#prepareNetns()
      if (this.#showsDevices(spec)) this.#devices = await hostDevices()
      await this.#prepareParent(dirname(spec.cgroup.path))
      this.#realtime.give(spec.cgroup.path, spec.cgroup)
    }
    const program = this.#compile(spec.kind === 'exec' ? this.#besideFirst(spec) : spec)
    const { control, pid, at } = await this.#launch(spec, program, onSandbox)
    const running = new Running(control, {
      pid,
      at,
      directory: spec.supervise.directory,
      cgroup: spec.kind === 'container' ? spec.cgroup.path : spec.cgroupPath,
      attach: spec.stdio.attach,
      say: this.#say,
    })
    if (signal?.aborted) {
      await this.#takeBack(running, program)
      if (spec.kind === 'container') this.#realtime.end(spec.cgroup.path)
      signal.throwIfAborted()
    }
    this.#follow(running)
    return running
  }

  async #launch(
    spec: ContainerSpec | ExecSpec,
    program: Program,
    onSandbox: StartOptions['onSandbox'],
  ): ReturnType<typeof launch> {
    try {
      return await launch(this.#nursery, program, onSandbox)
    } catch (error) {
      // its group was not made, or is gone again
      if (spec.kind === 'container') this.#realtime.end(spec.cgroup.path)
      throw error
    }
  }

  hasSandbox(path: string): boolean {
    return isNamespace(path)
  }

  async adopt(directory: string, last?: LastSeen): Promise<Supervised | Exit | undefined> {
    const found = await findMonitor(directory, { last, say: this.#say })
    if (found?.kind === 'running') this.#follow(found)
    return found
  }

  async runHost(spec: HostSpec): Promise<void> {
    if (spec.operations.some(({ kind }) => kind === 'create-sandbox')) await this.#prepareNetns()
    for (const operation of spec.operations)
      if (operation.kind === 'delete-cgroup')
        await endLeftovers(this.#facts.cgroup, operation.path, () => this.cgroups.thaw(operation.path))
    await this.#runHost(compileHost(spec, this.#facts.cgroup))
    for (const operation of spec.operations) if (operation.kind === 'delete-cgroup') this.#realtime.end(operation.path)
  }

  explain(spec: ContainerSpec | ExecSpec): readonly ProgramLine[] {
    return programLines(this.#compile(spec))
  }

  /** The monitors and their processes stay, and so does the group above them; an empty one goes. */
  async close(): Promise<void> {
    for (const running of this.#running) running.release()
    this.#nursery.close()
    await removeEmptyGroup(this.#facts.cgroup, this.#parent)
    this.#scopes?.close()
  }

  #compile(spec: ContainerSpec | ExecSpec): Program {
    if (spec.process.args.length === 0) throw new Failure('invalid', 'no command specified')
    checkText(spec.process)
    const filter = filterFor(spec.process.seccomp)
    if (spec.kind === 'exec') return compileExec(spec, this.#facts, filter)
    return compile(spec, { facts: this.#facts, filter, devices: this.#showsDevices(spec) ? this.#devices : [] })
  }

  #showsDevices({ privileged, devices }: ContainerSpec): boolean {
    return privileged || (this.#facts.rootless && devices.length > 0)
  }

  async #runHost(program: Program): Promise<void> {
    const { control } = await launch(this.#nursery, program)
    control.close()
  }

  /** On v2 a group with limits of groups below it takes no process: a container whose first one has made such ones stands in one of them. */
  #besideFirst(spec: ExecSpec): ExecSpec {
    if (this.cgroups.version === 1) return spec
    const cgroupPath = groupWithin(textOfProcess(spec.pid, 'cgroup'), spec.cgroupPath)
    return { ...spec, cgroupPath: cgroupPath ?? spec.cgroupPath }
  }

  /** Our own was made when we began; empty, it may have been removed since. */
  async #prepareParent(parent: string): Promise<void> {
    if (parent === this.#parent && this.cgroups.isWhole(parent)) return
    await this.#scopes?.hold(parent)
    await prepareParent(this.#facts, parent)
  }

  #prepareNetns(): Promise<unknown> {
    if (!existsSync(this.#netns)) this.#netnsReady = undefined
    this.#netnsReady ??= this.#runHost({ host: [step('netns-home', { path: this.#netns })], child: [] })
    return this.#netnsReady
  }

  #follow(running: Running): void {
    this.#running.add(running)
    void running.exited.finally(() => this.#running.delete(running))
  }

  /** The caller gave up while the program ran: as after a failure, nothing stays. */
  async #takeBack(running: Running, program: Program): Promise<void> {
    running.signal(9)
    await running.exited
    await this.#runHost({ host: undoSteps(program).map(({ step }) => step), child: [] })
  }
}

/** "" when there is no such process any more, which the program will say. */
function textOfProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return ''
    throw error
  }
}

const NSFS_MAGIC = 0x6e736673

function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

/** A NUL would cut a string in two, and the second half would be taken for the next one. */
function checkText({ args, env, cwd }: ContainerSpec['process']): void {
  if ([...args, ...env, cwd].some(text => text.includes('\0')))
    throw new Failure('invalid', 'Cannot start: an argument or environment variable contains a NUL character')
}

function prepareFilter(capabilities: readonly string[]): void {
  setImmediate(() => {
    try {
      filterFor({ kind: 'default', capabilities })
    } catch (error) {
      // the first container to be started will say so, to someone who listens
      debug('runtime')('no filter ahead: %s', messageOf(error))
    }
  }).unref()
}

/** A Runtime on this machine. @throws Failure `unavailable` when the monitor is not built or a library is missing. */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const parent = options.cgroupParent ?? 'tscompose'
  const found = await readFacts()
  const scopes =
    found.cgroup.version === 2 && isSystemd() && !found.rootless
      ? new Scopes(found.cgroup.mounts.unified!, parent)
      : undefined
  await scopes?.hold(parent)
  const cgroup = scopes === undefined ? found.cgroup : { ...found.cgroup, scope: parent }
  const facts = await prepareCgroups({ ...found, cgroup }, parent)
  if (options.expect !== undefined) prepareFilter(options.expect)
  return new KernelRuntime(facts, new Nursery(options.title ?? 'tsc', scopes?.monitors), {
    netns: options.netns ?? '/run/netns',
    parent,
    scopes,
    say: options.say ?? debug('runtime'),
  })
}
