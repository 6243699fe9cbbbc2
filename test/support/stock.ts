/** Takes stock of what one engine has made on this host, and of nothing that others have, so that a test can show that nothing was left. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PathRoots, Paths } from '../../src/engine/base/paths.ts'
import { command } from './command.ts'
import { engineGroups } from './groups.ts'

export type Stock = Readonly<
  Record<'processes' | 'mounts' | 'interfaces' | 'namespaces' | 'cgroups' | 'tables' | 'rules', readonly string[]>
>

/** What there is of the engine with these roots. */
export async function takeStock(roots: PathRoots): Promise<Stock> {
  const { name } = new Paths(roots)
  const sandboxes = join(roots.netns, `${name.short}-`)
  const own = [roots.data, roots.run].map(folder => `${folder}/`)
  const [tables, rules] = await Promise.all([
    command('nft', ['list', 'tables']),
    command('nft', ['list', 'chain', 'ip', 'filter', 'DOCKER-USER']),
  ])
  return {
    processes: processes(name.short, name.full),
    mounts: lines('/proc/self/mountinfo')
      .map(line => line.split(' ')[4]!)
      .filter(path => path.startsWith(sandboxes) || own.some(folder => path.startsWith(folder)))
      .sort(),
    interfaces: list('/sys/class/net')
      .filter(link => [name.bridges, name.veths].some(mark => link.startsWith(mark)))
      .sort(),
    namespaces: list(roots.netns)
      .filter(file => file.startsWith(`${name.short}-`))
      .sort(),
    cgroups: engineGroups(name.full)
      .flatMap(own => list(own, 'folders').map(group => join(own, group)))
      .sort(),
    tables: tables.stdout.split('\n').filter(line => line.split(' ').at(-1) === name.full),
    rules: rules.stdout.split('\n').filter(line => new RegExp(`\\b${name.full}\\b`).test(line)),
  }
}

/** What is there now and was not before, by kind; empty when nothing was left. Without `before`: all that is there. */
export function leftOver(before: Stock | undefined, after: Stock): Partial<Record<keyof Stock, readonly string[]>> {
  const left: Partial<Record<keyof Stock, readonly string[]>> = {}
  for (const kind of Object.keys(after) as (keyof Stock)[]) {
    const more = after[kind].filter(item => !before?.[kind].includes(item))
    if (more.length > 0) left[kind] = more
  }
  return left
}

/** The groups above those of its containers. */
export function ownGroups(roots: PathRoots): readonly string[] {
  return engineGroups(new Paths(roots).name.full).filter(group => existsSync(group))
}

/** Processes with the engine's name, or in a cgroup of its; zombies count too, but for those that are for the machine's init to reap: some take a second. */
function processes(short: string, full: string): readonly string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
      const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      if (!name.startsWith(`${short}-`) && !cgroup.includes(`/${full}/`)) continue
      if (!isForInit(pid)) found.push(`${pid} ${name}`)
    } catch {
      // ended while we looked
    }
  }
  return found
}

/** Whether it has ended, and whoever started it too. */
function isForInit(pid: string): boolean {
  // behind the name, which may hold anything: state and parent (proc(5))
  const [, state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)!.split(' ')
  return state === 'Z' && parent === '1'
}

function lines(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean)
}

function list(path: string, what: 'all' | 'folders' = 'all'): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter(e => what === 'all' || e.isDirectory())
      .map(e => e.name)
  } catch {
    // a folder that is not there holds nothing
    return []
  }
}
