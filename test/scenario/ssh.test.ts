/** An engine reached by ssh:// through a real sshd on loopback, with a configuration of its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command, type Said } from '../support/command.ts'
import { jsonLines, launcher, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { freePort, listens } from '../support/free-port.ts'
import { lacking, program, root, which } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

const sshd = process.env['TSCOMPOSE_TEST_SSHD'] ?? ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find(existsSync)
const skip =
  lacking(root(), program('busybox'), program('nft'), program('ssh'), program('ssh-keygen'), program('unshare')) ||
  (sshd === undefined && 'needs sshd (openssh-server), or its path in TSCOMPOSE_TEST_SSHD')

const yaml = `name: far
services:
  web: {image: busybox, command: sh -c 'echo here; exec sleep infinity', stop_signal: SIGKILL}
`

describe('an engine behind ssh', { skip, timeout: 120_000 * patience }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsc-ssh-'))
  const at = (name: string) => join(folder, name)
  let engine: TestEngine
  let server: ChildProcess
  let port: number
  let complaint = ''

  before(async () => {
    engine = await TestEngine.start()
    port = await freePort()
    for (const name of ['host', 'user', 'stranger'])
      assert.equal((await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)])).code, 0)
    copyFileSync(at('user.pub'), at('authorized'))
    const path = [dirname(launcher), dirname(process.execPath), '/usr/bin', '/bin'].join(':')
    writeFileSync(
      at('sshd_config'),
      `ListenAddress 127.0.0.1
Port ${port}
HostKey ${at('host')}
PidFile none
StrictModes no
AuthorizedKeysFile ${at('authorized')}
PermitRootLogin yes
PasswordAuthentication no
SetEnv DOCKER_HOST=${engine.host} PATH=${path}
`,
    )
    // the user and the folder that sshd wants are there for it alone
    writeFileSync(at('passwd'), `${readFileSync('/etc/passwd', 'utf8')}sshd:x:65533:65534::/run/sshd:/bin/false\n`)
    const alone = `mount --bind ${at('passwd')} /etc/passwd && mkdir -p /run/sshd && exec ${sshd} -D -e -f ${at('sshd_config')}`
    const own = existsSync('/run/sshd') ? alone : alone.replace('mkdir', 'mount -t tmpfs none /run && mkdir')
    server = spawn('unshare', ['-m', 'sh', '-c', own], { stdio: ['ignore', 'ignore', 'pipe'] })
    server.stderr!.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    await eventually('sshd listens', () => listens(port)).catch((error: Error) =>
      assert.fail(`${error.message}: ${complaint}`),
    )
    for (const name of ['user', 'stranger']) writeSsh(name)
    mkdirSync(at('stack'))
    writeFileSync(at('stack/compose.yaml'), yaml)
  })
  after(async () => {
    if (server?.exitCode === null) {
      server.kill()
      await once(server, 'exit')
    }
    await engine.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** ssh as a person with such a key has it set up. */
  function writeSsh(key: string): void {
    mkdirSync(at(`bin-${key}`))
    const words = `-F /dev/null -i ${at(key)} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${at('known')}`
    writeFileSync(at(`bin-${key}/ssh`), `#!/bin/sh\nexec ${which('ssh')} ${words} "$@"\n`)
    chmodSync(at(`bin-${key}/ssh`), 0o755)
  }

  const far = (args: readonly string[], { key = 'user', input = '' } = {}): Promise<Said> =>
    command(launcher, ['-H', `ssh://root@127.0.0.1:${port}`, ...args], {
      cwd: at('stack'),
      env: { ...engine.env, DOCKER_HOST: '', PATH: `${at(`bin-${key}`)}:${process.env['PATH']}` },
      input,
    })
  const run = async (...args: readonly string[]): Promise<string> => {
    const said = await far(args)
    assert.equal(said.code, 0, `${args.join(' ')}\n${said.stdout}${said.stderr}\n${complaint}`)
    return said.stdout
  }

  test('is driven as the one here: up, ps, logs, exec with input and exit code, down', async () => {
    await run('up', '-d')
    assert.deepEqual(
      jsonLines(await run('ps', '--format', 'json')).map(({ Name, State }) => [Name, State]),
      [['far-web-1', 'running']],
    )
    await eventually('its words', async () => (await run('logs', 'web')).includes('here'))
    const echoed = await far(['exec', '-T', 'web', 'sh', '-c', 'cat; exit 7'], { input: 'a line\n'.repeat(20_000) })
    assert.deepEqual([echoed.code, echoed.stdout.length], [7, 140_000])
    await run('down')
    assert.deepEqual(jsonLines(await run('ps', '-a', '--format', 'json')), [])
  })

  test('that does not let us in is told with what ssh says', async () => {
    const { code, stderr } = await far(['ps'], { key: 'stranger' })
    assert.equal(code, 1)
    assert.match(stderr, /Cannot reach "127\.0\.0\.1" by ssh: .*Permission denied/)
  })
})
