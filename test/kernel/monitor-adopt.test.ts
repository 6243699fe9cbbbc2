import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createRuntime } from '../../src/runtime/kernel-runtime.ts'
import { eventually } from '../support/eventually.ts'
import { Box, kernelSkip } from './runtime-box.ts'

/** An engine that starts one container and is then killed. */
const engine = `
import { createRuntime } from ${JSON.stringify(new URL('../../src/runtime/kernel-runtime.ts', import.meta.url).pathname)}
import { readFileSync } from 'node:fs'
const [, file, parent] = process.argv
const runtime = await createRuntime({ cgroupParent: parent })
const running = await runtime.start(JSON.parse(readFileSync(file, 'utf8')))
process.stdout.write(\`\${running.pid}\`) // as text: console.log would colour a number for a terminal
`

async function hasEnded(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat === undefined || / Z /.test(stat)
}

describe('Runtime.adopt()', { skip: kernelSkip() }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  async function startAndKill(args: readonly string[]) {
    const spec = await box.spec(args)
    const file = join(box.folder, `${spec.id}.json`)
    await writeFile(file, JSON.stringify({ ...spec, stdio: { ...spec.stdio, attach: undefined, stdin: true } }))
    const child = spawn(process.execPath, ['--input-type=module', '-e', engine, file, box.prefix], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [data] = await once(child.stdout!, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    return { spec, pid: Number(String(data)) }
  }

  it('finds a container whose engine was killed, its output whole, and its exit', async () => {
    const { spec, pid } = await startAndKill([
      'sh',
      '-c',
      'n=0; while [ $n -lt 50 ]; do echo $n; n=$((n+1)); sleep 0.01; done; read x; exit 5',
    ])
    const found = await box.runtime.adopt(spec.supervise.directory)
    assert.ok(found?.kind === 'running')
    assert.equal(found.pid, pid)
    const lines = () => readFile(spec.supervise.log!.path, 'utf8').then(text => text.trim().split('\n'))
    await eventually('fifty lines', async () => (await lines()).length === 50)
    assert.deepEqual(
      (await lines()).map(line => JSON.parse(line).log),
      Array.from({ length: 50 }, (_, n) => `${n}\n`),
    )
    const attachment = await found.attach({ stdin: true, stdout: true, stderr: true })
    await attachment.write(Buffer.from('\n'))
    assert.equal((await found.exited).code, 5)
    attachment.close()
  })

  it('reads the record of a container that ended while there was no engine', async () => {
    const { spec } = await startAndKill(['sh', '-c', 'echo bye; exit 9'])
    const found = await eventually('an exit', async () => {
      const answer = await box.runtime.adopt(spec.supervise.directory)
      return answer?.kind === 'exited' && answer
    })
    assert.deepEqual([found.code, found.oomKilled], [9, false])
    assert.match(await readFile(spec.supervise.log!.path, 'utf8'), /bye/)
  })

  it('hears of an exit that could not be written down, which is tried again until it is', async () => {
    const { spec, pid } = await startAndKill(['sleep', '1000'])
    const { directory } = spec.supervise
    // as a full disk would, but for as long as is wanted
    await mkdir(join(directory, '.exit.json'))
    process.kill(pid, 'SIGKILL')
    await eventually('its end', () => hasEnded(pid))
    const found = await box.runtime.adopt(directory)
    assert.ok(found?.kind === 'running')
    assert.equal((await found.exited).code, 137)
    assert.equal(existsSync(join(directory, 'exit.json')), false)
    await rmdir(join(directory, '.exit.json'))
    await eventually('the record', () => existsSync(join(directory, 'exit.json')))
    await eventually('the end of the monitor', () => !existsSync(join(directory, 'control.sock')))
  })

  it('leaves nothing of a monitor that was heard and whose folder is gone', async () => {
    const { spec, pid } = await startAndKill(['sleep', '1000'])
    const found = await box.runtime.adopt(spec.supervise.directory)
    assert.ok(found?.kind === 'running')
    const monitor = Number(/^PPid:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1])
    await mkdir(join(spec.supervise.directory, '.exit.json'))
    found.signal(9)
    await found.exited
    // again, since the monitor may write just then
    await rm(spec.supervise.directory, { recursive: true, maxRetries: 5 })
    await eventually('the end of the monitor', () => hasEnded(monitor))
    assert.equal(existsSync(spec.supervise.directory), false)
  })

  it('finds nothing where there never was a monitor', async () => {
    assert.equal(await box.runtime.adopt(join(box.folder, 'nowhere')), undefined)
    assert.equal(await box.runtime.adopt(box.folder), undefined)
  })

  it('leaves running processes alone when it is closed', async () => {
    const other = await createRuntime({ cgroupParent: box.prefix })
    const spec = await box.spec(['sleep', '1000'])
    await other.start(spec)
    await other.close()
    const found = await box.runtime.adopt(spec.supervise.directory)
    assert.ok(found?.kind === 'running')
    found.signal(9)
    assert.equal((await found.exited).code, 137)
  })

  it('takes the container with it when a monitor is killed, and says so', async () => {
    const running = await box.start(await box.spec(['sleep', '1000']))
    const status = await readFile(`/proc/${running.pid}/status`, 'utf8')
    process.kill(Number(/^PPid:\s*(\d+)/m.exec(status)![1]), 'SIGKILL')
    const { code, signal } = await running.exited
    assert.deepEqual([code, signal], [137, 9])
    await eventually('the end of the process', () => hasEnded(running.pid))
  })
})
