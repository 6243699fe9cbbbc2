/** Settings of the engine, as containers feel them, and as `engine check` tells of them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { launcher, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

describe('engine settings', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start(['busybox'], {
      config: () => ({
        ip: '127.0.0.1',
        'default-address-pools': [{ base: '10.231.0.0/16', size: 26 }],
        'no-new-privileges': true,
        'default-cap-drop': ['NET_RAW'],
        'default-pids-limit': 77,
        'default-ulimits': { nofile: { soft: 333, hard: 444 } },
        'default-shm-size': '8m',
      }),
    })
  })
  after(() => engine.stop())

  const stack = (more: string) => `
services:
  a:
    image: busybox
    command: [sh, -c, "grep -E 'NoNewPrivs|CapBnd' /proc/self/status; ulimit -Sn; ulimit -Hn; df -k /dev/shm | tail -n1; sleep 600"]
    init: true
    stop_grace_period: 0s
    ports: ["80"]
${more}`

  async function shown(name: string, more: string) {
    const folder = mkdtempSync(join(engine.folder, 'stack-'))
    writeFileSync(join(folder, 'compose.yaml'), `name: ${name}\n${stack(more)}`)
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await engine.tscompose(args, { cwd: folder })
      assert.equal(code, 0, stderr)
      return stdout
    }
    await run('up', '-d')
    try {
      const pids = 'cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max'
      return {
        // the last is that of the file system
        said: await eventually('all that it says', async () => {
          const said = await run('logs', '--no-log-prefix', 'a')
          return /\/dev\/shm\n/.test(said) ? said : undefined
        }),
        executed: await run('exec', '-T', 'a', 'sh', '-c', `grep NoNewPrivs /proc/self/status; ${pids}; hostname -i`),
        port: await run('port', 'a', '80'),
        unchanged: await run('up', '-d', '--dry-run'),
      }
    } finally {
      await run('down', '-t', '0')
    }
  }

  test('hold for containers that do not speak of it, and are no difference to what a stack says', async () => {
    const { said, executed, port, unchanged } = await shown('plain', '')
    assert.match(said, /CapBnd:\t00000000a80405fb\nNoNewPrivs:\t1\n333\n444\n\S+ +8192 /)
    assert.match(executed, /^NoNewPrivs:\t1\n77\n10\.231\.0\.\d+\s*$/)
    assert.match(port, /^127\.0\.0\.1:\d+\s*$/)
    assert.doesNotMatch(unchanged, /[Rr]ecreat/)
  })

  test('give way to what a stack says', async () => {
    const { said, executed, port } = await shown(
      'own',
      `    security_opt: ["no-new-privileges:false"]
    cap_add: [NET_RAW]
    pids_limit: 55
    ulimits: { nofile: 222 }
    shm_size: 4m
    networks: [own]
networks:
  own:
    driver_opts: { com.docker.network.bridge.host_binding_ipv4: 127.0.0.2 }
`,
    )
    assert.match(said, /CapBnd:\t00000000a80425fb\nNoNewPrivs:\t0\n222\n222\n\S+ +4096 /)
    assert.match(executed, /^NoNewPrivs:\t0\n55\n/)
    assert.match(port, /^127\.0\.0\.2:\d+\s*$/)
  })
})

test('engine check tells what is wrong, with its line, and what is set where nothing is', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'engine.yaml')
  const check = (...args: string[]) =>
    command(launcher, ['engine', 'check', ...args], { env: { NO_COLOR: '1', TSCOMPOSE_WARM: '0' } })
  writeFileSync(file, 'ip: 127.0.0.1\nlog-opts:\n  max-file: "2"\n')
  assert.deepEqual(await check(file), { code: 0, stdout: `${file} is fine: ip, log-opts\n`, stderr: '' })
  writeFileSync(file, 'ip: here\nipp: 1\n')
  const wrong = await check(file)
  assert.notEqual(wrong.code, 0)
  assert.match(wrong.stderr, /error .*engine\.yaml:1:5 ip\n {2}it should be an IPv4 address\n.*ip: here/)
  assert.match(wrong.stderr, /engine\.yaml:2:1 ipp\n {2}There is no such setting/)
  writeFileSync(file, 'log-driver: gelf\n')
  assert.match((await check(file)).stderr, /gelf-address is a required parameter/)
  assert.match((await check(join(folder, 'none'))).stderr, /Cannot read settings ".*none": ENOENT/)
})
