/** The older way out of the network of an engine without root rights, by itself: it leads to other hosts, and to no loopback of this one. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startWayOut, type WayOut } from '../../src/rootless/way-out.ts'
import { command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, which } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { kernelSkip } from './runtime-box.ts'

/** Of RFC 5737, for documentation. */
const near = '198.51.100.9'
const tun = existsSync('/dev/net/tun') ? false : '/dev/net/tun'

const name = 'slirp4netns'

// pasta takes a user namespace, which test/scenario/rootless.test.ts has
describe('the way out by slirp4netns', {
  skip: kernelSkip() || lacking(program(name), program('ip'), program('nsenter'), tun),
  timeout: 60_000 * patience,
}, () => {
  let holder: ChildProcess
  let folder: string
  let hadRoute = true
  const inside = (script: string) =>
    command('nsenter', ['-t', String(holder.pid), '-n', 'bash', '-c', script], { timeout: 20_000 })

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tsc-way-'))
    await command('ip', ['link', 'add', 'tscway0', 'type', 'veth', 'peer', 'name', 'tscway1'])
    await command('ip', ['addr', 'add', `${near}/24`, 'dev', 'tscway0'])
    await command('ip', ['link', 'set', 'tscway0', 'up'])
    await command('ip', ['link', 'set', 'tscway1', 'up'])
    hadRoute = (await command('ip', ['route', 'show', 'default'])).stdout !== ''
    if (!hadRoute) await command('ip', ['route', 'add', 'default', 'dev', 'tscway0'])
    holder = spawn('unshare', ['--net', 'sh', '-c', 'echo made; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await once(holder.stdout!, 'data')
  })
  after(async () => {
    holder.kill('SIGKILL')
    // in an engine it ends with the namespaces, by who starts it
    for (const pid of pidsOf(name, holder.pid!)) process.kill(Number(pid), 'SIGKILL')
    await eventually('its end', () => pidsOf(name, holder.pid!).length === 0)
    if (!hadRoute) await command('ip', ['route', 'del', 'default', 'dev', 'tscway0'])
    await command('ip', ['link', 'del', 'tscway0'])
    rmSync(folder, { recursive: true, force: true })
  })

  test('is ready with a route, reaches an address of this host, and nothing on its loopback', async () => {
    const way: WayOut = { name, path: which(name)!, dns: '10.0.2.3' }
    const heard = await startWayOut(way, { beside: [], pid: holder.pid!, mark: join(folder, 'mark') })
    assert.equal(heard, undefined)
    assert.match((await inside('ip route show default')).stdout, /dev way0/)
    const open = createServer(socket => socket.end('open\n')).listen(0, '0.0.0.0')
    const local = createServer(socket => socket.end('local\n')).listen(0, '127.0.0.1')
    await Promise.all([once(open, 'listening'), once(local, 'listening')])
    const port = (server: typeof open) => (server.address() as AddressInfo).port
    try {
      const read = (host: string, from: typeof open) =>
        inside(`timeout 5 bash -c 'exec 3<>/dev/tcp/${host}/${port(from)} && cat <&3'`)
      assert.equal((await read(near, open)).stdout, 'open\n')
      const gateway = (await inside("ip route show default | sed 's/.*via \\([^ ]*\\).*/\\1/'")).stdout.trim()
      for (const host of ['127.0.0.1', ...(/^[\d.]+$/.test(gateway) ? [gateway] : [])])
        assert.equal((await read(host, local)).stdout, '', host)
    } finally {
      open.close()
      local.close()
    }
  })
})

function pidsOf(name: string, beside: number): readonly string[] {
  const found = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean)
  return found.filter(pid => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return words.includes(name) && words.includes(String(beside))
    } catch {
      // it has ended
      return false
    }
  })
}
