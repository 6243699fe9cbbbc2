/** A container whose monitor's socket or folder is gone is managed again, and nothing of it is lost. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Paths } from '../../src/engine/base/paths.ts'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { hierarchies } from '../support/groups.ts'
import { lacking, program, root } from '../support/needs.ts'

const why = lacking(root(), program('busybox'), program('nft'), program('docker'))

describe('a monitor that cannot be reached', { skip: why }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const docker = (...args: readonly string[]) => engine.runDocker(...args)

  /** Says a number ten times a second until it is asked to end, and then "bye"; or ends by itself when told so by a file. */
  const counting =
    'trap "echo bye; exit 7" TERM; i=0; while [ ! -e /end ]; do echo line $i; i=$((i+1)); sleep 0.1; done; echo done; exit 9'

  const paths = () => new Paths(engine.roots)

  /** Where the monitor of each container is damaged. */
  const losses: Readonly<Record<string, (id: string) => void>> = {
    socket: id => rmSync(join(paths().monitor(id), 'control.sock')),
    folder: id => rmSync(paths().monitor(id), { recursive: true }),
    garbage: id => {
      rmSync(paths().containerRun(id), { recursive: true })
      writeFileSync(paths().containerRun(id), 'garbage')
    },
  }

  /** A container for each of `names`, called so, that has said something; their ids. */
  async function run(names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const ids: Record<string, string> = {}
    for (const name of names) ids[name] = await docker('run', '-d', '--name', name, 'busybox', 'sh', '-c', counting)
    for (const name of names) await eventually('lines', async () => (await docker('logs', name)).includes('line 3'))
    return ids
  }

  async function isManaged(name: string): Promise<void> {
    assert.equal(await docker('inspect', '-f', '{{.State.Status}}', name), 'running')
    assert.equal(await docker('exec', name, 'echo', 'inside'), 'inside')
    await docker('stop', name)
    await hasEnded(name, 7, 'bye')
  }

  /** With its code; every line once and in order, and the last words. */
  async function hasEnded(name: string, code: number, last: string): Promise<void> {
    assert.equal(await docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name), `exited ${code}`)
    const lines = (await docker('logs', name)).split('\n')
    assert.equal(lines.pop(), last)
    assert.deepEqual(
      lines,
      lines.map((_, i) => `line ${i}`),
    )
    assert.ok(lines.length > 3, `${lines.length} lines`)
    await docker('rm', name)
  }

  /** While there is no engine. */
  async function end(ids: Readonly<Record<string, string>>, pids: Readonly<Record<string, string>>): Promise<void> {
    for (const name of Object.keys(ids)) writeFileSync(`/proc/${pids[name]}/root/end`, '')
    for (const id of Object.values(ids)) await eventually('the exit record', () => existsSync(paths().monitorExit(id)))
  }

  async function pidsOf(ids: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const pids: Record<string, string> = {}
    for (const name of Object.keys(ids)) pids[name] = await docker('inspect', '-f', '{{.State.Pid}}', name)
    return pids
  }

  test('is found by the next engine when its socket or its folder is gone, or garbage is in its place', async () => {
    const ids = await run(Object.keys(losses))
    await engine.halt('SIGKILL')
    for (const [name, lose] of Object.entries(losses)) lose(ids[name]!)
    await engine.boot()
    assert.match(engine.log, /The socket of process \d+ was gone from ".+"; it is there again/)
    assert.match(engine.log, /Cannot use ".+" as a folder: .+; kept as ".+\/damaged\/containers-/)
    for (const name of Object.keys(losses)) await isManaged(name)
  })

  test('is reached by the engine that runs when its socket or its folder is gone', async () => {
    const ids = await run(['socket', 'folder'])
    for (const [name, id] of Object.entries(ids)) {
      losses[name]!(id)
      const attached = engine.docker(['attach', name])
      await eventually('the socket', () => existsSync(join(paths().monitor(id), 'control.sock')))
      await isManaged(name)
      assert.match((await attached).stdout, /bye\n$/)
    }
  })

  test('writes down how its container ends when its folder is gone and there is no engine', async () => {
    const ids = await run(['socket', 'folder'])
    const pids = await pidsOf(ids)
    await engine.halt('SIGKILL')
    for (const [name, id] of Object.entries(ids)) losses[name]!(id)
    await end(ids, pids)
    await engine.boot()
    for (const name of Object.keys(ids)) await hasEnded(name, 9, 'done')
    assert.deepEqual(readdirSync(join(engine.roots.run, 'containers')), [])
  })

  test('and its container outlive the whole run root', async () => {
    const ids = await run(['runs', 'ends'])
    const { ends } = await pidsOf(ids)
    await engine.halt('SIGKILL')
    rmSync(engine.roots.run, { recursive: true })
    await end({ ends: ids['ends']! }, { ends: ends! })
    await engine.boot()
    await isManaged('runs')
    await hasEnded('ends', 9, 'done')
  })

  test('and a container of which no record is left are named', async () => {
    const { runs: id = '' } = await run(['runs'])
    const pid = (await pidsOf({ runs: id }))['runs']!
    await engine.halt('SIGKILL')
    rmSync(paths().containers, { recursive: true })
    await engine.boot()
    assert.match(engine.log, new RegExp(`Processes ${pid}.* run as container "${id}", of which ".+" has no record`))
    assert.equal(await docker('ps', '-aq'), '')
    process.kill(Number(pid), 'SIGKILL')
    await eventually('its end', () => !existsSync(`/proc/${pid}/root/bin`))
    rmSync(paths().containerRun(id), { recursive: true, force: true })
    for (const mount of hierarchies()) {
      const group = join(mount, paths().name.cgroup(id))
      // the kernel lets go of its last process in its own time
      await eventually('an empty group', () => {
        if (existsSync(group)) rmdirSync(group)
        return true
      })
    }
    await command('umount', [paths().sandbox(id)])
    rmSync(paths().sandbox(id), { force: true })
  })

  test('has written down what nobody can read: how its container ended is not known, and that is said', async () => {
    const ids = await run(['torn'])
    const pids = await pidsOf(ids)
    await engine.halt('SIGKILL')
    await end(ids, pids)
    writeFileSync(paths().monitorExit(ids['torn']!), 'half a rec')
    await engine.boot()
    assert.match(engine.log, /exit\.json": it is not JSON; kept as /)
    await hasEnded('torn', 255, 'done')
  })
})
