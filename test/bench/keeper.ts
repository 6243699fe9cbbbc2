/**
 * What the keeper costs while nothing happens: resident memory with many stacks, held and watched, and context switches of a minute.
 * `node test/bench/keeper.ts`, as root. STACKS (20) and SECONDS (60) choose the run.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

const stacks = Number(process.env['STACKS'] ?? 20)
const seconds = Number(process.env['SECONDS'] ?? 60)
const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'
const yaml = `services: {db: {${sleeper}}, web: {${sleeper}, depends_on: {db: {condition: service_started, restart: true}}}}`

/** Of all threads. */
function switches(pid: number): number {
  const of = (thread: string) =>
    [...readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8').matchAll(/ctxt_switches:\s+(\d+)/g)].map(found =>
      Number(found[1]),
    )
  return readdirSync(`/proc/${pid}/task`)
    .flatMap(of)
    .reduce((sum, each) => sum + each, 0)
}

/** In MB: resident, and what of it is its own alone. */
function memory(pid: number): readonly [resident: number, own: number] {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const sum = (name: RegExp) =>
    ([...text.matchAll(name)].reduce((all, found) => all + Number(found[1]), 0) * 1024) / 1e6
  return [sum(/^Rss:\s+(\d+)/gm), sum(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)]
}

const engine = await TestEngine.start()
try {
  const all = Array.from({ length: stacks }, (_, i) => engine.stack(yaml, `stack${i}`))
  const keeper = async () => {
    const client = await findKeeper({ host: engine.host, env: engine.env })
    if (!client) throw new Error('there is no keeper')
    try {
      const [status, held] = await Promise.all([
        client.call(keeperEndpoints.keeperStatus, {}),
        client.call(keeperEndpoints.stackList, {}),
      ])
      return { status, held }
    } finally {
      client.close()
    }
  }
  for (const [what, ...words] of [
    ['held', 'up', '-d'],
    ['watched', 'watch', '--detach'],
  ] as const) {
    for (const stack of all) await stack.run(...words)
    await eventually(
      'all are settled',
      async () => {
        const { held } = await keeper()
        return held.length === stacks && held.every(({ State }) => State === 'settled')
      },
      60_000,
    )
    const { status } = await keeper()
    await pause(10_000)
    const before = switches(status.Pid)
    await pause(seconds * 1000)
    const [resident, own] = memory(status.Pid)
    const count = switches(status.Pid) - before
    console.log(
      `${stacks} stacks ${what}: ${resident.toFixed(1)} MB resident, ${own.toFixed(1)} MB its own, ${count} context switches in ${seconds} s`,
    )
  }
  for (const stack of all) await stack.run('down')
} finally {
  await engine.stop()
}
