/**
 * Machines for a swarm: each a Docker Engine of the peers (tools/peers.sh) in namespaces of its own, on one link, with a registry beside the
 * first of them. Whatever runs on one is its own process tree, so that killing the first process is the power cut.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEndpoints } from '../../src/api/system.ts'
import { createClient } from '../../src/client/client.ts'
import { command } from './command.ts'
import { eventually } from './eventually.ts'
import { registryProgram } from './registry.ts'

/** Where the peers are unpacked; undefined where they are not. */
export function peersRoot(): string | undefined {
  const found = join(process.env.PEERS ?? join(tmpdir(), 'tscompose-peers'), 'root')
  return existsSync(join(found, 'usr/sbin/dockerd')) ? found : undefined
}

/** Addresses of a net for tests (RFC 2544), of which nothing leaves the machine. */
const addressOf = (index: number) => `198.18.${process.pid % 250}.${index + 1}`
/** Milliseconds that an engine or a registry takes to start at most. */
const longest = 60_000
const registryPort = 5000

export interface Machine {
  readonly name: string
  readonly address: string
  /** Of its engine: "unix:///tmp/…/docker.sock". */
  readonly host: string
  /** Runs a program of this machine with its network. */
  inside(program: string, args: readonly string[]): { readonly program: string; readonly args: readonly string[] }
  /** The power cut. */
  kill(): Promise<void>
}

export class SwarmMachines implements AsyncDisposable {
  readonly machines: readonly Machine[]
  /** "198.18.7.1:5000", in plain HTTP. */
  readonly registry: string
  readonly #root: string
  readonly #undo: (() => unknown)[]

  private constructor(root: string, machines: readonly Machine[], registry: string, undo: (() => unknown)[]) {
    this.#root = root
    this.machines = machines
    this.registry = registry
    this.#undo = undo
  }

  /** They are of no swarm yet. */
  static async start(root: string, count: number): Promise<SwarmMachines> {
    const folder = mkdtempSync(join(tmpdir(), 'tscompose-machines-'))
    const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
    const registry = `${addressOf(0)}:${registryPort}`
    const machines: Machine[] = []
    try {
      // a network outlives its machine, as a switch does
      const networks = Array.from({ length: count }, () => bound('unshare', ['--net', 'sleep', 'infinity']))
      undo.push(...networks.map(each => () => stop(each)))
      await link(networks.map(({ pid }) => pid!))
      for (const [index, { pid }] of networks.entries()) {
        const begun = begin({ root, folder, index, registry, network: pid! })
        undo.push(() => begun.end())
        machines.push(await begun.boot())
      }
      undo.push(await startRegistry(machines[0]!, folder))
      return new SwarmMachines(root, machines, registry, undo)
    } catch (error) {
      for (const each of undo.reverse()) await each()
      throw error
    }
  }

  /** The first as the manager of a swarm, the others as its workers. */
  async join(): Promise<void> {
    const [manager, ...workers] = this.machines as [Machine, ...Machine[]]
    const docker = async ({ host }: Machine, ...args: readonly string[]) => {
      const { code, stdout, stderr } = await command(join(this.#root, 'usr/bin/docker'), ['-H', host, 'swarm', ...args])
      if (code !== 0) throw new Error(`docker swarm ${args[0]}: ${stderr}`)
      return stdout.trim()
    }
    await docker(manager, 'init', '--advertise-addr', manager.address)
    const token = await docker(manager, 'join-token', '-q', 'worker')
    for (const worker of workers) await docker(worker, 'join', '--token', token, `${manager.address}:2377`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#undo.reverse()) await each()
  }
}

/** Its first process. */
const script = `set -e
root=$1 own=$2 name=$3 address=$4; shift 4
hostname "$name"
mount --bind "$root" "$root"
mkdir -p "$root/old"
for tree in sys dev; do mount --rbind "/$tree" "$root/$tree"; done
mount -t proc proc "$root/proc"
mount --bind "$own/run" "$root/run"
mount --bind "$own/data" "$root/var/lib/docker"
mount -t tmpfs tmpfs "$root/tmp"
cd "$root"; pivot_root . old; umount -l /old
ip link set lo up
ip address add "$address/24" dev wire; ip link set wire up
# not the last one: whoever is first here has to take in orphans
dockerd "$@" >/run/dockerd.log 2>&1 &
wait`

interface Begun {
  boot(): Promise<Machine>
  end(): Promise<void>
}

interface Wanted {
  readonly root: string
  readonly folder: string
  readonly index: number
  readonly registry: string
  /** A process that has it. */
  readonly network: number
}

function begin({ root, folder, index, registry, network }: Wanted): Begun {
  const name = `machine-${index + 1}`
  const own = join(folder, name)
  const address = addressOf(index)
  const group = `/tscompose-${process.pid}-${name}`
  for (const each of ['run', 'data']) mkdirSync(join(own, each), { recursive: true })
  const engine = [
    '-H',
    'unix:///run/docker.sock',
    `--cgroup-parent=${group}`,
    `--insecure-registry=${registry}`,
    '--exec-opt=native.cgroupdriver=cgroupfs',
  ]
  const net = `--net=/proc/${network}/ns/net`
  const spaces = ['--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--propagation', 'slave']
  const child = bound('nsenter', [
    net,
    'unshare',
    ...spaces,
    'bash',
    '-c',
    script,
    name,
    root,
    own,
    name,
    address,
    ...engine,
  ])
  const host = `unix://${own}/run/docker.sock`
  const end = async () => {
    await stop(child)
    await eventually(`the groups of ${name}`, async () => removeGroups(group))
  }
  const inside = (program: string, args: readonly string[]) => ({
    program: 'nsenter',
    args: [net, program, ...args],
  })
  return {
    end,
    async boot() {
      const client = createClient(host)
      try {
        await eventually(
          `the engine of ${name}`,
          async () => {
            if (child.exitCode === null)
              return (
                existsSync(join(own, 'run/docker.sock')) && (await client.call(systemEndpoints.ping, {})) !== undefined
              )
            const log = join(own, 'run/dockerd.log')
            throw new Error(
              existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : `it ended with ${child.exitCode}`,
            )
          },
          longest,
        )
      } finally {
        client.close()
      }
      return { name, address, host, inside, kill: end }
    },
  }
}

/** Ends with this process, also where that is killed. */
function bound(program: string, args: readonly string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function namespaceOf(pid: number | 'self'): string {
  return readlinkSync(`/proc/${pid}/ns/net`)
}

/** An end of a pair in each, whose processes these are. */
async function link(pids: readonly number[]): Promise<void> {
  if (pids.length !== 2) throw new TypeError('A link has two ends')
  for (const pid of pids) await eventually('a network of its own', () => namespaceOf(pid) !== namespaceOf('self'))
  const names = pids.map(pid => `tsc${pid}`)
  await run('ip', ['link', 'add', names[0]!, 'type', 'veth', 'peer', 'name', names[1]!])
  for (const [at, pid] of pids.entries())
    await run('ip', ['link', 'set', names[at]!, 'netns', String(pid), 'name', 'wire'])
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await command(program, args)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

/** Debian's docker-registry on the first machine's address. */
async function startRegistry({ inside, address }: Machine, folder: string): Promise<() => Promise<void>> {
  const config = join(folder, 'registry.yml')
  const data = join(folder, 'registry')
  mkdirSync(data)
  writeFileSync(
    config,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${data} } }
http: { addr: "${address}:${registryPort}" }
`,
  )
  const { program, args } = inside(registryProgram, ['serve', config])
  const child = bound(program, args)
  const curl = inside('curl', ['-sf', `http://${address}:${registryPort}/v2/`])
  const isUp = async () => {
    if (child.exitCode !== null) throw new Error(`the registry ended with ${child.exitCode}`)
    return (await command(curl.program, curl.args)).code === 0
  }
  try {
    await eventually('the registry', isUp, longest)
  } catch (error) {
    await stop(child)
    throw error
  }
  return () => stop(child)
}

/** Whether nothing is left of it in any hierarchy. */
function removeGroups(name: string): boolean {
  const base = '/sys/fs/cgroup'
  const found = ['', ...readdirSync(base)].map(each => join(base, each, name)).filter(each => existsSync(each))
  for (const each of found) removeTree(each)
  return found.every(each => !existsSync(each))
}

function removeTree(group: string): void {
  for (const each of readdirSync(group, { withFileTypes: true }))
    if (each.isDirectory()) removeTree(join(group, each.name))
  try {
    rmdirSync(group)
  } catch {
    // a process of it is still going: it is asked again
  }
}
