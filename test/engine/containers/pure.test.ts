import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilitySet, defaultCapabilities } from '../../../src/engine/containers/config/capabilities.ts'
import { containerEnvironment, execEnvironment } from '../../../src/engine/containers/config/environment.ts'
import { parseBind, tmpfsOptions } from '../../../src/engine/containers/config/mount-points.ts'
import {
  delayLeft,
  failedRestarts,
  nextDelay,
  restartsAfterExit,
  restartTuning,
  startsWithEngine,
} from '../../../src/engine/containers/config/restart-policy.ts'
import { checkSecurityOptions } from '../../../src/engine/containers/config/security-options.ts'
import { findUser } from '../../../src/engine/containers/config/user.ts'
import { commandText, statusText } from '../../../src/engine/containers/show/inspect.ts'
import { parseTop } from '../../../src/engine/containers/show/top.ts'
import { checkMove, moves, type Status, statuses } from '../../../src/engine/containers/state.ts'

test('a move that is not in the table is a conflict', () => {
  for (const from of statuses)
    for (const to of statuses) {
      if (moves[from].includes(to)) checkMove('web', from, to)
      else assert.throws(() => checkMove('web', from, to), { kind: 'conflict' })
    }
})

test('nextDelay() doubles from 100 ms to a minute, and forgets after ten steady seconds', () => {
  const delays: number[] = []
  for (let i = 0, delay = 0; i < 12; i++) delays.push((delay = nextDelay(delay, 50)))
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000])
  assert.equal(nextDelay(51_200, 10_000), 100)
})

test('delayLeft() counts the first delay from the start of the run, and all others from its end', () => {
  assert.deepEqual(
    [0, 30, 100, 60_000].map(ranFor => delayLeft(100, ranFor)),
    [100, 70, 0, 0],
  )
  assert.equal(delayLeft(200, 5000), 200, 'a container that crashes again and again')
  assert.equal(delayLeft(100, -7_200_000), 100, 'a clock that was set back')
  assert.equal(delayLeft(50, 60_000, { delay: 50 }), 50, 'a delay that was asked for')
})

test('restartTuning() reads times and a number, and refuses what is neither', () => {
  const [delay, window, attempts] = ['delay', 'window', 'max-attempts'].map(name => `io.tscompose.restart.${name}`)
  assert.deepEqual(restartTuning({ [delay!]: '1m30s', [window!]: '500ms', [attempts!]: '3', other: 'x' }), {
    delay: 90_000,
    window: 500,
    attempts: 3,
  })
  for (const given of [{ [delay!]: 'soon' }, { [window!]: '-1s' }, { [attempts!]: '1.5' }])
    assert.throws(() => restartTuning(given), /Cannot use ".*" as the annotation "io.tscompose.restart/)
})

test('nextDelay() is the one that is asked for, however short the runs are', () => {
  assert.equal(nextDelay(5000, 1, { delay: 5000 }), 5000)
  assert.equal(nextDelay(0, 60_000, { delay: 5000 }), 5000)
})

test('restartsAfterExit() counts attempts of any policy, and with a window only those that did not run for so long', () => {
  const exit = { exitCode: 0, stoppedOnPurpose: false }
  const always = { Name: 'always', MaximumRetryCount: 0 }
  assert.equal(restartsAfterExit(always, { ...exit, restartCount: 1 }, { attempts: 2 }), true)
  assert.equal(restartsAfterExit(always, { ...exit, restartCount: 2 }, { attempts: 2 }), false)
  const tuning = { attempts: 2, window: 1000 }
  assert.equal(restartsAfterExit(always, { ...exit, restartCount: 9, failedRestarts: 1 }, tuning), true)
  assert.equal(restartsAfterExit(always, { ...exit, restartCount: 9, failedRestarts: 2 }, tuning), false)
  // the first run is no restart
  assert.equal(failedRestarts({ restartCount: 0, failedRestarts: 0 }, 10, tuning), 0)
  assert.equal(failedRestarts({ restartCount: 1, failedRestarts: 0 }, 10, tuning), 1)
  assert.equal(failedRestarts({ restartCount: 2, failedRestarts: 1 }, 1000, tuning), 1)
})

test('restartsAfterExit() follows the policy, and never a stop on purpose', () => {
  const policy = (Name: string, MaximumRetryCount = 0) => ({ Name, MaximumRetryCount })
  const exit = (exitCode: number, restartCount = 0, stoppedOnPurpose = false) => ({
    exitCode,
    restartCount,
    stoppedOnPurpose,
  })
  assert.equal(restartsAfterExit(policy('no'), exit(1)), false)
  for (const name of ['always', 'unless-stopped']) {
    assert.equal(restartsAfterExit(policy(name), exit(0)), true)
    assert.equal(restartsAfterExit(policy(name), exit(0, 0, true)), false)
  }
  assert.equal(restartsAfterExit(policy('on-failure'), exit(0)), false)
  assert.equal(restartsAfterExit(policy('on-failure'), exit(1, 99)), true)
  assert.equal(restartsAfterExit(policy('on-failure', 3), exit(1, 2)), true)
  assert.equal(restartsAfterExit(policy('on-failure', 3), exit(1, 3)), false)
})

test('startsWithEngine() brings always back even after a stop, unless-stopped not', () => {
  const stopped = { exitCode: 0, restartCount: 0, stoppedOnPurpose: true }
  assert.equal(startsWithEngine({ Name: 'always', MaximumRetryCount: 0 }, stopped), true)
  assert.equal(startsWithEngine({ Name: 'unless-stopped', MaximumRetryCount: 0 }, stopped), false)
})

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\n#no\napp:x:1000:1001::/home/app:/bin/sh\nbroken\nbad:x:99999999999:0::/:\n',
  group: 'root:x:0:\napp:x:1001:\nextra:x:2000:other,app\n',
}

test('findUser() looks names and numbers up in the files of the container', () => {
  const find = (user: string, add: string[] = []) => {
    const { uid, gid, groups, home } = findUser(user, add, files)
    return [uid, gid, groups, home]
  }
  assert.deepEqual(find(''), [0, 0, [0], '/root'])
  assert.deepEqual(find('app'), [1000, 1001, [1001, 2000], '/home/app'])
  assert.deepEqual(find('1000'), [1000, 1001, [1001, 2000], '/home/app'])
  assert.deepEqual(find('app:extra'), [1000, 2000, [2000], '/home/app'])
  assert.deepEqual(find('5:6'), [5, 6, [6], '/'])
  assert.deepEqual(find('5', ['extra', '7']), [5, 0, [0, 2000, 7], '/'])
})

test('findUser() refuses unknown names and numbers out of range', () => {
  const refused = (user: string, message: string) => assert.throws(() => findUser(user, [], files), { message })
  refused('nobody', 'unable to find user nobody: no matching entries in passwd file')
  refused('bad', 'unable to find user bad: no matching entries in passwd file')
  refused('app:nobody', 'unable to find group nobody: no matching entries in group file')
  refused('2147483648', 'uids and gids must be in range 0-2147483647')
  refused('-1', 'uids and gids must be in range 0-2147483647')
})

test('findUser() takes a number for a number, whatever the files call it', () => {
  const sly = { passwd: '1000:x:0:0::/:/bin/sh\n', group: '2000:x:0:1000\n' }
  const { uid, gid, groups } = findUser('1000:2000', ['2000'], sly)
  assert.deepEqual([uid, gid, groups], [1000, 2000, [2000]])
})

test('findUser() refuses more groups than a process can be given', () => {
  const group = Array.from({ length: 1100 }, (_, i) => `g${i}:x:${i + 1}:root\n`).join('')
  assert.throws(() => findUser('root', [], { passwd: files.passwd, group }), /1101 groups, at most 1024/)
})

test('the environment has the defaults, what was set over them, and HOME by the user', () => {
  const options = { hostname: 'h', terminal: true, home: '/root' }
  assert.deepEqual(containerEnvironment({ ...options, env: ['PATH=/x', 'A=1', 'A=2', 'TERM'] }), [
    'PATH=/x',
    'HOSTNAME=h',
    'A=2',
    'HOME=/root',
  ])
  assert.deepEqual(
    execEnvironment({ ...options, terminal: false, container: ['A=1', 'HOME=/own'], env: ['A=3'] }).slice(2),
    ['A=3', 'HOME=/own'],
  )
})

test('capabilities: the default fourteen, ALL, drop and add', () => {
  const set = (add: string[], drop: string[], privileged = false) => capabilitySet({ add, drop, privileged })
  assert.deepEqual(new Set(set([], [])), new Set(defaultCapabilities))
  assert.deepEqual(set([], ['ALL']), [])
  assert.deepEqual(set(['CAP_NET_ADMIN'], ['ALL']), ['NET_ADMIN'])
  assert.ok(!set(['ALL'], ['CAP_SYS_ADMIN']).includes('SYS_ADMIN'))
  assert.ok(set(['ALL'], ['CAP_SYS_ADMIN']).includes('SYS_MODULE'))
  assert.equal(set([], ['ALL'], true).length, 41)
})

test('security options are read, and an unknown one is refused', () => {
  assert.equal(checkSecurityOptions(['no-new-privileges']).noNewPrivileges, true)
  assert.equal(checkSecurityOptions(['no-new-privileges:true']).noNewPrivileges, true)
  assert.equal(checkSecurityOptions(['no-new-privileges=false']).noNewPrivileges, false)
  assert.deepEqual(checkSecurityOptions(['seccomp=unconfined']).seccomp, { kind: 'unconfined' })
  assert.deepEqual(checkSecurityOptions(['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']).seccomp, {
    kind: 'profile',
    profile: { defaultAction: 'SCMP_ACT_ALLOW' },
  })
  assert.deepEqual(checkSecurityOptions(['seccomp', 'apparmor:mine', 'label=disable', 'systempaths=unconfined']), {
    ...{
      noNewPrivileges: false,
      seccomp: { kind: 'default' },
      apparmor: 'mine',
      unmasked: true,
      writableCgroups: undefined,
    },
  })
  const writable = ['writable-cgroups', 'writable-cgroups=true', 'writable-cgroups=false']
  assert.deepEqual(
    writable.map(option => checkSecurityOptions([option]).writableCgroups),
    [true, true, false],
  )
  for (const [option, message] of [
    ['colour=red', 'invalid --security-opt 2: "colour=red"'],
    ['colour', 'invalid --security-opt 1: "colour"'],
    ['no-new-privileges2', 'invalid --security-opt 1: "no-new-privileges2"'],
    ['no-new-privileges=maybe', 'invalid --security-opt: "no-new-privileges=maybe"'],
    ['systempaths=some', 'invalid --security-opt: "systempaths=some"'],
    ['writable-cgroups=some', 'invalid --security-opt 2: "writable-cgroups=some"'],
    ['seccomp={', 'Decoding seccomp profile failed: it is not JSON'],
    [
      'seccomp=/etc/profile.json',
      'Decoding seccomp profile failed: it is the name of a file, and should be what stands in it',
    ],
  ] as const)
    assert.throws(() => checkSecurityOptions([option]), { kind: 'invalid', message })
  assert.throws(() => checkSecurityOptions(['label=type:x']), { kind: 'unsupported' })
})

test('parseBind() tells binds from volumes and reads their options', () => {
  const { type, source, target, readonly, propagation } = parseBind('/a/../b:/x/:ro,rslave', 'cause')
  assert.deepEqual([type, source, target, readonly, propagation], ['bind', '/b', '/x', true, 'rslave'])
  const volume = parseBind('data:/x:nocopy', 'cause')
  assert.deepEqual([volume.type, volume.name, volume.nocopy], ['volume', 'data', true])
  for (const bad of ['a:b:c:d', ':/x', '/a:', '/a:x', 'da ta:/x', '/a:/x:what', 'data:/x:shared'])
    assert.throws(() => parseBind(bad, 'cause'), { kind: 'invalid' }, bad)
})

test('tmpfs options: locked down unless said otherwise', () => {
  assert.deepEqual(tmpfsOptions(''), { flags: ['noexec', 'nosuid', 'nodev'], data: '', readonly: false })
  assert.deepEqual(tmpfsOptions('exec,size=64k,mode=1777,ro'), {
    flags: ['nosuid', 'nodev', 'ro'],
    data: 'size=64k,mode=1777',
    readonly: true,
  })
})

test('the status reads as Docker writes it', () => {
  const now = Date.parse('2026-01-01T00:01:00Z')
  const at = (seconds: number) => new Date(now - seconds * 1000).toISOString()
  const base = { boot: '', version: 2, pid: 0, exitCode: 0, oomKilled: false, error: '', restartCount: 0 } as const
  const text = (status: Status, more: object = {}) =>
    statusText(
      {
        state: { ...base, status, stoppedOnPurpose: false, attachments: [], ports: [], startedAt: at(4), ...more },
      },
      now,
    )
  const health = { FailingStreak: 0, Log: [] }
  assert.equal(text('created', { startedAt: undefined }), 'Created')
  assert.equal(text('running'), 'Up 4 seconds')
  assert.equal(text('paused'), 'Up 4 seconds (Paused)')
  assert.equal(text('running', { health: { ...health, Status: 'starting' } }), 'Up 4 seconds (health: starting)')
  assert.equal(text('running', { health: { ...health, Status: 'unhealthy' } }), 'Up 4 seconds (unhealthy)')
  assert.equal(text('restarting', { exitCode: 2, finishedAt: at(0.2) }), 'Restarting (2) Less than a second ago')
  assert.equal(text('exited', { exitCode: 3, finishedAt: at(4) }), 'Exited (3) 4 seconds ago')
  assert.equal(commandText(['sh', '-c', 'echo hello; exit']), "sh -c 'echo hello; exit'")
})

test('parseTop() keeps the rows of the container and the blanks of the last column', () => {
  const text = 'UID PID CMD\nroot 1 /sbin/init\nroot 42 sh -c echo  hi\n'
  assert.deepEqual(parseTop(text, new Set([42])), {
    Titles: ['UID', 'PID', 'CMD'],
    Processes: [['root', '42', 'sh -c echo hi']],
  })
  assert.throws(() => parseTop('CMD\nsh\n', new Set()), /Couldn't find PID field in ps output/)
})
