/** One life of a stack on a disk that has room for a few pages only, and one after there is room again. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Said } from './command.ts'
import type { Stack, TestEngine } from './engine.ts'

export const fullDiskStack = `
services:
  web:
    image: busybox
    command: sh -c 'echo begin; while [ ! -e /data/end ]; do echo tick; sleep 0.05; done; exit 3'
    stop_signal: SIGKILL
    volumes: [data:/data]
    ports: ["127.0.0.1::80"]
  job: {image: busybox, command: sh -c 'echo done; exit 4', restart: on-failure:1}
volumes: {data: {}}
`

/** No command has anything to wait for longer than this, milliseconds. */
const patience = 20_000

/** The engine's folder is a file system of its own. Whether anything was refused. @throws what was not as it should be. */
export async function fullDiskRound(engine: TestEngine, stack: Stack, pages: number): Promise<boolean> {
  const ballast = join(engine.folder, 'ballast')
  const { bavail, bsize } = statfsSync(engine.folder)
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail - pages) * bsize))
  const said: Record<string, Said> = {}
  const ask = async (...args: readonly string[]): Promise<void> => {
    said[args.join(' ')] = await engine.tscompose(args, { cwd: stack.folder, timeout: patience })
  }
  await ask('up', '-d')
  await ask('exec', '-T', 'web', 'touch', '/data/end')
  await ask('ps', '-a')
  await ask('stop')
  await ask('start')
  await ask('restart')
  await ask('down', '-v')
  assert.equal(said['ps -a']!.code, 0, 'the engine answers')
  const failed = Object.entries(said).filter(([, { code }]) => code !== 0)
  // the first says why; those after it may lack what it should have made
  const reason = failed[0]?.[1].stderr ?? ''
  if (failed.length > 0)
    assert.match(reason, /(no space left on device|ENOSPC)/i, `${failed[0]![0]} with ${pages} pages: ${reason}`)
  if (failed.length > 0) assert.match(reason, /"?\/\S+/, `${failed[0]![0]} names no path: ${reason}`)
  rmSync(ballast)
  await stack.run('down', '-v')
  await stack.run('up', '-d', '--wait', 'web')
  assert.equal((await stack.run('exec', '-T', 'web', 'echo', 'works')).trim(), 'works')
  await stack.run('down', '-v')
  const { data, run } = engine.roots
  for (const folder of [
    join(data, 'containers'),
    join(data, 'volumes'),
    join(run, 'containers'),
    join(data, 'damaged'),
  ])
    assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], [], `${folder} with ${pages} pages`)
  return failed.length > 0
}
