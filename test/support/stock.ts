/** Takes stock of what containers are made of on this host, so that a test can show that nothing was left behind. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { command } from './command.ts'

export type Stock = Readonly<
  Record<'processes' | 'mounts' | 'interfaces' | 'namespaces' | 'cgroups' | 'tables', readonly string[]>
>

export async function takeStock(): Promise<Stock> {
  return {
    processes: monitors(),
    mounts: lines('/proc/self/mountinfo')
      .map(line => line.split(' ')[4]!)
      .sort(),
    interfaces: interfaces(),
    namespaces: list('/run/netns').sort(),
    cgroups: cgroups(),
    tables: (await command('nft', ['list', 'tables'])).stdout.split('\n').filter(line => line.includes('tscompose')),
  }
}

/** What is there now and was not before, by kind; empty when nothing was left. */
export function leftOver(before: Stock, after: Stock): Partial<Record<keyof Stock, readonly string[]>> {
  const left: Partial<Record<keyof Stock, readonly string[]>> = {}
  for (const kind of Object.keys(before) as (keyof Stock)[]) {
    const more = after[kind].filter(item => !before[kind].includes(item))
    if (more.length > 0) left[kind] = more
  }
  return left
}

/** Processes that run the monitor, or live in a cgroup of ours; zombies count too. */
function monitors(): readonly string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
      const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      if (name === 'monitor' || name.startsWith('tsc-') || /\/tscompose\//.test(cgroup)) found.push(`${pid} ${name}`)
    } catch {
      // ended while we looked
    }
  }
  return found
}

/** All but those of a Docker engine that may run beside us: its bridges and what is plugged into them. */
function interfaces(): readonly string[] {
  const dockers = /^(docker|br-)/
  const masterOf = (name: string): string => {
    try {
      return basename(readlinkSync(`/sys/class/net/${name}/master`))
    } catch {
      // plugged into no bridge
      return ''
    }
  }
  return readdirSync('/sys/class/net')
    .filter(name => !dockers.test(name) && !dockers.test(masterOf(name)))
    .sort()
}

function cgroups(): readonly string[] {
  const mounts = lines('/proc/self/mountinfo')
    .filter(line => / - cgroup2? /.test(line))
    .map(line => line.split(' ')[4]!)
  return mounts
    .flatMap(mount => list(join(mount, 'tscompose'), 'folders').map(name => join(mount, 'tscompose', name)))
    .sort()
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
