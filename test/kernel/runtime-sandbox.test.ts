import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { socketIn } from '../../src/runtime/native.ts'
import type { ContainerSpec } from '../../src/runtime/spec.ts'
import { eventually } from '../support/eventually.ts'
import { groupFolder } from '../support/groups.ts'
import { Box, finish, kernelSkip } from './runtime-box.ts'

/** An engine that never does what is to be done in the sandbox. */
const engine = `
import { createRuntime } from ${JSON.stringify(new URL('../../src/runtime/kernel-runtime.ts', import.meta.url).pathname)}
import { readFileSync } from 'node:fs'
const [, file, parent] = process.argv
const runtime = await createRuntime({ cgroupParent: parent })
await runtime.start(JSON.parse(readFileSync(file, 'utf8')), {
  onSandbox: () => new Promise(() => console.log('asked')),
})
`

describe('Runtime.start() with something to do in the sandbox', { skip: kernelSkip() }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  const sandboxOf = ({ network }: ContainerSpec): string => {
    assert.ok(network.kind === 'create')
    return network.path
  }
  const yielding = async (args: readonly string[]): Promise<ContainerSpec> => {
    const spec = await box.spec(args)
    return { ...spec, network: { kind: 'create', path: sandboxOf(spec), interfaces: [], yields: true } }
  }
  const leftOf = (spec: ContainerSpec) => ({
    sandbox: existsSync(sandboxOf(spec)),
    group: existsSync(groupFolder('memory', spec.cgroup.path)),
  })
  const nothing = { sandbox: false, group: false }

  it('has it done before the process is made', async () => {
    const spec = await yielding(['sh', '-c', 'nc 127.0.0.11 53 </dev/null && echo open'])
    const server = createServer(socket => socket.end())
    const running = await box.start(spec, {
      onSandbox: async () => {
        server.listen({ fd: socketIn(sandboxOf(spec), 'tcp', '127.0.0.11', 53) })
        await once(server, 'listening')
      },
    })
    assert.equal((await finish(running)).stdout, 'open\n')
    server.close()
  })

  it('takes all back when that fails, whose error is the error of the start', async () => {
    const spec = await yielding(['true'])
    const failure = new Error('no name server')
    const onSandbox = async () => {
      assert.deepEqual(leftOf(spec), { sandbox: true, group: true })
      throw failure
    }
    await assert.rejects(box.start(spec, { onSandbox }), failure)
    assert.deepEqual(leftOf(spec), nothing)
  })

  it('is not asked to when the sandbox cannot be made', async () => {
    const spec = await yielding(['true'])
    const network = { ...spec.network, path: `${sandboxOf(spec)}/nowhere/x` } as ContainerSpec['network']
    const onSandbox = async () => assert.fail('there is none')
    await assert.rejects(box.start({ ...spec, network }, { onSandbox }), /ENOTDIR|ENOENT/)
    assert.deepEqual(leftOf(spec), nothing)
  })

  it('takes all back when the engine is killed meanwhile', async () => {
    const spec = await yielding(['true'])
    const file = join(box.folder, `${spec.id}.json`)
    await writeFile(file, JSON.stringify(spec))
    const child = spawn(process.execPath, ['--input-type=module', '-e', engine, file, box.prefix], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    assert.deepEqual(leftOf(spec), { sandbox: true, group: true })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await eventually('nothing left', () => !Object.values(leftOf(spec)).includes(true))
  })
})
