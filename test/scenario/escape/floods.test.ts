/** One container, or one client, that asks for all there is: the engine goes on answering, and has what it had when it is over. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '../../support/eventually.ts'
import { Hostile, hostileSkip } from '../../support/hostile.ts'
import { patience } from '../../support/patience.ts'

describe('no way to wear the engine out:', { skip: hostileSkip(), timeout: 300_000 * patience }, () => {
  let at: Hostile
  const sockets: Socket[] = []
  before(async () => {
    at = await Hostile.start()
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    await at.stop()
  })

  /** Resident, in MiB. */
  const memory = (pid: number) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
  const descriptors = () => readdirSync(`/proc/${at.engine.pid}/fd`).length
  const monitorOf = async (name: string) => {
    const { Pid } = (await at.inspect(name)).State
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${Pid}/status`, 'utf8'))![1])
  }

  /** A client that sends a request and reads nothing of the answer. */
  function deaf(method: string, path: string, body?: object): Socket {
    const socket = connect(join(at.engine.folder, 'engine.sock')).on('error', () => undefined)
    sockets.push(socket)
    socket.pause()
    const text = body === undefined ? '' : JSON.stringify(body)
    const upgrade = method === 'POST' ? 'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\n' : ''
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Length: ${text.length}\r\n\r\n${text}`)
    return socket
  }

  test('output without end fills no more than its log may have, one line of it neither', async () => {
    const limits = ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=2']
    const endless = [
      ['yes', 'yes'],
      ['line', 'cat /dev/zero | tr "\\0" x'],
    ] as const
    for (const [name, script] of endless) await at.begin(name, ...limits, 'busybox', 'sh', '-c', script)
    const before = memory(at.engine.pid)
    const slowest = await at.slowestPing(pause(3000))
    assert.ok(slowest < 3000 * patience, `${slowest.toFixed(0)} ms`)
    for (const [name] of endless) {
      const id = (await at.engine.runDocker('inspect', '-f', '{{.Id}}', name)).trim()
      const folder = join(at.engine.roots.data, 'containers', id)
      const logs = (readdirSync(folder, { recursive: true }) as string[]).filter(file => /\.log/.test(file))
      // one may be on its way to its next name
      const size = logs.reduce(
        (sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0),
        0,
      )
      assert.ok(logs.length > 0 && size < 4 << 20, `${name}: ${size} bytes in ${logs.join(' ')}`)
      assert.ok(memory(await monitorOf(name)) < 16, `the monitor of ${name} has grown`)
    }
    assert.ok(memory(at.engine.pid) - before < 64, `${(memory(at.engine.pid) - before).toFixed(0)} MiB more`)
    await at.remove('yes', 'line')
  })

  test('readers that stand still: of exec, attach, logs, events and stats', async () => {
    await at.begin('talker', '-i', 'busybox', 'sh', '-c', 'yes')
    const fds = descriptors()
    const memoryBefore = memory(at.engine.pid)
    for (let i = 0; i < 4; i++) {
      const { text } = await at.raw('POST', '/containers/talker/exec', { Cmd: ['yes'], AttachStdout: true })
      deaf('POST', `/exec/${JSON.parse(text).Id}/start`, { Detach: false })
      deaf('POST', '/containers/talker/attach?stream=1&stdout=1&stdin=1')
      deaf('GET', '/containers/talker/logs?stdout=1&follow=1')
      deaf('GET', '/events?since=1')
      deaf('GET', '/containers/talker/stats')
    }
    let slowest = 0
    for (let i = 0; i < 40; i++) {
      slowest = Math.max(slowest, await at.ping())
      await pause(50)
    }
    assert.ok(slowest < 3000 * patience, `${slowest.toFixed(0)} ms`)
    // 16 MiB are held for each of the eight whose process would have to wait
    const more = memory(at.engine.pid) - memoryBefore
    assert.ok(more < 8 * 16 + 96, `${more.toFixed(0)} MiB more`)
    for (const socket of sockets.splice(0)) socket.destroy()
    await at.remove('talker')
    await eventually(
      'its descriptors',
      () => descriptors() <= fds + 4 || assert.fail(`${fds}, then ${descriptors()}`),
      20_000,
    )
  })

  test('two hundred clients attach and leave: half of them in the middle of a word', async () => {
    await at.begin('attached', '-i', 'busybox', 'cat')
    const fds = descriptors()
    const monitor = await monitorOf('attached')
    const open = readdirSync(`/proc/${monitor}/fd`).length
    for (let i = 0; i < 200; i++) {
      const socket = deaf('POST', '/containers/attached/attach?stream=1&stdin=1&stdout=1')
      if (i % 2 === 0) socket.write('wor')
      if (i % 10 === 0) await at.ping()
      socket.end()
      setTimeout(() => socket.destroy(), 20)
    }
    await eventually(
      'its descriptors',
      () => descriptors() <= fds + 4 || assert.fail(`${fds}, then ${descriptors()}`),
      20_000,
    )
    await eventually('those of the monitor', () => readdirSync(`/proc/${monitor}/fd`).length <= open + 1, 20_000)
    assert.equal((await at.inspect('attached')).State.Running, true)
    await at.remove('attached')
  })

  test('a storm of execs, half of them broken off', async () => {
    await at.begin('stormed', '--pids-limit', '200', 'busybox', 'sleep', '1000')
    const fds = descriptors()
    const storm = async () => {
      for (let i = 0; i < 10; i++) {
        const { status, text } = await at.raw('POST', '/containers/stormed/exec', {
          Cmd: ['sleep', '1000'],
          AttachStdout: true,
        })
        if (status !== 201) continue
        const socket = deaf('POST', `/exec/${JSON.parse(text).Id}/start`, { Detach: false })
        if (i % 2 === 0) setTimeout(() => socket.destroy(), 5)
      }
    }
    const slowest = await at.slowestPing(Promise.all(Array.from({ length: 12 }, storm)))
    assert.ok(slowest < 5000 * patience, `${slowest.toFixed(0)} ms`)
    await at.remove('stormed')
    for (const socket of sockets.splice(0)) socket.destroy()
    await eventually(
      'its descriptors',
      () => descriptors() <= fds + 4 || assert.fail(`${fds}, then ${descriptors()}`),
      20_000,
    )
  })

  test('containers that are born and die in turns, and checks that flood their result', async () => {
    const flood = ['--health-cmd', 'yes | head -c 50000000', '--health-interval', '1s']
    await at.begin('checked', ...flood, 'busybox', 'sleep', '1000')
    await at.begin('dying', '--restart', 'always', 'busybox', 'false')
    const before = memory(at.engine.pid)
    const slowest = await at.slowestPing(pause(3000))
    assert.ok(slowest < 3000 * patience, `${slowest.toFixed(0)} ms`)
    await eventually(
      'a result',
      async () => {
        const { text } = await at.raw('GET', '/containers/checked/json')
        const log = JSON.parse(text).State.Health.Log as { Output: string }[]
        return log.length > 0 && log.every(({ Output }) => Output.length <= 4200)
      },
      40_000,
    )
    assert.ok(memory(at.engine.pid) - before < 128, `${(memory(at.engine.pid) - before).toFixed(0)} MiB more`)
    await at.remove('checked', 'dying')
  })
})
