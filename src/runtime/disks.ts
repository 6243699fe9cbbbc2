/** The disks of this machine, and by what each is shared out at the moment: a scheduler may be chosen, a model of costs switched on, at any time. */
import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf } from '../lib/failure.ts'

export interface Disk {
  readonly name: string
  /** "254:0". */
  readonly numbers: string
  /** "mq-deadline"; undefined where it has none. */
  readonly scheduler: string | undefined
  /** Whether it has a model of its costs (io.cost.qos), which cgroup v2 shares it out by. */
  readonly costs: boolean
}

/** `root`: of the hierarchy that has the io controller. Its model stands in the root of all, which a container does not see. */
export function readDisks(root: string | undefined): readonly Disk[] {
  const models = root === undefined ? [] : textOf(`${root}/io.cost.qos`).split('\n')
  return disksBelow('/sys/block').flatMap(name => {
    const numbers = textOf(`/sys/block/${name}/dev`).trim()
    if (numbers === '') return []
    // "mq-deadline kyber [bfq] none"
    const scheduler = /\[(.+)\]/.exec(textOf(`/sys/block/${name}/queue/scheduler`))?.[1]
    return [{ name, numbers, scheduler, costs: models.some(line => line.startsWith(`${numbers} enable=1`)) }]
  })
}

function disksBelow(folder: string): readonly string[] {
  return orNone(() => readdirSync(folder), [])
}

function textOf(path: string): string {
  return orNone(() => readFileSync(path, 'utf8'), '')
}

/** What a disk has may have gone with it meanwhile, and a kernel need not have all of it. */
function orNone<T>(read: () => T, none: T): T {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes(errnoOf(error) ?? '')) return none
    throw error
  }
}
