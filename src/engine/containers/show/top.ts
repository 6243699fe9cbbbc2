/** The processes of a container, as the host's ps shows them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ContainerTop } from '../../../api/containers.ts'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'

const run = promisify(execFile)

export async function top(parts: Parts, container: Container, psArgs = '-ef'): Promise<ContainerTop> {
  if (!container.running) throw new Failure('conflict', `container ${container.id} is not running`)
  const pids = new Set(await parts.runtime.cgroups.processes(container.cgroup, container.state.pid))
  let text: string
  try {
    const args = psArgs.split(/\s+/).filter(Boolean)
    text = (await run('ps', args, { maxBuffer: 16 * 1024 * 1024, env: { PATH: process.env.PATH, LC_ALL: 'C' } })).stdout
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT')
      throw new Failure('unavailable', 'Cannot list processes: the host has no ps', { cause, hint: 'Install procps' })
    throw new Failure('invalid', `error running ps: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  const reply = parseTop(text, pids)
  tell(parts, container, 'top')
  return reply
}

/** Rows whose PID is among `pids`; the last column keeps its blanks. */
export function parseTop(text: string, pids: ReadonlySet<number>): ContainerTop {
  const [heading = '', ...rows] = text.split('\n')
  const Titles = heading.trim().split(/\s+/)
  const column = Titles.indexOf('PID')
  if (column < 0) throw new Failure('invalid', "Couldn't find PID field in ps output")
  const Processes = rows.map(row => fieldsOf(row, Titles.length)).filter(fields => pids.has(Number(fields[column])))
  return { Titles, Processes }
}

function fieldsOf(row: string, count: number): string[] {
  const words = row.trim().split(/\s+/)
  return words.length <= count ? words : [...words.slice(0, count - 1), words.slice(count - 1).join(' ')]
}
